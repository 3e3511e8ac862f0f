"""What the deep CNN learns from: a teacher's view of rated and unlabelled pictures.

Stage one matches the leading principal components of the frozen backbones' features. No label enters it, so
its result may serve every fold of a cross-validation. Stage two matches the ratings themselves, and of unlabelled
pictures what the scene model's regression reads in the same features, fitted anew on whatever ratings the student
may see.
(Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network"; Romero et al. 2015, "FitNets".)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.errors import NotFound, UsageError
from videoscore.mood.octants import Spread, octant_probabilities
from videoscore.mood.perceivers.backbone import LITE, feature_size, half_precision
from videoscore.mood.perceivers.deep import CONFIGS, SIDE, WIDTHS, DeepConfig, MoodCNN
from videoscore.mood.perceivers.head import RIM, STILL, standardised
from videoscore.mood.perceivers.scene import BACKBONES, SHAPES, Backbones
from videoscore.research.deep.lessons import DeepCourse, Floats, Lessons, Recipe, Student
from videoscore.research.deep.views import STORED, augmented_views, find_pictures, square
from videoscore.research.run import Log, device
from videoscore.research.scene.head_fit import calibrated, standards
from videoscore.research.scene.oasis import backbone_weights
from videoscore.research.scene.rated import Picture, Rated, load, read_picture
from videoscore.research.scene.train import LIKE, folds_of, head_of, read_as

COMPONENTS = 128  # of the teacher's features that stage one matches
# What their blocks weigh: seven stages and the head. Early stages are what a small network can learn.
COMPONENT_WEIGHTS = (0.5, 0.5, 0.7, 1.0, 1.2, 1.2, 1.2, 2.0)
FROZEN, VIEWS = 3, 4  # blocks that stage two leaves as stage one made them; views of a picture behind them
LABELLED_AGAIN = 2  # how often an epoch of stage two shows a rated picture
BATCH = 16  # pictures that are looked at together
# Noise of ratings, units of the plane: the means of a panel of people repeat with r = .88 (data README). The ratings by
# a model repeat with .95; they are taken to be as far from what people would say.
RATING_NOISE = Spread(1.0, 1.0, 0.14, 0.14, 0.0)
STAGE_ONE = Recipe(epochs=13, rate=2e-3)
STAGE_TWO = Recipe(epochs=6, rate=1e-3)

Say = Callable[[str], None]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Classroom:
    """pictures : (n + m, STORED, STORED, 3), n rated ones, then m unlabelled. rated : the n. folds : (n,) by source.
    features : (n + m, d) of the published backbones. components : (n + m, COMPONENTS) of those."""

    pictures: NDArray[np.uint8]
    rated: Sequence[Rated]
    folds: Whole
    features: NDArray[np.float16]
    components: Floats

    @property
    def y(self) -> NDArray[np.float64]:
        """(n, 2) standardised ratings."""
        return np.array([i.y for i in self.rated])


def gather(
    items: Sequence[Rated], unlabelled: Path, cache: Path, seed: int, say: Say = lambda line: None
) -> Classroom:
    """All pictures, and what the backbones as published make of them (.05 s each), kept in `cache`.

    items : as `videoscore.research.scene.train.tables` gives them; pictures that weren't rated themselves are left
    out. unlabelled : folder of any photographs; those that are rated, too, count as rated. seed : of the folds.
    Raises NotFound, BrokenVideo, SetupError without the published weights, UsageError when `unlabelled` holds no
    picture.
    """
    rated = [i for i in items if i.exact]
    for item in rated:
        if not item.path.is_file():
            raise NotFound("a rated picture is missing", path=item.path, remedy="Unpack the data again.")
    known = {i.path.resolve() for i in rated}
    others = [p for p in find_pictures(unlabelled) if p.resolve() not in known]
    if not others:
        raise _without_pictures(unlabelled)
    squares, features = _squares_and_features(
        [(i.path, i.moment) for i in rated], lambda: load(rated), cache / "rated", say
    )
    more, theirs = _squares_and_features(
        [(p, None) for p in others], lambda: _readable(others, say), cache / "unlabelled", say
    )
    if not len(more):
        raise _without_pictures(unlabelled)
    both = np.concatenate([features, theirs])
    pictures = np.concatenate([squares, more])
    return Classroom(pictures, rated, folds_of(rated, seed), both, principal(both, COMPONENTS))


def _without_pictures(folder: Path) -> UsageError:
    return UsageError("there are no pictures in it", path=folder, remedy="Name a folder of photographs.")


def _readable(paths: Sequence[Path], say: Say) -> Iterator[Picture]:
    """The pictures that can be read; the others are named."""
    for path in paths:
        try:
            picture = read_picture(path)
        except (OSError, ValueError) as error:
            say(f"{path} can't be read ({error}) and is left out")
        else:
            yield picture


def _squares_and_features(
    names: Sequence[tuple[Path, float | None]],
    pictures: Callable[[], Iterator[Picture]],
    cache: Path,
    say: Say,
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """k of the pictures `names`: (k, STORED, STORED, 3), and (k, d) of the published backbones; kept beside `cache`."""
    listing = "\n".join(f"{p}\t{p.stat().st_size}\t{moment}" for p, moment in names)
    listing += repr((BACKBONES, SHAPES, STORED))
    digest = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    path = cache.with_name(f"{cache.name}_{digest}.npz")
    if not path.is_file():
        net, views, count = Backbones(backbone_weights()), pictures(), 0
        squares = np.empty((len(names), STORED, STORED, 3), np.uint8)
        features = np.empty((len(names), sum(feature_size(LITE[name]) for name in BACKBONES)), np.float16)
        while batch := list(islice(views, BATCH)):
            rows = slice(count, count + len(batch))
            squares[rows], features[rows] = [square(picture) for picture in batch], net.features(batch)
            count = rows.stop
            if count // BATCH % 50 == 0:
                say(f"{count} of {len(names)} {cache.name} pictures looked at")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}.part{os.getpid()}.npz")
        np.savez(part, squares=squares[:count], features=features[:count])
        os.replace(part, path)
    arrays = np.load(path)
    return arrays["squares"], arrays["features"]


def principal(features: NDArray[np.float16], count: int) -> Floats:
    """(n, d) features -> (n, count) leading components of their standardised form, mean square 1 in all.

    Each is scaled by the fourth root of its variance: halfway between equal weights for all, which stresses
    noise, and none, which leaves little but brightness and texture.
    """
    from scipy.sparse.linalg import svds

    x = features.astype(np.float32)
    z = standardised(x, *standards(x, BACKBONES, COMPONENT_WEIGHTS)).astype(np.float32)
    u, s, _ = svds(z - z.mean(0), k=count, random_state=0)
    scores = u[:, ::-1] * np.sqrt(s[::-1])
    return (scores / np.sqrt((scores**2).mean())).astype(np.float32)


def gentle(kind: str = "deep") -> DeepConfig:
    """How a network is trained on soft targets, which it hardly overfits."""
    return DeepConfig(CONFIGS[kind].convolutions, drop_block=0.0, drop_dense=0.1, norm=True)


def first_stage(
    room: Classroom,
    folder: Path,
    recipe: Recipe = STAGE_ONE,
    log: Log = lambda entry: None,
) -> dict[str, torch.Tensor]:
    """A network that sees roughly what the backbones see: its weights. Goes on where `folder` stands."""
    torch.manual_seed(recipe.seed)
    student = Student(MoodCNN(gentle()), room.components.shape[1])
    lessons = Lessons(room.pictures, np.arange(len(room.pictures)), features=room.components)
    return DeepCourse(student, lessons, recipe, folder).go(log).state_dict()


def out_of_fold(room: Classroom, seen: Whole, seed: int) -> NDArray[np.float64]:
    """(k, 2) standardised points, not stretched, of the rated pictures `seen`, each by a teacher of the other folds."""
    items, x = [room.rated[i] for i in seen.tolist()], room.features[seen].astype(np.float32)
    folds, points = room.folds[seen], np.zeros((len(seen), 2))
    for k in np.unique(folds):
        head, own = head_of(items, x, np.flatnonzero(folds != k), seed), np.flatnonzero(folds == k)
        points[own] = read_as(head, [items[i] for i in own.tolist()], x[own])
    return points


def soft_labels(room: Classroom, seen: Whole, seed: int) -> tuple[Floats, Floats]:
    """Moods (n + m, 8) and standardised points (n + m, 2) by a teacher that knows the ratings of `seen` alone.

    Of the pictures in `seen` these are the ratings themselves; rows of other rated pictures are zero and not to be
    used. The teacher is calibrated on single frames, as which it reads the unlabelled pictures.
    """
    n, items = len(room.rated), [room.rated[i] for i in seen.tolist()]
    stills = np.array([LIKE[i.kind] == STILL for i in items])
    head = head_of(items, room.features[seen].astype(np.float32), np.arange(len(seen)), seed)
    head = calibrated(head, out_of_fold(room, seen, seed)[stills], room.y[seen][stills])
    points = np.zeros((len(room.pictures), 2))
    for at in range(n, len(points), 500):
        points[at : at + 500], _ = head.predict(room.features[at : at + 500].astype(np.float32), STILL)
    points[seen] = room.y[seen]
    moods = np.zeros((len(points), 8))
    for rows, noise in ((seen, RATING_NOISE), (np.arange(n, len(points)), head.uncertainty)):
        moods[rows] = octant_probabilities(points[rows, 0] / RIM, points[rows, 1] / RIM, noise)
    return moods.astype(np.float32), points.astype(np.float32)


def halfway(
    room: Classroom, begin: dict[str, torch.Tensor], folder: Path, seed: int, say: Say = lambda line: None
) -> NDArray[np.float16]:
    """(VIEWS, n + m, c, s, s): what the frozen blocks make of augmented views; kept in `folder` (1.7 GB).

    No label enters them, so every fold's student can learn from the same ones.
    """
    where = device()
    net = _beginner(begin).eval().to(where).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    digest = hashlib.sha256(
        b"".join(v.cpu().numpy().tobytes() for v in begin.values()) + str(seed).encode()
    ).hexdigest()
    kept = folder / f"halfway_{digest[:12]}.npy"
    if kept.is_file():
        return np.load(kept, mmap_mode="r")
    part = kept.with_name(f"{kept.stem}.part{os.getpid()}.npy")
    side, n = SIDE >> FROZEN, len(room.pictures)
    out = np.lib.format.open_memmap(part, "w+", np.float16, (VIEWS, n, WIDTHS[FROZEN - 1], side, side))
    for view in range(VIEWS):
        for at in range(0, n, 64):
            rng = np.random.default_rng([seed, 4, view, at])
            x = augmented_views(torch.from_numpy(np.array(room.pictures[at : at + 64])).to(where), rng)
            with (
                torch.inference_mode(),
                torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)),
            ):
                out[view, at : at + 64] = net.convolve(x, 0, FROZEN).float().cpu().numpy()
        say(f"view {view + 1} of {VIEWS} through the frozen blocks")
    out.flush()
    os.replace(part, kept)
    return np.load(kept, mmap_mode="r")


def _beginner(begin: dict[str, torch.Tensor]) -> MoodCNN:
    """A network with the weights of stage one; its last two layers are new."""
    net = MoodCNN(gentle())
    net.load_state_dict(
        {k: v for k, v in begin.items() if not k.startswith(("dense2", "moods"))}, strict=False
    )
    return net


def second_stage(
    room: Classroom,
    seen: Whole,
    begin: dict[str, torch.Tensor],
    views: NDArray[np.float16],
    folder: Path,
    recipe: Recipe = STAGE_TWO,
    check: Callable[[MoodCNN], dict[str, float]] | None = None,
    log: Log = lambda entry: None,
) -> MoodCNN:
    """A student that has seen the ratings in `seen` and the teacher's of unlabelled pictures, no others.

    begin : weights from `first_stage`. views : from `halfway`.
    """
    torch.manual_seed(recipe.seed)
    net = _beginner(begin)
    moods, points = soft_labels(room, seen, recipe.seed)
    free = np.arange(len(room.rated), len(room.pictures))
    rows = np.concatenate([np.repeat(seen, LABELLED_AGAIN), free])
    lessons = Lessons(room.pictures, rows, moods, points, room.components, views)
    student = Student(net, room.components.shape[1], FROZEN)
    return DeepCourse(student, lessons, recipe, folder, check).go(log)
