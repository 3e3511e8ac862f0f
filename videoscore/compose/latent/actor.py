"""The actor: moves a latent vector toward a feeling.

As in Engel, Hoffman & Roberts 2018, "Latent Constraints: Learning to Generate Conditionally from Unconditional
Generative Models", a small network that a gate lets through in part, so that much of the vector may stay.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from videoscore.compose.latent.feelings import (
    DENSITY_MEAN,
    DENSITY_SPREAD,
    FEELINGS,
    PITCH_MEAN,
    PITCH_SPREAD,
)

CONDITIONS = len(FEELINGS) + 2
WIDTH = 256


def conditions(feelings: Tensor, shift: Tensor) -> Tensor:
    """(b, CONDITIONS) which feeling, and its pitch and density on their scales.

    feelings : (b,) numbers. shift : (b,) semitones from the normalised key to the one in which the tune will sound.
    """
    rows = torch.tensor([targets(k) for k in range(len(FEELINGS))], device=feelings.device)
    goal = rows[feelings].clone()
    goal[:, 0] -= shift / PITCH_SPREAD
    return torch.cat([nn.functional.one_hot(feelings, len(FEELINGS)).float(), goal], -1)


def targets(feeling: int) -> tuple[float, float]:
    """A feeling's pitch and density in standard deviations from the mean tune."""
    f = FEELINGS[feeling]
    return (f.pitch - PITCH_MEAN) / PITCH_SPREAD, (math.log(f.density) - DENSITY_MEAN) / DENSITY_SPREAD


class Actor(nn.Module):
    """z (b, BARS, part) and conditions (b, CONDITIONS) -> z moved, of the same shape. latent : BARS times part."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(latent + CONDITIONS, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 2 * latent),
        )

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        flat = z.flatten(1)
        change, gate = self.body(torch.cat([flat, condition], -1)).chunk(2, -1)
        share = torch.sigmoid(gate)
        return ((1 - share) * flat + share * change).view_as(z)
