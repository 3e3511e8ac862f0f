"""Where each line lies: in its instrument's range, and clear of the mud in the low register."""

from __future__ import annotations

from collections.abc import Sequence

from videoscore.music.score import Note, Role
from videoscore.perform.orchestrate.palettes import Instrument, Voice

OCTAVE = 12
# What moving a line by an octave costs, as a share of its notes outside the range: below it they are folded
# one by one. A bass an octave higher is no bass any more.
MOVE, MOVE_BASS = 0.15, 0.7
# Low interval limit: below CLEAR (C3) two notes nearer than a fifth beat against each other's partials and
# blur (Plomp & Levelt 1965, "Tonal consonance and critical bandwidth": a critical band is wider than a third there).
CLEAR, NEAREST = 48, 7
THICKENS = (Role.COUNTER, Role.ACCOMPANIMENT, Role.PAD)  # what gives way; bass and melody stay


def in_range(pitches: Sequence[int], role: Role, voice: Voice, instrument: Instrument) -> list[int]:
    """Pitches of one line, moved together by octaves where much of it would lie outside the instrument's range;
    what still lies outside is folded in."""
    targets = [pitch + OCTAVE * voice.octave for pitch in pitches]
    move = MOVE_BASS if role is Role.BASS else MOVE

    def cost(octaves: int) -> tuple[float, int]:
        outside = sum(not instrument.low <= pitch + OCTAVE * octaves <= instrument.high for pitch in targets)
        return outside / max(1, len(targets)) + move * abs(octaves), octaves

    shift = OCTAVE * min(range(-4, 5), key=cost)
    return [_folded(pitch + shift, instrument.low, instrument.high) for pitch in targets]


def _folded(pitch: int, low: int, high: int) -> int:
    """The pitch in [low, high], at least an octave wide, nearest to `pitch` of the same name."""
    if pitch < low:
        return pitch + OCTAVE * -((pitch - low) // OCTAVE)
    if pitch > high:
        return pitch - OCTAVE * -((high - pitch) // OCTAVE)
    return pitch


def cleared(notes: Sequence[Note], below: Sequence[Note] = ()) -> list[Note]:
    """The notes of one section with the muddy ones an octave higher.

    A note of `THICKENS` under `CLEAR` goes up when a lower note, or the bass, sounds within `NEAREST` semitones of
    it as it starts. notes : sorted by start; drums are passed over. Nothing moves in time.
    """
    out, sounding = [], [note for note in below if note.role is not Role.DRUMS]
    # of notes that start together the bass comes first, then the lowest
    for note in sorted(notes, key=lambda n: (n.start, n.role is not Role.BASS, n.pitch)):
        if note.role is Role.DRUMS:
            out.append(note)
            continue
        sounding = [other for other in sounding if other.start + other.duration > note.start]
        near = (0 < abs(note.pitch - other.pitch) < NEAREST for other in sounding)
        if note.role in THICKENS and note.pitch < CLEAR and any(near):
            note = Note(note.start, note.role, note.pitch + OCTAVE, note.duration, note.velocity)
        if note.pitch < CLEAR + NEAREST:
            sounding.append(note)
        out.append(note)
    return sorted(out)
