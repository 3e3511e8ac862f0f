"""Fit the scene head: features and ratings in, `SceneHead` out. Needs scikit-learn for its principal components."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.octants import Spread
from videoscore.mood.perceivers.backbone import HEAD, LITE, channels
from videoscore.mood.perceivers.head import (
    KINDS,
    LEVELS,
    RIM,
    SceneHead,
    components,
    standardised,
)

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# What each block of features weighs: seven stages and the head. Chosen on folds that are reported, among nine variants
# of features as published: the late stages' weight is worth .015 in r of OASIS, the early ones' .01 of drawn pictures.
BLOCK_WEIGHTS = (0.5, 0.5, 0.7, 1.0, 1.5, 2.5, 2.0, 3.0)
COMPONENTS = 512  # 256 and 1,024 lie within .005 in r
KERNEL_RIDGE = 0.3
OWN = 1.0  # see `SceneHead`; 0.7 and 1.2 lie within .003 in r, 0 is .01 to .03 below
NARROW = 2.0  # gamma times the median squared distance of two pictures
FLOOR = 0.05  # of a block's mean sd, added to every feature's: keeps dead channels quiet
DOUBT_RANGE = (0.2, 0.99)  # quantiles of the expected errors between which the confidence falls


def fit(
    x: Floats,
    y: Array,
    weight: Array,
    names: tuple[str, ...],
    seed: int,
    kinds: NDArray[np.uint8] | None = None,
) -> SceneHead:
    """Train on n pictures; the result isn't calibrated yet, and sure of everything.

    x : (n, d) features of the backbones `names`, joined. y : (n, 2) standardised valence and arousal. weight : (n,) of
    each picture's error. kinds : (n,) what each is of `KINDS`; without it none has anything of its own.
    """
    from sklearn.utils.extmath import randomized_svd

    own, kinds = (0.0, np.zeros(len(x), np.uint8)) if kinds is None else (OWN, kinds)
    mean, scale = standards(x, names)
    z = standardised(x, mean, scale)
    count = min(COMPONENTS, *z.shape)
    basis = randomized_svd(z, count, n_iter=2, random_state=seed)[2].T.astype(np.float16)  # (d, q)
    p = components(x, mean, scale, basis)
    step = np.abs(p).max() / LEVELS
    anchors = np.rint(p / step).astype(np.int8)
    rounded = anchors.astype(np.float32) * np.float32(step)
    lengths = (rounded * rounded).sum(1)
    distance = np.maximum(lengths[:, None] + lengths - 2 * rounded @ rounded.T, 0)  # (n, n)
    gamma = NARROW / float(np.median(distance[:: max(1, len(x) // 1500)]))
    kernel = np.exp(-gamma * distance)
    is_drawn = (kinds == KINDS.index("drawn"))[:, None].astype(float)
    drawn, drawn_bias = _solve(kernel, is_drawn, weight) if own else (is_drawn, np.zeros(1))
    kernel *= 1 + own * (kinds[:, None] == kinds)
    dual, bias = _solve(kernel, y, weight / (1 + own))
    plain = {
        "mean": mean,
        "scale": scale,
        "step": [step],
        "lengths": lengths,
        "own": [own],
        "dual": dual,
        "bias": bias,
        "gamma": [gamma],
        "drawn": drawn[:, 0],
        "drawn_bias": drawn_bias,
        "stretch": [[1, 1], [0, 0]],
        "spread": [1, 1, 1, 1, 0],
        "doubt": np.zeros(x.shape[1] + 1),
        "doubts": [1, 2],
    }
    return SceneHead(
        basis=basis, anchors=anchors, kinds=kinds, **{k: np.asarray(v, np.float32) for k, v in plain.items()}
    )


def _solve(kernel: Floats, y: Array, weight: Array) -> tuple[Floats, Array]:
    """Kernel ridge regression of (n, k) targets: dual (n, k) and bias (k,)."""
    from scipy.linalg import solve

    bias = np.average(y, axis=0, weights=weight)
    ridged = kernel.copy()
    ridged[np.diag_indices_from(ridged)] += KERNEL_RIDGE / weight
    dual: Floats = solve(ridged, (y - bias).astype(np.float32), assume_a="pos", overwrite_a=True)
    return dual, bias


def calibrated(head: SceneHead, unseen: Array, y: Array) -> SceneHead:
    """The head with stretch and spread from predictions (n, 2) of pictures that weren't learned from."""
    stretch, spread = calibrate(unseen, y)
    values = np.array([spread.shrink_v, spread.shrink_a, spread.sd_v, spread.sd_a, spread.correlation])
    return replace(head, stretch=stretch.astype(np.float32), spread=values.astype(np.float32))


def calibrate(unseen: Array, y: Array) -> tuple[Array, Spread]:
    """Stretch (2, 2) and `Spread` from predictions (n, 2) of pictures that weren't learned from.

    The stretch is about the mean rating, toward which the regression shrinks. Folds have means of their own, and a
    fold that is left out is what the others lack: an offset fitted to them would push each the wrong way.
    """
    slope, middle = y.std(0) / unseen.std(0), y.mean(0)
    stretch = np.stack([slope, middle - slope * middle])
    point = unseen * stretch[0] + stretch[1]
    shrink = (point * y).sum(0) / (point * point).sum(0)
    error = (y - shrink * point) / RIM
    sd = np.sqrt((error**2).mean(0))
    correlation = (error[:, 0] * error[:, 1]).mean() / (sd[0] * sd[1])
    return stretch, Spread(*(float(v) for v in (*shrink, *sd, correlation)))


def doubting(head: SceneHead, doubt: Floats, unseen: Floats) -> SceneHead:
    """The head with a linear reading of the expected error, (d + 1,) as in `SceneHead`. unseen : (n,) what it
    gives for pictures that weren't learned from."""
    return replace(head, doubt=doubt, doubts=np.quantile(unseen, DOUBT_RANGE).astype(np.float32))


def standards(
    x: Floats, names: tuple[str, ...], weights: tuple[float, ...] = BLOCK_WEIGHTS
) -> tuple[Floats, Floats]:
    """Mean (d,), and sd and weight (2, d) of every feature; a block's weights are such that |z|^2 is about 1 in all."""
    mean, scale = x.mean(0), x.std(0)
    weight = np.empty_like(scale)
    at = 0
    for name in names:
        for width, w in zip([2 * c for c in channels(LITE[name])] + [HEAD], weights):
            block = slice(at, at + width)
            scale[block] += FLOOR * scale[block].mean() + 1e-9
            weight[block] = w / np.sqrt(width)
            at += width
    return mean, np.stack([scale, weight / np.sqrt((weight**2).sum())]).astype(np.float32)
