"""From a trained network to the file that is shipped: folded, packed, calibrated on the validation part."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save_file
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression
from torch import nn

from videoscore.errors import InputError
from videoscore.mood.faces.emotions import EMOTIONS, embed
from videoscore.mood.faces.models import FaceModel, hints, softmax
from videoscore.mood.faces.nets import fold, folded
from videoscore.mood.faces.stored import Calibration, Header, pack, unpack
from videoscore.mood.octants import TYPICAL, Spread
from videoscore.research.agreement import concordance
from videoscore.research.faces.course import FaceOptions
from videoscore.research.faces.data import FaceSet
from videoscore.research.run import Log
from videoscore.research.weights import write_weights

Array = NDArray[np.float64]
CLASSES = len(EMOTIONS)
BINS = 12  # knots of the expected error
LEAST = 24  # faces that a calibration needs
TOLERATED = 0.002  # of accuracy, or of concordance, that 8 bits may cost on the validation part
UNKNOWN = Calibration(1.0, TYPICAL, (0.0, 1.0), (0.0, 1.0), 1.0)


def decided(votes: np.ndarray) -> np.ndarray:
    """(n, 7) -> (n,) faces of which one emotion got more votes than any other."""
    ordered = np.sort(votes, 1)
    return ordered[:, -1] > ordered[:, -2]


def vote_loss(logits: Array, votes: Array, temperature: float) -> float:
    """Mean cross-entropy in nats of votes (n, 7) that sum to 1 a face, or to 0 where there are none."""
    p = softmax(logits, temperature)
    return float(-(votes * np.log(np.maximum(p, 1e-12))).sum() / np.maximum(votes.sum(), 1))


def calibrate(outputs: Array, faces: FaceSet) -> Calibration:
    """outputs : (n, 2, k) of `FaceModel.outputs` for these faces, which it was not trained on.

    Raises InputError for fewer than `LEAST` faces with a point.
    """
    rated = np.isfinite(faces.point).all(1)
    if rated.sum() < LEAST:
        raise InputError(
            f"{int(rated.sum())} validation faces are too few to calibrate with",
            remedy=f"At least {LEAST} are needed; train on a larger set.",
        )
    outputs, point, votes = outputs[rated], faces.point[rated].astype(float), faces.votes[rated].astype(float)
    mean, emotions, temperature = outputs.mean(1), None, 1.0
    if outputs.shape[2] == 2:
        read = np.clip(mean, -1, 1)
    else:
        logits = mean[:, -CLASSES:]
        minimum = minimize_scalar(lambda t: vote_loss(logits, votes, float(np.exp(t))), (-1.0, 1.0))
        temperature = float(np.exp(minimum.x))
        emotions = softmax(logits, temperature)
        read = embed(emotions)
    hint = hints(outputs, emotions)
    distances = np.linalg.norm(read - point, axis=1)
    parts = np.array_split(np.argsort(hint), BINS)
    knots = np.array([hint[p].mean() for p in parts])
    error = IsotonicRegression().fit_transform(knots, [distances[p].mean() for p in parts])
    blind = float(np.linalg.norm(point - point.mean(0), axis=1).mean())
    return Calibration(
        round(temperature, 5),
        spread_of(read, point),
        tuple(knots.round(5).tolist()),
        tuple(error.round(5).tolist()),
        round(blind, 5),
    )


def spread_of(read: Array, point: Array) -> Spread:
    """Least squares through the origin for each axis, then the errors' deviations and correlation."""
    shrink = (read * point).sum(0) / np.maximum(np.square(read).sum(0), 1e-12)
    error = point - shrink * read
    sd = np.maximum(error.std(0), 1e-3)
    correlation = float(np.clip((error[:, 0] * error[:, 1]).mean() / sd.prod(), -0.95, 0.95))
    v, a, sv, sa = (round(float(x), 4) for x in (*shrink, *sd))
    return Spread(v, a, sv, sa, round(correlation, 4))


def quality(outputs: Array, faces: FaceSet) -> float:
    """What 8 bits must not spoil: share of faces whose votes' majority is read, or mean concordance."""
    mean = outputs.mean(1)
    if outputs.shape[2] > 2:
        clear = decided(faces.votes)
        return float((mean[clear, -CLASSES:].argmax(1) == faces.votes[clear].argmax(1)).mean())
    rated = np.isfinite(faces.point).all(1)
    return float(np.mean([concordance(faces.point[rated, i].astype(float), mean[rated, i]) for i in (0, 1)]))


def export(
    net: nn.Module,
    outputs: int,
    options: FaceOptions,
    valid: FaceSet,
    path: Path,
    facts: dict[str, Any],
    log: Log = lambda entry: None,
) -> Path:
    """Write weights and, beside them, a .json with `facts`. Returns `path`.

    The matrices have 8 bits where that costs at most `TOLERATED`, else 16. Raises InputError, OSError.
    """
    plain = fold(copy.deepcopy(net).cpu().eval())
    weights = plain.state_dict()
    exact = quality(FaceModel(options.model, plain, UNKNOWN).outputs(valid.pixels), valid)
    for bits in (8, 16):
        packed = pack(weights, bits)
        back = folded(options.model, outputs, options.true_width)
        back.load_state_dict(unpack(packed), assign=True)
        on_valid = FaceModel(options.model, back, UNKNOWN).outputs(valid.pixels)
        figures = quality(on_valid, valid)
        log({"bits": bits, "validation, exact": exact, "validation, stored": figures})
        if figures >= exact - TOLERATED:
            break
    header = Header(options.model, options.true_width, outputs, calibrate(on_valid, valid))
    return write_weights(
        path,
        partial(save_file, packed, metadata=header.text()),
        {
            **facts,
            "model": options.model,
            "width": options.true_width,
            "bits": bits,
            "parameters": sum(w.numel() for w in weights.values()),
            "validation, exact": round(exact, 4),
            "validation, stored": round(figures, 4),
        },
    )
