"""The valence/arousal line of a cue: its mean, and how it is thinned, moved and cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from videoscore.cues.sheet import CurvePoint, on_line
from videoscore.mood.circle import centre, mood_of

# A curve point is left out when the line without it passes this near on the V/A plane.
TOLERANCE = 0.03
# A mood that was asked for by its word alone must be clear enough to be heard.
LEAST_RADIUS = 0.4
# A mean so near to the border of its octant may as well be said to lie in the next one.
BORDER = 0.03
# Decimals of valence and arousal in a cue sheet.
DECIMALS = 4


def mean(points: Sequence[CurvePoint], start: Fraction, end: Fraction) -> tuple[float, float]:
    """Mean (valence, arousal) of the line over `start` .. `end` seconds, rounded to `DECIMALS`."""
    line = clip(points, start, end)
    total_v = total_a = 0.0
    length = float(end - start)
    for a, b in zip(line, line[1:]):
        share = float(b.t - a.t) / length
        total_v += share * (a.valence + b.valence) / 2
        total_a += share * (a.arousal + b.arousal) / 2
    return round(_limit(total_v), DECIMALS) + 0.0, round(_limit(total_a), DECIMALS) + 0.0


def clip(points: Sequence[CurvePoint], start: Fraction, end: Fraction) -> tuple[CurvePoint, ...]:
    """The line between `start` and `end` (start < end), with a point at each of them."""
    inside = [p for p in points if start < p.t < end]
    first, last = CurvePoint(start, *on_line(points, start)), CurvePoint(end, *on_line(points, end))
    return (first, *inside, last)


def stretch_curve(
    points: Sequence[CurvePoint], old: tuple[Fraction, Fraction], start: Fraction, end: Fraction
) -> tuple[CurvePoint, ...]:
    """The line of old[0]..old[1] seconds drawn out, or in, to start..end: the same at every bar, if the bars stay."""
    if (start, end) == old:
        return tuple(points)
    ratio = (end - start) / (old[1] - old[0])
    times = (start + (p.t - old[0]) * ratio for p in points)
    # nine decimals, so that stretching again and again doesn't pile up digits
    return tuple(
        replace(p, t=min(end, max(start, t if t in (start, end) else round(t, 9))))
        for p, t in zip(points, times)
    )


def moved_to(
    points: Sequence[CurvePoint], start: Fraction, end: Fraction, target: tuple[float, float]
) -> tuple[CurvePoint, ...]:
    """The same shape with its mean at `target` (valence, arousal).

    Where the shape would leave [-1, 1] it is flattened towards its mean just enough to fit.
    """
    now = mean(points, start, end)
    fit = 1.0
    for axis, (target_value, old) in enumerate(zip(target, now)):
        for value in ((p.valence, p.arousal)[axis] for p in points):
            room = (1 - target_value) if value > old else (1 + target_value)
            if abs(value - old) > room:
                fit = min(fit, room / abs(value - old))
    return tuple(
        replace(
            p,
            valence=tidy(target[0] + fit * (p.valence - now[0])),
            arousal=tidy(target[1] + fit * (p.arousal - now[1])),
        )
        for p in points
    )


def asked_for(mood: str, valence: float, arousal: float) -> tuple[float, float]:
    """Where a cue at (valence, arousal) goes when the user asks for `mood`: the centre of its octant,
    as far from neutral as it was, but at least `LEAST_RADIUS`."""
    return centre(mood, min(1.0, max(LEAST_RADIUS, math.hypot(valence, arousal))))


def moods_at(valence: float, arousal: float) -> set[str]:
    """The moods whose octants come within `BORDER` of a point: one, two at a border, all near neutral."""
    around = [math.tau * k / 16 for k in range(16)]
    return {mood_of(valence, arousal)} | {
        mood_of(valence + BORDER * math.cos(w), arousal + BORDER * math.sin(w)) for w in around
    }


def thin(t: np.ndarray, values: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Indices of the samples that a polyline needs to stay within `tolerance` of all of them.

    Douglas & Peucker (1973), with the distance taken on the V/A plane at equal times.
    t : (n,) increasing; values : (n, 2).
    """
    keep = np.zeros(len(t), bool)
    keep[[0, -1]] = True
    stretches = [(0, len(t) - 1)]
    while stretches:
        a, b = stretches.pop()
        if b - a < 2:
            continue
        w = ((t[a + 1 : b] - t[a]) / (t[b] - t[a]))[:, None]
        off = np.linalg.norm(values[a + 1 : b] - (values[a] + w * (values[b] - values[a])), axis=1)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            keep[a + 1 + worst] = True
            stretches += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return np.flatnonzero(keep)


def tidy(x: float) -> float:
    """In range, and with six decimals, which no ear or model tells from more."""
    return round(_limit(x), 6) + 0.0


def _limit(x: float) -> float:
    return min(1.0, max(-1.0, x))
