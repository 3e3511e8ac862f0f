"""The eight-mood CNNs compared on rated pictures: distilled, from scratch, shallow, the scene model, and no model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.deep import MoodCNN, probabilities
from videoscore.mood.perceivers.head import RIM
from videoscore.research.deep.calibrate import across
from videoscore.research.deep.distil import (
    STAGE_ONE,
    STAGE_TWO,
    Classroom,
    first_stage,
    gather,
    gentle,
    halfway,
    read_folds,
)
from videoscore.research.deep.lessons import DeepCourse, Lessons, Recipe, Student, logits
from videoscore.research.deep.train import SCHOOL, checker, fold_students, named, seeded
from videoscore.research.run import Log
from videoscore.research.scene.evaluate import PARTS, chance, confusion_matrix, measures
from videoscore.research.scene.head_fit import calibrate
from videoscore.research.scene.oasis import octants
from videoscore.research.scene.rated import Rated

Array = NDArray[np.float64]

SCRATCH = Recipe(epochs=8, batch=32, rate=1e-3)
DISTILLED = "deep, distilled"
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

    Returns "parts" (part -> "count", "chance", "models": name -> figure -> value), "temperature" (name -> mean),
    "confusion" of the distilled network (8 x 8), "moods" (n, 8) of it before and after calibration, "truth" (n,),
    "curves" (run -> log entries).
    """
    room = gather(items, unlabelled, run / SCHOOL, seed, say)
    y, folds, truth = room.y, room.folds, octants(room.y)
    begin = first_stage(room, run / "features", recipe=seeded(recipes[0], seed), log=named("features", log))
    views = halfway(room, begin, run / SCHOOL, seed, say)
    students = {DISTILLED: fold_students(room, begin, views, run, seed, recipes[1], log)}
    for kind in ("deep", "shallow") if scratch else ():
        say(f"{kind} from scratch")
        students[f"{kind}, from scratch"] = from_scratch(room, kind, run, recipes[2], seed, log)
    calibrated = {name: across(z, y, truth, folds) for name, z in students.items()}
    readings = {name: (point, moods) for name, (moods, point, _) in calibrated.items()}
    readings["teacher"] = teacher(room, seed)
    distilled = calibrated[DISTILLED][0]
    report = {
        "folds": int(folds.max()) + 1,
        "seed": seed,
        "parts": by_part(room, readings),
        "temperature": {name: temperature for name, (_, _, temperature) in calibrated.items()},
        "confusion": confusion_matrix(truth, distilled.argmax(1)).tolist(),
        "truth": truth.tolist(),
        "moods": {"after": distilled.tolist(), "before": probabilities(students[DISTILLED], 1.0).tolist()},
        "curves": curves(run),
    }
    if pictures is not None:
        draw(report, pictures)
    return report


def teacher(room: Classroom, seed: int) -> tuple[Array, Array]:
    """The scene model's regression on features as published: standardised points (n, 2), moods (n, 8)."""
    raw = read_folds(room, np.arange(len(room.rated)), seed)
    point, moods = np.zeros_like(raw), np.zeros((len(raw), 8))
    for k in np.unique(room.folds):
        here = room.folds == k
        stretch, spread = calibrate(raw[~here], room.y[~here])
        point[here] = raw[here] * stretch[0] + stretch[1]
        moods[here] = octant_probabilities(point[here, 0] / RIM, point[here, 1] / RIM, spread)
    return point, moods


def by_part(room: Classroom, readings: dict[str, tuple[Array, Array]]) -> dict[str, Any]:
    """Figures of every model on each of `PARTS`. readings : name -> points (n, 2) and moods (n, 8)."""
    parts: dict[str, Any] = {}
    for part, kinds in PARTS.items():
        rows = np.flatnonzero([i.kind in kinds for i in room.rated])
        if len(rows) > 1:
            y = room.y[rows]
            models = {
                name: by_moods(y, point[rows], moods[rows]) for name, (point, moods) in readings.items()
            }
            parts[part] = {"count": len(rows), "chance": chance(y), "models": models}
    return parts


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
            Student(net), Lessons(room.pictures, seen, moods), seeded(recipe, seed), folder, check
        )
        trained = course.go(named(f"{kind} scratch {k}", log))
        out[unseen] = logits(trained, room.pictures, unseen)
    return out


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
    parts = {
        "deep, distilled": "fold",
        "deep, from scratch": "scratch_deep",
        "shallow, from scratch": "scratch_shallow",
    }
    draw_curves(
        {
            model: entries
            for model, prefix in parts.items()
            if (entries := {k: v for k, v in report["curves"].items() if k.startswith(prefix)})
        },
        folder / "deep_curves.png",
    )


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [f"{report['folds']} folds by source, seed {report['seed']}"]
    for part, own in report["parts"].items():
        names = list(own["models"])
        lines += [
            "",
            f"{part + ' (' + str(own['count']) + ')':28s} "
            + " ".join(f"{n[:21]:>21s}" for n in names)
            + f" {'no model':>9s}",
        ]
        for figure in FIGURES:
            base = own["chance"].get(figure)
            lines.append(
                f"{figure:28s} "
                + " ".join(f"{own['models'][n][figure]:21.3f}" for n in names)
                + ("" if base is None else f" {base:9.3f}")
            )
    return "\n".join(lines)
