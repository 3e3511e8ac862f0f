"""What the deep CNN learns from: a teacher's view of labelled and unlabelled photographs.

Stage one matches the leading principal components of the frozen backbones' features. No label enters it, so
its result may serve every fold of a cross-validation. Stage two matches the moods that the scene model
reads, which is fitted anew on whatever labels the student may see, and those labels themselves.
(Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network"; Romero et al. 2015, "FitNets".)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.errors import UsageError
from videoscore.mood.octants import Spread, octant_probabilities
from videoscore.mood.perceivers.backbone import half_precision
from videoscore.mood.perceivers.deep import CONFIGS, SIDE, WIDTHS, DeepConfig, MoodCNN
from videoscore.mood.perceivers.head import RIM, standardised
from videoscore.mood.perceivers.scene import BACKBONES, SHAPES, Backbones
from videoscore.research.deep.lessons import DeepCourse, Floats, Lessons, Recipe, Student
from videoscore.research.deep.views import augmented_views, find_pictures, read_squares
from videoscore.research.run import Log, device
from videoscore.research.scene.head_fit import fit_alone, standards
from videoscore.research.scene.oasis import Photographs, backbone_weights, read_features, read_table

COMPONENTS = 128  # of the teacher's features that stage one matches
FROZEN, VIEWS = 3, 4  # blocks that stage two leaves as stage one made them; views of a picture behind them
LABELLED_AGAIN = 4  # how often an epoch of stage two shows a picture with a label
# Noise of the people's mean ratings, units of the plane: a panel's means repeat with r = .88 (data README)
RATED = Spread(1.0, 1.0, 0.14, 0.14, 0.0)
STAGE_ONE = Recipe(epochs=24, rate=2e-3)
STAGE_TWO = Recipe(epochs=6, rate=1e-3)

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Classroom:
    """pictures : (n + m, STORED, STORED, 3), n labelled ones, then m unlabelled. photographs : the n, with
    ratings and features. unlabelled : (m, d) features of the others. components : (n + m, COMPONENTS)."""

    pictures: NDArray[np.uint8]
    photographs: Photographs
    unlabelled: NDArray[np.float16]
    components: Floats

    @property
    def labelled(self) -> int:
        return len(self.photographs.y)


def gather(data: Path, unlabelled: Path, cache: Path, say: Say = lambda line: None) -> Classroom:
    """All pictures, and what the backbones make of them (.03 to .1 s each), kept in `cache`.

    data : folder with oasis.csv. unlabelled : folder of any photographs.
    Raises NotFound without the list or a picture, SetupError without the pretrained weights, UsageError when
    `unlabelled` holds no picture.
    """
    photographs = read_features(data, cache, say)
    paths = [data / r["file"] for r in read_table(data)]
    others = find_pictures(unlabelled)
    if not others:
        raise UsageError(
            "there are no pictures in it", path=unlabelled, remedy="Name a folder of photographs."
        )
    pictures, readable = read_squares([*paths, *others], cache / "deep_pictures.npy", say)
    readable[: len(paths)] = True  # `read_features` would have stopped at one that isn't
    if not readable.all():
        say(f"{int((~readable).sum())} pictures can't be read and are left out")
        pictures = pictures[readable]
        others = [p for p, ok in zip(others, readable[len(paths) :]) if ok]
    features = _features(others, cache, say)
    both = np.concatenate([photographs.plain, features.astype(np.float32)])
    return Classroom(pictures, photographs, features, principal(both, COMPONENTS))


def _features(paths: Sequence[Path], cache: Path, say: Say) -> NDArray[np.float16]:
    """(m, d) of the frozen backbones."""
    from PIL import Image

    listing = "\n".join(f"{p}\t{p.stat().st_size}" for p in paths) + repr((BACKBONES, SHAPES))
    kept = (
        cache
        / f"unlabelled_{hashlib.sha256(listing.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}.npy"
    )
    if kept.is_file():
        return np.load(kept)
    backbones, rows = Backbones(backbone_weights()), []
    for at in range(0, len(paths), 8):
        batch = []
        for path in paths[at : at + 8]:
            with Image.open(path) as image:
                batch.append(np.asarray(image.convert("RGB")))
        rows.append(backbones.features(batch).astype(np.float16))
        if at % 800 == 0:
            say(f"features of {at} of {len(paths)} unlabelled photographs")
    features = np.concatenate(rows)
    part = kept.with_name(f"{kept.stem}.part{os.getpid()}.npy")
    np.save(part, features)
    os.replace(part, kept)
    return features


def principal(features: Floats, count: int) -> Floats:
    """(n, d) features -> (n, count) leading components of their standardised form, mean square 1 in all.

    Each is scaled by the fourth root of its variance: halfway between equal weights for all, which stresses
    noise, and none, which leaves little but brightness and texture.
    """
    from scipy.sparse.linalg import svds

    z = standardised(features, *standards(features, BACKBONES)).astype(np.float32)
    u, s, _ = svds(z - z.mean(0), k=count, random_state=0)
    scores = u[:, ::-1] * np.sqrt(s[::-1])
    return (scores / np.sqrt((scores**2).mean())).astype(np.float32)


def gentle(kind: str = "deep") -> DeepConfig:
    """How a network is trained on soft targets, which it hardly overfits."""
    return DeepConfig(CONFIGS[kind].convolutions, drop_block=0.0, drop_dense=0.1, norm=True)


def first_stage(
    room: Classroom,
    folder: Path,
    kind: str = "deep",
    recipe: Recipe = STAGE_ONE,
    log: Log = lambda entry: None,
) -> dict[str, torch.Tensor]:
    """A network that sees roughly what the backbones see: its weights. Goes on where `folder` stands."""
    torch.manual_seed(recipe.seed)
    student = Student(MoodCNN(gentle(kind)), room.components.shape[1])
    lessons = Lessons(room.pictures, np.arange(len(room.pictures)), features=room.components)
    return DeepCourse(student, lessons, recipe, folder).go(log).state_dict()


def soft_labels(room: Classroom, seen: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """Moods (n + m, 8) and standardised points (n + m, 2) by a teacher that knows the labels of `seen` alone.

    Of the pictures in `seen` these are the ratings themselves; rows of other labelled pictures are zero and
    not to be used.
    """
    photographs, n = room.photographs, room.labelled
    head = fit_alone(photographs.both[seen], photographs.y[seen], photographs.groups[seen], BACKBONES, seed)
    points = np.zeros((len(room.pictures), 2))
    for at in range(0, len(room.unlabelled), 500):
        points[n + at : n + at + 500], _ = head.predict(room.unlabelled[at : at + 500].astype(np.float32))
    points[seen] = photographs.y[seen]
    moods = np.zeros((len(points), 8))
    moods[n:] = octant_probabilities(points[n:, 0] / RIM, points[n:, 1] / RIM, head.uncertainty)
    moods[seen] = octant_probabilities(points[seen, 0] / RIM, points[seen, 1] / RIM, RATED)
    return moods.astype(np.float32), points.astype(np.float32)


def halfway(
    room: Classroom, begin: dict[str, torch.Tensor], folder: Path, seed: int, say: Say = lambda line: None
) -> NDArray[np.float16]:
    """(VIEWS, n + m, c, s, s): what the frozen blocks make of augmented views; kept in `folder` (1 GB).

    No label enters them, so every fold's student can learn from the same ones.
    """
    where = device()
    net = _beginner(begin).eval().to(where).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    digest = hashlib.sha256(
        b"".join(v.cpu().numpy().tobytes() for v in begin.values()) + bytes([seed])
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
    seen: NDArray[np.int64],
    begin: dict[str, torch.Tensor],
    views: NDArray[np.float16],
    folder: Path,
    recipe: Recipe = STAGE_TWO,
    check: Callable[[MoodCNN], dict[str, float]] | None = None,
    log: Log = lambda entry: None,
) -> MoodCNN:
    """A student that has seen the labels in `seen` and the teacher's on unlabelled pictures, no others.

    begin : weights from `first_stage`. views : from `halfway`.
    """
    torch.manual_seed(recipe.seed)
    net = _beginner(begin)
    moods, points = soft_labels(room, seen, recipe.seed)
    free = np.arange(room.labelled, len(room.pictures))
    rows = np.concatenate([np.repeat(seen, LABELLED_AGAIN), free])
    lessons = Lessons(room.pictures, rows, moods, points, room.components, views)
    student = Student(net, room.components.shape[1], FROZEN)
    return DeepCourse(student, lessons, recipe, folder, check).go(log)
