"""Train the eight-mood deep CNN by distillation: `videoscore train deep`. docs/models/deep.md is its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.perceivers.deep import Calibration, MoodCNN, save, without_norm
from videoscore.research.deep.calibrate import from_ratings
from videoscore.research.deep.distil import (
    STAGE_ONE,
    STAGE_TWO,
    Classroom,
    first_stage,
    gather,
    halfway,
    second_stage,
)
from videoscore.research.deep.lessons import Recipe, logits
from videoscore.research.run import Log, device
from videoscore.research.scene.oasis import octants
from videoscore.research.scene.rated import Rated
from videoscore.research.scene.train import CREDITS
from videoscore.research.weights import write_weights

SCHOOL = "school"  # folder in a run's folder that keeps pictures and features


def train(
    items: Sequence[Rated],
    unlabelled: Path,
    out: Path,
    run: Path,
    seed: int = 0,
    stages: tuple[Recipe, Recipe] = (STAGE_ONE, STAGE_TWO),
    command: str = "",
    say: Callable[[str], None] = lambda line: None,
    log: Log = lambda entry: None,
) -> Path:
    """Train on all rated and any unlabelled pictures, calibrate on held-out folds, write the weights.

    items : rated pictures, see `videoscore.research.scene.train.tables`. unlabelled : folder of photographs.
    out : the .safetensors file, or a folder that gets deep.safetensors; a json of the same name beside it says how it
    came about. run : folder with the state of the run; the same command goes on where it stopped. Returns the weights'
    path. Raises what `videoscore.research.deep.distil.gather` raises, UsageError when `run` holds another run, OSError.
    """
    room, begin, views = without_ratings(items, unlabelled, run, seed, stages[0], say, log)
    calibration = from_ratings(
        fold_students(room, begin, views, run, seed, stages[1], log), room.y, octants(room.y)
    )
    net = second_stage(
        room,
        np.arange(len(room.rated)),
        begin,
        views,
        run / "all",
        replace(stages[1], seed=seed),
        log=named("all", log),
    )
    facts = {
        "command": command,
        "seed": seed,
        "pictures": len(room.rated),
        "unlabelled": len(room.pictures) - len(room.rated),
        "data": f"{CREDITS}; unlabelled photographs read by the scene model's regression",
        "stages": [asdict(stage) for stage in stages],
    }
    return write(out, net, calibration, facts, say)


def without_ratings(
    items: Sequence[Rated],
    unlabelled: Path,
    run: Path,
    seed: int,
    recipe: Recipe = STAGE_ONE,
    say: Callable[[str], None] = lambda line: None,
    log: Log = lambda entry: None,
) -> tuple[Classroom, dict[str, torch.Tensor], NDArray[np.float16]]:
    """What no rating enters, and all folds share: the pictures, the weights of stage one, and `halfway`."""
    room = gather(items, unlabelled, run / SCHOOL, seed, say)
    begin = first_stage(room, run / "features", recipe=replace(recipe, seed=seed), log=named("features", log))
    return room, begin, halfway(room, begin, run / SCHOOL, seed, say)


def fold_students(
    room: Classroom,
    begin: dict[str, torch.Tensor],
    views: NDArray[np.float16],
    run: Path,
    seed: int,
    recipe: Recipe = STAGE_TWO,
    log: Log = lambda entry: None,
) -> NDArray[np.float32]:
    """(n, 8) logits of every rated picture by a student who saw no rating of its fold, nor did its teacher."""
    out = np.zeros((len(room.rated), 8), np.float32)
    for k in np.unique(room.folds).tolist():
        seen, unseen = np.flatnonzero(room.folds != k), np.flatnonzero(room.folds == k)
        net = second_stage(
            room,
            seen,
            begin,
            views,
            run / f"fold{k}",
            replace(recipe, seed=seed),
            checker(room, seen, unseen),
            named(f"fold {k}", log),
        )
        out[unseen] = logits(net, room.pictures, unseen)
    return out


def checker(
    room: Classroom, seen: NDArray[np.int64], unseen: NDArray[np.int64], most: int = 256
) -> Callable[[MoodCNN], dict[str, float]]:
    """What to measure after an epoch: log loss and octant hits on up to `most` unseen pictures, half as many seen."""
    truth = octants(room.y)

    def some(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]

    def check(net: MoodCNN) -> dict[str, float]:
        results = {}
        for name, rows in (("seen", some(seen, most // 2)), ("unseen", some(unseen, most))):
            z = torch.from_numpy(logits(net, room.pictures, rows))
            results[f"log loss {name}"] = float(
                torch.nn.functional.cross_entropy(z, torch.from_numpy(truth[rows]))
            )
            results[f"octant {name}"] = float((z.argmax(1).numpy() == truth[rows]).mean())
        return results

    return check


def write(
    out: Path,
    net: MoodCNN,
    calibration: Calibration,
    facts: dict[str, Any],
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Weights without batch norm, float16, whole or not at all; `facts` and the checksum as json beside them."""
    path = out if out.suffix == ".safetensors" else out / "deep.safetensors"
    plain = without_norm(net)
    write_weights(
        path,
        lambda part: save(part, plain, calibration),
        {
            **facts,
            "device": str(device()),
            "torch": torch.__version__,
            "parameters": sum(p.numel() for p in plain.parameters()),
        },
    )
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return path


def named(part: str, log: Log) -> Log:
    """`log` with the part of the run in every entry."""
    return lambda entry: log({"part": part, **entry})
