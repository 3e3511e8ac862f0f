"""The order in which photographs are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.slides.photo import Photo

ROUNDS = 20  # of improvement; a few do


def arrange(photos: Sequence[Photo], order: str) -> list[Photo]:
    """photos : as given, or by name. order : "given" and "name" keep that, see `videoscore.settings.fields`."""
    if order == "time":
        return sorted(photos, key=lambda p: p.taken)
    if order == "mood" and len(photos) > 2:
        points = np.array([(p.valence, p.arousal) for p in photos])
        return [photos[i] for i in flow(points)]
    return list(photos)


def flow(points: NDArray[np.float64]) -> list[int]:
    """(n, 2) valence and arousal -> an order in which each is followed by a near one; it begins at the calmer end.

    An open path by the nearest neighbour from the calmest, then made shorter by turning stretches around (2-opt;
    Croes 1958, "A method for solving traveling-salesman problems").
    """
    n = len(points)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    here = int(points[:, 1].argmin())
    path, left = [here], np.ones(n, bool)
    left[here] = False
    while left.any():
        here = int(np.where(left, apart[here], np.inf).argmin())
        left[here] = False
        path.append(here)
    way = np.array(path)
    for _ in range(ROUNDS):
        if not _shorten(way, apart):
            break
    return (way if points[way[0], 1] <= points[way[-1], 1] else way[::-1]).tolist()


def _shorten(way: NDArray[np.int64], apart: NDArray[np.float64]) -> bool:
    """Turn stretches way[i + 1 .. j] around while that helps; whether any was."""
    n, better = len(way), False
    for i in range(-1, n - 2):
        ends = np.arange(i + 2, n)
        # the step into the stretch and the one out of it, where there are any
        into = apart[way[i], way[i + 1]] if i >= 0 else 0.0
        new_into = apart[way[i], way[ends]] if i >= 0 else np.zeros(len(ends))
        out, new_out = np.zeros(len(ends)), np.zeros(len(ends))
        out[:-1] = apart[way[ends[:-1]], way[ends[:-1] + 1]]
        new_out[:-1] = apart[way[i + 1], way[ends[:-1] + 1]]
        gain = into + out - new_into - new_out
        k = int(gain.argmax())
        if gain[k] > 1e-9:
            way[i + 1 : ends[k] + 1] = way[i + 1 : ends[k] + 1][::-1].copy()
            better = True
    return better
