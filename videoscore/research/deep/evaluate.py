"""The eight-mood CNNs compared on rated pictures: distilled, from scratch, shallow, the scene model, and no model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.perceivers.deep import MoodCNN, probabilities
from videoscore.research.deep.calibrate import across
from videoscore.research.deep.distil import (
    STAGE_ONE,
    STAGE_TWO,
    Classroom,
    gentle,
    out_of_fold,
)
from videoscore.research.deep.lessons import DeepCourse, Lessons, Recipe, Student, logits
from videoscore.research.deep.train import checker, fold_students, named, without_ratings
from videoscore.research.run import Log
from videoscore.research.scene.evaluate import by_part, confusion_matrix, cross_validated
from videoscore.research.scene.oasis import octants
from videoscore.research.scene.rated import Rated
from videoscore.research.scene.train import Unseen

Array = NDArray[np.float64]

SCRATCH = Recipe(epochs=8, batch=32, rate=1e-3)
DISTILLED, DEEP, SHALLOW = "deep, distilled", "deep, from scratch", "shallow, from scratch"
LOGS = {DISTILLED: ["fold"], DEEP: ["scratch_deep"], SHALLOW: ["scratch_shallow"]}  # folders in a run's
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
    items: Sequence[Rated],
    unlabelled: Path,
    run: Path,
    seed: int = 0,
    recipes: tuple[Recipe, Recipe, Recipe] = (STAGE_ONE, STAGE_TWO, SCRATCH),
    scratch: bool = False,
    say: Callable[[str], None] = lambda line: None,
    log: Log = lambda entry: None,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """Train each network on folds by source (or take what `run` holds of it) and measure the unseen fold.

    Parameters as those of `research.deep.train.train`, whose run it can share; recipes : of the two stages of
    distillation and of the networks from scratch. scratch : whether to train these. Temperature and stretch of a fold
    come from the other folds. pictures : a folder for deep_confusion.png, deep_reliability.png and deep_curves.png.

    Returns "models" (name -> part -> figure -> value), "chance" and "count" by part, "temperature" (name -> mean),
    "confusion" of the distilled network (8 x 8), "moods" (n, 8) of it before and after calibration, "truth" (n,),
    "curves" (name -> run -> log entries).
    """
    room, begin, views = without_ratings(items, unlabelled, run, seed, recipes[0], say, log)
    y, folds, truth = room.y, room.folds, octants(room.y)
    students = {DISTILLED: fold_students(room, begin, views, run, seed, recipes[1], log)}
    if scratch:
        students[DEEP] = from_scratch(room, "deep", run, recipes[2], seed, log)
        students[SHALLOW] = from_scratch(room, "shallow", run, recipes[2], seed, log)
    calibrated = {name: across(z, y, truth, folds) for name, z in students.items()}
    models = {
        name: by_part(room.rated, y, point, moods, classifies=True)
        for name, (moods, point, _) in calibrated.items()
    }
    models["teacher"] = by_part(room.rated, y, *teacher(room, seed))
    distilled = calibrated[DISTILLED][0]
    report = {
        "folds": int(folds.max()) + 1,
        "seed": seed,
        "models": {name: own["parts"] for name, own in models.items()},
        "chance": models["teacher"]["chance"],
        "count": models["teacher"]["count"],
        "temperature": {name: temperature for name, (_, _, temperature) in calibrated.items()},
        "confusion": confusion_matrix(truth, distilled.argmax(1)).tolist(),
        "truth": truth.tolist(),
        "moods": {"after": distilled.tolist(), "before": probabilities(students[DISTILLED], 1.0).tolist()},
        "curves": {name: curves(run, LOGS[name]) for name in students},
    }
    if pictures is not None:
        draw(report, pictures)
    return report


def teacher(room: Classroom, seed: int) -> tuple[Array, Array]:
    """The scene model's regression on features as published, told each picture's kind: standardised points (n, 2),
    moods (n, 8)."""
    points = out_of_fold(room, np.arange(len(room.rated)), seed)
    return cross_validated(Unseen(room.rated, room.folds, points, np.zeros(len(points))))


def from_scratch(
    room: Classroom, kind: str, run: Path, recipe: Recipe, seed: int, log: Log
) -> NDArray[np.float32]:
    """(n, 8) logits of every rated picture by a network that learned the other folds' octants and nothing else.

    It has the batch norm and the light dropout of the distilled one: with the study's dropout it learned nothing
    in 20 epochs, and the two could not be compared (docs/models/deep.md).
    """
    truth = octants(room.y)
    moods = np.zeros((len(room.pictures), 8), np.float32)
    moods[np.arange(len(truth)), truth] = 1
    out = np.zeros((len(truth), 8), np.float32)
    for k in np.unique(room.folds).tolist():
        seen, unseen = np.flatnonzero(room.folds != k), np.flatnonzero(room.folds == k)
        torch.manual_seed(seed)
        net = MoodCNN(gentle(kind))
        folder, check = run / f"scratch_{kind}{k}", checker(room, seen, unseen)
        course = DeepCourse(
            Student(net), Lessons(room.pictures, seen, moods), replace(recipe, seed=seed), folder, check
        )
        trained = course.go(named(f"{kind} scratch {k}", log))
        out[unseen] = logits(trained, room.pictures, unseen)
    return out


def curves(run: Path, parts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The logs in folders of `run` whose names begin with one of `parts`, one entry an epoch."""
    return {
        path.parent.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(run.glob("*/log.jsonl"))
        if path.parent.name.startswith(tuple(parts))
    }


def draw(report: dict[str, Any], folder: Path) -> None:
    """The pictures of `compare`."""
    from videoscore.research.scene.mood_pictures import confusion, reliability
    from videoscore.research.scene.mood_pictures import curves as draw_curves

    matrix = np.array(report["confusion"])
    right = matrix.trace() / matrix.sum()
    confusion(
        report["confusion"], folder / "deep_confusion.png", f"{DISTILLED}: {right:.3f} of octants right"
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
    draw_curves(report["curves"], folder / "deep_curves.png")


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [f"{report['folds']} folds by source, seed {report['seed']}"]
    names = list(report["models"])
    for part, count in report["count"].items():
        head = f"{part} ({count})"
        lines += ["", f"{head:28s} " + " ".join(f"{n[:21]:>21s}" for n in names) + f" {'no model':>9s}"]
        for figure in FIGURES:
            base = report["chance"][part].get(figure)
            row = " ".join(f"{report['models'][n][part][figure]:21.3f}" for n in names)
            lines.append(f"{figure:28s} {row}" + ("" if base is None else f" {base:9.3f}"))
    return "\n".join(lines)
