"""An intensity curve in words, "0:00 0.3, 1:00 1.0", and a cue sheet that follows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from videoscore.cues.check import show
from videoscore.cues.contour import tidy
from videoscore.cues.mood_words import clock_time
from videoscore.cues.numbers import seconds
from videoscore.cues.sheet import CueSheet, CurvePoint, on_line
from videoscore.errors import CueSheetError, UsageError
from videoscore.mood.curve import Array

FLAG = "--intensity-curve"
EXAMPLE = 'Write times and levels from 0 to 1, as "0:00 0.3, 1:00 1.0".'
# dB at level 0, so that what is faint is still there; between, 20 log10(level).
FAINTEST = -30.0
# Share of a mood's distance from neutral that stays at level 0: a faint Happy is Happy still.
LEAST = 0.4


@dataclass(frozen=True)
class Level:
    """`level` 0 (barely there) to 1 (as usual) at `t` seconds; straight lines between, held beyond the ends."""

    t: Fraction
    level: float


def read_levels(text: str, length: Fraction) -> tuple[Level, ...]:
    """The curve in words: times and levels, with commas between; one level alone holds throughout.

    length : seconds of the music. Raises UsageError : it can't be read, a level isn't from 0 to 1, times don't increase
    or lie past `length`.
    """
    parts = [part.split() for part in re.split(r"[,;\n]", text) if part.strip()]
    if len(parts) == 1 and len(parts[0]) == 1:
        parts = [["0", *parts[0]]]
    out: list[Level] = []
    for part in parts:
        if len(part) != 2:
            raise UsageError(f"{FLAG}: not a time and a level in {' '.join(part)[:40]!r}", remedy=EXAMPLE)
        t = _time(part[0])
        if t > length:
            raise UsageError(
                f"{FLAG}: {clock_time(t)} lies past the end, at {show(length)} s", remedy="Leave it out."
            )
        if out and t <= out[-1].t:
            raise UsageError(
                f"{FLAG}: {clock_time(t)} doesn't come after {clock_time(out[-1].t)}",
                remedy="Write the times in order, each once.",
            )
        out.append(Level(t, _level(part[1])))
    if not out:
        raise UsageError(f"{FLAG}: it says nothing", remedy=EXAMPLE)
    return tuple(out)


def _time(text: str) -> Fraction:
    try:
        return seconds(text, FLAG)
    except CueSheetError as error:
        raise UsageError(error.problem, remedy=error.remedy) from None


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = float("nan")
    if not 0 <= level <= 1:
        raise UsageError(f"{FLAG}: {text[:20]!r} is no level", remedy=EXAMPLE)
    return level


def level_at(levels: Sequence[Level], t: Array) -> Array:
    """(n,) levels at times in seconds."""
    return np.asarray(np.interp(t, [float(x.t) for x in levels], [x.level for x in levels]))


def gain_at(levels: Sequence[Level], t: Array) -> Array:
    """(n,) factors for the sound at times in seconds: the level itself, `FAINTEST` dB at least."""
    return np.maximum(level_at(levels, t), 10 ** (FAINTEST / 20))


def scaled(sheet: CueSheet, levels: Sequence[Level]) -> CueSheet:
    """The sheet with its valence and arousal nearer to neutral where the level is low; moods, keys and bars stay."""
    cues = []
    for cue in sheet.cues:
        times = sorted(
            {p.t for p in cue.curve}
            | {x.t for x in levels if cue.start < x.t < cue.end}
            | {cue.start, cue.end}
        )
        share = LEAST + (1 - LEAST) * level_at(levels, np.array([float(t) for t in times]))
        points = [
            CurvePoint(t, tidy(v * float(s)), tidy(a * float(s)))
            for t, s in zip(times, share)
            for v, a in (on_line(cue.curve, t),)
        ]
        cues.append(replace(cue, curve=tuple(points)))
    return replace(sheet, cues=tuple(cues))
