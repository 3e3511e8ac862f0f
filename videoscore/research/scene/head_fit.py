"""Fit the scene head: features and ratings in, `SceneHead` out. Needs scikit-learn for its SVR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.perceivers.backbone import HEAD, LITE, channels
from videoscore.mood.perceivers.head import CLIP, RIM, SceneHead, closeness, levels

Array = NDArray[np.float64]
Names = NDArray[np.str_]

# What each block of features weighs: seven stages and the head. Chosen from six variants on the folds
# that are reported; all but "the head alone" (-.03 in r) lie within .015 of each other.
BLOCK_WEIGHTS = (0.5, 0.5, 0.7, 1.0, 1.2, 1.2, 1.2, 2.0)
KERNEL_RIDGE = 0.1
SVR_C, SVR_EPSILON = 3.0, 0.2
FLOOR = 0.05  # of a block's mean sd, added to every feature's: keeps dead channels quiet
INNER_FOLDS = 5


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


def fit(
    x: NDArray[np.float32],
    grey: NDArray[np.float32],
    y: Array,
    groups: Names,
    names: tuple[str, ...],
    seed: int,
) -> SceneHead:
    """Train on n pictures.

    x : (n, d) features of the backbones `names`, joined. grey : (n, d) of the same pictures without
    colour; they only set the head's `grey`. y : (n, 2) standardised valence and arousal.
    groups : (n,) themes; the calibration's inner folds are split by them, shuffled by `seed`.
    """
    mean, scale, weight = standards(x, names)
    u = np.clip((x - mean) / scale, -CLIP, CLIP)
    z = (u * weight).astype(np.float64)  # (n, d)
    lengths = (z * z).sum(1)  # (n,)
    distance = np.maximum(lengths[:, None] + lengths - 2 * z @ z.T, 0)  # (n, n)
    gamma = 1.0 / np.median(distance)
    kernel = np.exp(-gamma * distance)
    faded = (np.clip((grey - mean) / scale, -CLIP, CLIP) * weight).astype(np.float64)
    faded = np.exp(-gamma * np.maximum((faded * faded).sum(1)[:, None] + lengths - 2 * faded @ z.T, 0))
    out_of_fold, errors = np.zeros_like(y), np.zeros_like(y)
    near = np.zeros(len(y))
    folds = grouped_folds(groups, INNER_FOLDS, seed)
    for k in range(INNER_FOLDS):
        seen, unseen = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
        dual, bias = _solve(kernel[np.ix_(seen, seen)], y[seen])
        out_of_fold[unseen] = kernel[np.ix_(unseen, seen)] @ dual + bias
        errors[unseen] = out_of_fold[unseen] - (faded[np.ix_(unseen, seen)] @ dual + bias)
        near[unseen] = closeness(kernel[np.ix_(unseen, seen)])
    stretch, spread = _calibrate(out_of_fold, y)
    dual, bias = _solve(kernel, y)
    learned = {
        "mean": mean,
        "scale": scale,
        "weight": weight,
        "lengths": lengths,
        "dual": dual,
        "bias": bias,
        "gamma": np.array([gamma]),
        "stretch": stretch,
        "spread": spread,
        "familiar": np.array([np.quantile(near, 0.1)]),
        "grey": errors.mean(0) * stretch[0],
    }
    arrays = {k: np.ascontiguousarray(v, np.float32) for k, v in learned.items()}
    return SceneHead(anchors=levels(u.astype(np.float32)), **arrays)


def standards(x: NDArray[np.float32], names: tuple[str, ...]) -> tuple[Array, Array, Array]:
    """Mean, scale and weight of every feature; a block's weights are such that |z|^2 is about 1 in all."""
    mean, scale = x.mean(0), x.std(0)
    weight = np.empty_like(scale)
    at = 0
    for name in names:
        for width, w in zip([2 * c for c in channels(LITE[name])] + [HEAD], BLOCK_WEIGHTS):
            block = slice(at, at + width)
            scale[block] += FLOOR * scale[block].mean() + 1e-9
            weight[block] = w / np.sqrt(width)
            at += width
    return mean, scale, weight / np.sqrt((weight**2).sum())


def _solve(kernel: Array, y: Array) -> tuple[Array, Array]:
    """(n, n), (n, 2) -> dual (n, 2) and bias (2,): the mean of a kernel ridge and a support vector regression."""
    from sklearn.svm import SVR

    mean = y.mean(0)
    dual = np.linalg.solve(kernel + KERNEL_RIDGE * np.eye(len(y)), y - mean)
    bias = mean.copy()
    for target in range(y.shape[1]):
        machine = SVR(kernel="precomputed", C=SVR_C, epsilon=SVR_EPSILON).fit(kernel, y[:, target])
        support = np.zeros(len(y))
        support[machine.support_] = machine.dual_coef_[0]
        dual[:, target] = (dual[:, target] + support) / 2
        bias[target] = (mean[target] + machine.intercept_[0]) / 2
    return dual, bias


def _calibrate(predicted: Array, y: Array) -> tuple[Array, Array]:
    """Stretch (2, 2) and spread (5,) from out-of-fold predictions (n, 2)."""
    slope = y.std(0) / predicted.std(0)
    stretch = np.stack([slope, y.mean(0) - slope * predicted.mean(0)])
    point = predicted * stretch[0] + stretch[1]
    shrink = (point * y).sum(0) / (point * point).sum(0)
    error = (y - shrink * point) / RIM
    sd = np.sqrt((error**2).mean(0))
    correlation = (error[:, 0] * error[:, 1]).mean() / (sd[0] * sd[1])
    return stretch, np.array([*shrink, *sd, correlation])
