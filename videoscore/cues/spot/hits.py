"""Hit points: the moments inside a cue that the music should mark."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from videoscore.cues.sheet import HitPoint
from videoscore.mood.curve import MoodCurve
from videoscore.video.frames import Cut

# Seconds between two hits, and between a hit and a cue's start or end: music that marks everything marks
# nothing.
APART = Fraction(4)
FROM_EDGE = Fraction(2)
STRONG_CUT = 0.5
# A rise of arousal within RISE_TIME seconds that is worth a mark, and the one that counts as full strength.
RISE_TIME = 2.0
LEAST_RISE = 0.15
FULL_RISE = 0.5


def find_hits(
    curve: MoodCurve, cuts: Sequence[Cut], starts: Sequence[Fraction], duration: Fraction
) -> list[HitPoint]:
    """Hit points for a film whose cues begin at `starts` (sorted), in order of time.

    The strongest first, none within `APART` seconds of a stronger one. cuts : sorted.
    """
    edges = [*starts, duration]
    candidates = [
        HitPoint(c.t, "cut", round(min(1.0, c.strength), 3)) for c in cuts if c.strength >= STRONG_CUT
    ]
    candidates += _rises(curve, cuts)
    hits: list[HitPoint] = []
    times: list[Fraction] = []
    for hit in sorted(candidates, key=lambda h: (-h.strength, h.t)):
        k = bisect_left(times, hit.t)
        crowded = any(abs(hit.t - t) < APART for t in times[max(0, k - 1) : k + 1])
        e = bisect_left(edges, hit.t)
        at_edge = any(abs(hit.t - t) < FROM_EDGE for t in edges[max(0, e - 1) : e + 1])
        if not crowded and not at_edge and 0 < hit.t < duration:
            times.insert(k, hit.t)
            hits.insert(k, hit)
    return hits


def _rises(curve: MoodCurve, cuts: Sequence[Cut]) -> list[HitPoint]:
    """Local maxima of the arousal's rise over `RISE_TIME`. Where a cut causes it, the cut's exact time."""
    t = curve.t
    half = RISE_TIME / 2
    rise = np.interp(t + half, t, curve.arousal) - np.interp(t - half, t, curve.arousal)
    before, after = np.concatenate([[-2.0], rise[:-1]]), np.concatenate([rise[1:], [-2.0]])
    cut_times = np.array([-np.inf, *(float(c.t) for c in cuts), np.inf])
    out = []
    for i in np.flatnonzero((rise >= LEAST_RISE) & (rise > before) & (rise >= after)):
        at = Fraction(round(float(t[i]) * 1000), 1000)
        k = int(np.searchsorted(cut_times, t[i]))
        k -= t[i] - cut_times[k - 1] < cut_times[k] - t[i]  # the nearer of the two around
        if abs(cut_times[k] - t[i]) <= half:
            at = cuts[k - 1].t
        out.append(HitPoint(at, "rise", round(min(1.0, float(rise[i]) / FULL_RISE), 3)))
    return out
