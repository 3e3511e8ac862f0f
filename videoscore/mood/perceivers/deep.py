"""The eight-mood CNNs: eight moods straight from a 128x128 picture, as the study behind the moods does it.

    picture 128 -> [conv conv pool] x4 -> 8 x 8 x 64 -> dense 512 -> dense 64 -> eight moods

`deep` has two convolutions a block (2.34 M parameters), `shallow`, which is there for comparison, one.
docs/models/deep.md is the card; `videoscore.research.deep.train` makes the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.errors import SetupError
from videoscore.mood.circle import MOODS, centre
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.visible import content_box
from videoscore.resources import weight_file
from videoscore.video.frames import Frame

WEIGHTS = weight_file("deep")
SIDE = 128  # pixels; pictures are squeezed to a square
WIDTHS = (32, 64, 64, 64)  # channels of the four blocks
FLAT = 64 * (SIDE // 16) ** 2  # 4096
DENSE = (512, 64)
# (8, 2) valence and arousal at the middle of every octant, at the typical radius
CENTRES = np.array([centre(mood) for mood in MOODS])

Picture = NDArray[np.uint8]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class DeepConfig:
    """convolutions : 3x3 ones in each of the four blocks. drop_block, drop_dense : shares of values that
    training blanks after a block and after a dense layer (the study's .25 and .5). norm : batch norm before
    every ReLU of the convolutions while training; `without_norm` merges it into them. Not together with
    drop_block: what is dropped in front of it shifts the variance that it learns (Li et al. 2019)."""

    convolutions: int = 2
    drop_block: float = 0.25
    drop_dense: float = 0.5
    norm: bool = False


CONFIGS = {"deep": DeepConfig(), "shallow": DeepConfig(convolutions=1)}


class MoodCNN(nn.Module):
    """Blocks of convolutions, then dense layers. He 2015 initialisation, ReLU."""

    def __init__(self, config: DeepConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks, self.norms = nn.ModuleList(), nn.ModuleList()
        inside = 3
        for width in WIDTHS:
            convs = [
                nn.Conv2d(inside if i == 0 else width, width, 3, padding=1)
                for i in range(config.convolutions)
            ]
            self.blocks.append(nn.ModuleList(convs))
            self.norms.append(
                nn.ModuleList(nn.BatchNorm2d(width) if config.norm else nn.Identity() for _ in convs)
            )
            inside = width
        self.dense1 = nn.Linear(FLAT, DENSE[0])
        self.dense2 = nn.Linear(DENSE[0], DENSE[1])
        self.moods = nn.Linear(DENSE[1], len(MOODS))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        nn.init.normal_(self.moods.weight, std=0.01)

    def convolve(self, x: Tensor, first: int = 0, last: int = len(WIDTHS)) -> Tensor:
        """Blocks `first` to before `last`: (b, 3, 128, 128) of (RGB - 127.5) / 127.5, or what the block before
        `first` gave, -> (b, c, s, s); (b, 64, 8, 8) after the fourth."""
        for block, norms in zip(self.blocks[first:last], self.norms[first:last]):
            assert isinstance(block, nn.ModuleList) and isinstance(norms, nn.ModuleList)
            for conv, norm in zip(block, norms):
                x = F.relu(norm(conv(x)))  # (b, c, s, s)
            x = F.dropout(F.max_pool2d(x, 2), self.config.drop_block, self.training)  # (b, c, s/2, s/2)
        return x

    def look(self, x: Tensor, first: int = 0) -> Tensor:
        """As `convolve` to the end, then the first dense layer: (b, 512)."""
        x = F.relu(self.dense1(self.convolve(x, first).flatten(1)))  # (b, 4096) -> (b, 512)
        return F.dropout(x, self.config.drop_dense, self.training)

    def tell(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 512) -> logits of the moods (b, 8), and the layer below them (b, 64)."""
        last = F.dropout(F.relu(self.dense2(seen)), self.config.drop_dense, self.training)
        return self.moods(last), last

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, 128, 128) -> (b, 8) logits."""
        return self.tell(self.look(x))[0]


def without_norm(net: MoodCNN) -> MoodCNN:
    """The same function without batch norm: y = g (Wx + c - m) / sqrt(v + eps) + b is one convolution."""
    plain = MoodCNN(replace(net.config, norm=False))
    if not net.config.norm:
        plain.load_state_dict(net.state_dict())
        return plain.eval()
    tensors = {k: v.detach().cpu() for k, v in net.state_dict().items()}
    for i, block in enumerate(net.norms):
        assert isinstance(block, nn.ModuleList)
        for j, norm in enumerate(block):
            assert isinstance(norm, nn.BatchNorm2d)
            at, old = f"blocks.{i}.{j}", f"norms.{i}.{j}"
            gain = tensors[f"{old}.weight"] / torch.sqrt(tensors[f"{old}.running_var"] + norm.eps)  # (c,)
            tensors[f"{at}.weight"] = tensors[f"{at}.weight"] * gain[:, None, None, None]
            tensors[f"{at}.bias"] = (tensors[f"{at}.bias"] - tensors[f"{old}.running_mean"]) * gain + tensors[
                f"{old}.bias"
            ]
    plain.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("norms.")})
    return plain.eval()


@dataclass(frozen=True)
class Calibration:
    """What held-out pictures taught about a trained network's numbers.

    temperature : the logits are divided by it (Guo et al. 2017, "On Calibration of Modern Neural Networks").
    slope, offset : (valence, arousal) of the plane = slope * expected centre of the octants + offset, such
        that readings have the spread of the ratings.
    knowing : nats; how far from "any mood" nine in ten pictures at most get, see `confidence`.
    """

    temperature: float = 1.0
    slope: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    knowing: float = 1.0


def probabilities(logits: NDArray[np.floating], temperature: float) -> Array:
    """(n, 8) -> (n, 8) that sum to 1."""
    z = np.asarray(logits, np.float64) / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def plane(moods: Array, calibration: Calibration) -> Array:
    """(n, 8) probabilities -> (n, 2) valence and arousal, not clipped."""
    return moods @ CENTRES * calibration.slope + calibration.offset


def knowledge(moods: Array) -> Array:
    """(n, 8) -> (n,) nats between these probabilities and knowing nothing: log 8 less their entropy."""
    return np.log(moods.shape[1]) + (moods * np.log(np.maximum(moods, 1e-12))).sum(1)


def prepare(pictures: Sequence[Picture]) -> Tensor:
    """n uint8 (h, w, 3) of any sizes -> (n, 3, 128, 128) float32, (RGB - 127.5) / 127.5."""
    rows = []
    for picture in pictures:
        x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()  # (1, 3, h, w)
        rows.append(F.interpolate(x, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 255))
    return ((torch.cat(rows) - 127.5) / 127.5).contiguous(memory_format=torch.channels_last)


def save(path: Path, net: MoodCNN, calibration: Calibration) -> None:
    """Weights as float16 safetensors, settings and calibration in their header. Not atomic."""
    from safetensors.torch import save_file

    tensors = {k: v.detach().cpu().half().contiguous() for k, v in net.state_dict().items()}
    save_file(
        tensors,
        path,
        metadata={"config": json.dumps(asdict(net.config)), "calibration": json.dumps(asdict(calibration))},
    )


@lru_cache(maxsize=2)
def load(path: Path = WEIGHTS) -> tuple[MoodCNN, Calibration]:
    """Raises SetupError when the weights are missing or aren't an eight-mood CNN's."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            net = MoodCNN(DeepConfig(**json.loads(header["config"])))
            raw = json.loads(header["calibration"])
            calibration = Calibration(
                raw["temperature"], tuple(raw["slope"]), tuple(raw["offset"]), raw["knowing"]
            )
            net.load_state_dict({k: file.get_tensor(k).float() for k in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SetupError(
            f"the deep model's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train deep`.",
        ) from error
    net.requires_grad_(False)
    return net.eval().to(memory_format=torch.channels_last), calibration  # type: ignore[call-overload]


class DeepPerceiver:
    """Mood of whole pictures by the eight-mood CNN, each by itself.

    weights : the file of `videoscore.research.deep.train`. Raises SetupError when it can't be read.
    """

    name = "deep"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self.net, self.calibration = load(weights)

    def perceive(self, frames: Sequence[Frame]) -> Reading:
        """The eight calibrated probabilities; valence and arousal as the octants' expected centre, stretched
        to the spread of the ratings; as confidence, how far the probabilities are from knowing nothing
        (1 where only one in ten photographs says more)."""
        if not frames:
            empty = np.empty(0)
            return Reading(empty, empty, np.empty((0, len(MOODS))), empty, empty)
        pictures = [f.rgb[content_box(f.rgb)] for f in frames]
        with torch.inference_mode():
            logits = torch.cat([self.net(prepare([picture])) for picture in pictures]).numpy()
        moods = probabilities(logits, self.calibration.temperature)
        valence, arousal = np.clip(plane(moods, self.calibration), -1, 1).T
        confidence = np.minimum(knowledge(moods) / self.calibration.knowing, 1.0)
        return Reading(valence, arousal, moods, confidence, np.ones(len(frames)))
