"""How alike two heaps of music are, figure by figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.research.composer.durations import DURATIONS, duration_class
from videoscore.research.composer.texture import (
    FIGURES,
    FORM,
    Passage,
    durations,
    identical_in_a_row,
    intervals,
)

BINS = 15
OFTEN = 4  # bars in a row


def overlap(one: NDArray, other: NDArray, edges: NDArray | None = None) -> float:
    """Overlap coefficient of two samples in 0..1: the area that their histograms share. The bins, unless given,
    are `BINS` of equal width between the 1st and 99th percentile of both, with what lies beyond in the outermost."""
    if edges is None:
        low, high = np.percentile(np.concatenate([one, other]), (1, 99))
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    a, b = (np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] / len(x) for x in (one, other))
    return float(np.minimum(a, b).sum())


def values(passages: Sequence[Passage], figure: Callable[[Passage], float]) -> NDArray[np.float64]:
    """A figure of every passage that is long enough for it."""
    x = np.array([figure(p) for p in passages], float)
    return x[np.isfinite(x)]


def compare(
    written: Sequence[Passage],
    real: Sequence[Passage],
    other: Sequence[Passage] | None = None,
    form: bool = False,
) -> dict[str, dict[str, float]]:
    """For every figure: median, 5 % and 95 % of what was written and of real music, their overlap, and the
    overlap of real music with `other` real music: no more can be hoped for. With `form`, the figures of form."""
    out = {}
    for name, figure in (FORM if form else FIGURES).items():
        mine, theirs = values(written, figure), values(real, figure)
        if len(mine) and len(theirs):
            out[name] = _spread(mine, "") | _spread(theirs, "real ") | {"overlap": overlap(mine, theirs)}
            if other:
                out[name]["real overlap"] = overlap(values(other, figure), theirs)
    if form:
        return out
    notes: tuple[tuple[str, Callable[[Passage], NDArray], NDArray], ...] = (
        (
            "durations (quarters)",
            lambda p: durations(p) / 24,
            np.append(DURATIONS, DURATIONS[-1] * 2) / 24 - 1e-9,
        ),
        ("melody steps (semitones)", intervals, np.arange(0, 26) - 0.5),
    )
    for name, of, edges in notes:
        heaps = [np.concatenate([of(p) for p in heap]) for heap in (written, real, other or real)]
        if name.startswith("durations"):
            heaps = [DURATIONS[duration_class(np.round(h * 24).astype(int))] / 24 for h in heaps]
        out[name] = (
            _spread(heaps[0], "")
            | _spread(heaps[1], "real ")
            | {"overlap": overlap(heaps[0], heaps[1], edges)}
        )
        if other:
            out[name]["real overlap"] = overlap(heaps[2], heaps[1], edges)
    return out


def stuck(passages: Sequence[Passage]) -> dict[str, float]:
    """Bars repeated exactly: the most in a row, and the share of passages with more than `OFTEN`."""
    runs = np.array([identical_in_a_row(p) for p in passages])
    return {"most": float(runs.max()), "more than four": float((runs > OFTEN).mean())}


def _spread(x: NDArray, prefix: str) -> dict[str, float]:
    middle, low, high = np.percentile(x, (50, 5, 95))
    return {f"{prefix}median": float(middle), f"{prefix}5 %": float(low), f"{prefix}95 %": float(high)}
