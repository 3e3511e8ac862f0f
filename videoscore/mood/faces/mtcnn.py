"""The three networks of MTCNN (Zhang, Zhang, Li & Qiao 2016, IEEE Signal Processing Letters 23, figure 2).

Each looks at square patches of (RGB - 127.5) / 128 and says of every patch how sure it is of a face, by how
much the face's box differs from the patch's and, the last one, where the five landmarks lie. Corrections and
landmarks are in units of the patch's side. P-net is convolutional: it looks at all 12 x 12 patches of a
picture, two pixels apart.
"""

from __future__ import annotations

import torch
from torch import nn

STRIDE = 2  # pixels between neighbouring patches of P-net
SIDES = {"p": 12, "r": 24, "o": 48}  # of the patch that each network looks at, in pixels


def _convolution(inward: int, outward: int, kernel: int) -> list[nn.Module]:
    return [nn.Conv2d(inward, outward, kernel), nn.PReLU(outward)]


def _pool(kernel: int) -> nn.Module:
    return nn.MaxPool2d(kernel, 2, ceil_mode=True)


class PNet(nn.Module):
    """Proposes: (n, 3, h, w) -> sureness (n, i, j), correction (n, 4, i, j), a patch every `STRIDE` pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 10, 3), _pool(2), *_convolution(10, 16, 3), *_convolution(16, 32, 3)
        )
        self.is_face = nn.Conv2d(32, 2, 1)
        self.correction = nn.Conv2d(32, 4, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.body(x)
        return self.is_face(x).softmax(1)[:, 1], self.correction(x)


class RNet(nn.Module):
    """Refines: (k, 3, 24, 24) -> sureness (k,), correction (k, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 28, 3),
            _pool(3),  # (k, 28, 11, 11)
            *_convolution(28, 48, 3),
            _pool(3),  # (k, 48, 4, 4)
            *_convolution(48, 64, 2),
            nn.Flatten(),  # (k, 64 * 3 * 3)
            nn.Linear(576, 128),
            nn.PReLU(128),
        )
        self.is_face = nn.Linear(128, 2)
        self.correction = nn.Linear(128, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.body(x)
        return self.is_face(x).softmax(1)[:, 1], self.correction(x)


class ONet(nn.Module):
    """Decides: (k, 3, 48, 48) -> sureness (k,), correction (k, 4), landmarks (k, 10), five x, then five y."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 32, 3),
            _pool(3),  # (k, 32, 23, 23)
            *_convolution(32, 64, 3),
            _pool(3),  # (k, 64, 10, 10)
            *_convolution(64, 64, 3),
            _pool(2),  # (k, 64, 4, 4)
            *_convolution(64, 128, 2),
            nn.Flatten(),  # (k, 128 * 3 * 3)
            nn.Linear(1152, 256),
            nn.PReLU(256),
        )
        self.is_face = nn.Linear(256, 2)
        self.correction = nn.Linear(256, 4)
        self.landmarks = nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.body(x)
        return self.is_face(x).softmax(1)[:, 1], self.correction(x), self.landmarks(x)


def networks() -> dict[str, nn.Module]:
    """The cascade in order, untrained."""
    return {"p": PNet(), "r": RNet(), "o": ONet()}
