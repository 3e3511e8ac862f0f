"""From the faces of single pictures to one reading over time. Pure: arrays in, arrays out.

The faces of one person are linked to a track; gaps of a track are bridged; each sample's reading is the mean
over the people in it, weighed by the area and the confidence of their faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.faces.emotions import embed, majority
from videoscore.mood.faces.person import Array, Face
from videoscore.mood.faces.tracks import Track, track
from videoscore.video.frames import Cut

# Share of the picture that a face's box covers: below the first it says nothing of the scene, from the second
# on (a close-up) it is the scene. By eye, from the clips of ../shared/data.
FACE_AREA = (0.003, 0.05)
ROWS = ("valence", "arousal", "confidence")


@dataclass(frozen=True, eq=False)
class Glimpse:
    """The k faces of one picture, and what a model reads in each.

    area : of the picture, square pixels. valence, arousal, confidence : (k,). emotions : (k, 7) probabilities,
    or None where the model knows none.
    """

    faces: tuple[Face, ...]
    area: float
    valence: Array
    arousal: Array
    confidence: Array
    emotions: Array | None = None


@dataclass(frozen=True, eq=False)
class People:
    """n samples. valence, arousal, confidence : (n,), 0 where nobody is. prominence : (n,) in [0, 1], how much
    of the picture is faces, on a logarithmic scale over `FACE_AREA`. count : (n,) people."""

    valence: Array
    arousal: Array
    confidence: Array
    prominence: Array
    count: NDArray[np.int64]


def people(t: Array, glimpses: Sequence[Glimpse], cuts: Sequence[Cut], vote: int = 0) -> People:
    """Everybody's faces over a film.

    t : (n,) seconds, increasing. vote : a person's emotion is the commonest of this many samples around each
    (`vote` samples, see below), 0 for none; needs models that name emotions.
    """
    n = len(t)
    weight, total, prominent = np.zeros(n), np.zeros((n, 3)), np.zeros(n)
    count = np.zeros(n, np.int64)
    for one in track(t, [g.faces for g in glimpses], [float(c.t) for c in cuts]):
        samples = np.arange(one.sample[0], one.sample[-1] + 1)
        rows, area = _person(t, glimpses, one, vote)
        share = area * np.maximum(rows[:, 2], 1e-3)
        weight[samples] += share
        total[samples] += share[:, None] * rows
        prominent[samples] += area
        count[samples] += 1
    mean = total / np.maximum(weight, 1e-12)[:, None]
    low, high = np.log(FACE_AREA)
    prominence = np.clip((np.log(np.maximum(prominent, 1e-9)) - low) / (high - low), 0, 1)
    return People(mean[:, 0], mean[:, 1], mean[:, 2], prominence, count)


def _person(t: Array, glimpses: Sequence[Glimpse], one: Track, vote: int) -> tuple[Array, Array]:
    """(m, 3) valence, arousal, confidence and (m,) area as a share of the picture, at every sample from the
    track's first to its last; straight lines over gaps."""
    appearances = [(glimpses[i], k) for i, k in zip(one.sample, one.face)]
    rows = np.array([[getattr(g, name)[k] for name in ROWS] for g, k in appearances])
    if vote:
        rows[:, :2] = embed(
            majority(np.array([g.emotions[k] for g, k in appearances if g.emotions is not None]), vote)
        )
    area = np.array([g.faces[k].area / g.area for g, k in appearances])
    own, every = t[one.sample], t[one.sample[0] : one.sample[-1] + 1]
    columns = np.column_stack([rows, area])
    filled = np.column_stack([np.interp(every, own, column) for column in columns.T])
    return filled[:, :3], filled[:, 3]
