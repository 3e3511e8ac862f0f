"""The three networks that read a face: VGG16, a small CNN, ResNet34. All see one grey face at a time.

`width` multiplies every number of channels: 1 is as published. The shipped files name theirs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Simonyan & Zisserman 2015, "Very deep convolutional networks", table 1, column D; 0 is a max pooling
VGG16_PLAN = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
# He et al. 2016, "Deep residual learning", table 1, 34 layers: blocks a stage, channels
RESNET34_PLAN = ((3, 64), (4, 128), (6, 256), (3, 512))


def conv(inside: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm (Ioffe & Szegedy 2015; VGG is untrainable in hours without)."""
    return nn.Sequential(nn.Conv2d(inside, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out))


class VGG16(nn.Module):
    """Thirteen convolutions of VGG16 on faces of 44 to 63 pixels, which five poolings bring to one cell.

    The two layers of 4,096 that follow in the original are left out: on one cell they add nothing but
    a third more weights.
    """

    def __init__(self, outputs: int, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 1
        for channels in VGG16_PLAN:
            if channels == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            out = round(channels * width)
            layers += [conv(inside, out), nn.ReLU(inplace=True)]
            inside = out
        self.features = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.4)
        self.head = nn.Linear(inside, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 1, s, s) -> (b, outputs)."""
        x = self.features(x).mean((2, 3))  # (b, 512 width)
        return self.head(self.drop(x))


class SmallCNN(nn.Module):
    """The custom CNN of the design: three groups of convolutions and two dense layers of 1,024, for 48 x 48."""

    def __init__(self, outputs: int, width: float = 1.0) -> None:
        super().__init__()
        a, b = round(64 * width), round(128 * width)
        dense = round(1024 * width)
        self.features = nn.Sequential(
            nn.Conv2d(1, a, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(5, 2),  # 44 -> 20
            nn.Conv2d(a, a, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(a, a, 3),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(3, 2),  # 16 -> 7
            nn.Conv2d(a, b, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(b, b, 3),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(3, 2),  # 3 -> 1
            nn.Flatten(),
            nn.Linear(b, dense),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(dense, dense),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
        )
        self.head = nn.Linear(dense, outputs)
        for layer in self.features:  # without norms, smaller weights than He et al. 2015's never start
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.constant_(layer.bias, 0.0)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(b, 1, 48, 48) -> (b, outputs)."""
        return self.head(self.features(x))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around an identity (1x1 where the shape changes)."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = conv(inside, out, 3, stride)
        self.second = conv(out, out)
        nn.init.zeros_(self.second[1].weight)  # type: ignore[arg-type] # begins as the identity (Goyal et al. 2017)
        self.across = conv(inside, out, 1, stride) if stride > 1 or inside != out else None

    def forward(self, x: Tensor) -> Tensor:  # (b, in, s, s) -> (b, out, s / stride, s / stride)
        y = self.second(F.relu(self.first(x)))
        return F.relu(y + (x if self.across is None else self.across(x)))


class ResNet34(nn.Module):
    """ResNet34 for small faces: the stem is a 3x3 convolution of stride 2, with no pooling after it."""

    def __init__(self, outputs: int = 2, width: float = 1.0) -> None:
        super().__init__()
        inside = round(64 * width)
        self.stem = conv(1, inside, 3, 2)
        blocks: list[nn.Module] = []
        for stage, (count, channels) in enumerate(RESNET34_PLAN):
            out = round(channels * width)
            for k in range(count):
                blocks.append(BasicBlock(inside, out, 2 if stage and k == 0 else 1))
                inside = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inside, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 1, s, s) -> (b, outputs)."""
        x = F.relu(self.stem(x))  # (b, 64 width, s/2, s/2)
        x = self.blocks(x).mean((2, 3))  # (b, 512 width)
        return self.head(x)


NETS: dict[str, type[nn.Module]] = {"vgg16-fer": VGG16, "cnn-fer": SmallCNN, "resnet34-va": ResNet34}
# pixels of a face's side that each looks at, out of the 48 of FER2013
INPUT = {"vgg16-fer": 44, "cnn-fer": 48, "resnet34-va": 44}


def normalise(pixels: Tensor) -> Tensor:
    """(b, s, s) uint8 -> (b, 1, s, s) float32 in [-1, 1]."""
    return pixels.unsqueeze(1).float() / 127.5 - 1


def centre(x: Tensor, side: int) -> Tensor:
    """(b, 1, s, s) -> the middle (b, 1, side, side)."""
    edge = (x.shape[-1] - side) // 2
    return x[:, :, edge : edge + side, edge : edge + side]


def fold(net: nn.Module) -> nn.Module:
    """Batch norms melt into the convolutions before them, in place; `net` must be in evaluation mode."""
    for pair, old, norm in _pairs(net):
        pair[0], pair[1] = fuse_conv_bn_eval(old, norm), nn.Identity()
    return net


def folded(name: str, outputs: int, width: float) -> nn.Module:
    """A network of that name as `fold` leaves it, without weights of its own."""
    with torch.device("meta"):
        net = NETS[name](outputs, width)  # type: ignore[call-arg]
        for pair, old, _ in _pairs(net):
            kernel = old.kernel_size[0]
            pair[0] = nn.Conv2d(old.in_channels, old.out_channels, kernel, old.stride[0], kernel // 2)
            pair[1] = nn.Identity()
    return net


def _pairs(net: nn.Module) -> list[tuple[nn.Sequential, nn.Conv2d, nn.BatchNorm2d]]:
    """Every `conv` in it, with its two layers."""
    pairs = []
    for module in net.modules():
        if isinstance(module, nn.Sequential) and len(module) == 2:
            first, second = module
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                pairs.append((module, first, second))
    return pairs
