"""The music's gain under speech, as a curve over time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Region = tuple[Fraction, Fraction]

ATTACK = 0.15  # seconds; the music is down when the speech begins
HOLD = 0.25  # seconds that it stays down after the last word
RELEASE = 1.5  # seconds until it is up again
BRIDGE = 1.5  # pauses shorter than this don't let it up: half-way pumping is worse than a quiet second


class Ducking:
    """A smooth gain curve over the timeline.

    Parameters
    ----------
    regions : stretches of speech (start, end) in seconds, in order.
    depth : gain under speech in dB, 0 or less. sample_rate : Hz.
    """

    def __init__(self, regions: Sequence[Region], depth: float, sample_rate: int) -> None:
        self.regions = merged(regions)
        self.depth = depth
        self.sample_rate = sample_rate

    def gain(self, start: int, count: int) -> NDArray[np.float32]:
        """Linear gain of the samples `start` to ``start + count``, (count,) in (0, 1]."""
        t = np.arange(start, start + count) / self.sample_rate
        down = np.zeros(count)
        for begin, end in self.regions:
            if count and begin - ATTACK <= t[-1] and end + HOLD + RELEASE >= t[0]:
                points = [begin - ATTACK, begin, end + HOLD, end + HOLD + RELEASE]
                np.maximum(down, np.interp(t, points, [0.0, 1.0, 1.0, 0.0]), out=down)
        eased = down * down * (3 - 2 * down)  # no corners: a corner in the gain is heard as a click in bass
        return np.power(10.0, self.depth / 20 * eased).astype(np.float32)


def merged(regions: Sequence[Region]) -> list[tuple[float, float]]:
    """Regions in seconds, those with less than BRIDGE between them as one."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted((float(b), float(e)) for b, e in regions):
        if joined and begin - joined[-1][1] < BRIDGE:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined
