"""The scene perceiver: frozen EfficientNet-Lite features and a kernel regression trained on OASIS.

docs/models/scene.md is its card; `videoscore.research.scene.train` makes its weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch.nn import functional as F

from videoscore.errors import SetupError
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.backbone import LITE, EfficientNetLite, half_precision
from videoscore.mood.perceivers.head import RIM, SceneHead, unpack
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.perceivers.titles import load as load_titles
from videoscore.mood.visible import colourlessness, content_box
from videoscore.resources import weight_file
from videoscore.video.frames import Frame
from videoscore.workers.capacity import machine_cores

WEIGHTS = weight_file("scene")
BACKBONES = ("lite2", "lite0")
# Every picture is brought to about this many pixels in its own shape (260 x 208 for the 5:4 pictures of
# OASIS, 310 x 174 for 16:9), so that things in a film appear about as large as in training.
AREA = 260 * 208
MOST_THREADS = 4  # pictures at once; more would only wait for memory
WIDEST = 3.0  # of one side to the other; stranger shapes are squeezed into it

Picture = NDArray[np.uint8]


def target_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) at which a picture is looked at."""
    ratio = min(max(width / height, 1 / WIDEST), WIDEST)
    return round((AREA / ratio) ** 0.5), round((AREA * ratio) ** 0.5)


def prepare(pictures: Sequence[Picture]) -> torch.Tensor:
    """k uint8 (h, w, 3) of one shape -> (k, 3, *target_size) float32, (RGB - 127) / 128."""
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()  # (k, 3, h, w)
    x = F.interpolate(x, target_size(x.shape[2], x.shape[3]), mode="bicubic", antialias=True)
    return ((x.clamp(0, 255) - 127) / 128).contiguous(memory_format=torch.channels_last)


class Backbones:
    """Several frozen networks, their features joined.

    weights : tensors under "name.part", as `videoscore.mood.perceivers.backbone.fold` gives them.
    threads : pictures that run through the networks at once, each on one core; by default one a core. (On
        depthwise convolutions torch's own threads cost more than they bring.)
    half : compute in bfloat16; by default where the CPU has instructions for it. It is 2.4 times as
        fast and moves readings of photographs by .011 (rms), .03 at most of 39.
    """

    def __init__(
        self,
        weights: Mapping[str, torch.Tensor],
        names: Sequence[str] = BACKBONES,
        threads: int | None = None,
        half: bool | None = None,
    ) -> None:
        self.names = tuple(names)
        self.half = half_precision() if half is None else half
        self.threads = threads or min(machine_cores(), MOST_THREADS)
        self.nets = []
        for name in self.names:
            net = EfficientNetLite(LITE[name])
            own = {
                k.removeprefix(f"{name}."): v.float() for k, v in weights.items() if k.startswith(f"{name}.")
            }
            net.load_state_dict(own)
            net.requires_grad_(False)
            self.nets.append(net.eval().to(memory_format=torch.channels_last))  # type: ignore[call-overload]

    def features(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """n pictures of any sizes -> (n, d). Those of equal shape run through the networks together."""
        shapes: dict[tuple[int, ...], list[int]] = {}
        for i, picture in enumerate(pictures):
            shapes.setdefault(picture.shape, []).append(i)
        rows: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(pictures)
        shares = [part for members in shapes.values() for part in _shares(members, self.threads)]
        with ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for members, part in zip(shares, pool.map(self._run, ([pictures[i] for i in m] for m in shares))):
                for i, row in zip(members, part):
                    rows[i] = row
        return np.stack(rows)

    def _run(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """k pictures of one shape -> (k, d)."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            x = prepare(pictures)  # (k, 3, h, w)
            return torch.cat([net(x).float() for net in self.nets], 1).numpy()


def _shares(members: list[int], count: int) -> list[list[int]]:
    """`members` in up to `count` parts of about equal size."""
    return [part for k in range(count) if (part := members[k::count])]


@lru_cache(maxsize=2)
def load(path: Path = WEIGHTS, threads: int | None = None) -> tuple[Backbones, SceneHead]:
    """Raises SetupError when the weights are missing or aren't a scene model's."""
    try:
        with safe_open(path, "pt") as file:
            names = json.loads((file.metadata() or {})["backbones"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (it is no dict)
        head = unpack(
            {k.removeprefix("head."): v.numpy() for k, v in tensors.items() if k.startswith("head.")}
        )
        return Backbones(tensors, names, threads), head
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SetupError(
            f"the scene model's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train scene`.",
        ) from error


class ScenePerceiver:
    """Mood of whole pictures, each by itself.

    weights : the file of `videoscore.research.scene.train`. threads : see `Backbones`.
    Raises SetupError when the weights can't be read.
    """

    name = "scene"

    def __init__(self, weights: Path = WEIGHTS, threads: int | None = None) -> None:
        self.backbones, self.head = load(weights, threads)
        self.titles = load_titles()

    def perceive(self, frames: Sequence[Frame]) -> Reading:
        """Valence and arousal in the spread of people's ratings, the octants' probabilities, and as confidence how
        much the picture resembles anything the model was trained on; `seen` is 0 for titles and credits."""
        if not frames:
            empty = np.empty(0)
            return Reading(empty, empty, np.empty((0, 8)), empty, empty)
        x = self.backbones.features([np.ascontiguousarray(f.rgb[content_box(f.rgb)]) for f in frames])
        colourless = np.array([colourlessness(f.rgb) for f in frames], np.float32)
        point, familiarity = self.head.predict(x, colourless)  # (n, 2), (n,)
        plane = point.astype(np.float64) / RIM
        valence, arousal = np.clip(plane, -1, 1).T
        moods = octant_probabilities(plane[:, 0], plane[:, 1], self.head.uncertainty)
        return Reading(
            valence, arousal, moods, familiarity.astype(np.float64), seen=1 - self.titles.probability(x)
        )
