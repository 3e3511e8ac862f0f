"""EfficientNet-Lite, pooled at every stage: from a picture to one long feature vector.

Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", in the Lite
form of the TensorFlow team (2020): no squeeze-and-excite, ReLU6 for swish, stem and head not scaled.
Batch norm is gone: `fold` merges it into the convolutions when the weights are converted for us.

    picture -> stem -> 7 stages of inverted bottlenecks -> head -> classes (ImageNet; not shipped)
                        |        |        |     |
                        +--------+--------+-----+--> mean and mean square of each stage, mean of the head
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BN_EPS = 1e-3
# One row a stage: blocks, kernel, stride, expansion, output channels (Tan & Le 2019, table 1).
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280
WIDE = 3  # stages on large maps; pictures run through them one by one, or what lies between two layers leaves the cache
LOWER = 4  # stages that see edges and textures; the scene model leaves them as published


@dataclass(frozen=True)
class LiteConfig:
    """width, depth: multipliers of channels and of blocks. size: input side it was trained at, pixels."""

    name: str
    width: float
    depth: float
    size: int


LITE = {
    c.name: c
    for c in (
        LiteConfig("lite1", 1.0, 1.1, 240),
        LiteConfig("lite2", 1.1, 1.2, 260),
    )
}


def channels(config: LiteConfig) -> list[int]:
    """Output channels of the seven stages, rounded to a multiple of 8 but never down by over 10 %."""
    widths = []
    for *_, c in STAGES:
        scaled = c * config.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        widths.append(rounded + 8 if rounded < 0.9 * scaled else rounded)
    return widths


def feature_size(config: LiteConfig) -> int:
    """Length of the vector that `EfficientNetLite` gives for a picture."""
    return 2 * sum(channels(config)) + HEAD


def half_precision(where: torch.device | None = None) -> bool:
    """Whether bfloat16 is fast on `where` (by default the CPU): on GPUs, and on CPUs with instructions for it.

    On those it makes convolutions two to three times as fast; emulated elsewhere, it makes them slower.
    """
    if where is not None and where.type == "cuda":
        return True
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


class SameConv(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME does: out = ceil(in / stride), the odd pixel right and below."""

    def forward(self, x: Tensor) -> Tensor:  # (b, c, h, w) -> (b, c', h/s, w/s)
        (k, _), (s, _) = self.kernel_size, self.stride
        if s == 1:
            return F.conv2d(x, self.weight, self.bias, 1, k // 2, 1, self.groups)
        h, w = x.shape[-2:]
        down = max((math.ceil(h / s) - 1) * s + k - h, 0)
        right = max((math.ceil(w / s) - 1) * s + k - w, 0)
        x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
        return F.conv2d(x, self.weight, self.bias, s, 0, 1, self.groups)


class Block(nn.Module):
    """Inverted bottleneck: widen (1x1), look around (depthwise kxk), narrow (1x1), add where shapes allow."""

    def __init__(self, inside: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        self.expand = SameConv(inside, wide, 1) if expansion > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = SameConv(wide, out, 1)
        self.residual = stride == 1 and inside == out

    def forward(self, x: Tensor) -> Tensor:  # (b, in, h, w)
        y = x if self.expand is None else F.relu6(self.expand(x))  # (b, in * expansion, h, w)
        y = F.relu6(self.depthwise(y))  # (b, in * expansion, h/s, w/s)
        y = self.project(y)  # (b, out, h/s, w/s)
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """The backbone. Any picture size and shape will do, since everything is pooled."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = SameConv(3, STEM, 3, 2)
        self.stages = nn.ModuleList()
        inside = STEM
        for i, ((blocks, k, s, e, _), out) in enumerate(zip(STAGES, channels(config))):
            scaled = i not in (0, len(STAGES) - 1)  # Lite leaves the first and last stage alone
            n = math.ceil(blocks * config.depth) if scaled else blocks
            self.stages.append(
                nn.Sequential(
                    *(Block(inside if j == 0 else out, out, k, s if j == 0 else 1, e) for j in range(n))
                )
            )
            inside = out
        self.head = SameConv(inside, HEAD, 1)

    def lower(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 3, h, w) of (RGB - 127) / 128 -> the pooled features of the first `LOWER` stages (b, 2 * channels),
        and the last one's map (b, c, h/16, w/16)."""
        parts = [self._through(F.relu6(self.stem(picture)), 0, WIDE) for picture in x.split(1)]
        wide, x = (torch.cat(joined) for joined in zip(*parts))  # (b, 2 * channels), (b, c, h/8, w/8)
        pooled, x = self._through(x, WIDE, LOWER)
        return torch.cat([wide, pooled], 1), x

    def _through(self, x: Tensor, first: int, last: int) -> tuple[Tensor, Tensor]:
        """A map through the stages `first` to before `last` -> their pooled features, and the last one's map."""
        pooled: list[Tensor] = []
        for stage in self.stages[first:last]:
            x = stage(x)  # (b, c_i, h_i, w_i)
            pooled += pool(x)
        return torch.cat(pooled, 1), x

    def upper(self, pooled: Tensor, x: Tensor) -> Tensor:
        """What `lower` gave -> (b, feature_size) float32."""
        above, x = self._through(x, LOWER, len(self.stages))
        x = F.relu6(self.head(x))  # (b, 1280, h/32, w/32)
        return torch.cat([pooled, above, x.float().mean((2, 3))], 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, h, w) of (RGB - 127) / 128 -> (b, feature_size) float32."""
        return self.upper(*self.lower(x))


def pool(x: Tensor) -> list[Tensor]:
    """(b, c, h, w) -> mean and mean square over the picture, two of (b, c), float32."""
    x = x.float()
    return [x.mean((2, 3)), x.square().mean((2, 3))]


def fold(published: Mapping[str, Tensor], config: LiteConfig) -> dict[str, Tensor]:
    """Weights as `efficientnet_lite_pytorch` names them -> ours, batch norm folded in; the classes are left out.

    y = g (Wx - m) / sqrt(v + eps) + b, so W' = W g / sqrt(v + eps) and b' = b - m g / sqrt(v + eps).
    """
    pairs = [("stem", "_conv_stem", "_bn0"), ("head", "_conv_head", "_bn1")]
    flat = 0
    for i, stage in enumerate(EfficientNetLite(config).stages):
        assert isinstance(stage, nn.Sequential)
        for j, block in enumerate(stage):
            here, there = f"stages.{i}.{j}", f"_blocks.{flat}"
            if block.expand is not None:
                pairs.append((f"{here}.expand", f"{there}._expand_conv", f"{there}._bn0"))
            pairs += [
                (f"{here}.depthwise", f"{there}._depthwise_conv", f"{there}._bn1"),
                (f"{here}.project", f"{there}._project_conv", f"{there}._bn2"),
            ]
            flat += 1
    merged_state: dict[str, Tensor] = {}
    for name, conv, bn in pairs:
        gain = published[f"{bn}.weight"] / torch.sqrt(published[f"{bn}.running_var"] + BN_EPS)  # (out,)
        merged_state[f"{name}.weight"] = published[f"{conv}.weight"] * gain[:, None, None, None]
        merged_state[f"{name}.bias"] = published[f"{bn}.bias"] - published[f"{bn}.running_mean"] * gain
    return merged_state
