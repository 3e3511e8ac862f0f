"""The face models: valence, arousal and emotions from grey faces of 48 x 48 pixels.

docs/models/face.md is their card; `videoscore.research.faces.train` makes their weights.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import nn

from videoscore.errors import SetupError, UsageError
from videoscore.mood.faces import stored
from videoscore.mood.faces.emotions import EMOTIONS, VECTORS, embed
from videoscore.mood.faces.nets import INPUT, NETS, centre, folded, normalise
from videoscore.mood.faces.stored import Calibration
from videoscore.mood.octants import Spread, octant_probabilities
from videoscore.resources import weight_file
from videoscore.workers.capacity import machine_cores

MODELS = tuple(NETS)
SIDE = 48  # pixels of a face
BATCH = 32  # faces that go through a network together
MOST_THREADS = 4
CLASSES = len(EMOTIONS)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FaceReadings:
    """What a model reads in n faces, each by itself.

    valence, arousal : (n,) in [-1, 1]. emotions : (n, 7) probabilities of `EMOTIONS`, or None where the model
    knows none. confidence : (n,) in [0, 1], see `confidence`.
    """

    valence: Array
    arousal: Array
    emotions: Array | None
    confidence: Array

    def __len__(self) -> int:
        return len(self.valence)


class FaceModel:
    """One trained network with its calibration.

    net : folded, float32. threads : faces that are read at once, each batch on one core (torch's own threads
    cost more than they bring on faces this small); by default one a core.
    """

    def __init__(
        self, name: str, net: nn.Module, calibration: Calibration, threads: int | None = None
    ) -> None:
        self.name, self.calibration = name, calibration
        self.net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.threads = threads or min(machine_cores(), MOST_THREADS)

    @property
    def spread(self) -> Spread:
        """Of the truth around a reading."""
        return self.calibration.spread

    def read(self, crops: NDArray[np.uint8]) -> FaceReadings:
        """(n, 48, 48) grey faces, framed as FER2013 frames them -> their readings."""
        if crops.shape[1:] != (SIDE, SIDE) or crops.dtype != np.uint8:
            raise ValueError(f"faces are (n, {SIDE}, {SIDE}) uint8, not {crops.shape} {crops.dtype}")
        return interpret(self.outputs(crops), self.calibration)

    def moods(self, readings: FaceReadings) -> Array:
        """(n, 8) probabilities over `videoscore.mood.circle.MOODS`."""
        return octant_probabilities(readings.valence, readings.arousal, self.spread)

    def outputs(self, crops: NDArray[np.uint8]) -> Array:
        """(n, 48, 48) -> (n, 2, k): the network's outputs for each face and for its mirror image."""
        if len(crops) == 0:
            return np.zeros((0, 2, self.net.head.out_features))  # type: ignore[union-attr,arg-type]
        parts = [crops[i : i + BATCH] for i in range(0, len(crops), BATCH)]
        with ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return np.concatenate(list(pool.map(self._run, parts)))

    def _run(self, crops: NDArray[np.uint8]) -> Array:
        with torch.inference_mode():
            x = centre(normalise(torch.from_numpy(np.ascontiguousarray(crops))), INPUT[self.name])
            both = torch.cat([x, x.flip(3)]).contiguous(memory_format=torch.channels_last)
            return self.net(both).reshape(2, len(crops), -1).transpose(0, 1).double().numpy()


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """(n, k) -> (n, k) that sum to 1."""
    z = logits / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def interpret(outputs: Array, calibration: Calibration) -> FaceReadings:
    """(n, 2, k) outputs for faces and their mirror images -> readings: their means.

    Two outputs are valence and arousal. Fourteen are logits, the first seven for the label that FER2013 gives a
    face, the last seven for the votes that FER+ gives it; the votes' calibrated probabilities are the reading,
    and their place on the plane is that of `VECTORS`.
    """
    mean = outputs.mean(1)
    if outputs.shape[2] == 2:
        point, emotions = np.clip(mean, -1, 1), None
    else:
        emotions = softmax(mean[:, -CLASSES:], calibration.temperature)
        point = embed(emotions)
    return FaceReadings(point[:, 0], point[:, 1], emotions, confidence(hints(outputs, emotions), calibration))


def hints(outputs: Array, emotions: Array | None) -> Array:
    """(n,) how unsure a reading looks, in units of the plane; see `Calibration`."""
    if emotions is None:
        return np.linalg.norm(outputs[:, 0] - outputs[:, 1], axis=1)
    away = np.square(VECTORS[None] - embed(emotions)[:, None]).sum(2)  # (n, 7)
    return np.sqrt((emotions * away).sum(1))


def confidence(hint: Array, calibration: Calibration) -> Array:
    """1 where no error is expected, 0 where as large a one as without looking."""
    error = np.interp(hint, calibration.hint, calibration.error)
    return np.clip(1 - error / calibration.blind, 0, 1)


@lru_cache(maxsize=4)
def load_face_model(name: str, weights: Path | None = None, threads: int | None = None) -> FaceModel:
    """A face model by its name, one of `MODELS`.

    weights : a file of `videoscore.research.faces.train`; by default the installed one. threads : see `FaceModel`.
    Raises UsageError for an unknown name, SetupError when the weights are missing or aren't that model's.
    """
    if name not in NETS:
        raise UsageError(f"there is no face model named {name!r}", remedy=f"Choose from {', '.join(MODELS)}.")
    path = weights or weight_file(name)
    try:
        header, tensors = stored.read(path)
        if header.model != name:
            raise ValueError(f"they are those of {header.model}")
        net = folded(name, header.outputs, header.width)
        net.load_state_dict(tensors, assign=True)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SetupError(
            f"the face model's weights can't be read ({type(error).__name__})",
            path=path,
            remedy=f"Reinstall videoscore, or train them with `videoscore train face --model {name}`.",
        ) from error
    return FaceModel(name, net, header.calibration, threads)
