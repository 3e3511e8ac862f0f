"""Faces of samples -> tracks: the same person's face from sample to sample.

Samples lie about half a second apart, far too long for motion models: a face is followed by where it is and how
large it is, in units of its own size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from videoscore.mood.faces.person import Array, Face
from videoscore.mood.faces.rectangles import overlap

MEMORY = 1.6  # seconds that a track lives on without a find: two samples missed at the usual half second
REACH = 1.5  # sizes of the face that it may move between two finds
GROWTH = 2.0  # of its size, or the inverse, between two finds
SAME_PLACE = 0.4  # overlap from which a face counts as the same on the other side of a cut
LONE, SURE = 0.97, 0.9  # confidence that a single find, that the best find of several must have


@dataclass(frozen=True, eq=False)
class Track:
    """One person's face over time. sample : (n,) indices of samples, increasing. face : (n,) its index in each."""

    sample: NDArray[np.intp]
    face: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.sample)


@dataclass
class _Open:
    """A track that may still grow."""

    shot: int
    t: float
    last: Face
    finds: list[tuple[int, int, float]] = field(default_factory=list)  # sample, face, confidence

    def add(self, shot: int, t: float, face: Face, sample: int, index: int) -> None:
        self.shot, self.t, self.last = shot, t, face
        self.finds.append((sample, index, face.confidence))


def track(t: Array, faces: Sequence[Sequence[Face]], cuts: Sequence[float] = ()) -> list[Track]:
    """Link the faces of samples to tracks, in the order in which they begin.

    t : (n,) increasing seconds. faces : those found in each of the n samples. cuts : seconds at which new shots begin,
    in any order.

    A track takes the assignment of least total cost (Hungarian method) among faces within `REACH` and `GROWTH`; it
    lives through `MEMORY` seconds without a find (always to the next sample, however late) and ends at a cut unless
    the face is at the same place after it. Each face is in one track or in none: tracks without a sure find
    (`believable`) are dropped. The order of the faces within a sample doesn't matter.
    """
    if len(t) != len(faces):
        raise ValueError("as many lists of faces as times are needed")
    shots = np.searchsorted(np.sort(np.asarray(cuts, np.float64)), t, side="right")
    live: list[_Open] = []
    every: list[_Open] = []
    for i, (now, shot, boxes) in enumerate(zip(np.asarray(t).tolist(), shots.tolist(), faces)):
        live = [one for one in live if now - one.t <= MEMORY or one.finds[-1][0] == i - 1]
        order = sorted(range(len(boxes)), key=lambda k: _key(boxes[k]))
        links = _links(live, [boxes[k] for k in order], shot)
        for place, k in enumerate(order):
            one = links.get(place)
            if one is None:
                one = _Open(shot, now, boxes[k])
                every.append(one)
                live.append(one)
            one.add(shot, now, boxes[k], i, k)
    return [
        Track(
            np.array([s for s, _, _ in one.finds], np.intp), np.array([k for _, k, _ in one.finds], np.intp)
        )
        for one in every
        if believable([c for _, _, c in one.finds])
    ]


def believable(confidence: Sequence[float]) -> bool:
    """Whether finds that follow each other are a face: one must be sure, and a lone one surer."""
    return max(confidence) >= (SURE if len(confidence) > 1 else LONE)


def _links(live: Sequence[_Open], found: Sequence[Face], shot: int) -> dict[int, _Open]:
    """Which face (by place in `found`) goes on with which track."""
    if not live or not found:
        return {}
    gain = _gain([one.last for one in live], found, np.array([one.shot != shot for one in live]))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(c): live[r] for r, c in zip(rows, columns) if gain[r, c] > 0}


def _gain(before: Sequence[Face], after: Sequence[Face], cut: NDArray[np.bool_]) -> Array:
    """(m, n): how well faces go together; 0 where they can't be the same. cut : (m,) whether a cut is between.

    Overlap, nearness and likeness in size count alike, 1 at best.
    """
    a, b = (np.array([f.box for f in fs], np.float64) for fs in (before, after))
    size_a, size_b = (np.sqrt(np.maximum([f.area for f in fs], 1.0)) for fs in (before, after))
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    distance = np.hypot(*np.moveaxis(centre_a[:, None] - centre_b, 2, 0)) / np.sqrt(size_a[:, None] * size_b)
    growth = np.abs(np.log2(size_a[:, None] / size_b)) / np.log2(GROWTH)
    common = overlap(a[:, None], b)
    possible = (distance < REACH) & (growth < 1) & (~cut[:, None] | (common >= SAME_PLACE))
    return np.where(possible, (1 - distance / REACH) + (1 - growth) + common, 0.0)


def _key(face: Face) -> tuple[float, ...]:
    """For an order of faces that doesn't depend on how they were handed in."""
    return (*face.box, face.confidence, *face.landmarks.ravel().tolist())
