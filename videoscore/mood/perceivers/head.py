"""From backbone features to valence and arousal: a kernel regression. Numpy only, no files."""

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

CLIP = 3.5  # standard deviations; a feature far outside the training pictures says nothing more
NEIGHBOURS = 10
# How much of what a picture loses with its colour is given back to black-and-white ones. All would be right
# if their being so said nothing (an old film); OASIS's own, recent photographs ask for .28 (46 of them).
GREY_SHARE = 0.5
STEPS = 7  # levels of a stored feature on either side of 0: four bits


@dataclass(frozen=True, eq=False)
class SceneHead:
    """Everything learned on top of the frozen backbones, from n pictures with d features.

    mean, scale, weight : (d,). u = clip((x - mean) / scale), z = u * weight.
    anchors : (n, d) training pictures' u in `STEPS` levels a side, int8. lengths : (n,) their |z|^2.
    dual : (n, 2), bias : (2,), gamma : (1,). y = sum_i dual_i exp(-gamma |z - z_i|^2) + bias, where y is
        standardised valence and arousal.
    stretch : (2, 2). Slope and offset per target that give predictions the spread of the ratings.
    spread : (5,). `Spread` of the stretched prediction, in units of the plane.
    familiar : (1,). The closeness that nine in ten unseen training pictures exceed; see `predict`.
    grey : (2,). What a picture loses when its colour is taken away, on average, in standardised units.
    """

    mean: Array
    scale: Array
    weight: Array
    anchors: NDArray[np.int8]
    lengths: Array
    dual: Array
    bias: Array
    gamma: Array
    stretch: Array
    spread: Array
    familiar: Array
    grey: Array

    def similarity(self, x: Array) -> Array:
        """(m, d) features -> (m, n) kernel values in (0, 1]."""
        z = np.clip((x - self.mean) / self.scale, -CLIP, CLIP) * self.weight
        inner = (z * self.weight * (CLIP / STEPS)) @ self.anchors.astype(np.float32).T
        distance = (z * z).sum(1)[:, None] + self.lengths - 2 * inner
        return np.exp(-self.gamma[0] * np.maximum(distance, 0))

    def predict(self, x: Array, colourless: Array | float = 0.0) -> tuple[Array, Array]:
        """What the pictures say.

        x : (m, d) features. colourless : (m,) in [0, 1], see `videoscore.mood.visible`.

        Returns (m, 2) standardised valence and arousal with the spread of the ratings, and (m,)
        familiarity: 1 for pictures as close to the training set as nine in ten of its own kind, less the
        further off, 0 where nothing in it resembles the picture at all.
        """
        near = self.similarity(x)
        point = (near @ self.dual + self.bias) * self.stretch[0] + self.stretch[1]
        point = point + GREY_SHARE * np.reshape(colourless, (-1, 1)) * self.grey
        return point, np.minimum(closeness(near) / self.familiar[0], 1.0)

    @property
    def uncertainty(self) -> Spread:
        return Spread(*(float(v) for v in self.spread))


def closeness(near: Array) -> Array:
    """(m, n) kernel values -> (m,) mean of the `NEIGHBOURS` largest."""
    k = min(NEIGHBOURS, near.shape[1])
    return np.partition(near, near.shape[1] - k, axis=1)[:, -k:].mean(1)


def levels(u: Array) -> NDArray[np.int8]:
    """Standardised, clipped features -> whole steps of four bits."""
    return np.rint(np.clip(u, -CLIP, CLIP) * (STEPS / CLIP)).astype(np.int8)


def pack(head: SceneHead) -> dict[str, NDArray]:
    """Arrays to store; two anchors' features a byte."""
    arrays = {f.name: getattr(head, f.name) for f in fields(head)}
    even = np.pad(head.anchors, ((0, 0), (0, head.anchors.shape[1] % 2))).astype(np.int16) + STEPS + 1
    arrays["anchors"] = (even[:, ::2] * 16 + even[:, 1::2]).astype(np.uint8)
    return arrays


def unpack(arrays: dict[str, NDArray]) -> SceneHead:
    """What `pack` made -> the head. Raises KeyError, TypeError or ValueError when it is none."""
    if set(arrays) != {f.name for f in fields(SceneHead)}:
        raise KeyError("these arrays are no scene head")
    packed, d = arrays["anchors"], len(arrays["mean"])
    pairs = np.stack([packed >> 4, packed & 15], 2).astype(np.int8) - (STEPS + 1)  # (n, d/2, 2)
    anchors = np.ascontiguousarray(pairs.reshape(len(packed), -1)[:, :d])
    return SceneHead(**{**arrays, "anchors": anchors})
