"""Finds faces in pictures: a cascade of three networks over an image pyramid (MTCNN, see mtcnn.py).

P-net proposes boxes in every level of the pyramid, R-net throws most of them away, O-net decides about the
rest and sets the landmarks; after each, boxes are corrected and those that overlap a better one dropped.
docs/models/finder.md is its card; `videoscore.research.faces.finder_weights` makes its weights.

Boxes and landmarks are in pixels whose edges, not centres, lie at whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from videoscore.errors import SetupError
from videoscore.mood.faces.mtcnn import SIDES, STRIDE, networks
from videoscore.mood.faces.person import Array, Face, Picture
from videoscore.mood.faces.rectangles import overlap
from videoscore.resources import weight_file
from videoscore.workers.capacity import machine_cores

WEIGHTS = weight_file("finder")
SMALLEST = 16  # pixels; side of the smallest face looked for
STEP = 0.709  # between levels of the pyramid: half the area, as in the paper's code
SURE = {"p": 0.6, "r": 0.7, "o": 0.7}  # a network drops what it is less sure of; as in the paper's code
SAME_LEVEL, SAME = 0.5, 0.7  # overlap from which the less sure box of one level, of all levels goes
MOST_THREADS = 4  # pictures at once; more would only wait for memory
BOXES = 256  # that run through a network together: of a busy picture there are thousands
TOGETHER = 8  # pictures of a batch: more gain nothing

Boxes = NDArray[np.float64]  # (k, 4): x0, y0, x1, y1


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Boxes that may be faces. picture : (k,) which of the batch. sure : (k,) in [0, 1]. shift : (k, 4), how
    the corners should move, in sides of the box."""

    picture: NDArray[np.intp]
    box: Boxes
    sure: Array
    shift: Array

    def __getitem__(self, index: Any) -> _Candidates:
        return _Candidates(self.picture[index], self.box[index], self.sure[index], self.shift[index])

    @staticmethod
    def joined(parts: Sequence[_Candidates]) -> _Candidates:
        return _Candidates(
            *(
                np.concatenate([getattr(p, name) for p in parts])
                for name in ("picture", "box", "sure", "shift")
            )
        )

    def corrected(self) -> Boxes:
        x0, y0, x1, y1 = self.box.T
        return self.box + self.shift * np.stack([x1 - x0, y1 - y0] * 2, 1)


