"""How likely each of the eight moods is, given an uncertain point on the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Array = NDArray[np.float64]

ANGLES_PER_OCTANT = 24


@dataclass(frozen=True)
class Spread:
    """What is known of the truth when a perceiver says (valence, arousal).

    The truth is taken as normal around (shrink_v * valence, shrink_a * arousal), since a reading whose
    spread was stretched to that of people's ratings overstates each single picture. The standard
    deviations are in units of the plane; `correlation` is that of the two errors.
    """

    shrink_v: float
    shrink_a: float
    sd_v: float
    sd_a: float
    correlation: float


# The scene model's own calibration, rounded (docs/models/scene.md); for whoever knows no better.
TYPICAL = Spread(0.63, 0.66, 0.31, 0.30, -0.23)


def octant_probabilities(valence: Array, arousal: Array, spread: Spread = TYPICAL) -> Array:
    """(n,), (n,) -> (n, 8) probabilities over `videoscore.mood.circle.MOODS`; rows sum to 1.

    The angle of a bivariate normal has the projected normal density (Wang & Gelfand 2013, "Directional
    data analysis under the general projected normal distribution", eq. 1): with A = u'S^-1 u and
    D = u'S^-1 m / sqrt(A), f(u) is proportional to (1 + D Phi(D) / phi(D)) / A. It is summed over
    `ANGLES_PER_OCTANT` midpoints an octant.
    """
    angle = (np.arange(8 * ANGLES_PER_OCTANT) + 0.5) * (2 * np.pi / (8 * ANGLES_PER_OCTANT))
    u = np.stack([np.cos(angle), np.sin(angle)], 1)  # (m, 2)
    m = np.stack(
        [spread.shrink_v * np.asarray(valence, float), spread.shrink_a * np.asarray(arousal, float)], 1
    )
    off = spread.correlation * spread.sd_v * spread.sd_a
    precision = np.linalg.inv(np.array([[spread.sd_v**2, off], [off, spread.sd_a**2]]))
    a = np.einsum("mi,ij,mj->m", u, precision, u)  # (m,)
    d = m @ precision @ u.T / np.sqrt(a)  # (n, m)
    # Phi(D) / phi(D), in logarithms: far from neutral both run out of digits
    mills = np.exp(np.minimum(log_ndtr(d) + 0.5 * d * d, 690.0)) * np.sqrt(2 * np.pi)
    density = (1 + d * mills) / a
    octants = np.maximum(density, 0).reshape(len(m), 8, ANGLES_PER_OCTANT).sum(2)  # (n, 8)
    return octants / octants.sum(1, keepdims=True)
