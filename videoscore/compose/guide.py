"""How hard every bar is pushed toward the mood that is wanted there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.plan import PlannedBar
from videoscore.config import ComposeOptions


@dataclass(frozen=True, eq=False)
class Push:
    """weight : (bars,) guidance of every bar, 1 is none. mood : (bars, 2) valence and arousal that the
    network hears, each in [-1, 1]."""

    weight: NDArray[np.float64]
    mood: NDArray[np.float64]

    @property
    def guided(self) -> bool:
        """Whether any bar needs the network's answer without V/A too."""
        return bool((self.weight != 1.0).any())


def push(bars: Sequence[PlannedBar], options: ComposeOptions) -> Push:
    """The push of every bar: the same guidance everywhere."""
    mood = np.array([(b.plan.valence or 0.0, b.plan.arousal or 0.0) for b in bars]).reshape(-1, 2)
    return Push(np.full(len(bars), options.guidance), mood)
