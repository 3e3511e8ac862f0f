"""Labelled faces as arrays, and FER2013 with the votes of FER+ as such."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, NotFound
from videoscore.mood.faces.emotions import EMOTIONS, embed

SIDE = 48  # pixels of a stored face
TRAIN, VALID, TEST = 0, 1, 2
VALID_SHARE = 0.06
NO_LABEL = 255

# FER+ orders its ten votes so (Barsoum et al. 2016, "Training deep networks for facial expression recognition
# with crowd-sourced label distribution"); the last three - contempt, unknown, not a face - have no vector here
VOTES = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")


@dataclass(frozen=True, eq=False)
class FaceSet:
    """n grey faces.

    pixels : (n, 48, 48) uint8. label : (n,) index into `EMOTIONS`, or `NO_LABEL`. votes : (n, 7) shares over
    `EMOTIONS`, rows sum to 1, or to 0 where there are none. point : (n, 2) valence and arousal in [-1, 1],
    NaN where unknown. part : (n,) `TRAIN`, `VALID` or `TEST`. group : (n,) faces of one group lie in one part.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.uint8]
    votes: NDArray[np.float32]
    point: NDArray[np.float32]
    part: NDArray[np.uint8]
    group: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, chosen: Any) -> FaceSet:
        """The faces at an index array or mask."""
        return FaceSet(
            self.pixels[chosen],
            self.label[chosen],
            self.votes[chosen],
            self.point[chosen],
            self.part[chosen],
            self.group[chosen],
        )


def read_fer2013(path: Path, seed: int = 0) -> FaceSet:
    """FER2013 with FER+ votes, from an .npz of `pixels`, `label`, `votes`, `usage` (0 Training, 1 PublicTest).

    PublicTest is the test part. Of Training a share `VALID_SHARE` of the groups is the validation part,
    where a group is a face with its near-duplicates. A face's point is the vote-weighted mean of its
    emotions' vectors: agreement with it is agreement with those votes, not with rated valence and arousal.
    Raises NotFound, InputError.
    """
    if not path.is_file():
        raise NotFound("there is no such set of faces", path=path, remedy="Name the unpacked .npz file.")
    try:
        with np.load(path) as file:
            pixels, label, raw, usage = (file[k] for k in ("pixels", "label", "votes", "usage"))
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            "this is no set of faces",
            path=path,
            remedy="It must hold the arrays pixels, label, votes and usage.",
        ) from error
    votes = np.zeros((len(pixels), len(EMOTIONS)), np.float32)
    for column, name in enumerate(VOTES):
        votes[:, EMOTIONS.index(name)] = raw[:, column]
    cast = votes.sum(1, keepdims=True)
    votes /= np.maximum(cast, 1)
    point = np.where(cast > 0, embed(votes.astype(float)), np.nan).astype(np.float32)
    group = near_duplicates(pixels)
    rng = np.random.default_rng(seed)
    is_valid_group = rng.random(group.max() + 1) < VALID_SHARE
    part = np.where(usage == 1, TEST, np.where(is_valid_group[group], VALID, TRAIN)).astype(np.uint8)
    # a training face that is also in the test part is in neither: it would be trained on what is reported
    part[(part != TEST) & np.isin(group, group[part == TEST])] = NO_LABEL
    labelled = part != NO_LABEL
    return FaceSet(
        pixels[labelled], label[labelled], votes[labelled], point[labelled], part[labelled], group[labelled]
    )


def near_duplicates(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, h, w) -> (n,) group numbers: pictures whose 64-bit difference hashes are equal share a group.

    The hash (Krawetz 2013, "Kind of like that") compares neighbours in an 8 x 9 reduction, so it doesn't
    change with brightness, contrast or compression.
    """
    n, h, w = pixels.shape
    rows = np.linspace(0, h, 9).astype(int)
    columns = np.linspace(0, w, 10).astype(int)
    tall = np.add.reduceat(pixels.astype(np.int64), rows[:-1], axis=1)
    small = np.add.reduceat(tall, columns[:-1], axis=2) / np.diff(columns)  # (n, 8, 9)
    bits = (small[:, :, 1:] > small[:, :, :-1]).reshape(n, 64)
    words = np.packbits(bits, axis=1).view(np.uint64).ravel()
    return np.unique(words, return_inverse=True)[1].astype(np.int64)
