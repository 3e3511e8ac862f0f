"""Typed output of the sample stage."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cut:
    """A shot boundary.

    t : seconds from the first picture to the first picture of the new shot (its exact PTS).
    strength : 0..1, how different the two shots look.
    """

    t: Fraction
    strength: float


@dataclass(frozen=True, eq=False)
class Frame:
    """One sampled picture.

    t : exact seconds from the first picture.
    rgb : uint8 (height, width, 3), upright, longest side at most the sampler's size.
    motion : 0..1, mean absolute luma change per second since the frame before (0 for the first),
        cuts not counted, clipped at 1.
    cuts : cuts found after the previous sampled frame, up to and including `t`.
    """

    t: Fraction
    rgb: NDArray[np.uint8]
    motion: float
    cuts: tuple[Cut, ...] = ()
