"""Hit points on the page: where in the bars they fall, the build up to them, and cues that are one gesture."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from videoscore.compose.form import UNITS
from videoscore.cues.sheet import Cue

SHORT = Fraction(4)  # seconds: a cue below gets a gesture, not a tune
STRIKES = 0.2  # arousal from which the gesture is a stinger
# Sixteenths are where players strike; a hit is put on one if the picture can't tell (40 ms, see cues/meter.py).
SIXTEENTH, FUSED = UNITS // 4, Fraction(40, 1000)
BUILD = 2  # bars that lead up to a hit
HIT_AROUSAL = 0.3  # added to the arousal of a bar with a hit of full strength, less before it
HIT_VELOCITY = 16.0  # likewise to the velocity


class Gesture(Enum):
    """What a cue too short for a tune gets."""

    STINGER = "stinger"  # one struck chord
    HELD = "held"  # one held chord


@dataclass(frozen=True)
class Mark:
    """A hit point on the page: onset in the bar in units, strength in (0, 1]."""

    position: int
    strength: float


def gesture_of(cue: Cue) -> Gesture | None:
    """The gesture of a short cue; None where it is long enough for a tune."""
    if cue.duration >= SHORT:
        return None
    return Gesture.STINGER if cue.at((cue.start + cue.end) / 2)[1] >= STRIKES else Gesture.HELD


def marks_of(cue: Cue) -> dict[int, tuple[Mark, ...]]:
    """Bar of the cue -> the hit points in it, each on the sixteenth that fuses with it, else as near as notes go."""
    quarter = 60 / cue.bpm  # seconds
    length = cue.meter.beats * UNITS
    marks: dict[int, dict[int, float]] = {}
    for hit in cue.hits:
        ticks = (hit.t - cue.start) / quarter * UNITS
        at = round(ticks / SIXTEENTH) * SIXTEENTH
        if abs(at - ticks) * quarter / UNITS > FUSED:
            at = round(ticks)
        bar, position = divmod(at, length)
        if 0 <= bar < cue.meter.bars and hit.strength > 0:
            there = marks.setdefault(bar, {})
            there[position] = max(there.get(position, 0.0), hit.strength)
    return {bar: tuple(Mark(p, s) for p, s in sorted(there.items())) for bar, there in marks.items()}


def build_up(marks: Mapping[int, tuple[Mark, ...]], bar: int, bars: int) -> tuple[float, tuple[float, float]]:
    """Arousal added in a bar, and velocity added at its start and end: a build up to the next hit."""
    ahead = sorted(marks)
    k = bisect.bisect_left(ahead, bar)
    if k == len(ahead) or ahead[k] - bar > BUILD or bars < 2:
        return 0.0, (0.0, 0.0)
    strength = max(m.strength for m in marks[ahead[k]])
    if ahead[k] == bar:  # the hit's own bar: the hit itself is struck
        return HIT_AROUSAL * strength, (0.0, 0.0)
    begin, end = 1 - (ahead[k] - bar) / BUILD, 1 - (ahead[k] - bar - 1) / BUILD
    return (
        HIT_AROUSAL * strength * end / 2,
        (HIT_VELOCITY / 2 * strength * begin, HIT_VELOCITY / 2 * strength * end),
    )