class FaceFinder:
    """Faces in pictures.

    weights : the file of `videoscore.research.faces.finder_weights`. threads : parts of a batch that are looked at
    side by side, each on one core; by default one a core. smallest : side in pixels of the smallest face looked
    for, at least 12; half of it costs four times as much. confidence : the least that a face must have, in [0, 1].
    Raises SetupError when the weights can't be read.
    """

    def __init__(
        self,
        weights: Path = WEIGHTS,
        threads: int | None = None,
        smallest: int = SMALLEST,
        confidence: float = SURE["o"],
        device: str = "cpu",
    ) -> None:
        self.nets = load(weights, device)
        self.threads = threads or min(machine_cores(), MOST_THREADS)
        self.smallest, self.confidence, self.device = max(smallest, SIDES["p"]), confidence, device

    def find(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """The faces of each picture, the surest first.

        pictures : uint8 (h, w, 3) RGB; those of equal shape run through the networks together. What is found in
        one doesn't depend on the others.
        """
        shapes: dict[tuple[int, ...], list[int]] = {}
        for i, picture in enumerate(pictures):
            shapes.setdefault(picture.shape, []).append(i)
        parts = [part for members in shapes.values() for part in _shares(members, self.threads)]
        faces_by_picture: list[list[Face]] = [[] for _ in pictures]
        with ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for part, faces in zip(parts, pool.map(self._look, ([pictures[i] for i in p] for p in parts))):
                for i, own in zip(part, faces):
                    faces_by_picture[i] = own
        return faces_by_picture

    def _look(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """Pictures of one shape."""
        with torch.inference_mode():
            x = torch.from_numpy(np.stack(pictures)).to(self.device).permute(0, 3, 1, 2)  # (n, 3, h, w)
            x = ((x.float() - 127.5) / 128).contiguous()
            halves = list(_halved(x))
            return self._decide(halves, self._refine(halves, self._propose(x)), len(pictures))

    def _propose(self, x: torch.Tensor) -> _Candidates:
        """P-net over the pyramid of (n, 3, h, w) -> boxes, square and corrected."""
        proposals = [
            self._patches(x, height, width) for height, width in levels(x.shape[2], x.shape[3], self.smallest)
        ]
        if not proposals:
            return _nothing()
        all_levels = _distinct(_Candidates.joined(proposals), SAME)
        return _squared(all_levels)

    def _patches(self, x: torch.Tensor, height: int, width: int) -> _Candidates:
        """P-net over one level of the pyramid."""
        level = (
            x
            if x.shape[2:] == (height, width)
            else F.interpolate(x, (height, width), mode="bilinear", antialias=True)
        )
        sure, shift = self.nets["p"](level)  # (n, i, j), (n, 4, i, j)
        picture, i, j = (sure >= SURE["p"]).nonzero(as_tuple=True)
        corner = torch.stack([j, i, j, i], 1).double() * STRIDE  # (k, 4)
        corner[:, 2:] += SIDES["p"]
        scale = np.array([x.shape[3] / width, x.shape[2] / height] * 2)
        candidates = _Candidates(
            picture.cpu().numpy(),
            corner.cpu().numpy() * scale,
            _numpy(sure[picture, i, j]),
            _numpy(shift[picture, :, i, j]),
        )
        return _distinct(candidates, SAME_LEVEL)

    def _judged(self, net: str, halves: Sequence[torch.Tensor], boxes: _Candidates) -> list[Array]:
        """What a network says of each box, at least one."""
        parts = []
        for first in range(0, len(boxes.sure), BOXES):
            some = slice(first, first + BOXES)
            cut = cut_out(halves, boxes.picture[some], boxes.box[some], SIDES[net])
            parts.append([_numpy(x) for x in self.nets[net](cut)])
        return [np.concatenate(columns) for columns in zip(*parts)]

    def _refine(self, halves: Sequence[torch.Tensor], proposed: _Candidates) -> _Candidates:
        """R-net -> boxes, square and corrected."""
        if not len(proposed.sure):
            return proposed
        sure, shift = self._judged("r", halves, proposed)
        judged = _Candidates(proposed.picture, proposed.box, sure, shift)[sure >= SURE["r"]]
        return _squared(_distinct(judged, SAME))

    def _decide(self, halves: Sequence[torch.Tensor], refined: _Candidates, count: int) -> list[list[Face]]:
        """O-net -> the faces of each of `count` pictures."""
        faces: list[list[Face]] = [[] for _ in range(count)]
        if not len(refined.sure):
            return faces
        sure, shift, marks = self._judged("o", halves, refined)
        corner, side = refined.box[:, None, :2], np.diff(refined.box[:, [0, 2]])[:, None]
        landmarks = corner + side * marks.reshape(-1, 2, 5).transpose(0, 2, 1)  # (k, 5, 2)
        judged = _Candidates(refined.picture, refined.box, sure, shift)
        judged = _Candidates(refined.picture, judged.corrected(), sure, shift)
        rows = np.flatnonzero(sure >= self.confidence)
        for k in rows[_survivors(judged[rows], SAME, of_smaller=True)]:
            x0, y0, x1, y1 = judged.box[k].tolist()
            faces[judged.picture[k]].append(Face((x0, y0, x1, y1), float(sure[k]), landmarks[k]))
        return faces


# ---------------------------------------------------------------- pictures


def levels(height: int, width: int, smallest: int) -> Iterable[tuple[int, int]]:
    """(height, width) of the pyramid's levels: from the one where a face of `smallest` pixels fills P-net's
    patch down to the one where the picture's shorter side does."""
    side, scale = SIDES["p"], SIDES["p"] / smallest
    while min(height, width) * scale >= side - 1e-9:  # 47 * (12 / 47) is a hair less than 12
        yield round(height * scale), round(width * scale)
        scale *= STEP


def _halved(x: torch.Tensor) -> Iterable[torch.Tensor]:
    """(n, 3, h, w), then half of it, a quarter, ..."""
    yield x
    while min(x.shape[2:]) > SIDES["o"]:
        x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
        yield x


def cut_out(halves: Sequence[torch.Tensor], picture: NDArray[np.intp], box: Boxes, side: int) -> torch.Tensor:
    """Boxes of a batch of pictures, each brought to `side` pixels: (k, 3, side, side).

    halves : see `_halved`; a box is read bilinearly from the one where it is nearest to `side` pixels wide.
    Outside a picture its border goes on.
    """
    device = halves[0].device
    out = torch.empty(len(box), 3, side, side, device=device)
    nearest = (
        np.log2(np.maximum(box[:, 2] - box[:, 0], 1) / side).round().astype(int).clip(0, len(halves) - 1)
    )
    for level in np.unique(nearest):
        rows = np.flatnonzero(nearest == level)
        n, _, height, width = halves[level].shape
        steps = (np.arange(side) + 0.5) / side
        x, y = (
            ((box[rows, a, None] + (box[rows, a + 2] - box[rows, a])[:, None] * steps) / 2.0**level).clip(
                0.5, size - 0.5
            )
            for a, size in ((0, width), (1, height))
        )  # (k, side)
        y = y + picture[rows, None] * height  # all pictures of the batch on top of each other
        grid = np.stack(np.broadcast_arrays(x[:, None, :] / width, y[:, :, None] / (n * height)), 3) * 2 - 1
        tall = halves[level].transpose(0, 1).reshape(1, 3, n * height, width)
        flat = torch.from_numpy(grid.reshape(1, -1, side, 2)).to(device, tall.dtype)
        read = F.grid_sample(tall, flat, align_corners=False)  # (1, 3, k side, side)
        out[torch.from_numpy(rows).to(device)] = read[0].unflatten(1, (-1, side)).transpose(0, 1)
    return out


# ---------------------------------------------------------------- boxes


def _survivors(found: _Candidates, limit: float, of_smaller: bool = False) -> NDArray[np.intp]:
    """Indices of the boxes that overlap no surer box of their picture by more than `limit`, the surest first."""
    order = np.argsort(-found.sure, kind="stable")
    survivors = []
    while len(order):
        best, order = order[0], order[1:]
        survivors.append(best)
        other = found.picture[order] != found.picture[best]
        order = order[other | (overlap(found.box[best], found.box[order], of_smaller) <= limit)]
    return np.array(survivors, np.intp)


def _distinct(found: _Candidates, limit: float) -> _Candidates:
    return found[_survivors(found, limit)]


def _squared(found: _Candidates) -> _Candidates:
    """Corrected boxes, widened about their centres to squares."""
    box = found.corrected()
    centre, half = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).max(1, keepdims=True) / 2
    return _Candidates(
        found.picture, np.concatenate([centre - half, centre + half], 1), found.sure, found.shift
    )


def _nothing() -> _Candidates:
    return _Candidates(np.empty(0, np.intp), np.empty((0, 4)), np.empty(0), np.empty((0, 4)))


def _numpy(x: torch.Tensor) -> Array:
    return x.double().cpu().numpy()


def _shares(members: list[int], threads: int) -> list[list[int]]:
    """`members` in parts of up to `TOGETHER`, at least one a thread if there are enough."""
    size = max(1, min(TOGETHER, -(-len(members) // threads)))
    return [members[k : k + size] for k in range(0, len(members), size)]


# ---------------------------------------------------------------- weights


@lru_cache(maxsize=2)
def load(path: Path = WEIGHTS, device: str = "cpu") -> dict[str, Callable[..., Any]]:
    """Raises SetupError when the weights are missing or aren't a face finder's."""
    try:
        tensors = load_file(path)
        nets: dict[str, nn.Module] = networks()
        for name, net in nets.items():
            net.load_state_dict(
                {
                    k.removeprefix(f"{name}."): v.float()
                    for k, v in tensors.items()
                    if k.startswith(f"{name}.")
                }
            )
            net.requires_grad_(False).eval().to(device)
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise SetupError(
            f"the face finder's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore.",
        ) from error
    return dict(nets)
