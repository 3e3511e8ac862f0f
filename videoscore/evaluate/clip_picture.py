"""A film's mood over time as one picture: thumbnails, mood ribbon, valence and arousal, sources, the plane."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.mood.circle import MOODS
from videoscore.pipeline import Analysis
from videoscore.video.sample import sample

THUMBNAILS = 10
LETTER = 0.0095     # width of one in a cue's name, as a share of the axis
# One colour a mood, around the circle; checked for deutan and protan sight (neighbours differ in lightness).
COLOURS = ("#F5C518", "#F0803C", "#C8323C", "#7A1F5C", "#2E2A6B", "#4C6A92", "#7FB3C8", "#A8D08D")
SOURCES = {"scene": "#4C6A92", "face": "#F0803C", "deep": "#7A1F5C", "held": "#BBBBBB"}


def draw(seen: Analysis, title: str, path: Path) -> None:
    """Write a PNG of about 1280 x 900 pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.8, 9), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(5, 2, height_ratios=[1.1, 1.6, 1.6, 1.6, 0.7], width_ratios=[3, 1])
    figure.suptitle(title)
    end = float(seen.media.duration)
    _thumbnails(figure.add_subplot(grid[0, 0]), seen, end)
    _ribbon(figure.add_subplot(grid[1, 0]), seen, end)
    for row, name in ((2, "valence"), (3, "arousal")):
        _line(figure.add_subplot(grid[row, 0]), seen, name, end)
    _sources(figure.add_subplot(grid[4, 0]), seen, end)
    _plane(figure.add_subplot(grid[1:4, 1]), seen)
    figure.savefig(path)


def _thumbnails(axes: Any, seen: Analysis, end: float) -> None:
    width = Fraction(seen.media.duration) / THUMBNAILS
    frames = list(sample(seen.media, width / 2, 160))
    for k in range(THUMBNAILS):
        frame = min(frames, key=lambda f: abs(f.t - (k + Fraction(1, 2)) * width))
        axes.imshow(frame.rgb, extent=(float(k * width), float((k + 1) * width), 0, 1), aspect="auto")
    axes.set(xlim=(0, end), ylim=(0, 1), yticks=[], xticks=[])


def _ribbon(axes: Any, seen: Analysis, end: float) -> None:
    curve = seen.curve
    t = np.append(curve.t, max(end, curve.t[-1]))
    moods = np.vstack([curve.moods, curve.moods[-1:]])
    axes.stackplot(t, moods.T, colors=COLOURS, labels=MOODS, step="post")
    free = 0.0                  # where the last name ends
    for cue in seen.sheet.cues:
        start = float(cue.start)
        axes.axvline(start, color="black", lw=1.5)
        if start >= free:
            axes.text(start + 0.004 * end, 1.02, cue.name, fontsize=9, va="bottom")
            free = start + LETTER * end * (len(cue.name) + 1)
    axes.set(xlim=(0, end), ylim=(0, 1), ylabel="moods")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _line(axes: Any, seen: Analysis, name: str, end: float) -> None:
    raw, curve = getattr(seen.raw, name), getattr(seen.curve, name)
    for cut in seen.cuts:
        axes.axvline(float(cut.t), color="0.85", lw=1)
    axes.axhline(0, color="0.6", lw=0.8)
    axes.scatter(seen.raw.t, raw, s=8, c=np.clip(seen.raw.confidence, 0, 1), cmap="Greys", vmin=-0.3, vmax=1,
                 label="as read (darker: surer)")
    axes.plot(seen.curve.t, curve, color="#C8323C", lw=2, label="smoothed")
    axes.set(xlim=(0, end), ylim=(-1, 1), ylabel=name)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _sources(axes: Any, seen: Analysis, end: float) -> None:
    names = list(seen.shares)
    axes.stackplot(seen.raw.t, *(seen.shares[n] for n in names), labels=names, step="post",
                   colors=[SOURCES.get(n, "0.4") for n in names])
    axes.set(xlim=(0, end), ylim=(0, 1), xlabel="seconds", ylabel="sources")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _plane(axes: Any, seen: Analysis) -> None:
    for k, (mood, colour) in enumerate(zip(MOODS, COLOURS)):
        angle = np.radians(45 * k + np.linspace(0, 45, 20))
        axes.fill(np.append(0, np.cos(angle)), np.append(0, np.sin(angle)), color=colour, alpha=0.35, lw=0)
        middle = np.radians(45 * k + 22.5)
        axes.text(1.12 * np.cos(middle), 1.12 * np.sin(middle), mood, ha="center", va="center", fontsize=8)
    axes.plot(seen.curve.valence, seen.curve.arousal, color="black", lw=1)
    axes.scatter(seen.curve.valence[[0, -1]], seen.curve.arousal[[0, -1]], c=["white", "black"], edgecolors="black",
                 zorder=3)
    axes.set(xlim=(-1.6, 1.6), ylim=(-1.35, 1.35), aspect="equal", xlabel="valence", ylabel="arousal",
             xticks=[-1, 0, 1], yticks=[-1, 0, 1])
