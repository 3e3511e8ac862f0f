"""Cross-validation of the scene model on OASIS: `python -m videoscore.research.scene.evaluate --data FOLDER`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import MOODS
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.deep import probabilities
from videoscore.mood.perceivers.head import RIM, pack, unpack
from videoscore.mood.perceivers.scene import BACKBONES
from videoscore.research.agreement import concordance
from videoscore.research.deep.calibrate import temperature
from videoscore.research.folds import grouped_folds
from videoscore.research.scene.head_fit import fit
from videoscore.research.scene.oasis import Photographs, octants, read_features

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

FOLDS = 10


def evaluate(
    data: Path,
    seed: int = 0,
    repeats: int = 3,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """`FOLDS`-fold cross-validation, no theme in two folds, repeated with other folds.

    data : folder with oasis.csv and its images. seed : of the first repeat's folds. cache : a folder that
    keeps the features. Predictions are for the picture as it is; training pictures are also seen mirrored.
    Stretch and spread are calibrated inside the training folds; a further temperature, which the shipped model
    does without, on the other folds. pictures : a folder for scene_confusion.png and scene_reliability.png, of
    the first repeat.

    Returns "figures" (name -> mean over repeats), "sd" (over repeats, of every figure), "chance" (what the
    same figure is without any model), "confusion" (8 x 8, rows the truth, of the first repeat).
    """
    photographs = read_features(data, cache, say)
    runs, confusion, truth = [], None, octants(photographs.y)
    for repeat in range(repeats):
        point, moods, faded = cross_validate(photographs, seed + repeat)
        tempered = temper(moods, truth, grouped_folds(photographs.groups, FOLDS, seed + repeat))
        runs.append(
            measures(photographs.y, point, moods)
            | {
                "log loss, with temperature": log_loss(tempered, truth),
                "calibration error, with temperature": calibration_error(tempered, truth),
            }
            | {
                f"{name}, without colour": value
                for name, value in measures(photographs.y, faded, moods).items()
                if name in ("r valence", "CCC valence", "r arousal", "within one octant")
            }
        )
        if confusion is None:
            confusion = confusion_matrix(truth, octants(point))
            if pictures is not None:
                draw(confusion, moods, tempered, truth, pictures)
        say(f"repeat {repeat + 1} of {repeats}: " + ", ".join(f"{k} {v:.3f}" for k, v in runs[-1].items()))
    return {
        "pictures": len(photographs.y),
        "themes": len(np.unique(photographs.groups)),
        "folds": FOLDS,
        "repeats": repeats,
        "seed": seed,
        "figures": {k: float(np.mean([r[k] for r in runs])) for k in runs[0]},
        "sd": {k: float(np.std([r[k] for r in runs])) for k in runs[0]},
        "chance": chance(photographs.y),
        "confusion": confusion.tolist() if confusion is not None else [],
    }


def cross_validate(photographs: Photographs, seed: int) -> tuple[Array, Array, Array]:
    """Out-of-fold standardised (valence, arousal) (n, 2), mood probabilities (n, 8), and the point of the
    same picture without colour (n, 2)."""
    folds = grouped_folds(photographs.groups, FOLDS, seed)
    point, faded = np.zeros_like(photographs.y), np.zeros_like(photographs.y)
    moods = np.zeros((len(folds), 8))
    for k in range(FOLDS):
        seen, unseen = folds != k, folds == k
        head = fit(
            photographs.both[seen],
            photographs.grey[seen],
            photographs.y[seen],
            photographs.groups[seen],
            BACKBONES,
            seed,
        )
        head = unpack(pack(head))  # as it would come back from a file
        point[unseen], _ = head.predict(photographs.plain[unseen], photographs.colourless[unseen])
        faded[unseen], _ = head.predict(photographs.grey[unseen], 1.0)
        plane = point[unseen] / RIM
        moods[unseen] = octant_probabilities(plane[:, 0], plane[:, 1], head.uncertainty)
    return point, moods, faded


def temper(moods: Array, truth: Whole, folds: Whole) -> Array:
    """(n, 8) probabilities with the temperature that suits the other folds (Guo et al. 2017)."""
    z, out = np.log(np.maximum(moods, 1e-12)), np.zeros_like(moods)
    for k in np.unique(folds):
        out[folds == k] = probabilities(z[folds == k], temperature(z[folds != k], truth[folds != k]))
    return out


def draw(confusion: Whole, moods: Array, tempered: Array, truth: Whole, folder: Path) -> None:
    """Both pictures of `evaluate`."""
    from videoscore.research.scene.mood_pictures import confusion as draw_confusion
    from videoscore.research.scene.mood_pictures import reliability

    right = confusion.trace() / confusion.sum()
    draw_confusion(confusion.tolist(), folder / "scene_confusion.png", f"scene: {right:.3f} of octants right")
    reliability(
        moods,
        tempered,
        truth,
        folder / "scene_reliability.png",
        "scene, held-out folds",
        ("as shipped", "with a temperature on top"),
    )


def measures(y: Array, point: Array, moods: Array) -> dict[str, float]:
    """r and CCC of both targets; octants by the point's angle; the eight probabilities' own figures."""
    truth, guess = octants(y), octants(point)
    out = {}
    for i, target in enumerate(("valence", "arousal")):
        out[f"r {target}"] = float(np.corrcoef(y[:, i], point[:, i])[0, 1])
        out[f"CCC {target}"] = concordance(y[:, i], point[:, i])
    out |= hits(truth, guess)
    likeliest = moods.argmax(1)
    out["octant, likeliest mood"] = float((likeliest == truth).mean())
    out["within one, likeliest mood"] = float((_apart(truth, likeliest) <= 1).mean())
    out["log loss of the moods"] = log_loss(moods, truth)
    out["calibration error"] = calibration_error(moods, truth)
    return out


def hits(truth: Whole, guess: Whole) -> dict[str, float]:
    apart = _apart(truth, guess)
    return {
        "octant": float((apart == 0).mean()),
        "octant, balanced": float(np.mean([(guess[truth == k] == k).mean() for k in np.unique(truth)])),
        "within one octant": float((apart <= 1).mean()),
        "quadrant": float((guess // 2 == truth // 2).mean()),
    }


def log_loss(moods: Array, truth: Whole) -> float:
    return float(-np.log(np.maximum(moods[np.arange(len(truth)), truth], 1e-12)).mean())


def calibration_error(moods: Array, truth: Whole, bins: int = 10) -> float:
    """Expected calibration error (Guo et al. 2017) of the likeliest mood, bins of equal count."""
    sure, right = moods.max(1), moods.argmax(1) == truth
    parts = np.array_split(np.argsort(sure), bins)
    return float(sum(len(p) / len(sure) * abs(sure[p].mean() - right[p].mean()) for p in parts if len(p)))


def chance(y: Array) -> dict[str, float]:
    """The best that a guess without looking gets: always the one octant that is best for the figure. For the
    moods' log loss: the octants' own shares."""
    truth = octants(y)
    always = [hits(truth, np.full(len(truth), k)) for k in range(8)]
    out = {name: max(h[name] for h in always) for name in always[0]}
    share = np.bincount(truth, minlength=8) / len(truth)
    out |= {
        "octant, likeliest mood": out["octant"],
        "within one, likeliest mood": out["within one octant"],
        "log loss of the moods": float(-(share[share > 0] * np.log(share[share > 0])).sum()),
    }
    return out | {f"{m} {t}": 0.0 for m in ("r", "CCC") for t in ("valence", "arousal")}


def confusion_matrix(truth: Whole, guess: Whole) -> Whole:
    matrix = np.zeros((8, 8), np.int64)
    np.add.at(matrix, (truth, guess), 1)
    return matrix


def _apart(a: Whole, b: Whole) -> Whole:
    """Octants between two octants, 0..4."""
    return np.minimum((a - b) % 8, (b - a) % 8)


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [
        f"{report['pictures']} pictures, {report['themes']} themes, {report['folds']} folds by theme, "
        f"{report['repeats']} repeats from seed {report['seed']}",
        f"{'figure':36s} {'mean':>7s} {'sd':>6s} {'no model':>9s}",
    ]
    for name, value in report["figures"].items():
        base = report["chance"].get(name)
        lines.append(
            f"{name:36s} {value:7.3f} {report['sd'][name]:6.3f} {'' if base is None else f'{base:9.3f}'}"
        )
    lines.append("truth \\ read  " + " ".join(f"{m[:6]:>6s}" for m in MOODS))
    lines += [f"{m:13s} " + " ".join(f"{n:6d}" for n in row) for m, row in zip(MOODS, report["confusion"])]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="videoscore.research.scene.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with oasis.csv")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, help="folder that keeps the features between runs")
    parser.add_argument("--pictures", type=Path, help="folder to draw the confusion and the reliability in")
    args = parser.parse_args(argv)
    print(table(evaluate(args.data, args.seed, args.repeats, args.cache, pictures=args.pictures)))


if __name__ == "__main__":
    main()
