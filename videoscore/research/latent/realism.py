"""How well a classifier tells decoded melodies from real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.latent.steps import FIRST, REST
from videoscore.research.latent.data import Melodies, used

GAPS = (1, 2, 3, 4, 6, 8, 12, 16)  # sixteenths from a note to the next
TREES, FOLDS = 200, 5


def told_apart(real: Melodies, other: Melodies, seed: int) -> float:
    """Share of melodies, as many of each kind, that a random forest on `features` tells apart; .5 is chance. It is
    tested on pieces that it has not learnt from."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold, cross_val_score

    rng = np.random.default_rng(seed)
    count = min(len(real), len(other))
    kinds = [m.where(rng.choice(len(m), count, replace=False)) for m in (real, other)]
    data = np.concatenate([features(m) for m in kinds])
    labels, groups = np.repeat([0, 1], count), np.concatenate([m.piece for m in kinds])
    forest = RandomForestClassifier(TREES, random_state=seed, min_samples_leaf=2)
    return float(cross_val_score(forest, data, labels, groups=groups, cv=GroupKFold(FOLDS)).mean())


def features(m: Melodies) -> NDArray[np.float64]:
    """(n, .) density, rests, range, intervals, repetition, rhythm and pitch classes of melodies."""
    out = []
    for rows, beats in zip(m.tokens, m.beats):
        bars = rows[:, used(np.array([beats]))[0]].astype(int)
        flat = bars.reshape(-1)
        at = np.flatnonzero(flat >= FIRST)
        pitch, gap = flat[at], np.diff(at)
        move = np.abs(np.diff(pitch))
        shapes = [len({row.tobytes() for row in kind}) / len(bars) for kind in (bars, bars >= FIRST)]
        out.append(
            [len(at) / len(flat), float((flat == REST).mean()), *_range(pitch), *shapes]
            + [_share(move == k) for k in range(13)]
            + [_share(move > 12)]
            + [_share(gap == k) for k in GAPS]
            + [_share(pitch % 12 == k) for k in range(12)]
        )
    return np.array(out, float)


def _range(pitch: NDArray[np.int64]) -> tuple[float, float]:
    return (float(pitch.std()), float(np.ptp(pitch))) if len(pitch) else (0.0, 0.0)


def _share(which: NDArray[np.bool_]) -> float:
    return float(which.mean()) if len(which) else 0.0
