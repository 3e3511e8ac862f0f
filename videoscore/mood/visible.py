"""Is there anything to see? Black borders, black pictures and plain title cards; is there colour? Pure, numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

BLACK = 24  # luma 0..255 up to which a border is black; video black is 16 where a range flag is lost
LEAST_BOX = 0.25  # share of the picture under which what is inside the borders can't be the picture
DARK = (22.0, 60.0)  # 99th percentile of luma: nothing to see below the first, all above the second
FLAT = (0.985, 0.80)  # share of pixels near the commonest luma: a plain card from the first on
NEAR = 4  # luma steps that count as near
BINS = 256


def luma(rgb: Picture) -> NDArray[np.float32]:
    """(h, w, 3) -> (h, w) in 0..255 (ITU-R BT.601)."""
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def content_box(rgb: Picture) -> tuple[slice, slice]:
    """Rows and columns inside black borders (letterbox, pillarbox); all of them where no picture is left.

    Borders are taken as equally wide on both sides, so that a dark half of a scene isn't one.
    """
    bright = luma(rgb) > BLACK
    h, w = bright.shape
    # a border may have noise and compression rings: two in a hundred pixels may be brighter
    rows, columns = np.flatnonzero(bright.mean(1) > 0.02), np.flatnonzero(bright.mean(0) > 0.02)
    if not len(rows) or not len(columns):
        return slice(0, h), slice(0, w)
    y = int(min(rows[0], h - 1 - rows[-1]))
    x = int(min(columns[0], w - 1 - columns[-1]))
    if (h - 2 * y) * (w - 2 * x) < LEAST_BOX * bright.size:
        return slice(0, h), slice(0, w)
    return slice(y, h - y), slice(x, w - x)


def visibility(rgb: Picture) -> float:
    """0 for a black or plain picture and for a title card, 1 for a picture with something in it.

    Two ramps, multiplied: how bright the brightest hundredth is (`DARK`), and how much of the picture
    is one flat tone (`FLAT`). Letters on a plain ground cover a tenth of it or less; a clear sky isn't
    flat, since its tone runs over more than `NEAR` steps.
    """
    y = luma(rgb[content_box(rgb)])
    lit = np.interp(np.percentile(y, 99), DARK, (0, 1))
    counts = np.bincount(np.minimum(y.ravel(), 255).astype(np.int64), minlength=BINS)
    window = np.convolve(counts, np.ones(2 * NEAR + 1), "same")
    flat = float(window.max()) / y.size
    return float(lit * np.interp(flat, FLAT[::-1], (1, 0)))
