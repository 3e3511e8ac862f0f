"""How loud each note is played: arousal, metre, phrase, role, and the composer's own accents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from videoscore.music.score import PPQ, Note, Role, Section
from videoscore.perform.orchestrate.palettes import Instrument, Voice

# All on MIDI's velocity scale. Velocity is what listeners and taggers read arousal from most, so
# arousal spans pianissimo (about 40) to fortissimo (about 104) and everything else is small beside it.
MIDDLE, SPAN = 72.0, 32.0
DOWNBEAT, HALF_BAR, BEAT, OFF_BEAT = 7.0, 3.0, 0.0, -4.0
ARCH, PHRASE_BARS, ARCH_TOP = 5.0, 4, 0.625
COMPOSED, COMPOSED_LIMIT = 0.5, 18.0
HUMAN = 2.5  # standard deviation
BALANCE = {
    Role.MELODY: 6.0,
    Role.COUNTER: 1.0,
    Role.ACCOMPANIMENT: -7.0,
    Role.BASS: 0.0,
    Role.PAD: -9.0,
    Role.DRUMS: 0.0,
}
# n equal notes at once have 10 log10(n) dB more than one; this share of it is taken back, so that a thick
# accompaniment doesn't bury a single line.
THINNED = 0.8
LEAN = 0.5  # how far the last bar of a section leans towards the next section's arousal


@dataclass(frozen=True)
class Dynamics:
    """Velocities of one section. `following` is the arousal with which the next begins, or None at the end."""

    section: Section
    following: float | None

    def arousal(self, tick: int) -> float:
        """Arousal in [-1, 1] at a tick: along the section's own curve, leaning to the next section's in the last
        bar."""
        bar = self.section.beats * PPQ
        own = self.section.arousal_in((tick - self.section.start) / bar - 0.5)
        last = self.section.end - bar
        if self.following is None or tick < last or self.section.bars < 2:
            return own
        return own + LEAN * (tick - last) / bar * (self.following - own)

    def velocities(
        self, notes: Sequence[Note], role: Role, voice: Voice, instrument: Instrument, rng: Random
    ) -> list[int]:
        """Velocity 1..127 of every note of one role, as one instrument plays it."""
        mean = sum(note.velocity for note in notes) / max(1, len(notes))
        # FluidSynth follows the SoundFont standard: 40 log10(velocity) dB (SF 2.04, section 8.4.1)
        level = voice.level - THINNED * 10 * math.log10(1.0 if role is Role.DRUMS else voices_at_once(notes))
        scale = 10 ** (level / 40)
        span = (instrument.loudest - instrument.quietest) / 126
        result = []
        for note in notes:
            composed = COMPOSED * (note.velocity - mean)
            loud = (
                MIDDLE
                + SPAN * self.arousal(note.start)
                + BALANCE[role]
                + self._accent(note.start)
                + max(-COMPOSED_LIMIT, min(COMPOSED_LIMIT, composed))
                + rng.gauss(0.0, HUMAN)
            )
            if role is not Role.DRUMS:
                loud += self._arch(note.start)
            loud = instrument.quietest + (max(1.0, min(127.0, loud)) - 1) * span
            result.append(max(1, min(127, round(loud * scale))))
        return result

    def _accent(self, tick: int) -> float:
        place = (tick - self.section.start) % (self.section.beats * PPQ)
        if place == 0:
            return DOWNBEAT
        if place % PPQ:
            return OFF_BEAT
        return HALF_BAR if self.section.beats % 2 == 0 and place * 2 == self.section.beats * PPQ else BEAT

    def _arch(self, tick: int) -> float:
        """A swell over each four bars, highest at five eighths of them."""
        length = PHRASE_BARS * self.section.beats * PPQ
        place = (tick - self.section.start) % length / length
        warped = (
            0.5 * place / ARCH_TOP if place < ARCH_TOP else 0.5 + 0.5 * (place - ARCH_TOP) / (1 - ARCH_TOP)
        )
        return ARCH * (2 * math.sin(math.pi * warped) - 1)


def voices_at_once(notes: Sequence[Note]) -> float:
    """Mean number of notes that sound together while any sounds; 1 for no notes. Notes sorted by start."""
    total = covered = until = 0
    for note in notes:
        stop = note.start + note.duration
        total += note.duration
        covered += max(0, stop - max(until, note.start))
        until = max(until, stop)
    return total / covered if covered else 1.0
