"""Train the scene model: `videoscore train scene`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from videoscore.research.run import Budget, Run
from videoscore.research.scene.bank import bank
from videoscore.research.scene.head_fit import grouped_folds
from videoscore.research.scene.rated import Rated, frames, oasis, stills
from videoscore.research.scene.tune import Tuning

FOLDS = 5
EPOCHS = 4
CHECKPOINT = 120.0  # seconds of training between two saved states


def tables(oasis_data: Path, frame_data: Path, clip_data: Path) -> list[Rated]:
    """All rated pictures, those of one clip in a row. Raises NotFound, InputError."""
    return [*oasis(oasis_data), *frames(frame_data), *stills(clip_data)]


def tune(
    items: Sequence[Rated],
    name: str,
    fold: int | None,
    run: Path,
    seed: int = 0,
    epochs: int = EPOCHS,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Tune backbone `name` on all folds but `fold`, or on everything; resumable.

    run : folder of the whole training: banks, and NAME_FOLD with state and log. Returns NAME_FOLD/readings.npz:
    "out" (n, 4) of every picture as it is, "unseen" which of them it didn't learn from; weights.pt beside it.
    """
    views = bank(items, name, run, say)
    folds = grouped_folds(np.array([i.group for i in items]), FOLDS, seed)
    seen = np.arange(len(items)) if fold is None else np.flatnonzero(folds != fold)
    course = Tuning(name, items, views, seen, epochs, seed, "all" if fold is None else str(fold))
    folder = run / f"{name}_{course.fold}"
    state = Run(course, folder, Budget(updates=course.updates, checkpoint=CHECKPOINT, entry=20))
    state.go(lambda entry: say(f"{name} {course.fold}: {entry}"))
    out, _ = course.read(np.arange(len(items)))
    torch.save(course.average.state_dict(), folder / "weights.pt")
    path = folder / "readings.npz"
    np.savez(path, out=out, unseen=np.setdiff1d(np.arange(len(items)), seen))
    return path
