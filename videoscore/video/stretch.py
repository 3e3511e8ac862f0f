"""Sound between its samples: what a clock that runs a little fast or slow needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

REACH = 16  # samples on either side that one in between is made of
# 4-term Blackman-Harris window: side lobes below -92 dB (F. J. Harris, Proc. IEEE 66(1), 1978)
_WINDOW = (0.35875, 0.48829, 0.14128, 0.01168)


def between(samples: Block, places: NDArray[np.float64]) -> Block:
    """The sound at fractional sample numbers, by windowed sinc interpolation.

    samples : (n, channels); beyond both ends is silence. places : any order. Returns float32 (len(places), channels).
    """
    padded = np.pad(samples, ((REACH, REACH + 1), (0, 0)))
    floor = np.floor(places).astype(np.int64)
    part = (places - floor)[:, None]
    taps = np.arange(-REACH + 1, REACH + 1)
    distance = taps[None, :] - part
    angle = np.pi * distance / REACH
    window = sum(a * np.cos(k * angle) for k, a in enumerate(_WINDOW))
    weights = (np.sinc(distance) * window).astype(np.float32)
    index = np.clip(floor[:, None] + taps[None, :] + REACH, 0, len(padded) - 1)
    return np.einsum("nt,ntc->nc", weights, padded[index], optimize=True).astype(np.float32)
