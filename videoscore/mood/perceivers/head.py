"""From backbone features to valence and arousal: a kernel regression over kinds of pictures. Numpy only, no files."""

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
LEVELS = 127  # of a stored component on either side of 0: a byte
LEAST_CONFIDENCE = 0.1  # of a picture that the model is least sure of
BATCH = 256  # pictures whose distances are worked out at a time

# What was rated, by whom: photographs by people, single pictures and moments of films by a model
KINDS = ("oasis", "photo", "drawn", "clip")
PEOPLE, STILL, FILM = (
    "people",
    "still",
    "film",
)  # as what a picture is read: as people rate it, alone, in a film


@dataclass(frozen=True, eq=False)
class SceneHead:
    """Everything that stands on top of the backbones, learned from n pictures with d features.

    mean : (d,). scale : (2, d), standard deviations and weights. z = clip((x - mean) / sd) * weight.
    basis : (d, q) float16, leading principal directions of z. p = z @ basis.
    anchors : (n, q) int8, training pictures' p in steps of `step` (1,). lengths : (n,) their |p|^2.
    kinds : (n,) uint8, what each is of `KINDS`. own : (1,) by how much more pictures of one kind say of each other.
    dual : (n, 2), bias : (2,), gamma : (1,). With k_i = exp(-gamma |p - p_i|^2) and s the shares of the kinds in
        the picture, y = sum_i k_i (1 + own s_kind(i)) dual_i + bias, standardised valence and arousal (the intrinsic
        coregionalisation of Bonilla, Chai & Williams 2007, "Multi-task Gaussian process prediction").
    drawn : (n,), drawn_bias : (1,). sum_i k_i drawn_i + drawn_bias is how far a still is drawn, 0 to 1.
    stretch : (2, 2). Slope and offset per target that give predictions the spread of the ratings.
    spread : (5,). `Spread` of the stretched prediction, in units of the plane.
    doubt : (d + 1,) float32. Of the features, and a constant: the mean logarithm of the standard deviations of the
    errors.
    doubts : (2,). Between which values of that the confidence falls from 1 to `LEAST_CONFIDENCE`.
    """

    mean: Array
    scale: Array
    basis: NDArray[np.float16]
    anchors: NDArray[np.int8]
    step: Array
    lengths: Array
    kinds: NDArray[np.uint8]
    own: Array
    dual: Array
    bias: Array
    gamma: Array
    drawn: Array
    drawn_bias: Array
    stretch: Array
    spread: Array
    doubt: Array
    doubts: Array

    def similarity(self, x: Array) -> Array:
        """(m, d) features -> (m, n) kernel values in (0, 1]."""
        p = components(x, self.mean, self.scale, self.basis)
        inner = (p * self.step[0]) @ self.anchors.astype(np.float32).T
        distance = (p * p).sum(1)[:, None] + self.lengths - 2 * inner
        return np.exp(-self.gamma[0] * np.maximum(distance, 0))

    def point(self, x: Array, like: str = FILM) -> Array:
        """(m, d) features -> (m, 2) standardised valence and arousal, not stretched. like : `PEOPLE`, `STILL` or
        `FILM`."""
        parts = [self._point(self.similarity(x[k : k + BATCH]), like) for k in range(0, len(x), BATCH)]
        return np.concatenate([*parts, np.empty((0, 2), np.float32)])

    def _point(self, k: Array, like: str) -> Array:
        """(m, n) kernel values -> (m, 2)."""
        result: Array = np.tile(self.bias, (len(k), 1))
        for kind, share in enumerate(self._shares(k, like).T):
            members = self.kinds == kind
            result += k[:, members] @ self.dual[members] * (1 + self.own * share[:, None])
        return result

    def _shares(self, k: Array, like: str) -> Array:
        """(m, kinds): how far each picture is read as one of `KINDS`."""
        shares = np.zeros((len(k), len(KINDS)), np.float32)
        if like == STILL:
            drawn = np.clip(k @ self.drawn + self.drawn_bias, 0, 1)
            shares[:, KINDS.index("drawn")] = drawn
            shares[:, KINDS.index("photo")] = 1 - drawn
        else:
            shares[:, KINDS.index({PEOPLE: "oasis", FILM: "clip"}[like])] = 1
        return shares

    def predict(self, x: Array, like: str = FILM) -> tuple[Array, Array]:
        """(m, d) features -> (m, 2) standardised valence and arousal with the spread of the ratings, and (m,)
        confidence in [`LEAST_CONFIDENCE`, 1]: how small an error the model expects."""
        point = self.point(x, like) * self.stretch[0] + self.stretch[1]
        logarithm = x @ self.doubt[:-1] + self.doubt[-1]
        return point, np.interp(logarithm, self.doubts, (1.0, LEAST_CONFIDENCE)).astype(np.float32)

    @property
    def uncertainty(self) -> Spread:
        return Spread(*(float(v) for v in self.spread))


def components(x: Array, mean: Array, scale: Array, basis: NDArray[np.float16]) -> Array:
    """(m, d) features -> (m, q) components of their standardised, weighted form."""
    return standardised(x, mean, scale) @ basis.astype(np.float32)


def standardised(x: Array, mean: Array, scale: Array) -> Array:
    """(m, d) features -> (m, d), see `SceneHead`."""
    z: Array = np.clip((x - mean) / scale[0], -CLIP, CLIP) * scale[1]
    return z


def pack(head: SceneHead) -> dict[str, NDArray]:
    """Arrays to store."""
    return {f.name: np.ascontiguousarray(getattr(head, f.name)) for f in fields(head)}


def unpack(arrays: dict[str, NDArray]) -> SceneHead:
    """What `pack` made -> the head. Raises KeyError, TypeError or ValueError when it is none."""
    if set(arrays) != {f.name for f in fields(SceneHead)}:
        raise KeyError("these arrays are no scene head")
    return SceneHead(**arrays)
