"""The ear's weighting of sound, and loudness units from weighted energy: ITU-R BS.1770-4."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ABSOLUTE_GATE = -70.0  # LUFS (BS.1770-4, eq. 5)
OFFSET = -0.691  # dB, by which a 997 Hz sine of 0 dBFS in one channel reads -3.01 LKFS (BS.1770-4, eq. 2)


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """The two biquads of BS.1770-4 (tables 1 and 2) at any rate, as (2, 6) second-order sections.

    Analogue prototypes by De Man (2018), "Evaluation of implementations of the EBU R128 loudness
    measurement", AES 145, in pyloudnorm's design; at 48 kHz they give the tables' numbers.
    """
    from pyloudnorm import IIRfilter

    shelf = IIRfilter(3.99984385397, 0.7071752369554193, 1681.9744509555319, sample_rate, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, sample_rate, "high_pass_DeMan")
    return np.array([[*stage.b, *stage.a] for stage in (shelf, high_pass)])


def lufs(energy: float) -> float:
    """Loudness in LUFS of a mean square, K-weighted, channels summed; more than 0."""
    return OFFSET + 10 * math.log10(energy)
