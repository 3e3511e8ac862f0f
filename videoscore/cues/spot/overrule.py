"""What was read in a film, overruled by words: stretches of time, and the curve inside them moved to their moods."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from videoscore.cues.contour import BORDER, asked_for
from videoscore.cues.mood_words import APART, TimedMood, check_within, clock_time, read_moods
from videoscore.cues.spot.segment import NEAR_CUT, cells
from videoscore.mood.circle import mood_index
from videoscore.mood.curve import Array, MoodCurve
from videoscore.mood.octants import octant_probabilities
from videoscore.video.frames import Cut

ON_CUT = Fraction(1, 50)  # as in cue sheets: so near to a cut, an exact time means the cut
MOST = 0.98  # of the way to the border of its octant, so that rounding doesn't cross it


@dataclass(frozen=True)
class Stretch:
    """A stretch of the film. mood : the word that holds in it, None: as it was read.

    asked : the time that was asked for; `start` may lie on a cut beside it. None where the film began anyway.
    """

    start: Fraction
    end: Fraction
    mood: str | None = None
    asked: Fraction | None = None


def stretches(
    words: str | None, cuts: Sequence[Cut], duration: Fraction, source: str = ""
) -> tuple[Stretch, ...]:
    """The film parted where the words part it.

    words : as `videoscore.cues.mood_words.read_moods` takes them, or None. cuts : sorted, inside (0, duration). A time
    moves to the nearest cut within `NEAR_CUT` seconds, since no cue begins so near beside a cut; one with decimals only
    within `ON_CUT`. None moves so that less than `APART` seconds would be left of a stretch.

    Raises UsageError : words that can't be read, or a time past the end.
    """
    if words is None:
        return (Stretch(Fraction(0), duration),)
    moods = read_moods(words)
    check_within(moods, duration, source)
    times = _on_cuts(moods, [cut.t for cut in cuts], duration)
    out = [] if times[0] == 0 else [Stretch(Fraction(0), times[0])]
    for mood, start, end in zip(moods, times, [*times[1:], duration]):
        out.append(Stretch(start, end, mood.mood, mood.t))
    return tuple(out)


def _on_cuts(moods: Sequence[TimedMood], cuts: Sequence[Fraction], duration: Fraction) -> list[Fraction]:
    """Where each word begins to hold."""
    out: list[Fraction] = []
    for k, mood in enumerate(moods):
        low = out[-1] + APART if out else Fraction(0)
        high = moods[k + 1].t - APART if k + 1 < len(moods) else duration - APART
        reach = ON_CUT if mood.exact else Fraction(NEAR_CUT)
        j = bisect_left(cuts, mood.t)
        near = [c for c in cuts[max(0, j - 1) : j + 1] if abs(c - mood.t) <= reach and low <= c <= high]
        start = min(near, key=lambda c: abs(c - mood.t), default=mood.t) if mood.t > 0 else mood.t
        out.append(max(start, low) if out else start)
    return out


def overrule(
    curve: MoodCurve, parts: Sequence[Stretch], cuts: Sequence[Cut], duration: Fraction
) -> MoodCurve:
    """The curve with the samples of each overruled stretch in the octant of its mood.

    They keep their shape about their mean, flattened as far as it would leave the octant; the mean goes to the
    octant's middle, as far from neutral as it was (`videoscore.cues.contour.asked_for`), as in a cue sheet.
    """
    if all(part.mood is None for part in parts):
        return curve
    va = np.column_stack([curve.valence, curve.arousal])
    moods, confidence = curve.moods.copy(), curve.confidence.copy()
    width = np.diff(cells(curve, cuts, duration))
    for part in parts:
        if part.mood is None:
            continue
        rows = (curve.t >= float(part.start)) & (curve.t < float(part.end))
        if not rows.any():
            continue
        weight = np.maximum(width[rows], 1e-9)
        va[rows] = _moved(va[rows], weight / weight.sum(), part.mood)
        moods[rows] = octant_probabilities(va[rows, 0], va[rows, 1])
        confidence[rows] = 1.0  # it was said, not read
    return MoodCurve(curve.t, va[:, 0], va[:, 1], moods, confidence)


def _moved(va: Array, share: Array, mood: str) -> Array:
    """(n, 2) points about their mean, moved into the octant of `mood`. share : (n,) of the time, sums to 1."""
    mean = share @ va
    target = np.array(asked_for(mood, *mean))
    low, high = (np.deg2rad(45.0 * (mood_index(mood) + k)) for k in (0, 1))
    # inward normals of the octant's two sides; a point is inside where both products are positive
    normals = np.array([(-np.sin(low), np.cos(low)), (np.sin(high), -np.cos(high))])
    shape = va - mean
    room = np.maximum(normals @ target - BORDER, 0.0)  # (2,)
    outward = (-shape @ normals.T).max(0)
    limits = [r / o for r, o in zip(room, outward) if o > 0]
    for axis in (0, 1):
        reach = (np.sign(shape[:, axis]) * target[axis], np.abs(shape[:, axis]))
        limits += [(1 - a) / b for a, b in zip(*reach) if b > 0]
    return np.asarray(target + shape * min([1.0, *(MOST * x for x in limits)]))


def part_of(curve: MoodCurve, start: Fraction, end: Fraction) -> MoodCurve:
    """The curve's samples in [start, end) seconds, counted from `start`; the nearest one where there is none."""
    low, high = np.searchsorted(curve.t, [float(start), float(end)])
    if start == 0 and high == len(curve):
        return curve
    rows = slice(low, high)
    if low == high:
        low = min(int(low), len(curve) - 1)
        rows = slice(low, low + 1)
    return MoodCurve(
        np.maximum(curve.t[rows] - float(start), 0.0),
        curve.valence[rows],
        curve.arousal[rows],
        curve.moods[rows],
        curve.confidence[rows],
    )


def cuts_between(cuts: Sequence[Cut], start: Fraction, end: Fraction) -> list[Cut]:
    """The cuts inside (start, end) seconds, counted from `start`."""
    return [replace(c, t=c.t - start) for c in cuts if start < c.t < end]


def told(parts: Sequence[Stretch]) -> tuple[str, ...]:
    """What the user should know of where the words hold, one sentence each."""
    return tuple(
        f"{clock_time(p.asked)} {p.mood or 'read'} holds from the cut at {clock_time(p.start)}"
        for p in parts
        if p.asked is not None and p.asked != p.start
    )


def as_words(parts: Sequence[Stretch]) -> str:
    """The stretches as the words that ask for them, with the times at which they hold."""
    return ", ".join(f"{clock_time(p.start)} {p.mood or 'read'}" for p in parts if p.asked is not None)
