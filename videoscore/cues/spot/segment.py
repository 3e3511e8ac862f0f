"""Where cues begin: a curve is parted into stretches of one mood, preferably at cuts.

An exact minimum over all ways of parting it, by dynamic programming over candidate
boundaries (Bellman & Roth 1969, "Curve fitting by segmented straight lines", with
constants for lines and a price for every boundary).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from videoscore.mood.curve import Array, MoodCurve
from videoscore.settings.fields import SpotOptions
from videoscore.video.frames import Cut

# Prices in seconds: one second spent one standard deviation of the film away from the cue's mean costs 1.
CUE = 6.0  # for every cue
WEAK_CUT = 8.0  # for a boundary at a cut of strength 0; nothing at strength 1
NO_CUT = 10.0  # for a boundary where the mood changes without a cut
NO_REASON = 30.0  # for a boundary made only because a cue would get too long
LENGTH = 5.0  # times the squared natural logarithm of length over USUAL
USUAL = 25.0  # seconds, the usual length of a cue
# A film's standard deviation of mood counts as at least LEAST_SCALE, so that noise isn't blown up to a
# plot, and as at most MOST_SCALE, since a step of a whole mood is one in an eventful film too.
LEAST_SCALE, MOST_SCALE = 0.12, 0.35
# Seconds around a cut in which no boundary off the cut is thought of.
NEAR_CUT = 3.0
# A change without a cut is measured over this time on each side, and must be this large in scales.
LOOK = 2.5
LEAST_CHANGE = 0.8


@dataclass(frozen=True)
class Boundary:
    """A place where a cue may start. `price` in the seconds of this module."""

    t: Fraction
    start_on: str
    price: float


def longest(options: SpotOptions) -> Fraction:
    """The limit on a cue's length: three times the shortest at least, so that a way always exists."""
    return max(options.max_cue, 3 * options.min_cue)


def cells(curve: MoodCurve, cuts: Sequence[Cut], duration: Fraction) -> Array:
    """(n + 1,) edges of the stretches that the samples stand for: 0, the middles between samples (or the
    strongest cut between them), the film's duration."""
    middles = (curve.t[1:] + curve.t[:-1]) / 2
    strongest = np.full(len(middles), -1.0)
    for cut in cuts:
        i = int(np.searchsorted(curve.t, float(cut.t), side="left")) - 1
        if 0 <= i < len(middles) and cut.strength > strongest[i]:
            strongest[i], middles[i] = cut.strength, float(cut.t)
    end = float(duration)
    return np.concatenate([[0.0], np.clip(middles, 0.0, end), [end]])


def scale_of(curve: MoodCurve, edges: Array) -> float:
    """Standard deviation of mood over the film's time, on the V/A plane, within `LEAST_SCALE` .. `MOST_SCALE`."""
    share = np.diff(edges) / max(edges[-1], 1e-9)
    va = np.column_stack([curve.valence, curve.arousal])
    spread = float((share[:, None] * (va - share @ va) ** 2).sum())
    return min(MOST_SCALE, max(LEAST_SCALE, math.sqrt(spread)))


def segment(
    curve: MoodCurve, cuts: Sequence[Cut], duration: Fraction, options: SpotOptions
) -> list[Boundary]:
    """The starts of the cues, the first at 0.

    curve : smoothed. cuts : sorted, each inside (0, duration).
    Every cue lasts at least `options.min_cue` and at most `longest(options)`, except that a film
    shorter than twice the shortest cue is one cue.
    """
    start = Boundary(Fraction(0), "start", 0.0)
    if duration < 2 * options.min_cue:
        return [start]
    edges = cells(curve, cuts, duration)
    scale = scale_of(curve, edges)
    boundaries = [start, *_candidates(curve, cuts, duration, options, scale), Boundary(duration, "end", 0.0)]
    return _cheapest(boundaries, _scatter(curve, edges, scale, [float(b.t) for b in boundaries]), options)


