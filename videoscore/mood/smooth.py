"""Smoothing of a mood curve: MoodCurve in, MoodCurve out.

A kernel mean (Nadaraya 1964, Watson 1964) with a Gaussian kernel on the true
times of the samples. It looks both ways, so it has no delay (zero phase), and
as a mean it never leaves the range of what it averages. Where the mood changes
for good, what lies on the other side of the change weighs less (a bilateral
filter, Tomasi & Manduchi 1998, "Bilateral filtering for gray and color images"),
so that the change stays where it is: a plain mean of -.1 before and +.8 after
turns positive a second too early.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from videoscore.mood.curve import Array, MoodCurve
from videoscore.settings.fields import SmoothOptions
from videoscore.video.frames import Cut

# Share of a weight that a cut of strength 1 takes away. Moods do carry over shots: film cutting is
# mostly within a scene, so a fifth stays.
BARRIER = 0.8
# The kernel ends at this many standard deviations. What lies beyond is 2e-9 of its area, so it can't
# matter even where all that is nearer has no confidence.
REACH = 6.0
# What a sample of confidence 0 still weighs, so that a stretch without any confidence has a mean.
LEAST_CONFIDENCE = 1e-3
EVEN = 1e-9  # share of the time by which two halves may differ and still be even
# What counts as a change is judged on a running median over this share of the window, so that an odd sample or
# two aren't one.
GUIDE = 0.5


def smooth(curve: MoodCurve, cuts: Sequence[Cut], options: SmoothOptions) -> MoodCurve:
    """Smooth a mood curve over time.

    Parameters
    ----------
    curve : n samples at any increasing times.
    cuts : shot boundaries in seconds, in any order. A sample at a cut's time belongs to the new shot.
        Between samples of two different shots the weight falls by up to `BARRIER` times the strength
        of the strongest cut between them; less where either shot is shorter than half the window,
        since a short shot has no mood of its own.
    options : `window` is the width in seconds that holds 95 % of the kernel (4 standard deviations);
        0 gives the curve back unchanged. A sample whose surroundings lie `edge` away on the plane weighs
        exp(-1/2) of what it would; 0 switches that off.

    Returns
    -------
    A curve at the same times. Every sample weighs as much as the stretch of time it stands for (up to
    the middle between it and its neighbours) times its confidence; so it does not matter how densely
    a stretch was sampled, and a single sample standing for d seconds keeps about 1.6 d / window of
    its height. The mood probabilities are averaged with the same weights, the confidence without itself.

    Raises
    ------
    ValueError : a value of the curve is not finite.
    """
    columns = np.column_stack([curve.valence, curve.arousal, curve.moods])
    if not (np.isfinite(columns).all() and np.isfinite(curve.confidence).all()):
        raise ValueError("a MoodCurve can't be smoothed while it holds values that are not finite")
    if options.window <= 0 or len(curve) == 1:
        return curve
    sigma = options.window / 4
    trust = np.maximum(curve.confidence, LEAST_CONFIDENCE)
    guide = None
    if options.edge > 0:
        guide = _running_median(curve.t, columns[:, :2], trust, GUIDE * options.window / 2) / options.edge
    mean, trusted = _kernel_mean(curve.t, columns, trust, cuts, sigma, guide)
    moods = np.maximum(mean[:, 2:], 0)
    return MoodCurve(
        t=curve.t,
        valence=mean[:, 0],
        arousal=mean[:, 1],
        moods=moods / moods.sum(axis=1, keepdims=True),
        confidence=np.clip(trusted, curve.confidence.min(), curve.confidence.max()),
    )


def _kernel_mean(
    t: Array, x: Array, trust: Array, cuts: Sequence[Cut], sigma: float, guide: Array | None = None
) -> tuple[Array, Array]:
    """Weighted means of the rows of x (n, c) and of trust (n,) around every sample.

    guide : (n, 2); samples weigh less by the Gaussian of their distance on it.

    One vectorised step per distance in samples: O(n k) for k samples within reach.
    """
    n = len(t)
    edges = _stretches(t)
    walls = _Walls(t, cuts, isolated_from=2 * sigma)
    own = _area(edges[:-1] - t, edges[1:] - t, sigma)
    plain = own.copy()
    weight = own * trust
    total = weight[:, None] * x
    for k in range(1, n):
        # distance to the near edge of the k-th neighbour's stretch, forwards and backwards
        ahead, behind = edges[k:n] - t[:-k], t[k:] - edges[1 : n - k + 1]
        if min(ahead.min(), behind.min()) > REACH * sigma:
            break
        passes = walls.passing(k)
        left, right = slice(None, n - k), slice(k, None)
        if guide is not None:
            passes = passes * np.exp(-np.square(guide[right] - guide[left]).sum(1) / 2)
        after = _area(ahead, edges[k + 1 :] - t[:-k], sigma) * passes
        before = _area(behind, t[k:] - edges[: n - k], sigma) * passes
        for here, there, w in ((left, right, after), (right, left, before)):
            plain[here] += w
            weight[here] += w * trust[there]
            total[here] += (w * trust[there])[:, None] * x[there]
    alone = weight <= 0  # samples so close together that every area underflows
    mean = np.where(alone[:, None], x, total / np.where(alone, 1.0, weight)[:, None])
    trusted = np.where(alone, trust, weight / np.where(plain > 0, plain, 1.0))
    return np.clip(mean, x.min(axis=0), x.max(axis=0)), trusted


def _running_median(t: Array, x: Array, trust: Array, reach: float) -> Array:
    """(n, c) medians over `reach` seconds on either side of each sample, each value weighing the time for which
    it stands there; samples without confidence are left out where there are others."""
    edges = _stretches(t)
    trusted_samples = trust > LEAST_CONFIDENCE
    first = np.searchsorted(edges, t - reach, "right") - 1
    last = np.searchsorted(edges, t + reach, "left")
    out = x.copy()
    for i, (a, b) in enumerate(zip(np.maximum(first, 0), np.minimum(last, len(t)))):
        weight = np.minimum(edges[a + 1 : b + 1], t[i] + reach) - np.maximum(edges[a:b], t[i] - reach)
        if (weight * trusted_samples[a:b]).any():
            weight = weight * trusted_samples[a:b]
        if weight.sum() > 0:
            order = np.argsort(x[a:b], axis=0)
            half, ordered = weight.sum() / 2, np.take_along_axis(x[a:b], order, axis=0)
            below, column = np.cumsum(weight[order], axis=0), np.arange(x.shape[1])  # (b - a, c)
            # half of the time to the digit: the middle of the two values, as rounding would choose one of them
            lower, upper = ((below >= half * (1 + side)).argmax(0) for side in (-EVEN, EVEN))
            out[i] = (ordered[lower, column] + ordered[upper, column]) / 2
    return out


def _stretches(t: Array) -> Array:
    """(n + 1,) edges of the stretches of time for which the samples stand."""
    return np.concatenate([t[:1], (t[1:] + t[:-1]) / 2, t[-1:]])


def _area(low: Array, high: Array, sigma: float) -> NDArray[np.float64]:
    """Gaussian area between two distances. From the tail's side, where the difference keeps its digits."""
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    return np.maximum(ndtr(high / sigma) - ndtr(low / sigma), 0.0)


class _Walls:
    """How much of a weight passes the cuts between two samples, asked for growing distances."""

    def __init__(self, t: Array, cuts: Sequence[Cut], isolated_from: float) -> None:
        times = np.array(sorted(float(c.t) for c in cuts if t[0] < c.t <= t[-1]))
        shot = np.searchsorted(times, t, side="right")
        ends = np.concatenate([[t[0]], times, [t[-1]]])
        self._alone = np.minimum(1.0, np.diff(ends)[shot] / isolated_from)
        self._step = np.zeros(len(t) - 1)  # strongest cut between sample i and i + 1
        for cut in cuts:
            i = int(np.searchsorted(t, float(cut.t), side="left")) - 1
            if 0 <= i < len(self._step):
                self._step[i] = max(self._step[i], min(1.0, cut.strength))
        self._strongest = np.zeros(len(t))

    def passing(self, k: int) -> NDArray[np.float64]:
        """(n - k,) factors for the pairs (i, i + k); call it with k = 1, 2, 3, ..."""
        self._strongest = np.maximum(self._strongest[:-1], self._step[k - 1 :])
        alone = np.minimum(self._alone[k:], self._alone[:-k])
        return 1.0 - BARRIER * self._strongest * alone
