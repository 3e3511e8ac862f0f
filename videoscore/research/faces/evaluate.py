"""The face models on faces that they have not seen.

    evaluate(data: Path, model: str = "all", pictures: Path | None = None, check: Path | None = None,
             weights: Path | None = None, say: Say = ...) -> dict[str, Any]
    table(report: dict[str, Any]) -> str

The four ways of training resnet34-va are compared by `videoscore.research.faces.ways`.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, UsageError
from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.mood.faces.models import MODELS, FaceModel, FaceReadings, interpret, load_face_model, softmax
from videoscore.research.agreement import MEASURES, four_measures
from videoscore.research.faces.data import NO_LABEL, SIDE, TEST, TRAIN, FaceSet
from videoscore.research.faces.export import decided, vote_loss
from videoscore.research.faces.face_sets import read_faces

Array = NDArray[np.float64]
Say = Callable[[str], None]

CLASSES = len(EMOTIONS)
TIMED = 256  # faces that speed is measured with
# what the set of github.com/muxspace/facial_expressions calls them
CHECK_NAMES = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}


def evaluate(
    data: Path,
    model: str = "all",
    pictures: Path | None = None,
    check: Path | None = None,
    weights: Path | None = None,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Read the test part of a set of faces with one model or all.

    data : see `videoscore.research.faces.face_sets.read_faces`; for FER2013 its test part is PublicTest.
    pictures : a folder that gets face_MODEL.png for each. check : a folder with labels.csv (file, emotion) and
    images/, framed as FER2013 is: a second test of the emotion models. weights : a file, for a single model.

    Returns "faces", "chance" (what needs no model) and "models": name -> its figures, see `figures`.
    Raises NotFound, InputError, UsageError, SetupError.
    """
    if model != "all" and model not in MODELS:
        raise UsageError(
            f"there is no face model named {model!r}", remedy=f"Choose from all, {', '.join(MODELS)}."
        )
    if weights is not None and model == "all":
        raise UsageError("one file of weights isn't for all models", remedy="Name its model with --model.")
    faces = read_faces(data, say)
    test = faces.take(faces.part == TEST)
    if len(test) == 0:
        raise InputError("the set has no test part", path=data, remedy="Name a set with one.")
    second = None if check is None else read_check(check)
    report: dict[str, Any] = {"data": data.name, "faces": len(test), "chance": chance(faces), "models": {}}
    for name in MODELS if model == "all" else (model,):
        network = load_face_model(name, weights)
        report_of = figures(network, test)
        if second is not None and "confusion" in report_of:
            report_of["check"] = on_check(network, *second)
        report["models"][name] = report_of
        say(f"{name}: done")
        if pictures is not None:
            from videoscore.research.faces.pictures import draw

            draw(name, report_of, pictures / f"face_{name}.png")
    return report


def chance(faces: FaceSet) -> dict[str, Any]:
    """Always the commonest class; always the mean point of the training part. A constant has no correlation."""
    test = faces.take(faces.part == TEST)
    out: dict[str, Any] = {}
    label = test.label[test.label != NO_LABEL]
    if len(label):
        out["label"] = float(np.bincount(label).max() / len(label))
    clear = decided(test.votes)
    if clear.any():
        out["majority"] = float(np.bincount(test.votes[clear].argmax(1)).max() / clear.sum())
    train, rated = faces.point[faces.part == TRAIN], np.isfinite(test.point).all(1)
    if rated.any():
        mean = np.broadcast_to(np.nanmean(train.astype(float), 0), (int(rated.sum()), 2))
        out["point"] = four_measures(test.point[rated].astype(float), mean)
    return out