def _candidates(
    curve: MoodCurve, cuts: Sequence[Cut], duration: Fraction, options: SpotOptions, scale: float
) -> list[Boundary]:
    out = [Boundary(c.t, "cut", WEAK_CUT * (1 - min(1.0, max(0.0, c.strength)))) for c in cuts]
    times = np.array([float(c.t) for c in cuts])
    for t in _changes(curve, scale):
        at = Fraction(round(t * 1000), 1000)
        near = np.searchsorted(times, (t - NEAR_CUT, t + NEAR_CUT))
        if 0 < at < duration and near[0] == near[1]:
            out.append(Boundary(at, "mood", NO_CUT))
    out.sort(key=lambda b: b.t)
    # so that no stretch is without a candidate for long, whatever the film
    most = longest(options) / 4
    stations = [Fraction(0), *(b.t for b in out), duration]
    for a, b in zip(stations, stations[1:]):
        parts = math.ceil((b - a) / most)
        for k in range(1, parts):
            at = Fraction(round((a + (b - a) * k / parts) * 1000), 1000)
            if a < at < b:
                out.append(Boundary(at, "length", NO_REASON))
    return sorted(out, key=lambda b: b.t)


def _changes(curve: MoodCurve, scale: float) -> Array:
    """Times at which the mood changes: each local maximum of the change over `LOOK` seconds on either side is
    moved to the step that explains it best."""
    if len(curve) < 3:
        return np.empty(0)
    # the middles between samples too: there a step between two samples is steepest
    t = np.sort(np.concatenate([curve.t, (curve.t[1:] + curve.t[:-1]) / 2]))

    def va(at: Array) -> Array:
        return np.column_stack([np.interp(at, curve.t, curve.valence), np.interp(at, curve.t, curve.arousal)])

    change = np.linalg.norm(va(t + LOOK) - va(t - LOOK), axis=1)
    before, after = np.concatenate([[-1.0], change[:-1]]), np.concatenate([change[1:], [-1.0]])
    peaks = t[(change > before) & (change >= after) & (change > LEAST_CHANGE * scale)]
    return np.unique([_step(va, t[(t >= peak - LOOK) & (t <= peak + LOOK)]) for peak in peaks])


def _step(va: Callable[[Array], Array], t: Array) -> float:
    """The middle between two of the times `t` that parts them into the two stretches of least squared deviation
    from their means: where a curve that rises slowly and then jumps has its jump."""
    if len(t) < 2:
        return float(t[0])
    points = va(t)
    n = np.arange(1, len(t))[:, None]
    head, tail = np.cumsum(points, axis=0)[:-1], points.sum(0) - np.cumsum(points, axis=0)[:-1]
    # the least deviation is the largest n1 m1^2 + n2 m2^2
    gain = (head**2 / n + tail**2 / (len(t) - n)).sum(1)
    k = int(gain.argmax())
    return float(t[k] + t[k + 1]) / 2


def _scatter(curve: MoodCurve, edges: Array, scale: float, times: list[float]) -> _Sums:
    width = np.diff(edges)
    trust = np.maximum(curve.confidence, 1e-3)
    trust = trust * width.sum() / max(float((trust * width).sum()), 1e-12)
    v, a = curve.valence / scale, curve.arousal / scale
    rows = np.stack([np.ones_like(v), v, a, v * v + a * a]) * trust * width
    running = np.concatenate([np.zeros((4, 1)), np.cumsum(rows, axis=1)], axis=1)
    return _Sums(np.stack([np.interp(times, edges, r) for r in running]), np.array(times))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Integrals from 0 to each candidate: at (4, m) of weight, v, a and squares; t (m,) their times."""

    at: Array
    t: Array

    def cost(self, starts: slice, end: int) -> Array:
        """What a cue costs that lasts from each of `starts` to candidate `end`."""
        weight, v, a, squares = self.at[:, end, None] - self.at[:, starts]
        scatter = np.maximum(0.0, squares - (v * v + a * a) / np.maximum(weight, 1e-12))
        length = self.t[end] - self.t[starts]
        return CUE + scatter + LENGTH * np.log(length / USUAL) ** 2


def _cheapest(boundaries: list[Boundary], sums: _Sums, options: SpotOptions) -> list[Boundary]:
    """Dynamic programming: O(m k) for m candidates of which k fit into the longest cue."""
    times = [b.t for b in boundaries]
    shortest, most = options.min_cue, longest(options)
    best = np.full(len(boundaries), np.inf)
    best[0] = 0.0
    came_from = [0] * len(boundaries)
    for j in range(1, len(boundaries)):
        low, high = bisect_left(times, times[j] - most), bisect_right(times, times[j] - shortest)
        if low >= high:
            continue
        total = best[low:high] + sums.cost(slice(low, high), j)
        k = int(total.argmin())
        best[j], came_from[j] = total[k] + boundaries[j].price, low + k
    out, j = [], came_from[-1]
    while j > 0:
        out.append(boundaries[j])
        j = came_from[j]
    return [boundaries[0], *reversed(out)]
