"""The eight-mood CNNs compared on OASIS: distilled, from scratch, shallow, the scene model, and no model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.deep import MoodCNN
from videoscore.mood.perceivers.head import RIM
from videoscore.mood.perceivers.scene import BACKBONES
from videoscore.research.deep.calibrate import across
from videoscore.research.deep.distil import (
    STAGE_ONE,
    STAGE_TWO,
    Classroom,
    first_stage,
    gather,
    gentle,
    halfway,
)
from videoscore.research.deep.lessons import DeepCourse, Lessons, Recipe, Student, logits
from videoscore.research.deep.train import FOLDS, SCHOOL, checker, fold_students, named
from videoscore.research.folds import grouped_folds
from videoscore.research.run import Log
from videoscore.research.scene.evaluate import chance, confusion_matrix, measures
from videoscore.research.scene.head_fit import fit_alone
from videoscore.research.scene.oasis import octants

Array = NDArray[np.float64]

SCRATCH = Recipe(epochs=24, batch=32, rate=1e-3, check=2)  # by then the seen pictures are known by heart
FIGURES = (
    "octant, likeliest mood",
    "octant, balanced",
    "within one, likeliest mood",
    "quadrant",
    "r valence",
    "CCC valence",
    "r arousal",
    "CCC arousal",
    "log loss of the moods",
    "calibration error",
)


def compare(
    data: Path,
    unlabelled: Path,
    run: Path,
    seed: int = 0,
    recipes: tuple[Recipe, ...] = (STAGE_ONE, STAGE_TWO, SCRATCH),
    say: Callable[[str], None] = lambda line: None,
    log: Log = lambda entry: None,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """Train each network on `FOLDS` folds by theme (or take what `run` holds of it) and measure the unseen fold.

    Parameters as those of `research.deep.train.train`, whose run it can share; recipes : of the two stages of
    distillation and of the networks from scratch. Temperature and stretch of a fold come from the other folds.
    pictures : a folder for deep_confusion.png, deep_reliability.png and deep_curves.png.

    Returns "models" (name -> figure -> value), "chance", "confusion" of the distilled network (8 x 8),
    "moods" (n, 8) of the distilled one before and after calibration, "curves" (run -> log entries).
    """
    room = gather(data, unlabelled, run / SCHOOL, say)
    y, folds = room.photographs.y, grouped_folds(room.photographs.groups, FOLDS, seed)
    truth = octants(y)
    begin = first_stage(room, run / "features", recipe=recipes[0], log=log)
    views = halfway(room, begin, run / SCHOOL, seed, say)
    students = {"deep, distilled": fold_students(room, begin, views, run, seed, recipes[1], log)}
    for kind in ("shallow", "deep"):
        say(f"{kind} from scratch")
        students[f"{kind}, from scratch"] = from_scratch(room, kind, run, seed, recipes[2], log)
    models, predictions = {}, {}
    for name, z in students.items():
        moods, points, temperature = across(z, y, truth, folds)
        models[name] = by_moods(y, points, moods) | {"temperature": temperature}
        predictions[name] = moods
    point, moods = scene_model(room, folds, seed)
    models["scene"] = measures(y, point, moods)
    report = {
        "pictures": room.labelled,
        "folds": FOLDS,
        "seed": seed,
        "models": models,
        "chance": chance(y),
        "confusion": confusion_matrix(truth, predictions["deep, distilled"].argmax(1)).tolist(),
        "truth": truth.tolist(),
        "moods": {
            "after": predictions["deep, distilled"].tolist(),
            "before": _softmax(students["deep, distilled"]).tolist(),
        },
        "curves": curves(run),
    }
    if pictures is not None:
        draw(report, pictures)
    return report


def from_scratch(
    room: Classroom, kind: str, run: Path, seed: int, recipe: Recipe, log: Log
) -> NDArray[np.float32]:
    """(n, 8) logits of every labelled picture by a network that learned the other folds' octants and nothing else.

    It has the batch norm and the light dropout of the distilled one: with the study's dropout it learned nothing
    in 20 epochs, and the two could not be compared (docs/models/deep.md).
    """
    y = room.photographs.y
    folds, truth = grouped_folds(room.photographs.groups, FOLDS, seed), octants(y)
    moods = np.zeros((len(room.pictures), 8), np.float32)
    moods[np.arange(len(truth)), truth] = 1
    out = np.zeros((room.labelled, 8), np.float32)
    for k in range(FOLDS):
        seen, unseen = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
        torch.manual_seed(seed)
        net = MoodCNN(gentle(kind))
        folder, check = run / f"scratch_{kind}{k}", checker(room, seen, unseen)
        work = DeepCourse(Student(net), Lessons(room.pictures, seen, moods), recipe, folder, check)
        trained = work.go(named(f"{kind} scratch {k}", log))
        out[unseen] = logits(trained, room.pictures, unseen)
    return out


def scene_model(room: Classroom, folds: NDArray[np.int64], seed: int) -> tuple[Array, Array]:
    """The kernel regression on features as published, the same folds: standardised points (n, 2), moods (n, 8)."""
    p = room.photographs
    point, moods = np.zeros_like(p.y), np.zeros((len(p.y), 8))
    for k in np.unique(folds):
        seen, unseen = folds != k, folds == k
        head = fit_alone(p.both[seen], p.y[seen], p.groups[seen], BACKBONES, seed)
        point[unseen], _ = head.predict(p.plain[unseen])
        moods[unseen] = octant_probabilities(point[unseen, 0] / RIM, point[unseen, 1] / RIM, head.uncertainty)
    return point, moods


def by_moods(y: Array, point: Array, moods: Array) -> dict[str, float]:
    """`measures`, with balanced octants and quadrants by the likeliest mood, as a classifier decides."""
    out = measures(y, point, moods)
    truth, guess = octants(y), moods.argmax(1)
    return out | {
        "octant, balanced": float(np.mean([(guess[truth == k] == k).mean() for k in np.unique(truth)])),
        "quadrant": float((guess // 2 == truth // 2).mean()),
    }


def curves(run: Path) -> dict[str, list[dict[str, Any]]]:
    """The log of every part of a run, one entry an epoch."""
    return {
        path.parent.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(run.glob("*/log.jsonl"))
    }


def draw(report: dict[str, Any], folder: Path) -> None:
    """The pictures of `compare`."""
    from videoscore.research.scene.mood_pictures import confusion, reliability
    from videoscore.research.scene.mood_pictures import curves as draw_curves

    right = report["models"]["deep, distilled"]["octant, likeliest mood"]
    confusion(
        report["confusion"], folder / "deep_confusion.png", f"deep, distilled: {right:.3f} of octants right"
    )
    moods = report["moods"]
    reliability(
        np.array(moods["before"]),
        np.array(moods["after"]),
        np.array(report["truth"]),
        folder / "deep_reliability.png",
        "deep, distilled: held-out folds",
        ("before the temperature", "after it"),
    )
    parts = {
        "deep, distilled": "fold",
        "deep, from scratch": "scratch_deep",
        "shallow, from scratch": "scratch_shallow",
    }
    draw_curves(
        {
            model: {k: v for k, v in report["curves"].items() if k.startswith(prefix)}
            for model, prefix in parts.items()
        },
        folder / "deep_curves.png",
    )


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    names = list(report["models"])
    lines = [
        f"{report['pictures']} pictures, {report['folds']} folds by theme, seed {report['seed']}",
        f"{'figure':28s} " + " ".join(f"{n[:21]:>21s}" for n in names) + f" {'no model':>9s}",
    ]
    for figure in FIGURES:
        base = report["chance"].get(figure)
        lines.append(
            f"{figure:28s} "
            + " ".join(f"{report['models'][n][figure]:21.3f}" for n in names)
            + ("" if base is None else f" {base:9.3f}")
        )
    return "\n".join(lines)


def _softmax(z: NDArray[np.float32]) -> Array:
    e = np.exp(z.astype(np.float64) - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)
