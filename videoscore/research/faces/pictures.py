"""Pictures of how the face models err, and of what the autoencoder draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.faces.emotions import EMOTIONS


def draw(name: str, found: dict[str, Any], path: Path) -> None:
    """The confusion matrix of an emotion model (rows sum to 1), and nothing for one without emotions."""
    if "confusion" not in found:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.array(found["confusion"], float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.2), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            axes.text(
                j,
                i,
                f"{share:.2f}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if share > 0.5 else "black",
            )
    labels = [f"{e} ({int(n)})" for e, n in zip(EMOTIONS, counts.sum(1))]
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=30)
    axes.set_yticks(range(len(EMOTIONS)), labels)
    axes.set(xlabel="read", ylabel="FER2013 label", title=f"{name}: {found['label']:.3f} right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def grid(rows: NDArray[np.uint8], titles: list[str], path: Path) -> None:
    """(persons, columns, 48, 48) grey faces under their titles."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    persons, columns, side, _ = rows.shape
    figure = Figure(figsize=(0.8 * columns, 0.8 * (persons + 0.45)), dpi=60)  # a pixel for a pixel
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, persons / (persons + 0.45)))
    axes.imshow(
        rows.transpose(0, 2, 1, 3).reshape(persons * side, columns * side), cmap="gray", vmin=0, vmax=255
    )
    axes.set_axis_off()
    for k, title in enumerate(titles):
        axes.text((k + 0.5) * side, -2, title, ha="center", va="bottom", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
