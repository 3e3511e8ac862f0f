"""Four measures of agreement between points on the plane of valence and arousal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STILL = 1e-9  # what varies less than this is a constant, rounded
MEASURES = ("RMSE", "CORR", "CCC", "SAGR")


def concordance(truth: Array, read: Array) -> float:
    """Lin 1989's concordance correlation coefficient; 0 when either doesn't vary."""
    if min(truth.std(), read.std()) < STILL:
        return 0.0
    apart = truth.var() + read.var() + (truth.mean() - read.mean()) ** 2
    return float(2 * np.cov(truth, read, bias=True)[0, 1] / apart)


def four_measures(truth: Array, read: Array) -> dict[str, tuple[float, float]]:
    """(n, 2), (n, 2) -> name of each measure -> its value for valence and for arousal.

    Root mean square error; Pearson's correlation; concordance; SAGR, the share of faces whose signs agree
    (Nicolaou et al. 2011, "Continuous prediction of spontaneous affect"). A truth of exactly 0, which ten votes
    for neutral give, has no sign and is left out of the last.
    """

    def each(of: Callable[[Array, Array], float]) -> tuple[float, float]:
        return of(truth[:, 0], read[:, 0]), of(truth[:, 1], read[:, 1])

    return {
        "RMSE": each(lambda t, r: float(np.sqrt(np.mean((t - r) ** 2)))),
        "CORR": each(lambda t, r: float(np.corrcoef(t, r)[0, 1]) if min(t.std(), r.std()) >= STILL else 0.0),
        "CCC": each(concordance),
        "SAGR": each(lambda t, r: float(np.mean((t * r > 0)[t != 0]))),
    }
