"""Mood over time: the typed output of perceive and smooth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MoodCurve:
    """Mood samples at increasing, not necessarily even, times.

    t : (n,) seconds from the first picture.
    valence, arousal : (n,) in [-1, 1].
    moods : (n, 8) probabilities over `videoscore.mood.circle.MOODS`, rows sum to 1.
    confidence : (n,) in [0, 1].
    """

    t: Array
    valence: Array
    arousal: Array
    moods: Array
    confidence: Array

    def __post_init__(self) -> None:
        n = len(self.t)
        shapes = [self.valence.shape, self.arousal.shape, self.confidence.shape]
        if n == 0 or any(s != (n,) for s in shapes) or self.moods.shape != (n, 8):
            raise ValueError("a MoodCurve needs one or more samples and arrays of equal length")
        if np.any(np.diff(self.t) <= 0):
            raise ValueError("the times of a MoodCurve must increase")

    def __len__(self) -> int:
        return len(self.t)

    def at(self, t: float) -> tuple[float, float]:
        """Linearly interpolated (valence, arousal) at `t` seconds; the ends are held."""
        return float(np.interp(t, self.t, self.valence)), float(np.interp(t, self.t, self.arousal))
