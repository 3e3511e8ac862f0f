"""Written music: notes with roles on a bar grid, and the tempo map that places it in time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from functools import cached_property

from videoscore.music.performance import TICKS_A_QUARTER as PPQ
from videoscore.music.performance import LockedNote, Performance

__all__ = ["PPQ", "Note", "Role", "Score", "Section", "TempoMap"]


class Role(IntEnum):
    """What a note does. Instruments are the preset's choice, never the composer's."""

    MELODY = 0
    COUNTER = 1
    ACCOMPANIMENT = 2
    BASS = 3
    PAD = 4
    DRUMS = 5


@dataclass(frozen=True, order=True, slots=True)
class Note:
    """start, duration : MIDI ticks from the beginning; pitch 0..127 (General MIDI key for drums);
    velocity 1..127.

    held : ticks for which it was written, where the next note of its line ended it sooner; 0: as it sounds.
    """

    start: int
    role: Role
    pitch: int
    duration: int
    velocity: int
    held: int = field(default=0, compare=False)


@dataclass(frozen=True)
class TempoMap:
    """Tempo changes as (tick, microseconds a quarter), increasing, the first at tick 0."""

    changes: tuple[tuple[int, int], ...]

    @cached_property
    def _anchors(self) -> tuple[list[int], list[Fraction]]:
        ticks, seconds = [0], [Fraction(0)]
        for (t0, us), (t1, _) in zip(self.changes, self.changes[1:]):
            ticks.append(t1)
            seconds.append(seconds[-1] + Fraction((t1 - t0) * us, PPQ * 1_000_000))
        return ticks, seconds

    def seconds(self, tick: int) -> Fraction:
        """Exact time of a tick in seconds, as any MIDI player computes it."""
        ticks, seconds = self._anchors
        k = bisect.bisect_right(ticks, tick) - 1
        return seconds[k] + Fraction((tick - ticks[k]) * self.changes[k][1], PPQ * 1_000_000)


@dataclass(frozen=True)
class Section:
    """The part of a score that belongs to one cue.

    start, end : ticks; both are downbeats. bars x beats quarters lie between them.
    valence, arousal : mean over the cue. arousals : the arousal wanted in the middle of each bar; none: level.
    chords : of every bar in C major or A minor (`videoscore.music.theory`); empty where they aren't known.
    silent : notes that were written twice and aren't heard, from the section's start.
    performance : how a locked cue is played, whatever is around it; None: it isn't locked.
    """

    name: str
    mood: str
    valence: float
    arousal: float
    key: str
    start: int
    end: int
    bars: int
    beats: int
    arousals: tuple[float, ...] = ()
    chords: tuple[int, ...] = ()
    silent: tuple[LockedNote, ...] = ()
    performance: Performance | None = None

    def arousal_in(self, bar: float) -> float:
        """The arousal at `bar` bars after the middle of the first, interpolated."""
        if not self.arousals:
            return self.arousal
        first = min(max(0, int(bar)), len(self.arousals) - 1)
        second, w = min(first + 1, len(self.arousals) - 1), min(1.0, max(0.0, bar - first))
        return self.arousals[first] + w * (self.arousals[second] - self.arousals[first])


@dataclass(frozen=True)
class Score:
    """A whole composition.

    notes : sorted; none sounds past the last section's end.
    duration : seconds; equals ``tempo.seconds(sections[-1].end)`` to within a microsecond a cue.
    """

    notes: tuple[Note, ...]
    sections: tuple[Section, ...]
    tempo: TempoMap
    duration: Fraction
