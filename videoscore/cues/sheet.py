"""The cue sheet: what is spotted, what can be edited, what is composed from.

Reading and writing the JSON form is `videoscore.cues.file.sheet_file`; this module only
says what a cue sheet is. Times are exact rational seconds from the first picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from videoscore.music.performance import TICKS_A_QUARTER, LockedNote, Performance


@dataclass(frozen=True)
class CurvePoint:
    """Valence and arousal, each in [-1, 1], wanted at `t` (seconds from the first picture)."""

    t: Fraction
    valence: float
    arousal: float


def on_line(points: Sequence[CurvePoint], t: Fraction) -> tuple[float, float]:
    """Linearly interpolated (valence, arousal) at `t` on one or more points; held beyond the ends."""
    if t <= points[0].t:
        return points[0].valence, points[0].arousal
    for a, b in zip(points, points[1:]):
        if t <= b.t:
            w = float((t - a.t) / (b.t - a.t))
            return a.valence + w * (b.valence - a.valence), a.arousal + w * (b.arousal - a.arousal)
    return points[-1].valence, points[-1].arousal


@dataclass(frozen=True)
class HitPoint:
    """A moment inside a cue that the music should mark. `strength` is 0..1.

    `kind` : "cut" (a strong shot change), "rise" (arousal rises sharply) or a word of the user's.
    """

    t: Fraction
    kind: str
    strength: float


@dataclass(frozen=True)
class Meter:
    """Bars that fill a cue exactly: `bars` bars of `beats` quarter notes.

    A cue's tempo is derived, never stored: 60 * bars * beats / duration quarters a minute.
    """

    bars: int
    beats: int


@dataclass(frozen=True)
class Cue:
    """One stretch of music with one mood word, a V/A curve inside it and a meter of its own.

    start_on : why the cue starts here: "start" (of the film), "cut", "mood" (the mood changes and no cut
        is near), "length" (the cue before would last too long) or "edit" (the user's choice).
    key : tonic and mode, e.g. "D minor".
    seed : replaces the sheet's seed for this cue when not None.
    notes : those of a locked cue, which is not written anew; None: it isn't locked.
    performance : goes with `notes`; None where these came from elsewhere.
    heard : fingerprint of the notes that were last written for it (`videoscore.compose.locked_notes`), so that
        locking can tell whether it gets what was heard; None: nothing was.
    """

    name: str
    start: Fraction
    end: Fraction
    start_on: str
    mood: str
    curve: tuple[CurvePoint, ...]
    key: str
    meter: Meter
    hits: tuple[HitPoint, ...] = ()
    seed: int | None = None
    notes: tuple[LockedNote, ...] | None = None
    performance: Performance | None = None
    heard: str | None = None

    @property
    def locked(self) -> bool:
        return self.notes is not None

    @property
    def ticks(self) -> int:
        """Length in ticks: its bars."""
        return self.meter.bars * self.meter.beats * TICKS_A_QUARTER

    @property
    def duration(self) -> Fraction:
        return self.end - self.start

    @property
    def bpm(self) -> Fraction:
        """Quarter notes a minute such that the bars fill the cue exactly."""
        return 60 * self.meter.bars * self.meter.beats / self.duration

    def at(self, t: Fraction) -> tuple[float, float]:
        """Linearly interpolated (valence, arousal) at `t`; held beyond the curve's ends."""
        return on_line(self.curve, t)


@dataclass(frozen=True)
class CueSheet:
    """Contiguous cues from 0 to `duration`, the length of the picture in seconds.

    composed : settings of the composer, by name, with which the music was last written, as far as they weren't the
        preset's; for locking.
    """

    source: str
    duration: Fraction
    cues: tuple[Cue, ...]
    cuts: tuple[Fraction, ...] = ()
    seed: int = 0
    preset: str = "cinematic"
    notes: dict[str, str] = field(default_factory=dict)
    composed: dict[str, str | int | float | bool] = field(default_factory=dict)

    def seed_of(self, cue: Cue) -> int:
        """The seed that a cue's music hangs on: its own, else the sheet's."""
        return self.seed if cue.seed is None else cue.seed
