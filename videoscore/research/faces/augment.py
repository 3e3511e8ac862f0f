"""Small random changes to a batch of faces that leave their expression as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Jitter:
    """The most that is done to a face: turns in degrees, zoom and shift as shares of its side, brightness
    and contrast as shares of the range. `erased` is the largest side of a square that may be blanked
    (random erasing, Zhong et al. 2020), as a share of the face's."""

    turn: float = 15.0
    zoom: float = 0.15
    shift: float = 0.08
    brightness: float = 0.2
    contrast: float = 0.3
    erased: float = 0.35


STILL = Jitter(0, 0, 0, 0, 0, 0)


def augment(x: Tensor, side: int, jitter: Jitter, random: torch.Generator) -> Tensor:
    """(b, 1, s, s) -> (b, 1, side, side): mirrored half the time, turned, zoomed, shifted, relit, part hidden.

    Without jitter it is the middle `side` pixels of the face, mirrored or not.
    """
    b, device = len(x), x.device

    def uniform(most: float) -> Tensor:
        return ((2 * torch.rand(b, generator=random) - 1) * most).to(device)

    turn, scale = uniform(math.radians(jitter.turn)), (1 + uniform(jitter.zoom)) * side / x.shape[-1]
    mirror = torch.where(uniform(1) < 0, -1.0, 1.0)
    matrix = torch.stack(
        [
            torch.stack([scale * turn.cos() * mirror, -scale * turn.sin(), uniform(2 * jitter.shift)], 1),
            torch.stack([scale * turn.sin() * mirror, scale * turn.cos(), uniform(2 * jitter.shift)], 1),
        ],
        1,
    )  # (b, 2, 3)
    grid = F.affine_grid(matrix, [b, 1, side, side], align_corners=False)
    y = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    y = (
        y * (1 + uniform(jitter.contrast))[:, None, None, None]
        + uniform(2 * jitter.brightness)[:, None, None, None]
    )
    return _erase(y.clamp(-1, 1), uniform, jitter.erased) if jitter.erased else y


def _erase(x: Tensor, uniform, most: float) -> Tensor:  # type: ignore[no-untyped-def]
    """One square of up to `most` of the side turns mid-grey, in half of the faces."""
    side = x.shape[-1]
    place = torch.linspace(-1, 1, side, device=x.device)
    half = uniform(most).clamp(min=0)[:, None]  # nothing where negative
    row = (place[None] - uniform(1)[:, None]).abs() < half  # (b, s)
    column = (place[None] - uniform(1)[:, None]).abs() < half
    return x.masked_fill((row[:, :, None] & column[:, None, :])[:, None], 0.0)
