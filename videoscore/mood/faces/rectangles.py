"""Boxes: x0, y0, x1, y1 in pixels, in the last axis of an array."""

from __future__ import annotations

import numpy as np

from videoscore.mood.faces.person import Array


def overlap(one: Array, others: Array, of_smaller: bool = False) -> Array:
    """Common area of boxes (..., 4) over the area of both together, or of the smaller one; in [0, 1]; broadcasts."""
    sides = np.minimum(one[..., 2:], others[..., 2:]) - np.maximum(one[..., :2], others[..., :2])
    common = sides.clip(0).prod(-1)
    a, b = ((box[..., 2:] - box[..., :2]).clip(0).prod(-1) for box in (one, others))
    whole = np.minimum(a, b) if of_smaller else a + b - common
    out: Array = np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)
    return out
