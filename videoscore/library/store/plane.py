"""What the library holds on the valence-arousal plane: counts, and a picture of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.errors import SetupError
from videoscore.files import whole
from videoscore.library.store.catalogue import load
from videoscore.library.store.database import Library
from videoscore.mood.circle import MOODS, mood_of

CELLS = 5  # a side, for the counts


def stats(library: Library) -> dict[str, Any]:
    """Counts: pieces, sections, notes, hours, by mood and on a grid of `CELLS` x `CELLS` (rows: arousal from high to
    low; columns: valence from low to high) of sections."""
    pieces = library.pieces()
    sections = load(library, builtin=False)
    edges = np.linspace(-1, 1, CELLS + 1)
    grid, _, _ = np.histogram2d(sections.arousal, sections.valence, bins=[edges, edges])
    moods = {mood: {"pieces": 0, "sections": 0} for mood in MOODS}
    for piece in pieces:
        moods[piece.mood]["pieces"] += 1
    for valence, arousal in zip(sections.valence, sections.arousal):
        moods[mood_of(float(valence), float(arousal))]["sections"] += 1
    return {
        "path": library.path,
        "bytes": _size(library.path),
        "pieces": len(pieces),
        "sections": len(sections),
        "notes": sum(p.entry.notes for p in pieces),
        "hours": round(sum(p.entry.seconds for p in pieces) / 3600, 3),
        "tagged_by_user": sum(p.user is not None for p in pieces),
        "moods": moods,
        "plane": grid[::-1].astype(int).tolist(),
    }


def picture(library: Library, path: Path, overwrite: bool = True) -> None:
    """Sections (small) and pieces (large) on the plane, with the eight moods. The suffix chooses the format.

    Raises SetupError without matplotlib, OutputError when it can't be written, without `overwrite` OutputExists.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError("drawing needs matplotlib", remedy="Run: pip install matplotlib") from error

    sections = load(library, builtin=False)
    pieces = library.pieces()
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    axes = figure.add_subplot(
        aspect="equal",
        xlim=(-1.05, 1.05),
        ylim=(-1.05, 1.05),
        xlabel="valence",
        ylabel="arousal",
        title=f"{len(pieces)} pieces, {len(sections)} sections",
    )
    for k, mood in enumerate(MOODS):
        edge, middle = math.radians(45 * k), math.radians(45 * k + 22.5)
        axes.plot([0, 1.5 * math.cos(edge)], [0, 1.5 * math.sin(edge)], color="0.85", linewidth=0.8, zorder=0)
        axes.text(
            0.92 * math.cos(middle), 0.92 * math.sin(middle), mood, ha="center", va="center", color="0.35"
        )
    alpha = min(1.0, max(0.08, 400 / max(len(sections), 1)))
    axes.scatter(
        sections.valence, sections.arousal, s=6, alpha=alpha, color="tab:blue", linewidths=0, label="sections"
    )
    axes.scatter(
        [p.valence for p in pieces],
        [p.arousal for p in pieces],
        s=14,
        alpha=min(1.0, 2.5 * alpha),
        color="tab:orange",
        linewidths=0,
        label="pieces",
    )
    axes.legend(loc="lower right")
    with whole(path, overwrite) as part:
        figure.savefig(part, dpi=120, format=path.suffix.lstrip(".") or "png")


def _size(path: Path) -> int:
    """Bytes of a database with what isn't yet written into its file."""
    parts = (path, path.with_name(path.name + "-wal"))
    return sum(p.stat().st_size for p in parts if p.exists())
