"""Train an eight-mood CNN on your own pictures, sorted into one folder a mood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.errors import NotFound, UsageError
from videoscore.mood.circle import MOODS, mood_index
from videoscore.mood.perceivers.deep import CONFIGS, MoodCNN
from videoscore.research.deep.calibrate import from_moods
from videoscore.research.deep.lessons import DeepCourse, Lessons, Recipe, Student, logits
from videoscore.research.deep.train import write
from videoscore.research.deep.views import find_pictures, read_squares
from videoscore.research.run import Log

HELD_OUT = 0.2  # of every mood's pictures, at least one
BATCH = 32


@dataclass(frozen=True, eq=False)
class SortedPictures:
    """pictures : (n, STORED, STORED, 3) uint8. mood : (n,) 0..7. held_out : (n,) not for training.
    unreadable : files that are no pictures after all."""

    pictures: NDArray[np.uint8]
    mood: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    unreadable: tuple[Path, ...]


def train_folder(
    images: Path,
    out: Path,
    run: Path,
    model: str = "deep",
    epochs: int = 60,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
    log: Log = lambda entry: None,
) -> dict[str, float | int | str]:
    """Train on a folder of pictures in eight mood folders and write weights for the `deep` perceiver.

    images : holds a folder for each of `videoscore.mood.circle.MOODS` (any case), with pictures in it or below.
    out : the .safetensors file. run : folder with the state of the run; the same call goes on where it stopped.
    model : "deep" or "shallow". seed : of the split and of the training.

    Every fifth picture of a mood is held out; returns the counts ("pictures", "held out", "unreadable"), the
    "accuracy" and "within one" octant on the held-out ones, "chance" (their commonest mood) and the "output".
    The temperature is fitted on the held-out pictures too, which moves no accuracy.

    Raises NotFound without `images`, UsageError for a missing mood, too few pictures, an unknown model, or a
    `run` that holds other settings.
    """
    if model not in CONFIGS:
        raise UsageError(
            f"there is no model {model!r} for mood folders", remedy=f"Choose from {', '.join(CONFIGS)}."
        )
    pictures = read_folders(images, run / "pictures.npy", seed, say)
    moods = np.eye(len(MOODS), dtype=np.float32)[pictures.mood]
    seen, unseen = np.flatnonzero(~pictures.held_out), np.flatnonzero(pictures.held_out)
    torch.manual_seed(seed)
    net = MoodCNN(CONFIGS[model])
    recipe = Recipe(epochs=epochs, batch=BATCH, seed=seed)

    def check(trained: MoodCNN) -> dict[str, float]:
        return _hits(logits(trained, pictures.pictures, unseen), pictures.mood[unseen])

    work = DeepCourse(Student(net), Lessons(pictures.pictures, seen, moods), recipe, run, check)
    trained = work.go(log)
    z, truth = logits(trained, pictures.pictures, unseen), pictures.mood[unseen]
    figures: dict[str, float | int | str] = {
        "pictures": len(pictures.mood),
        "held out": len(unseen),
        "unreadable": len(pictures.unreadable),
        **_hits(z, truth),
        "chance": float(np.bincount(truth, minlength=8).max() / len(truth)),
    }
    command = f"videoscore train deep --folders {images} --model {model} --epochs {epochs} --seed {seed}"
    path = write(
        out, trained, from_moods(z, truth), {"command": command, "data": str(images), **figures}, say
    )
    return {**figures, "output": str(path)}


def read_folders(
    images: Path, cache: Path | None = None, seed: int = 0, say: Callable[[str], None] = lambda line: None
) -> SortedPictures:
    """Read and split a folder of mood folders; see `train_folder` for what it must hold and what is raised."""
    if not images.is_dir():
        raise NotFound(
            "there is no such folder", path=images, remedy="Name the folder that holds the mood folders."
        )
    files_of: dict[int, list[Path]] = {k: [] for k in range(len(MOODS))}
    for folder in sorted(p for p in images.iterdir() if p.is_dir()):
        try:
            files_of[mood_index(folder.name)] += find_pictures(folder)
        except KeyError:
            say(f"{folder.name} is no mood, its pictures are left out")
    _enough({k: len(paths) for k, paths in files_of.items()}, images)
    paths = [p for k in sorted(files_of) for p in files_of[k]]
    mood = np.repeat(sorted(files_of), [len(files_of[k]) for k in sorted(files_of)])
    pictures, readable = read_squares(paths, cache, say)
    unreadable = tuple(p for p, ok in zip(paths, readable) if not ok)
    for path in unreadable:
        say(f"{path} can't be read as a picture, it is left out")
    if unreadable:
        pictures, mood = pictures[readable], mood[readable]
    _enough(dict(enumerate(np.bincount(mood, minlength=len(MOODS)))), images)
    return SortedPictures(pictures, mood, _split(mood, seed), unreadable)


def _enough(counts: dict[int, int], images: Path) -> None:
    """Raises UsageError when a mood has fewer than two pictures, one to learn and one to check."""
    few = [f"{MOODS[k]} ({n})" for k, n in counts.items() if n < 2]
    if few:
        raise UsageError(
            f"too few pictures of {', '.join(few)}",
            path=images,
            remedy="Give every mood a folder of its name with two pictures or more; the study had 400.",
        )


def _split(mood: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """(n,) True for `HELD_OUT` of every mood's pictures."""
    held_out = np.zeros(len(mood), bool)
    rng = np.random.default_rng([seed, 3])
    for k in np.unique(mood):
        members = rng.permutation(np.flatnonzero(mood == k))
        held_out[members[: max(1, round(HELD_OUT * len(members)))]] = True
    return held_out


def _hits(z: NDArray[np.float32], truth: NDArray[np.int64]) -> dict[str, float]:
    """Shares of pictures whose likeliest mood is right, or right or a neighbour of it on the circle."""
    apart = (z.argmax(1) - truth) % len(MOODS)
    return {"accuracy": float((apart == 0).mean()), "within one": float(np.isin(apart, (0, 1, 7)).mean())}
