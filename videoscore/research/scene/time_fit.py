"""Fit the time model on rated clips: `videoscore train time`.

Every clip is read by the scene model of a fold that didn't learn from its source; then the weights of the picture's
own point, the film's level, motion, cutting, sound and light are a ridge regression onto the ratings, none of them
with a sign against the literature's, and last the faces' weights are fitted on what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.evidence import Evidence, look
from videoscore.mood.faces.people import People
from videoscore.mood.fusion import Gauges, measure
from videoscore.mood.perceivers.head import RIM
from videoscore.mood.sound_level import loudness_curve
from videoscore.mood.time_model import TimeModel, around, save
from videoscore.research.folds import grouped_folds
from videoscore.research.scene.clips import agreement, chance, near_moments, words_apart
from videoscore.research.scene.rated import MOMENTS, clip_group, moments, read_rows
from videoscore.research.scene.train import FOLDS, Say, Unseen, fold_weights
from videoscore.research.weights import checksum, write_weights
from videoscore.resources import weight_file
from videoscore.settings.fields import PerceiveOptions, SampleOptions
from videoscore.video.frames import Cut, Frame
from videoscore.video.media import Media

Array = NDArray[np.float64]

RIDGE = 100.0
INNER_FOLDS = 4
BATCH = 8
SHIFTS, NEIGHBOUR, COST = np.arange(-0.4, 0.41, 0.04), 1.0, 0.2  # see `fit_music`
LEAST_SOUND = (
    0.05  # arousal for a loudness gauge of 1: the fit alone gives 0, and --sound would have nothing to weigh
)
FREE, UP, DOWN = (-np.inf, np.inf), (0.0, np.inf), (-np.inf, 0.0)
# What may move valence and arousal, and with which sign
SIGNS: dict[str, tuple[tuple[float, float] | None, tuple[float, float] | None]] = {
    "own valence": (UP, FREE),
    "own arousal": (FREE, UP),
    "level valence": (UP, FREE),
    "level arousal": (FREE, UP),
    "motion": (None, UP),
    "motion_level": (None, UP),
    "cutting": (None, UP),
    "sound": (None, (LEAST_SOUND, np.inf)),
    "brightness": (UP, DOWN),
    "colour": (UP, UP),
}


PUSHES = ("motion", "motion_level", "cutting", "sound", "brightness", "colour")


@dataclass(frozen=True, eq=False)
class Watched:
    """A rated clip and all that was seen and heard in it. point : (n, 2) the scene model's, on the plane."""

    file: str
    group: str
    words: tuple[str, str]
    y: Array
    t: Array
    duration: float
    evidence: Evidence
    cuts: tuple[Cut, ...]
    people: People
    point: Array
    confidence: Array
    seen: Array

    @property
    def weight(self) -> Array:
        """(n,) how far there was anything to be seen."""
        return self.evidence.visible * self.seen

    @property
    def strength(self) -> Array:
        """(n,) of the faces, see `videoscore.mood.perceivers.auto`."""
        return self.people.confidence * self.people.prominence * (self.people.count > 0)


def watch(
    folder: Path, scene_of: Callable[[str], Path], kept: Path, say: Say = lambda line: None
) -> list[Watched]:
    """Every clip of folder/clips.csv. scene_of : file -> weights of the scene model that reads it. kept : folder
    that keeps
    what was seen (some 15 minutes on one core for 43 minutes of film). Raises NotFound, InputError, BrokenVideo."""

    clips = []
    for row in read_rows(folder, "clips.csv"):
        path, weights = folder / row["file"], scene_of(row["file"])
        around_it = _stored(kept / f"{row['file']}.around.pt", partial(_look_around, path))
        still = _stored(kept / f"{row['file']}.{weights.stem}.pt", partial(_look_at, path, weights))
        words = (row["mood1"], row["mood2"])
        clips.append(Watched(row["file"], clip_group(row), words, moments(row) / RIM, **around_it, **still))
        if len(clips) % 20 == 0:
            say(f"{len(clips)} clips watched")
    return clips


