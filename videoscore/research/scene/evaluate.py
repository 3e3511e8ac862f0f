"""How well pictures are read: `videoscore evaluate scene` by cross-validation, `evaluate frames` on any rated
folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import MOODS
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.deep import probabilities
from videoscore.mood.perceivers.head import PEOPLE, RIM
from videoscore.research.agreement import concordance
from videoscore.research.deep.calibrate import temperature
from videoscore.research.folds import grouped_folds
from videoscore.research.scene.head_fit import calibrate
from videoscore.research.scene.oasis import octants
from videoscore.research.scene.rated import Rated, load
from videoscore.research.scene.train import FOLDS, Unseen, folds_of, head_of, read_as, readings

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

# What is reported apart: by kind, and by where the picture is from
PARTS: dict[str, tuple[str, ...]] = {
    "frames": ("photo", "drawn"),
    "photographs": ("photo",),
    "drawn": ("drawn",),
    "OASIS": ("oasis",),
    "stills of clips": ("clip",),
}
SHOWN = 20  # pictures on a sheet of the best and of the worst


def cross_validated(unseen: Unseen) -> tuple[Array, Array]:
    """Standardised points (n, 2) and mood probabilities (n, 8) of every picture by the models of its fold; stretch and
    spread of a fold come from the other folds."""
    y = unseen.y
    exact = np.array([i.exact for i in unseen.items])
    point, moods = np.zeros_like(y), np.zeros((len(y), 8))
    for k in np.unique(unseen.fold):
        own, others = unseen.fold == k, (unseen.fold != k) & exact
        stretch, spread = calibrate(unseen.point[others], y[others])
        point[own] = unseen.point[own] * stretch[0] + stretch[1]
        moods[own] = octant_probabilities(point[own, 0] / RIM, point[own, 1] / RIM, spread)
    return point, moods


def evaluate(unseen: Unseen, pictures: Path | None = None) -> dict[str, Any]:
    """Figures of the cross-validation by `PARTS`: "parts" (part -> figure -> value), "chance" likewise, "count".

    pictures : a folder for scene_confusion.png and scene_reliability.png (all that was itself rated), and
    scene_best.png
        and scene_worst.png (of OASIS).
    """
    point, moods = cross_validated(unseen)
    report = by_part(unseen.items, unseen.y, point, moods)
    if pictures is not None:
        exact = np.flatnonzero([i.exact for i in unseen.items])
        truth = octants(unseen.y[exact])
        tempered = temper(moods[exact], truth, unseen.fold[exact])
        draw(confusion_matrix(truth, octants(point[exact])), moods[exact], tempered, truth, pictures)
        free = np.flatnonzero([i.kind == "oasis" for i in unseen.items])  # whose pictures may be shown
        draw_extremes([unseen.items[i] for i in free.tolist()], unseen.y[free], point[free], pictures)
    return report


def in_tenths(
    items: Sequence[Rated], run: Path, seed: int, say: Callable[[str], None] = lambda line: None
) -> dict[str, float]:
    """r of valence and arousal on OASIS in ten folds by theme, as people rate: the networks of every fold, whose OASIS
    pictures are read in two halves, each by a head that learns from all other pictures."""
    folds = folds_of(items, seed)
    oasis = np.array([i.kind == "oasis" for i in items])
    themes = np.array([i.group for i in items])
    y, point = np.array([i.y for i in items]), np.zeros((len(items), 2))
    for k in range(FOLDS):
        x, _ = readings(run, str(k))
        own = np.flatnonzero(oasis & (folds == k))
        halves = grouped_folds(themes[own], 2, seed)
        for half in range(2):
            unseen = own[halves == half]
            seen = np.setdiff1d(np.arange(len(items)), unseen)
            point[unseen] = head_of(items, x, seen, seed).point(x[unseen], PEOPLE)
            say(f"tenth {2 * k + half + 1} of {2 * FOLDS} read")
    return {
        f"r {target}": float(np.corrcoef(point[oasis, i], y[oasis, i])[0, 1])
        for i, target in enumerate(("valence", "arousal"))
    }


def by_part(
    items: Sequence[Rated], y: Array, point: Array, moods: Array, classifies: bool = False
) -> dict[str, Any]:
    """`measures` and `chance` of every part of the pictures that were themselves rated."""
    report: dict[str, Any] = {"parts": {}, "chance": {}, "count": {}}
    for part, kinds in PARTS.items():
        rows = np.flatnonzero([i.kind in kinds and i.exact for i in items])
        if len(rows) > 1:
            report["parts"][part] = measures(y[rows], point[rows], moods[rows], classifies)
            report["chance"][part] = chance(y[rows])
            report["count"][part] = len(rows)
    return report


def evaluate_frames(
    items: Sequence[Rated], pictures: Path | None = None, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """The installed scene model on rated pictures, as `by_part`. If it learned from them the figures are no measure.

    pictures : a folder for what `draw_extremes` draws.
    """
    from videoscore.mood.perceivers.scene import load as load_scene

    backbones, head = load_scene()
    x, batch = [], []
    for k, picture in enumerate(load(list(items), say)):
        batch.append(picture)
        if len(batch) == 16 or k == len(items) - 1:
            x.append(backbones.features(batch))
            batch = []
    plane = read_as(head, items, np.concatenate(x)) * head.stretch[0] + head.stretch[1]
    moods = octant_probabilities(plane[:, 0] / RIM, plane[:, 1] / RIM, head.uncertainty)
    y = np.array([i.y for i in items])
    if pictures is not None:
        draw_extremes(items, y, plane, pictures)
    return by_part(items, y, plane, moods)


def draw_extremes(items: Sequence[Rated], y: Array, point: Array, folder: Path) -> None:
    """best.png and worst.png: the `SHOWN` pictures that are read best and worst, with what was rated and read."""
    from videoscore.research.scene.mood_pictures import sheet

    error = np.hypot(*(point - y).T)
    for name, order in (("best", np.argsort(error)), ("worst", np.argsort(-error))):
        shown = [items[i] for i in order[:SHOWN]]
        lines = [_caption(y[i], point[i]) for i in order[:SHOWN]]
        sheet([next(load([item])) for item in shown], lines, folder / f"scene_{name}.png")


def _caption(y: Array, point: Array) -> str:
    """What was rated and what was read, on the plane."""
    (v, a), (w, b) = y / RIM, point / RIM
    return f"{MOODS[octants(y[None])[0]]} {v:+.2f} {a:+.2f}\nread {MOODS[octants(point[None])[0]]} {w:+.2f} {b:+.2f}"


def temper(moods: Array, truth: Whole, folds: Whole) -> Array:
    """(n, 8) probabilities with the temperature that suits the other folds (Guo et al. 2017)."""
    z, out = np.log(np.maximum(moods, 1e-12)), np.zeros_like(moods)
    for k in np.unique(folds):
        out[folds == k] = probabilities(z[folds == k], temperature(z[folds != k], truth[folds != k]))
    return out


def draw(confusion: Whole, moods: Array, tempered: Array, truth: Whole, folder: Path) -> None:
    """Both pictures of `evaluate`."""
    from videoscore.research.scene.mood_pictures import confusion as draw_confusion
    from videoscore.research.scene.mood_pictures import reliability

    right = confusion.trace() / confusion.sum()
    draw_confusion(confusion.tolist(), folder / "scene_confusion.png", f"scene: {right:.3f} of octants right")
    reliability(
        moods,
        tempered,
        truth,
        folder / "scene_reliability.png",
        "scene, held-out folds",
        ("as shipped", "with a temperature on top"),
    )


def measures(y: Array, point: Array, moods: Array, classifies: bool = False) -> dict[str, float]:
    """r and CCC of both targets; octants by the point's angle, or by the likeliest mood where a model `classifies`;
    the eight probabilities' own figures."""
    truth, guess = octants(y), moods.argmax(1) if classifies else octants(point)
    out = {}
    for i, target in enumerate(("valence", "arousal")):
        out[f"r {target}"] = float(np.corrcoef(y[:, i], point[:, i])[0, 1])
        out[f"CCC {target}"] = concordance(y[:, i], point[:, i])
    out |= hits(truth, guess)
    likeliest = moods.argmax(1)
    out["octant, likeliest mood"] = float((likeliest == truth).mean())
    out["within one, likeliest mood"] = float((_apart(truth, likeliest) <= 1).mean())
    out["log loss of the moods"] = log_loss(moods, truth)
    out["calibration error"] = calibration_error(moods, truth)
    return out


