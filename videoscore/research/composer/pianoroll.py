"""Piano rolls: what was written, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from videoscore.music.score import PPQ, Role, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito 2008, "Color Universal Design": told apart by colour-blind readers, too
COLOURS = {
    Role.MELODY: "#D55E00",
    Role.COUNTER: "#CC79A7",
    Role.ACCOMPANIMENT: "#0072B2",
    Role.BASS: "#000000",
    Role.PAD: "#56B4E9",
    Role.DRUMS: "#999999",
}
WIDE, TALL = 12.8, 1.9  # inches of one roll, at 100 pixels an inch


def draw(scores: Mapping[str, Score], path: Path, lowest: int = 28, highest: int = 96) -> Path:
    """One roll below the other, each with its title; written to `path` (.png or .svg). Needs matplotlib.

    Drums are drawn as ticks at the bottom. Thin lines are bars, thick ones begin a cue or every fourth bar.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(WIDE, TALL * len(scores)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(scores), 1, squeeze=False)
    for axes, (title, score) in zip(rows[:, 0], scores.items()):
        _roll(axes, score, lowest, highest)
        axes.set_title(title, fontsize=9, loc="left")
    rows[-1, 0].set_xlabel("seconds", fontsize=8)
    roles = {n.role for s in scores.values() for n in s.notes}
    handles = [Line2D([], [], color=COLOURS[r], lw=4, label=r.name.lower()) for r in Role if r in roles]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=8, frameon=False)
    figure.savefig(path, dpi=100)
    return path


def _roll(axes: Axes, score: Score, lowest: int, highest: int) -> None:
    for time, heavy in bar_lines(score):
        axes.axvline(time, color="#888888" if heavy else "#DDDDDD", lw=0.8 if heavy else 0.5, zorder=0)
    for role, colour in COLOURS.items():
        notes = [n for n in score.notes if n.role == role]
        if role == Role.DRUMS:
            times = [float(score.tempo.seconds(n.start)) for n in notes]
            axes.vlines(times, lowest - 3, lowest - 1, color=colour, lw=0.6)
            continue
        for n in notes:
            start, end = (float(score.tempo.seconds(t)) for t in (n.start, n.start + n.duration))
            shade = 0.45 + 0.55 * min(1.0, max(0.0, (n.velocity - 40) / 60))
            axes.barh(
                n.pitch,
                max(0.02, (end - start) * 0.96),
                left=start,
                height=0.9,
                color=colour,
                alpha=shade,
                linewidth=0,
            )
    axes.set_xlim(0, float(score.duration))
    axes.set_ylim(lowest - 4, highest)
    octaves = [p for p in range(lowest, highest + 1) if p % 12 == 0]
    axes.set_yticks(octaves, [f"C{p // 12 - 1}" for p in octaves], fontsize=7)
    axes.tick_params(axis="x", labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def bar_lines(score: Score) -> Sequence[tuple[float, bool]]:
    """Time in seconds of every bar line, and whether a cue or a phrase of four bars begins there."""
    out = []
    for section in score.sections:
        bar = section.beats * PPQ
        for k in range(section.bars):
            out.append((float(score.tempo.seconds(section.start + k * bar)), k % 4 == 0))
    return out
