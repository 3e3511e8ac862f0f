"""A film's timeline as one picture: thumbnails, cues, moods, valence and arousal, sound, and the V/A plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import MOODS
from videoscore.preview.timeline import COLOURS, Timeline, label, letters
from videoscore.video.frames import Frame
from videoscore.video.media import Media
from videoscore.video.sample import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, HIGH, DPI = 12.8, 9.0, 100  # inches, inches, pixels an inch: 1280 x 900
MOST_THUMBNAILS = 40  # of a film in portrait format
RIM = 1.13
LETTER = 0.0108  # width of one at 9 points, as a share of the axis
STEPS = (20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 36000, 360000)  # seconds between two ticks
SOURCES = {"scene": "#4C6A92", "face": "#F0803C", "deep": "#7A1F5C", "held": "#BBBBBB"}
LINES = {"valence": "#0072B2", "arousal": "#D55E00"}


def draw(timeline: Timeline, title: str, path: Path) -> None:
    """Write a PNG of 1280 x 900 pixels, or an SVG, by the suffix of `path`."""
    figure(timeline, title).savefig(path)


def figure(timeline: Timeline, title: str = "") -> Figure:
    """The picture as a matplotlib figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    whole = Figure(figsize=(WIDE, HIGH), dpi=DPI)
    FigureCanvasAgg(whole)
    grid = whole.add_gridspec(
        7,
        2,
        height_ratios=[0.75, 0.75, 1.3, 1.5, 1.5, 0.35, 0.6],
        width_ratios=[3.1, 1],
        left=0.055,
        right=0.985,
        top=0.95,
        bottom=0.055,
        hspace=0.14,
        wspace=0.13,
    )
    whole.suptitle(letters(title, 1.0, 0.009), x=0.055, y=0.985, ha="left", fontsize=12)
    rows = [_thumbnails, _cues, _ribbon, _valence, _arousal, _sound, _sources]
    axes: list[Any] = []
    for k, row in enumerate(rows):
        axes.append(whole.add_subplot(grid[k, 0], sharex=axes[0] if axes else None))
        row(axes[-1], timeline)
    end = float(timeline.duration)
    for one in axes:
        one.set_xlim(0, end)
        one.tick_params(labelbottom=False, labelsize=8)
    axes[-1].tick_params(labelbottom=True)
    axes[-1].set_xlabel("seconds", fontsize=9)
    if end >= 180:
        axes[-1].set_xlabel("minutes:seconds", fontsize=9)
        axes[-1].set_xticks(np.arange(0, end, next(step for step in STEPS if end / step <= 12)))
        axes[-1].xaxis.set_major_formatter(lambda t, _: f"{int(t) // 60}:{int(t) % 60:02d}")
    _plane(whole.add_subplot(grid[1:4, 1]), timeline)
    _legend(whole.add_subplot(grid[4:, 1]), timeline)
    return whole


def thumbnails(media: Media, count: int, size: int = 160) -> Iterator[Frame]:
    """`count` pictures, each from the middle of its share of the film."""
    width = media.duration / count
    frames = list(sample(media, width / 2, size))
    for k in range(count):
        middle = (k + Fraction(1, 2)) * width
        yield min(frames, key=lambda f: abs(f.t - middle))


def _thumbnails(axes: Any, timeline: Timeline) -> None:
    """As many pictures as fit side by side in their own shape, the sides trimmed by less than half a one."""
    box = axes.get_window_extent()
    pictures = list(thumbnails(timeline.analysis.media, MOST_THUMBNAILS))
    high, wide = pictures[0].rgb.shape[:2]
    count = min(MOST_THUMBNAILS, max(1, round(box.width / box.height * high / wide)))
    width = float(timeline.duration) / count
    for k in range(count):
        middle = (k + 0.5) * width
        frame = min(pictures, key=lambda f: abs(float(f.t) - middle))
        axes.imshow(
            _trim(frame.rgb, box.width / count / box.height),
            extent=(k * width, (k + 1) * width, 0, 1),
            aspect="auto",
        )
    axes.set(ylim=(0, 1), yticks=[])