def hits(truth: Whole, guess: Whole) -> dict[str, float]:
    apart = _apart(truth, guess)
    return {
        "octant": float((apart == 0).mean()),
        "octant, balanced": float(np.mean([(guess[truth == k] == k).mean() for k in np.unique(truth)])),
        "within one octant": float((apart <= 1).mean()),
        "quadrant": float((guess // 2 == truth // 2).mean()),
    }


def log_loss(moods: Array, truth: Whole) -> float:
    return float(-np.log(np.maximum(moods[np.arange(len(truth)), truth], 1e-12)).mean())


def calibration_error(moods: Array, truth: Whole, bins: int = 10) -> float:
    """Expected calibration error (Guo et al. 2017) of the likeliest mood, bins of equal count."""
    sure, right = moods.max(1), moods.argmax(1) == truth
    parts = np.array_split(np.argsort(sure), bins)
    return float(sum(len(p) / len(sure) * abs(sure[p].mean() - right[p].mean()) for p in parts if len(p)))


def chance(y: Array) -> dict[str, float]:
    """The best that a guess without looking gets: always the one octant that is best for the figure. For the
    moods' log loss: the octants' own shares."""
    truth = octants(y)
    always = [hits(truth, np.full(len(truth), k)) for k in range(8)]
    out = {name: max(h[name] for h in always) for name in always[0]}
    share = np.bincount(truth, minlength=8) / len(truth)
    out |= {
        "octant, likeliest mood": out["octant"],
        "within one, likeliest mood": out["within one octant"],
        "log loss of the moods": float(-(share[share > 0] * np.log(share[share > 0])).sum()),
    }
    return out | {f"{m} {t}": 0.0 for m in ("r", "CCC") for t in ("valence", "arousal")}


def confusion_matrix(truth: Whole, guess: Whole) -> Whole:
    matrix = np.zeros((8, 8), np.int64)
    np.add.at(matrix, (truth, guess), 1)
    return matrix


def _apart(a: Whole, b: Whole) -> Whole:
    """Octants between two octants, 0..4."""
    return np.minimum((a - b) % 8, (b - a) % 8)


def table(report: dict[str, Any]) -> str:
    """The report as text: a column a part, "chance" beside it."""
    names = list(report["parts"])
    heads = [f"{name} ({report['count'][name]})" for name in names]
    lines = [f"{'':30s}" + "".join(f"{head:>24s}" for head in heads)]
    for figure in next(iter(report["parts"].values())):
        row = ""
        for name in names:
            base = report["chance"][name].get(figure)
            row += f"{report['parts'][name][figure]:16.3f}" + (
                "        " if base is None else f" ({base:.3f})"
            )
        lines.append(f"{figure:30s}{row}")
    return "\n".join([*lines, "in brackets: the best answer without a look"])