def figures(model: FaceModel, test: FaceSet) -> dict[str, Any]:
    """What is known of one model on these faces.

    "point": the four measures, valence and arousal. "confidence": its rank correlation with being near the
    truth, and the mean distance of the surest and of the least sure quarter. "faces a second": on one core.
    Of an emotion model also: "label" and "label, unmirrored", "majority": shares read right; "undecided": faces
    without a majority, left out of it; "recall" and "confusion" of labels, "recall of votes"; "log loss" of the
    votes and "calibration error" without and with the temperature.
    """
    from scipy.stats import spearmanr

    outputs = model.outputs(test.pixels)
    readings = interpret(outputs, model.calibration)
    results: dict[str, Any] = {"faces a second": speed(model, test)}
    rated = np.isfinite(test.point).all(1)
    if rated.any():
        read = np.stack([readings.valence, readings.arousal], 1)[rated]
        truth = test.point[rated].astype(float)
        distances = np.linalg.norm(read - truth, axis=1)
        order = np.argsort(readings.confidence[rated])
        quarter = max(len(order) // 4, 1)
        results["point"] = four_measures(truth, read)
        varies = np.ptp(readings.confidence[rated]) > 0 and np.ptp(distances) > 0
        results["confidence"] = {
            "rank correlation": float(-spearmanr(readings.confidence[rated], distances)[0])
            if varies
            else 0.0,
            "surest quarter": float(distances[order[-quarter:]].mean()),
            "least sure quarter": float(distances[order[:quarter]].mean()),
            "mean": float(readings.confidence.mean()),
        }
    if readings.emotions is not None:
        results |= _emotions(outputs, readings, model, test)
    return results


def _emotions(outputs: Array, readings: FaceReadings, model: FaceModel, test: FaceSet) -> dict[str, Any]:
    mean, labelled = outputs.mean(1), test.label != NO_LABEL
    results: dict[str, Any] = {}
    if labelled.any():
        truth, guess = test.label[labelled].astype(int), mean[labelled, :CLASSES].argmax(1)
        matrix = confusion(truth, guess)
        results |= {
            "label": float((guess == truth).mean()),
            "label, unmirrored": float((outputs[labelled, 0, :CLASSES].argmax(1) == truth).mean()),
            "recall": _recall(matrix),
            "confusion": matrix.tolist(),
        }
    clear = decided(test.votes)
    if clear.any():
        assert readings.emotions is not None
        truth, votes, cast = test.votes[clear].argmax(1), test.votes.astype(float), test.votes.sum(1) > 0
        logits, temperature = mean[:, -CLASSES:], model.calibration.temperature
        results |= {
            "majority": float((readings.emotions[clear].argmax(1) == truth).mean()),
            "undecided": int((~clear).sum()),
            "temperature": temperature,
            "recall of votes": _recall(confusion(truth, readings.emotions[clear].argmax(1))),
            "log loss": [vote_loss(logits, votes, 1.0), vote_loss(logits, votes, temperature)],
            "calibration error": [
                calibration_error(softmax(logits[cast], t), votes[cast]) for t in (1.0, temperature)
            ],
        }
    return results


def confusion(truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.int64]:
    """(7, 7) counts, rows the truth."""
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(matrix, (truth, guess), 1)
    return matrix


def _recall(matrix: NDArray[np.int64]) -> dict[str, float]:
    return {
        name: float(row[k] / row.sum()) for k, (name, row) in enumerate(zip(EMOTIONS, matrix)) if row.sum()
    }


def calibration_error(probabilities: Array, votes: Array, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017) of the likeliest class, bins of equal count.

    A probability here is the share of votes that is expected, so it is held against that share, (n, 7), not
    against the majority, which is right more often than the single voter.
    """
    sure, right = probabilities.max(1), np.take_along_axis(votes, probabilities.argmax(1)[:, None], 1)[:, 0]
    parts = np.array_split(np.argsort(sure), bins)
    return float(sum(len(p) / len(sure) * abs(sure[p].mean() - right[p].mean()) for p in parts if len(p)))


def speed(model: FaceModel, test: FaceSet) -> float:
    """Faces a CPU second of one thread, mirrored faces included."""
    alone = FaceModel(model.name, model.net, model.calibration, threads=1)
    pixels = np.resize(test.pixels, (TIMED, SIDE, SIDE))
    alone.read(pixels[:32])
    clock = time.process_time()
    alone.read(pixels)
    return TIMED / max(time.process_time() - clock, 1e-9)


def read_check(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels (n, 48, 48) and emotions (n,) of a folder with labels.csv (file, emotion) and images/.

    Rows with other emotions are left out. Raises InputError.
    """
    from PIL import Image

    pixels, truth = [], []
    try:
        with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                name = CHECK_NAMES.get(row["emotion"])
                if name is None:
                    continue
                with Image.open(folder / "images" / row["file"]) as picture:
                    pixels.append(np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)))
                truth.append(EMOTIONS.index(name))
    except (OSError, KeyError) as error:
        raise InputError(
            "this is no check set", path=folder, remedy="It must hold labels.csv (file, emotion) and images/."
        ) from error
    if not pixels:
        raise InputError("there is no face with an emotion in it", path=folder, remedy="Name another folder.")
    return np.stack(pixels), np.array(truth)


def on_check(model: FaceModel, pixels: NDArray[np.uint8], truth: NDArray[np.int64]) -> dict[str, Any]:
    emotions = model.read(pixels).emotions
    assert emotions is not None
    recall = _recall(confusion(truth, emotions.argmax(1)))
    return {
        "faces": len(truth),
        "accuracy": float((emotions.argmax(1) == truth).mean()),
        "balanced": float(np.mean(list(recall.values()))),
        "recall": recall,
        "majority share": float(np.bincount(truth).max() / len(truth)),
    }


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    base, models = report["chance"], report["models"]
    lines = [
        f"{report['faces']} test faces of {report['data']}",
        f"{'figure':26s}" + "".join(f"{name:>17s}" for name in models) + f"{'no model':>17s}",
    ]

    def line(name: str, of: Callable[[dict[str, Any]], Any], without: Any = None) -> None:
        cells = [_number(of(found)) for found in models.values()] + [_number(without)]
        if any(cells[:-1]):
            lines.append(f"{name:26s}" + "".join(f"{cell:>17s}" for cell in cells))

    line("accuracy, FER2013 label", lambda f: f.get("label"), base.get("label"))
    line("same, not mirrored", lambda f: f.get("label, unmirrored"))
    line("accuracy, FER+ majority", lambda f: f.get("majority"), base.get("majority"))
    for name in EMOTIONS:
        line(f"recall of label {name}", lambda f, name=name: f.get("recall", {}).get(name))  # type: ignore[misc]
    for k, when in enumerate(("before", "after")):
        line(f"votes' log loss {when}", lambda f, k=k: f.get("log loss", (None, None))[k])  # type: ignore[misc]
        line(f"calibration error {when}", lambda f, k=k: f.get("calibration error", (None, None))[k])  # type: ignore[misc]
    for measure in MEASURES:
        line(
            f"{measure}, V / A",
            lambda f, m=measure: f.get("point", {}).get(m),  # type: ignore[misc]
            base.get("point", {}).get(measure),
        )
    line("error, surest quarter", lambda f: f.get("confidence", {}).get("surest quarter"))
    line("error, least sure quarter", lambda f: f.get("confidence", {}).get("least sure quarter"))
    line("check set, accuracy", lambda f: f.get("check", {}).get("accuracy"))
    line("check set, balanced", lambda f: f.get("check", {}).get("balanced"))
    line("faces a second, one core", lambda f: f["faces a second"])
    return "\n".join(lines)


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return " / ".join(f"{x:.3f}" for x in value)
    return f"{value:.0f}" if value > 10 else f"{value:.3f}"
