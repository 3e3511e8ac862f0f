"""A face in a picture, and the same face over time: the types that finder, tracker and models pass on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

LANDMARKS = (
    "left eye",
    "right eye",
    "nose",
    "left mouth corner",
    "right mouth corner",
)  # left in the picture


@dataclass(frozen=True, eq=False)
class Face:
    """One face found in one picture.

    box : (x0, y0, x1, y1) in pixels of the picture; may reach beyond its edges.
    confidence : of its being a face at all, in [0, 1].
    landmarks : (5, 2) x and y in pixels, in the order of `LANDMARKS`.
    """

    box: tuple[float, float, float, float]
    confidence: float
    landmarks: Array

    @property
    def area(self) -> float:
        """Square pixels."""
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)
