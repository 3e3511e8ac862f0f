"""The grid on which music of all sorts is compared: 1/24 quarters, and classes of durations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID = 24  # units a quarter, so that triplets and sixteenths are both whole numbers
DURATIONS = np.array(
    [1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 20, 24, 30, 32, 36, 42, 48, 60, 72, 84, 96, 120, 144, 192, 240, 288]
)
DURATION_CLASSES = len(DURATIONS)


def duration_class(units: NDArray[np.integer]) -> NDArray[np.int64]:
    """Nearest duration class (in ratio) of durations in 1/24 quarters."""
    middles = np.sqrt(DURATIONS[1:] * DURATIONS[:-1].astype(float))
    return np.searchsorted(middles, units).astype(np.int64)
