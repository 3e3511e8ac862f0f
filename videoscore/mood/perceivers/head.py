"""From backbone features to valence and arousal: a linear head for each backbone, their mean. Numpy only, no files."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.octants import Spread

Array = NDArray[np.float32]

# OASIS ratings (1..7) -> standardised: medians and sds of oasis_dev, as its README defines the octants.
MIDDLE = (4.52, 3.70)
UNIT = (1.24, 0.81)
# Standard deviations from neutral to the rim of the plane: 2.5 puts the typical picture at a radius of
# .5 and leaves a few in a hundred beyond the rim, where they are clipped.
RIM = 2.5

CLIP = 4.0  # standard deviations; a feature far outside the training pictures says nothing more
LEAST_CONFIDENCE = 0.1  # of a picture that the model is least sure of


@dataclass(frozen=True, eq=False)
class SceneHead:
    """Everything that stands on top of m backbones, whose features joined are (d,).

    mean, scale : (d,). z = clip((x - mean) / scale).
    weight : (d, 4), bias : (m, 4). Of each backbone's part of z: standardised valence and arousal, and the logarithms
        of the standard deviations of their errors.
    width : (m,). How many of the d features are each backbone's.
    stretch : (2, 2). Slope and offset per target that give the mean of the backbones the spread of the ratings.
    spread : (5,). `Spread` of the stretched prediction, in units of the plane.
    doubt : (2,). Between which mean logarithms of the standard deviation the confidence falls from 1 to
        `LEAST_CONFIDENCE`: the 20th and 99th percentile of unseen pictures.
    """

    mean: Array
    scale: Array
    weight: Array
    bias: Array
    width: NDArray[np.int32]
    stretch: Array
    spread: Array
    doubt: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """(n, d) features -> (n, 2) standardised valence and arousal with the spread of the ratings, and (n,)
        confidence in [`LEAST_CONFIDENCE`, 1]."""
        z = np.clip((x - self.mean) / self.scale, -CLIP, CLIP)
        edges = np.concatenate([[0], np.cumsum(self.width)])
        own = [z[:, a:b] @ self.weight[a:b] + self.bias[k] for k, (a, b) in enumerate(zip(edges, edges[1:]))]
        mean = np.mean(own, 0)  # (n, 4)
        point = mean[:, :2] * self.stretch[0] + self.stretch[1]
        sure = np.interp(mean[:, 2:].mean(1), self.doubt, (1.0, LEAST_CONFIDENCE))
        return point.astype(np.float32), sure.astype(np.float32)

    @property
    def uncertainty(self) -> Spread:
        return Spread(*(float(v) for v in self.spread))


def pack(head: SceneHead) -> dict[str, NDArray]:
    """Arrays to store."""
    return {f.name: np.ascontiguousarray(getattr(head, f.name)) for f in fields(head)}


def unpack(arrays: dict[str, NDArray]) -> SceneHead:
    """What `pack` made -> the head. Raises KeyError, TypeError or ValueError when it is none."""
    if set(arrays) != {f.name for f in fields(SceneHead)}:
        raise KeyError("these arrays are no scene head")
    return SceneHead(**arrays)
