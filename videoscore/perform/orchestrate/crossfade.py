"""Over a boundary between palettes: who leaves rings and fades, who enters grows into its place.

Controllers only: what enters grows by expression, what leaves is held by the pedal and fades by expression. No note or
velocity of a cue depends on its neighbours, so that a cue that is locked is played as it was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from videoscore.music.score import PPQ, Role, Section
from videoscore.perform.parts import Played

# dB under its own level at which an instrument enters; over its first bar it grows out of that. The tune,
# the bass and the drums lead, so they enter nearer to it; a doubling takes up to BUILD_BARS to join in full.
ENTRY, ENTRY_LEAD, BUILD = 8.0, 4.0, 12.0
BUILD_BARS = 4
LEADS = (Role.MELODY, Role.BASS, Role.DRUMS)
# A cue that is much livelier than the one before breaks in: this rise of arousal leaves LEAST of the fade.
BREAK_IN, LEAST = 0.8, 0.4
STEPS = 12  # of an expression fade
EXPRESSION = 11  # MIDI controller; 40 log10(value / 127) dB (SoundFont 2.04, section 8.4.6)


@dataclass(frozen=True)
class Entry:
    """How one voice comes in at the start of a section.

    doubling : it doubles a leading instrument. rise : how much the arousal rises over the boundary.
    """

    section: Section
    role: Role
    doubling: bool
    rise: float

    @property
    def ticks(self) -> int:
        """How long it takes. A cue of one bar is a stinger and strikes at once."""
        if self.section.bars < 2:
            return 0
        bars = max(1, min(BUILD_BARS, self.section.bars // 2)) if self.doubling else 1
        return bars * self.section.beats * PPQ

    def gain(self, tick: int) -> float:
        """dB, 0 or less, of a note that starts at `tick`."""
        if not self.ticks:
            return 0.0
        remainder = 1.0 - (tick - self.section.start) / self.ticks
        depth = BUILD if self.doubling else ENTRY_LEAD if self.role in LEADS else ENTRY
        return -depth * max(0.0, remainder) * max(LEAST, 1.0 - max(0.0, self.rise) / BREAK_IN)


def risen(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """(tick, expression) that brings in a part in one section, as the loudest of its `entries` comes in; empty where
    it is at full level at once."""
    start = entries[0].section.start
    stop = start + max(entry.ticks for entry in entries)
    if stop == start:
        return []
    ticks = [start + (stop - start) * k // STEPS for k in range(STEPS + 1)]
    return [(tick, round(127 * 10 ** (max(entry.gain(tick) for entry in entries) / 40))) for tick in ticks]


def faded(boundary: int, stop: int) -> list[tuple[int, int]]:
    """(tick, expression) from full at `boundary` to nothing at `stop`."""
    return [
        (boundary + (stop - boundary) * k // STEPS, round(127 * (1 - k / STEPS))) for k in range(1, STEPS + 1)
    ]


def expression(
    fades: list[tuple[int, int]], notes: tuple[Played, ...], rises: Sequence[Sequence[tuple[int, int]]] = ()
) -> tuple[tuple[int, int], ...]:
    """The expression of a part over time: its fades (boundary, stop), and full again for the next note after each;
    and its `rises`, each as `risen` gives it.

    Returns (tick, value 0..127) in order of time; before the first it is 127.
    """
    out: list[tuple[int, int]] = []
    for boundary, stop in sorted(set(fades)):
        out += faded(boundary, stop)
        following = next((note.start for note in notes if note.start >= boundary), None)
        if following is not None:
            # a note that comes while the fade is under way ends it
            out = [(tick, value) for tick, value in out if tick < following] + [(following, 127)]
    for rise in filter(None, rises):
        out = [change for change in out if not rise[0][0] <= change[0] <= rise[-1][0]] + list(rise)
    return tuple(sorted(out)) if rises else tuple(out)
