"""Folds for cross-validation that keep a group together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Names = NDArray[np.str_]


def grouped_folds(groups: Names, k: int, seed: int) -> NDArray[np.int64]:
    """A fold 0..k-1 for every item, such that no group is in two folds and folds are of about one size."""
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(k, int)
    fold_of = np.zeros(len(names), int)
    for i in order:
        fold_of[i] = int(np.argmin(filled))
        filled[fold_of[i]] += sizes[i]
    return fold_of[np.searchsorted(names, groups)]