def _trim(rgb: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """The middle of a picture (height, width, 3), of this width over height."""
    high, wide = rgb.shape[:2]
    x, y = max(0, round((wide - high * aspect) / 2)), max(0, round((high - wide / aspect) / 2))
    return rgb[y : high - y or None, x : wide - x or None]


def _cues(axes: Any, timeline: Timeline, details: bool = True) -> None:
    """A box a cue: its name, key and tempo where there is room; a triangle a hit point."""
    end = float(timeline.duration)
    for cue in timeline.analysis.sheet.cues:
        start, width = float(cue.start), float(cue.duration)
        axes.barh(
            0.4, width, left=start, height=0.8, color=COLOURS[cue.mood], alpha=0.45, edgecolor="black", lw=0.8
        )
        room = width / end - LETTER
        lines = [(0.58 if details else 0.38, label(cue, room, LETTER))]
        if details:
            key_and_tempo = f"{cue.key}, {float(cue.bpm):.0f}"
            lines.append((0.22, key_and_tempo if len(key_and_tempo) * LETTER <= room else ""))
        for y, text in lines:
            axes.text(start + 0.005 * end, y, text, fontsize=9 if y > 0.3 else 8, va="center", clip_on=True)
        for hit in cue.hits:
            axes.plot(
                float(hit.t), 0.92, marker="v", color="black", markersize=3 + 4 * hit.strength, clip_on=False
            )
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel("cues", fontsize=9)


def _ribbon(axes: Any, timeline: Timeline) -> None:
    curve = timeline.analysis.curve
    t = np.append(curve.t, max(float(timeline.duration), curve.t[-1]))
    moods = np.vstack([curve.moods, curve.moods[-1:]])
    axes.stackplot(t, moods.T, colors=[COLOURS[m] for m in MOODS], labels=MOODS, step="post", lw=0)
    _boundaries(axes, timeline)
    axes.set(ylim=(0, 1), yticks=[0, 1])
    axes.set_ylabel("moods", fontsize=9)


def _valence(axes: Any, timeline: Timeline) -> None:
    _line(axes, timeline, "valence")


def _arousal(axes: Any, timeline: Timeline) -> None:
    _line(axes, timeline, "arousal")


def _line(axes: Any, timeline: Timeline, name: str) -> None:
    analysis = timeline.analysis
    axes.vlines([float(c.t) for c in analysis.cuts], -1, 1, color="0.85", lw=0.8, zorder=0)
    axes.axhline(0, color="0.6", lw=0.8)
    size = min(8.0, max(2.0, 1600 / len(analysis.raw.t)))
    axes.scatter(
        analysis.raw.t,
        getattr(analysis.raw, name),
        s=size,
        c=np.clip(analysis.raw.confidence, 0, 1),
        cmap="Greys",
        vmin=-0.3,
        vmax=1,
    )
    axes.plot(analysis.curve.t, getattr(analysis.curve, name), color=LINES[name], lw=2)
    _boundaries(axes, timeline)
    axes.set(ylim=(-1, 1), yticks=[-1, 0, 1])
    axes.set_ylabel(name, fontsize=9)


def _boundaries(axes: Any, timeline: Timeline) -> None:
    for cue in timeline.analysis.sheet.cues[1:]:
        axes.axvline(float(cue.start), color="black", lw=1.2)


def _sound(axes: Any, timeline: Timeline) -> None:
    spans = [(float(a), float(b - a)) for a, b in timeline.speech]
    if spans:
        axes.broken_barh(spans, (0.15, 0.7), color="#009E73")
    else:
        caption = "no speech" if timeline.analysis.media.audio else "no sound"
        axes.text(0.005, 0.5, caption, transform=axes.transAxes, fontsize=8, va="center", color="0.4")
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel("speech", fontsize=9, rotation=0, ha="right", va="center")


def _sources(axes: Any, timeline: Timeline) -> None:
    analysis = timeline.analysis
    names = list(analysis.shares)
    axes.stackplot(
        analysis.raw.t,
        *(analysis.shares[n] for n in names),
        labels=names,
        step="post",
        lw=0,
        colors=[SOURCES.get(n, "0.4") for n in names],
    )
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel("read\nfrom", fontsize=9, rotation=0, ha="right", va="center")


def _plane(axes: Any, timeline: Timeline) -> None:
    """The circle of moods with a rim in the colours of the ribbon, and the smoothed path (white: start, black: end)."""
    for k, mood in enumerate(MOODS):
        angle = np.radians(45 * k + np.linspace(0, 45, 20))
        axes.fill(
            np.append(0, np.cos(angle)), np.append(0, np.sin(angle)), color=COLOURS[mood], alpha=0.4, lw=0
        )
        arc = np.array([np.cos(angle), np.sin(angle)])
        axes.fill(*np.concatenate([arc, RIM * arc[:, ::-1]], 1), color=COLOURS[mood], lw=0)
        middle = np.radians(45 * k + 22.5)
        axes.text(
            1.2 * np.cos(middle),
            1.22 * np.sin(middle),
            mood,
            ha=_side(np.cos(middle)),
            va="center",
            fontsize=8,
        )
    curve = timeline.analysis.curve
    axes.plot(curve.valence, curve.arousal, color="black", lw=0.8, alpha=0.7)
    axes.scatter(
        curve.valence[[0, -1]],
        curve.arousal[[0, -1]],
        c=["white", "black"],
        edgecolors="black",
        zorder=3,
        s=28,
    )
    axes.set(xlim=(-2.2, 2.2), ylim=(-1.4, 1.4), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    axes.set_xlabel("valence", fontsize=9)
    axes.set_ylabel("arousal", fontsize=9)
    axes.tick_params(labelsize=8)


def _legend(axes: Any, timeline: Timeline) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    def line(colour: str, label: str, **more: Any) -> Line2D:
        return Line2D([], [], color=colour, label=label, **more)

    handles = [
        line("black", "a cue begins", lw=1.2),
        line("0.7", "cut", lw=0.8),
        line("black", "hit point (larger: stronger)", marker="v", ls="", ms=6),
        line("0.2", "as read (darker: surer)", marker="o", ls="", ms=4),
        line(LINES["valence"], "valence, smoothed", lw=2),
        line(LINES["arousal"], "arousal, smoothed", lw=2),
        Patch(color="#009E73", label="speech"),
        *(Patch(color=SOURCES.get(n, "0.4"), label=f"read from: {n}") for n in timeline.analysis.shares),
    ]
    axes.legend(handles=handles, loc="center", fontsize=8, frameon=False, labelspacing=0.7)
    axes.axis("off")


def _side(x: float) -> str:
    return "left" if x > 0.2 else "right" if x < -0.2 else "center"


def contact_sheet(timelines: Sequence[tuple[str, Timeline]], path: Path) -> None:
    """One strip a film, below each other: its name, pictures and moods. PNG or SVG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    whole = Figure(figsize=(WIDE, 0.4 + 1.5 * len(timelines)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(whole)
    grid = whole.add_gridspec(3 * len(timelines), 1, height_ratios=[1.0, 0.5, 0.5] * len(timelines))
    for n, (name, timeline) in enumerate(timelines):
        parts: tuple[Callable[[Any, Timeline], None], ...] = (
            _thumbnails,
            partial(_cues, details=False),
            _ribbon,
        )
        for k, row in enumerate(parts):
            axes = whole.add_subplot(grid[3 * n + k, 0])
            row(axes, timeline)
            axes.set_xlim(0, float(timeline.duration))
            axes.tick_params(labelbottom=k == 2, labelsize=7)
            axes.set(yticks=[], ylabel="")
            if k == 0:
                axes.set_title(letters(name, 1.0, 0.008), fontsize=9, loc="left", pad=2)
    handles, names = whole.axes[2].get_legend_handles_labels()
    whole.legend(handles, names, loc="outside upper right", ncols=8, fontsize=8, frameon=False)
    whole.savefig(path)