def _stored(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is at `path`, or what `make` makes, put there."""
    import torch

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        torch.save(make(), part)
        part.replace(path)
    stored: dict[str, Any] = torch.load(path, weights_only=False)
    return stored


def _frames(path: Path) -> tuple[Media, list[Frame]]:
    from videoscore.video.probe import probe
    from videoscore.video.sample import sample

    media = probe(path)
    return media, list(sample(media, SampleOptions().every))


def _look_around(path: Path) -> dict[str, Any]:
    """What no scene model enters."""
    from videoscore.mood.perceivers.faces import FacePerceiver

    (media, frames), face = _frames(path), FacePerceiver(PerceiveOptions())
    t, cuts = np.array([float(f.t) for f in frames]), tuple(c for f in frames for c in f.cuts)
    visible, motion, brightness, colour = np.array(look(frames)).T
    faces = [g for k in range(0, len(frames), BATCH) for g in face.glimpses(frames[k : k + BATCH])]
    return {
        "t": t,
        "duration": float(media.duration),
        "evidence": Evidence(visible, motion, brightness, colour, loudness_curve(media, t)),
        "cuts": cuts,
        "people": face.follow(t, faces, cuts),
    }


def _look_at(path: Path, weights: Path) -> dict[str, Any]:
    """What a scene model reads."""
    from videoscore.mood.perceivers.scene import ScenePerceiver

    reading = ScenePerceiver(weights).perceive(_frames(path)[1])
    return {
        "point": np.column_stack([reading.valence, reading.arousal]),
        "confidence": reading.confidence,
        "seen": reading.seen,
    }


def terms(clip: Watched) -> Array:
    """(4, k) of `SIGNS` at the rated moments, each the mean of what is near."""
    gauges: Gauges = measure(clip.t, clip.evidence, clip.weight, clip.cuts, clip.duration)
    level = around(clip.t, clip.point, clip.seen * clip.confidence)
    columns = np.column_stack([clip.point, level, *asdict(gauges).values()])
    return near_moments(clip.t, clip.duration, columns)


def fit(clips: Sequence[Watched], without: Sequence[str] = (), faces: bool = True) -> TimeModel:
    """The weights. without : names of `SIGNS` that are left out, to see what they add."""
    x, y = np.concatenate([terms(c) for c in clips]), np.concatenate([c.y for c in clips])
    groups = np.repeat([c.group for c in clips], len(MOMENTS))
    folds = grouped_folds(groups, INNER_FOLDS, 1)
    slope, offset = np.zeros((x.shape[1], 2)), np.zeros(2)
    for target in range(2):
        bounds = [(0.0, 0.0) if n in without else (s[target] or (0.0, 0.0)) for n, s in SIGNS.items()]
        unseen = np.zeros(len(y))
        for k in range(INNER_FOLDS):
            a, b = solve(x[folds != k], y[folds != k, target], bounds)
            unseen[folds == k] = x[folds == k] @ a + b
        # a regression's readings are too narrow: they get the spread of the ratings
        stretch = y[:, target].std() / unseen.std()
        a, b = solve(x, y[:, target], bounds)
        slope[:, target] = a * stretch
        offset[target] = (b - unseen.mean()) * stretch + y[:, target].mean()
    names = list(SIGNS)

    def rows(*wanted: str) -> Array:
        return slope[[names.index(n) for n in wanted]]

    model = TimeModel(
        own=rows("own valence", "own arousal"),
        level=rows("level valence", "level arousal"),
        offset=offset,
        music=np.zeros(2),
        spread=np.array([1, 1, 1, 1, 0.0]),
        face=np.zeros(2),
        brightness=rows("brightness")[0],
        colour=rows("colour")[0],
        **{n: rows(n)[0, 1:] for n in ("motion", "motion_level", "cutting", "sound")},
    )
    if faces:
        model = replace(model, face=fit_faces(model, clips))
    model = replace(model, spread=fit_spread(model, clips))
    return replace(model, music=fit_music(model, clips))


def solve(x: Array, y: Array, bounds: Sequence[tuple[float, float]]) -> tuple[Array, float]:
    """Ridge regression within bounds on standardised columns -> slopes (k,) and offset."""
    from scipy.optimize import lsq_linear

    free = [k for k, (low, high) in enumerate(bounds) if low < high]
    mean, sd = x[:, free].mean(0), x[:, free].std(0) + 1e-9
    z = np.vstack([(x[:, free] - mean) / sd, np.sqrt(RIDGE) * np.eye(len(free))])
    target = np.append(y - y.mean(), np.zeros(len(free)))
    low, high = np.array(bounds)[free].T * sd
    slope = np.zeros(x.shape[1])
    slope[free] = lsq_linear(z, target, (low, high)).x / sd
    return slope, float(y.mean() - x.mean(0) @ slope)


def read(model: TimeModel, clip: Watched, faces: bool = True) -> Array:
    """(4, 2) valence and arousal at the rated moments as the pipeline reads them, less `TimeModel.music`."""
    plane = model.place(clip.t, clip.point, clip.seen * clip.confidence) - model.music
    if faces:
        own = np.column_stack([clip.people.valence, clip.people.arousal])
        plane = plane + model.face_share(clip.strength) * (own - plane)
    g = measure(clip.t, clip.evidence, clip.weight, clip.cuts, clip.duration)
    push = model.motion * g.motion + model.motion_level * g.motion_level
    push += model.cutting * g.cutting + model.sound * g.sound
    light = g.brightness[:, None] * model.brightness + g.colour[:, None] * model.colour
    return near_moments(clip.t, clip.duration, plane + light + np.column_stack([np.zeros_like(push), push]))


def fit_faces(model: TimeModel, clips: Sequence[Watched]) -> Array:
    """(2,) in [0, 1]: how far faces draw valence and arousal to their own."""
    left = np.concatenate([c.y - read(model, c, faces=False) for c in clips])
    drawn = []
    for c in clips:
        plane = model.place(c.t, c.point, c.seen * c.confidence) - model.music
        own = np.column_stack([c.people.valence, c.people.arousal])
        drawn.append(near_moments(c.t, c.duration, c.strength[:, None] * (own - plane)))
    pull = np.concatenate(drawn)
    return np.array(
        [
            np.clip((left[:, k] @ pull[:, k]) / max(float(pull[:, k] @ pull[:, k]), 1e-9), 0, 1)
            for k in range(2)
        ]
    )


def fit_music(model: TimeModel, clips: Sequence[Watched]) -> Array:
    """(2,) the shift after which the octants of the clips' means, rated and read, meet the viewers' words best.

    Searched over `SHIFTS`; a neighbour of a word counts `NEIGHBOUR` of a hit, and a shift of 1 costs `COST` hits.
    """
    means = [np.array([c.y.mean(0) for c in clips]), np.array([read(model, c).mean(0) for c in clips])]
    words = [c.words for c in clips]

    def worth(shift: Array) -> float:
        apart = [words_apart(m + shift, words) for m in means]
        hits = sum(float((a == 0).mean() + NEIGHBOUR * (a <= 1).mean()) for a in apart)
        return hits - COST * float(np.hypot(*shift))

    shifts = [np.array([v, a]) for v in SHIFTS for a in SHIFTS]
    return max(shifts, key=worth)


def fit_spread(model: TimeModel, clips: Sequence[Watched]) -> Array:
    """(5,) the `Spread` of what the model reads, on the clips it was fitted on."""
    point, y = np.concatenate([read(model, c) for c in clips]), np.concatenate([c.y for c in clips])
    shrink = np.clip((point * y).sum(0) / (point * point).sum(0), 0.1, 1.0)
    error = y - shrink * point
    sd = np.sqrt((error**2).mean(0))
    return np.array([*shrink, *sd, (error[:, 0] * error[:, 1]).mean() / (sd[0] * sd[1])])


def cross_validate(
    clips: Sequence[Watched], seed: int, without: Sequence[str] = (), faces: bool = True
) -> tuple[list[Array], Array]:
    """(4, 2) of every clip by weights that were fitted on other sources, and (n, 2) the shift to fitting music."""
    folds = grouped_folds(np.array([c.group for c in clips]), FOLDS, seed)
    out, shift = [np.empty(0)] * len(clips), np.zeros((len(clips), 2))
    for k in range(FOLDS):
        model = fit([c for c, f in zip(clips, folds) if f != k], without, faces)
        for i in np.flatnonzero(folds == k).tolist():
            out[i], shift[i] = read(model, clips[i], faces), model.music
    return out, shift


def scene_by_fold(unseen: Unseen, run: Path) -> Callable[[str], Path]:
    """Clip's file -> weights of the scene model that didn't learn from its source."""
    of = {i.path.name: int(f) for i, f in zip(unseen.items, unseen.fold) if i.kind == "clip"}
    return lambda file: fold_weights(run, of[file])


def train(clips: Sequence[Watched], out: Path, command: str = "", say: Say = lambda line: None) -> Path:
    """Fit on all clips and write time.safetensors."""
    path = out if out.suffix == ".safetensors" else out / "time.safetensors"
    model = fit(clips)
    write_weights(
        path,
        partial(save, model=model),
        {
            "command": command,
            "clips": len(clips),
            "sources": len({c.group for c in clips}),
            "data": "rated clips",
            "scene": checksum(weight_file("scene")),
        },
    )
    for name, value in asdict(model).items():
        say(f"{name}: {np.round(value, 3).tolist()}")
    return path


# What each part adds: the parts before it, and it
PARTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "scene model alone": (("level valence", "level arousal", *PUSHES), False),
    "and the film's level": (PUSHES, False),
    "and motion": (("cutting", "sound", "brightness", "colour"), False),
    "and cuts": (("sound", "brightness", "colour"), False),
    "and light": (("sound",), False),
    "and sound": ((), False),
    "and faces: all": ((), True),
}


def evaluate(clips: Sequence[Watched], seed: int) -> dict[str, dict[str, float]]:
    """What every one of `PARTS` reads of clips of unseen sources: r, CCC, r within a clip, and how often the octant
    of a
    clip's mean is one of its words, or within one of them; "a blind guess" beside it."""
    words, y = [c.words for c in clips], [c.y for c in clips]
    report: dict[str, dict[str, float]] = {}
    for name, (without, faces) in PARTS.items():
        x, shift = cross_validate(clips, seed, without, faces)
        report[name] = agreement(x, y) | _octants(np.array([v.mean(0) for v in x]), words)
    report["all, shifted to fitting music"] = _octants(np.array([v.mean(0) for v in x]) + shift, words)
    report["the ratings' own means"] = _octants(np.array([v.mean(0) for v in y]), words)
    report["the same, shifted"] = _octants(np.array([v.mean(0) for v in y]) + shift, words)
    report["a blind guess"] = chance([tuple(w) for w in words])
    return report


def _octants(means: Array, words: Sequence[Sequence[str]]) -> dict[str, float]:
    apart = words_apart(means, words)
    return {"octant": float((apart == 0).mean()), "within one": float((apart <= 1).mean())}


def table(report: dict[str, dict[str, float]]) -> str:
    """The report as text."""
    from videoscore.text.tables import table as columns

    figures = list(next(iter(report.values())))
    rows = [[name, *(f"{row[f]:.3f}" if f in row else "" for f in figures)] for name, row in report.items()]
    return columns(["", *figures], rows)
