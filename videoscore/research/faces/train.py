"""Train a model that reads faces: one command for CPU and GPU, resumable.

    train(data: Path, run: Path, out: Path | None, options: FaceOptions, command: str = "",
          log: Log = ..., autoencoder: Path | None = None) -> Path | None

The emotion models (`vgg16-fer`, `cnn-fer`) have fourteen outputs: seven for the label of FER2013 and seven for
the votes of FER+, which describe the same face less noisily. The first is what the set is ranked by, the second
is what the perceiver reads. `resnet34-va` has two, see `videoscore.research.faces.valence_arousal`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from videoscore.errors import InputError
from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.mood.faces.nets import normalise
from videoscore.research.faces.augment import Jitter, augment
from videoscore.research.faces.course import FaceCourse, FaceOptions, outputs
from videoscore.research.faces.data import NO_LABEL, FaceSet
from videoscore.research.faces.export import decided, export
from videoscore.research.faces.face_sets import read_faces
from videoscore.research.run import Log

CLASSES = len(EMOTIONS)


def draws(label: np.ndarray, power: float) -> np.ndarray:
    """(n,) labels -> (n,) probability of being drawn, proportional to (size of its class) ** -power."""
    size = np.bincount(label, minlength=CLASSES).astype(float)
    share = size[label] ** -power
    return share / share.sum()


def emotion_loss(out: Tensor, label: Tensor, votes: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy with the label and with the votes; a face without one or the other is left out of it."""
    labelled = label != NO_LABEL
    by_label = F.cross_entropy(
        out[labelled, :CLASSES], label[labelled], label_smoothing=smoothing, reduction="sum"
    )
    by_votes = -(votes * F.log_softmax(out[:, CLASSES:], 1)).sum()
    return (by_label + by_votes) / len(out)


class EmotionCourse(FaceCourse):
    """`vgg16-fer` or `cnn-fer`. Raises InputError when no face has an emotion."""

    outputs = 2 * CLASSES

    def __init__(self, faces: FaceSet, folder: Path, options: FaceOptions) -> None:
        told = faces.take((faces.label != NO_LABEL) | (faces.votes.sum(1) > 0))
        if len(told) == 0:
            raise InputError(
                "these faces have no emotions, only valence and arousal",
                remedy="Train resnet34-va on them, or name another set.",
            )
        super().__init__(told, folder, options)

    def share(self) -> np.ndarray:
        label = np.where(self.train.label == NO_LABEL, self.train.votes.argmax(1), self.train.label)
        return draws(label, self.options.oversample)

    def loss(self, chosen: np.ndarray, random: torch.Generator) -> Tensor:
        x = normalise(torch.from_numpy(self.train.pixels[chosen]).to(self.where))
        out = self.forward(augment(x, self.side, Jitter(), random))
        label = torch.from_numpy(self.train.label[chosen].astype(np.int64)).to(self.where)
        votes = torch.from_numpy(self.train.votes[chosen]).to(self.where)
        return emotion_loss(out, label, votes, self.options.smoothing)

    def figures(self) -> dict[str, float]:
        """Accuracy on the labels, on the majority of the votes (ties and faces without votes left out), and
        the mean loss of the votes in nats."""
        out = outputs(self.averaged(), self.valid.pixels, self.side)
        by_label, by_votes = out[:, :CLASSES].argmax(1).numpy(), out[:, CLASSES:].argmax(1).numpy()
        clear = decided(self.valid.votes)
        logs = F.log_softmax(out[:, CLASSES:], 1).numpy()
        return {
            "label": float((by_label == self.valid.label).mean()),
            "majority": float((by_votes == self.valid.votes.argmax(1))[clear].mean()),
            "votes": float(-(self.valid.votes * logs).sum(1).mean()),
        }


def train(
    data: Path,
    run: Path,
    out: Path | None,
    options: FaceOptions,
    command: str = "",
    log: Log = lambda entry: None,
    autoencoder: Path | None = None,
) -> Path | None:
    """Train (or go on training) a face model in the folder `run` and, when its budget is used up, write it.

    data : see `videoscore.research.faces.face_sets.read_faces`. run : gets state.pt and log.jsonl; the same folder
    again goes on where it stopped. out : the weights (a .safetensors; a .json beside it says how they came
    about), or None. autoencoder : run folder of the one that options.way
    "generated" needs, trained there first unless it is; by default `run`/autoencoder. log : told of
    every 50 updates and every checkpoint.
    Returns `out`. Raises NotFound, InputError, UsageError, OSError.
    """
    faces = read_faces(data)
    trained: FaceCourse
    if options.model == "resnet34-va":
        from videoscore.research.faces.valence_arousal import PointCourse

        trained = PointCourse(faces, run, options, log, autoencoder)
    else:
        trained = EmotionCourse(faces, run, options)
    trained.run.go(log)
    if out is None:
        return None
    facts = {
        "command": command,
        "seed": options.seed,
        "data": data.name,
        "updates": trained.run.step,
        "epochs": round(trained.epoch, 2),
        "minutes": round(trained.run.seconds / 60, 1),
    }
    return export(trained.averaged(), trained.outputs, options, trained.valid, out, facts, log)
