"""Calibrate an eight-mood CNN on pictures that it wasn't trained on. Pure functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import TYPICAL_RADIUS
from videoscore.mood.perceivers.deep import CENTRES, Calibration, knowledge, plane, probabilities
from videoscore.mood.perceivers.head import RIM

Array = NDArray[np.float64]
Logits = NDArray[np.floating]
Whole = NDArray[np.int64]

COLDEST, HOTTEST = 0.25, 8.0


def temperature(logits: Logits, truth: Whole) -> float:
    """The one that gives the true moods the highest likelihood (Guo et al. 2017, section 4.2).

    logits : (n, 8). truth : (n,) mood numbers.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def log_loss(log_t: float) -> float:
        return float(-np.log(np.maximum(probabilities(logits, np.exp(log_t))[rows, truth], 1e-12)).mean())

    minimum = minimize_scalar(log_loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(minimum.x))


def from_ratings(logits: Logits, y: Array, truth: Whole) -> Calibration:
    """logits : (n, 8) of held-out pictures. y : (n, 2) their standardised ratings. truth : (n,) octants."""
    t = temperature(logits, truth)
    moods = probabilities(logits, t)
    raw, rated = moods @ CENTRES, y / RIM
    slope = rated.std(0) / np.maximum(raw.std(0), 1e-6)
    offset = rated.mean(0) - slope * raw.mean(0)
    return Calibration(
        t, (float(slope[0]), float(slope[1])), (float(offset[0]), float(offset[1])), _knowing(moods)
    )


def from_moods(logits: Logits, truth: Whole) -> Calibration:
    """For pictures sorted by mood alone: readings get the typical radius on average."""
    t = temperature(logits, truth)
    moods = probabilities(logits, t)
    radius = float(np.hypot(*(moods @ CENTRES).T).mean())
    slope = TYPICAL_RADIUS / max(radius, 1e-6)
    return Calibration(t, (slope, slope), (0.0, 0.0), _knowing(moods))


def across(logits: Logits, y: Array, truth: Whole, folds: Whole) -> tuple[Array, Array, float]:
    """Held-out logits -> moods (n, 8), standardised points (n, 2) and the mean temperature, where each fold
    is calibrated on the others."""
    moods, points, temperatures = np.zeros_like(logits, np.float64), np.zeros_like(y), []
    for k in np.unique(folds):
        here = folds == k
        calibration = from_ratings(logits[~here], y[~here], truth[~here])
        moods[here] = probabilities(logits[here], calibration.temperature)
        points[here] = plane(moods[here], calibration) * RIM
        temperatures.append(calibration.temperature)
    return moods, points, float(np.mean(temperatures))


def _knowing(moods: Array) -> float:
    return max(float(np.quantile(knowledge(moods), 0.9)), 1e-6)
