"""What a moment of a film is worth beside its picture: weights that were fitted on rated clips. Numpy only.

A point of the scene model is set against the film's own level around it, faces move it, and so do motion, cutting,
sound and light (`videoscore.mood.fusion`). All of it is linear in gauges that are 0 at the ordinary, so that each
part's share can be told. `videoscore train time` fits the weights; docs/perception.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from videoscore.errors import SetupError
from videoscore.mood.octants import Spread
from videoscore.resources import weight_file

Array = NDArray[np.float64]

WEIGHTS = weight_file("time")
CLOSE_UP = (0.65, 0.8)  # set by hand
AROUND = 30.0  # seconds before and after a moment that make the film's level there


@dataclass(frozen=True, eq=False)
class TimeModel:
    """On the plane of valence and arousal:

    own, level : (2, 2), from a picture's point and from the mean point around it to valence and arousal (columns).
    offset : (2,). music : (2,), how far the mood of fitting music lies off what a picture is rated: viewers name
    happy or
    peaceful music for pictures that they call ordinary. spread : (5,), `Spread` of the result.
    face : (2,) how far a face that is all of the picture, and read with certainty, draws valence and arousal to its
    own.
    motion, motion_level : (1,) arousal for a motion gauge of 1 at the moment, and as a mean around it.
    cutting, sound : (1,) arousal for a gauge of 1. brightness, colour : (2,) valence and arousal for a gauge of 1.
    """

    own: Array
    level: Array
    offset: Array
    music: Array
    spread: Array
    face: Array
    motion: Array
    motion_level: Array
    cutting: Array
    sound: Array
    brightness: Array
    colour: Array

    @property
    def uncertainty(self) -> Spread:
        return Spread(*(float(v) for v in self.spread))

    def place(self, t: Array, point: Array, weight: Array) -> Array:
        """Points of single pictures (n, 2) at times `t`, each set against the film's level, which counts every picture
        by its weight (n,) -> (n, 2)."""
        return self.offset + self.music + point @ self.own + around(t, point, weight) @ self.level

    def face_share(self, strength: Array) -> Array:
        """(n,) strength of faces in [0, 1], confidence times prominence -> (n, 2) their share in valence and arousal.

        Between the two of `CLOSE_UP` it rises to the strength itself: where a face that is read with certainty fills
        the picture, there is nothing else to be read. (Costs .006 of r on the rated clips, few of which are of that
        kind.)
        """
        close = np.clip((strength - CLOSE_UP[0]) / (CLOSE_UP[1] - CLOSE_UP[0]), 0, 1)[:, None]
        share: Array = np.clip(strength[:, None] * (self.face + (1 - self.face) * close), 0, 1)
        return share


def around(t: Array, values: Array, weight: Array, seconds: float = AROUND) -> Array:
    """(n, k) at increasing times -> their weighted means over `seconds` before and after each; where nothing there has
    weight, the plain means."""
    low, high = np.searchsorted(t, t - seconds, "left"), np.searchsorted(t, t + seconds, "right")
    w = np.maximum(weight, 1e-6)[:, None]
    total, sums = _sums(w), _sums(w * values)
    mean: Array = (sums[high] - sums[low]) / (total[high] - total[low])
    return mean


def _sums(values: Array) -> Array:
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, 0)])


@lru_cache(maxsize=1)
def load(path: Path = WEIGHTS) -> TimeModel:
    """Raises SetupError when the weights are missing or aren't a time model's."""
    try:
        arrays = load_file(path)
        if set(arrays) != {f.name for f in fields(TimeModel)}:
            raise KeyError("these arrays are no time model")
        return TimeModel(**{name: array.astype(np.float64) for name, array in arrays.items()})
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise SetupError(
            f"the time model's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train time`.",
        ) from error


def save(path: Path, model: TimeModel) -> None:
    save_file({f.name: np.ascontiguousarray(getattr(model, f.name), np.float32) for f in fields(model)}, path)
