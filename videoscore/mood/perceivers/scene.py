"""The scene perceiver: EfficientNet-Lites whose upper stages were tuned on rated pictures, read by a kernel regression.

docs/models/scene.md is its card; `videoscore train scene` makes its weights.
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
from videoscore.mood.perceivers.head import FILM, RIM, SceneHead, unpack
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.perceivers.titles import load as load_titles
from videoscore.mood.visible import content_box
from videoscore.resources import weight_file
from videoscore.video.frames import Frame
from videoscore.workers.capacity import machine_cores

WEIGHTS = weight_file("scene")
BACKBONES = ("lite2", "lite1")
# A picture is looked at in the nearest of four shapes. (height, width) in pixels of each: about as many pixels in all
# of a network's, so that things appear about as large as in training; multiples of 32, by which the last stage shrinks.
ASPECTS = (16 / 9, 4 / 3, 1.0, 3 / 4)
SHAPES = {
    "lite2": ((192, 352), (224, 320), (256, 256), (320, 224)),
    "lite1": ((160, 288), (192, 256), (224, 224), (256, 192)),
}
MOST_THREADS = 4  # pictures at once; more would only wait for memory
BATCH = 8  # pictures that run through a network together

Picture = NDArray[np.uint8]


def shape_of(height: int, width: int) -> int:
    """Index into `ASPECTS` of the shape in which a picture of that size is looked at."""
    apart = [abs(np.log(aspect) - np.log(width / height)) for aspect in ASPECTS]
    return int(np.argmin(apart))


def prepare(pictures: Sequence[Picture], shape: tuple[int, int]) -> torch.Tensor:
    """k uint8 (h, w, 3) of any sizes -> (k, 3, *shape) float32, (RGB - 127) / 128."""
    views = []
    for picture in pictures:
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
        views.append(F.interpolate(x, shape, mode="bicubic", antialias=True))
    return ((torch.cat(views).clamp(0, 255) - 127) / 128).contiguous(memory_format=torch.channels_last)


class Backbones:
    """Several networks, their features joined.

    weights : tensors under "name.part", as `videoscore.mood.perceivers.backbone.fold` names them.
    threads : pictures that run through the networks at once, each on one core; by default one a core. (On
        depthwise convolutions torch's own threads cost more than they bring.)
    half : compute in bfloat16; by default where the CPU has instructions for it.
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
        """n pictures of any sizes -> (n, d). Those of one shape run through the networks together."""
        shapes: dict[int, list[int]] = {}
        for i, picture in enumerate(pictures):
            shapes.setdefault(shape_of(*picture.shape[:2]), []).append(i)
        shares = [(k, part) for k, members in shapes.items() for part in _shares(members, self.threads)]
        rows: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(pictures)
        with ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            parts = pool.map(lambda share: self._run([pictures[i] for i in share[1]], share[0]), shares)
            for (_, members), part in zip(shares, parts):
                for i, row in zip(members, part):
                    rows[i] = row
        return np.stack(rows)

    def _run(self, pictures: Sequence[Picture], shape: int) -> NDArray[np.float32]:
        """k pictures of one shape -> (k, d)."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            parts = []
            for start in range(0, len(pictures), BATCH):
                batch = pictures[start : start + BATCH]
                sizes = [SHAPES[name][shape] for name in self.names]
                own = [net(prepare(batch, size)) for net, size in zip(self.nets, sizes)]
                parts.append(torch.cat(own, 1).float().numpy())
        return np.concatenate(parts)


def _shares(members: list[int], count: int) -> list[list[int]]:
    """`members` in up to `count` parts of about equal size."""
    return [part for k in range(count) if (part := members[k::count])]


@lru_cache(maxsize=2)
def load(path: Path = WEIGHTS, threads: int | None = None) -> tuple[Backbones, SceneHead]:
    """Raises SetupError when the weights are missing or aren't a scene model's."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            names = json.loads(facts["backbones"])
            if facts["shapes"] != json.dumps(SHAPES):
                raise ValueError("they were trained on pictures of other sizes")
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

    weights : the file of `videoscore train scene`. threads : see `Backbones`. Pictures are read as moments of a
    film. Raises SetupError when the weights can't be read.
    """

    name = "scene"

    def __init__(self, weights: Path = WEIGHTS, threads: int | None = None) -> None:
        self.backbones, self.head = load(weights, threads)
        self.titles = load_titles()

    def perceive(self, frames: Sequence[Frame]) -> Reading:
        """Valence and arousal in the spread of people's ratings, the octants' probabilities, and as confidence how
        sure the model is of its point; `seen` is 0 for titles and credits."""
        if not frames:
            empty = np.empty(0)
            return Reading(empty, empty, np.empty((0, 8)), empty, empty)
        x = self.backbones.features([np.ascontiguousarray(f.rgb[content_box(f.rgb)]) for f in frames])
        point, confidence = self.head.predict(x, FILM)  # (n, 2), (n,)
        plane = point.astype(np.float64) / RIM
        valence, arousal = np.clip(plane, -1, 1).T
        moods = octant_probabilities(plane[:, 0], plane[:, 1], self.head.uncertainty)
        return Reading(
            valence, arousal, moods, confidence.astype(np.float64), seen=1 - self.titles.probability(x)
        )
