"""The cue sheet: what is spotted, what can be edited, what is composed from.

Reading and writing the JSON form is `videoscore.cues.files`; this module only
says what a cue sheet is. Times are exact rational seconds from the first picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction


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
    """Contiguous cues from 0 to `duration`, the length of the picture in seconds."""

    source: str
    duration: Fraction
    cues: tuple[Cue, ...]
    cuts: tuple[Fraction, ...] = ()
    seed: int = 0
    preset: str = "cinematic"
    notes: dict[str, str] = field(default_factory=dict)
