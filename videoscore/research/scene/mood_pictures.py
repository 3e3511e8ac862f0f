"""Pictures of how well the eight moods are told: confusion, reliability, and the course of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import MOODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
BINS = 10


def confusion(counts: Sequence[Sequence[int]], path: Path, title: str) -> None:
    """counts : (8, 8), rows the truth. Drawn as shares of each row; neighbours on the circle are framed."""
    table = np.array(counts, float)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    figure = _figure(6.4, 5.6)
    axes = figure.add_subplot()
    axes.imshow(shares, vmin=0, vmax=max(0.6, shares.max()), cmap="Blues")
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            near = (i - j) % 8 in (0, 1, 7)
            axes.text(
                j,
                i,
                f"{share:.2f}".lstrip("0"),
                ha="center",
                va="center",
                fontsize=9,
                weight="bold" if near else "normal",
                color="white" if share > 0.4 else "black",
            )
    axes.set_xticks(range(8), MOODS, rotation=35, ha="right")
    axes.set_yticks(range(8), [f"{m} ({int(n)})" for m, n in zip(MOODS, table.sum(1))])
    axes.set(xlabel="read", ylabel="ratings (pictures)", title=title)
    _save(figure, path)


def reliability(
    before: Array,
    after: Array,
    truth: NDArray[np.int64],
    path: Path,
    title: str,
    names: tuple[str, str] = ("before", "after"),
) -> None:
    """How often each stated probability of the likeliest mood is right, in bins of equal count.

    before, after : (n, 8) probabilities without and with temperature. truth : (n,) mood numbers.
    """
    figure = _figure(5.4, 4.6)
    axes = figure.add_subplot()
    axes.plot((0, 1), (0, 1), color="0.6", linewidth=1, label="calibrated")
    for moods, name, mark in ((before, names[0], "s--"), (after, names[1], "o-")):
        sure, right = bins(np.asarray(moods, float), truth)
        error = float(np.abs(sure - right).mean())
        axes.plot(sure, right, mark, markersize=5, label=f"{name}: error {error:.3f}")
    top = min(1.0, max(0.8, float(np.max(before)) * 1.05))
    axes.set(
        xlim=(0.1, top),
        ylim=(0, 1),
        xlabel="probability of the likeliest mood",
        ylabel="share that is right",
        title=title,
    )
    axes.legend(loc="upper left", frameon=False)
    _save(figure, path)


def bins(moods: Array, truth: NDArray[np.int64], count: int = BINS) -> tuple[Array, Array]:
    """Mean stated probability and share of hits of the likeliest mood, (count,) each, in bins of equal count."""
    sure, right = moods.max(1), moods.argmax(1) == truth
    parts = np.array_split(np.argsort(sure, kind="stable"), min(count, len(sure)))
    return np.array([sure[p].mean() for p in parts]), np.array([right[p].mean() for p in parts])


def curves(logs: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], path: Path) -> None:
    """logs : model -> run -> entries with "epoch", "octant seen", "octant unseen", "log loss seen" and so on.
    Thin lines are single folds, thick ones their mean."""
    figure = _figure(9.2, 4.2)
    for axes, figure_name in zip(figure.subplots(1, 2), ("log loss", "octant")):
        for k, (model, runs) in enumerate(logs.items()):
            for part, style in (("seen", ":"), ("unseen", "-")):
                key = f"{figure_name} {part}"
                points: dict[int, list[float]] = {}
                for entries in runs.values():
                    line = {int(e["epoch"]): float(e[key]) for e in entries if key in e}
                    axes.plot(list(line), list(line.values()), style, color=f"C{k}", linewidth=0.5, alpha=0.6)
                    for epoch, value in line.items():
                        points.setdefault(epoch, []).append(value)
                axes.plot(
                    sorted(points),
                    [np.mean(points[e]) for e in sorted(points)],
                    style,
                    color=f"C{k}",
                    label=f"{model}, {part}",
                )
        axes.set(xlabel="epoch", ylabel={"octant": "share of octants right"}.get(figure_name, figure_name))
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(logs), fontsize=7, frameon=False)
    _save(figure, path)


def sheet(pictures: Sequence[NDArray[np.uint8]], lines: Sequence[str], path: Path) -> None:
    """Pictures in rows of five, a caption under each."""
    rows = -(-len(pictures) // 5)
    figure = _figure(12.5, 2.6 * rows)
    for axes in figure.subplots(rows, 5, squeeze=False).flat:
        axes.axis("off")
    for axes, picture, line in zip(figure.axes, pictures, lines):
        axes.imshow(picture)
        axes.set_title(line, fontsize=7)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
