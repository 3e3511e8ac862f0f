"""The face-generating autoencoder: the same person with another expression, at any valence and arousal.

    face 48 -> encoder -> appearance z (32) + v + a -> decoder -> face 48

It is needed in training only, see valence_arousal.py. What makes it obey is that (v, a) is nowhere else to
be had: an adversary looks for it in z, and the encoder learns to leave it nothing (Lample et al. 2017, "Fader
Networks"), while z is kept narrow as in a variational autoencoder (Kingma & Welling 2014). Pixels alone make it draw
the light and the outline and leave the mouth to chance; so what it draws must also look alike to `vgg16-fer`
(perceptual loss, Johnson, Alahi & Fei-Fei 2016). A judge that reads (v, a) in what was drawn, as auxiliary classifiers
do, was tried and left out: the decoder learned patterns that please it, not faces (docs/models/face.md). Faces are
1 x 48 x 48, not 3 x 64 x 64 as in the study, since FER2013 is grey and that large.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.errors import InputError
from videoscore.mood.faces.models import load_face_model
from videoscore.mood.faces.nets import INPUT, centre, normalise
from videoscore.research.faces.augment import Jitter, augment
from videoscore.research.faces.course import rate_at
from videoscore.research.faces.data import SIDE, TRAIN, FaceSet
from videoscore.research.run import Budget, Log, Run, device

APPEARANCE = 32
CHANNELS = (24, 48, 96, 192)  # after each halving: 24, 12, 6, 3 pixels
CELL = SIDE >> len(CHANNELS)
# the same framing again and again would be learned by heart; but a turned face must not be drawn for a straight
GENTLE = Jitter(turn=5.0, zoom=0.05, shift=0.03, brightness=0.05, contrast=0.1, erased=0.0)


@dataclass(frozen=True)
class AutoencoderOptions:
    """epochs : passes over the training faces. hide : weight of the loss that hides (v, a) from the adversary.
    narrow : of z's divergence from a normal distribution. edges : of the difference between neighbouring pixels,
    in which a mouth weighs more than a forehead. likeness : of the difference that `vgg16-fer` sees; 0 leaves it
    out. checkpoint_every : seconds."""

    epochs: float = 10.0
    batch: int = 128
    rate: float = 2e-3
    hide: float = 4.0
    narrow: float = 3e-4
    edges: float = 2.0
    likeness: float = 1.0
    seed: int = 0
    checkpoint_every: float = 120.0


def halvings() -> nn.Sequential:
    """(b, 1, 48, 48) -> (b, 192 * 9)."""
    layers: list[nn.Module] = []
    inside = 1
    for out in CHANNELS:
        layers += [nn.Conv2d(inside, out, 3, 2, 1), nn.BatchNorm2d(out), nn.LeakyReLU(0.1, inplace=True)]
        inside = out
    return nn.Sequential(*layers, nn.Flatten())


class Decoder(nn.Module):
    """Appearance and expression -> a face."""

    def __init__(self) -> None:
        super().__init__()
        widths = (192, 96, 48, 32)  # of 3, 6, 12, 24 pixels
        self.first = nn.Linear(APPEARANCE + 2, widths[0] * CELL * CELL)
        layers: list[nn.Module] = []
        for inside, out in zip(widths, widths[1:]):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(inside, out, 3, 1, 1),
                nn.BatchNorm2d(out),
                nn.LeakyReLU(0.1, inplace=True),
            ]
        self.grow = nn.Sequential(*layers, nn.Conv2d(widths[-1], 4, 3, 1, 1), nn.PixelShuffle(2), nn.Tanh())

    def forward(self, z: Tensor, point: Tensor) -> Tensor:
        """(b, 32), (b, 2) -> (b, 1, 48, 48) in [-1, 1]."""
        x = self.first(torch.cat([z, 2 * point], 1))
        return self.grow(x.reshape(len(x), -1, CELL, CELL).contiguous(memory_format=torch.channels_last))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(halvings(), nn.Linear(CHANNELS[-1] * CELL * CELL, 2 * APPEARANCE))
        self.decoder = Decoder()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 1, 48, 48) -> mean and log variance of z, (b, 32) each."""
        mean, spread = self.encoder(x).float().chunk(2, 1)
        return mean, spread.clamp(-8, 4)


def disc(count: int, random: torch.Generator) -> Tensor:
    """(count, 2) points, uniform over v^2 + a^2 <= 1."""
    radius, angle = (
        torch.rand(count, generator=random).sqrt(),
        torch.rand(count, generator=random) * 2 * math.pi,
    )
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def picture_loss(drawn: Tensor, real: Tensor, edges: float) -> Tensor:
    """Mean absolute difference of pixels, and of the steps between neighbours."""
    down = F.l1_loss(drawn.diff(dim=2), real.diff(dim=2))
    across = F.l1_loss(drawn.diff(dim=3), real.diff(dim=3))
    return F.l1_loss(drawn, real) + edges * (down + across)


class Eye(nn.Module):
    """What the convolutions of the shipped `vgg16-fer` see in a face, at four sizes. It doesn't learn."""

    def __init__(self) -> None:
        super().__init__()
        net = load_face_model("vgg16-fer").net
        assert isinstance(net.features, nn.Sequential)
        self.layers = net.features

    def look(self, x: Tensor) -> list[Tensor]:
        """(b, 1, 48, 48) -> what leaves the second to fifth pooling: 11, 5, 2 and 1 cells wide."""
        views, x = [], centre(x, INPUT["vgg16-fer"])
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                views.append(x)
        return views[1:]

    def difference(self, drawn: Tensor, real: Tensor) -> Tensor:
        """Mean square difference of what is seen, relative to what is seen in `real`, over the four sizes."""
        with torch.no_grad():
            there = self.look(real)
        pairs = zip(self.look(drawn), there)
        return torch.stack(
            [F.mse_loss(a.float(), b.float()) / b.float().square().mean() for a, b in pairs]
        ).mean()


LOSSES = ("picture", "likeness", "divergence", "hide", "adversary")


class AutoencoderCourse:
    """The autoencoder with its adversary, and its `Run` in a folder."""

    def __init__(self, faces: FaceSet, folder: Path, options: AutoencoderOptions) -> None:
        self.options, self.where = options, device()
        known = np.isfinite(faces.point).all(1) & (faces.part == TRAIN)
        if not known.any():
            raise InputError("no training face has a valence and arousal", remedy="Train on another set.")
        self.faces = faces.take(known)
        torch.manual_seed(options.seed)
        self.model = Autoencoder()
        self.adversary = nn.Sequential(
            nn.Linear(APPEARANCE, 128),
            nn.LeakyReLU(0.1),
            nn.Linear(128, 128),
            nn.LeakyReLU(0.1),
            nn.Linear(128, 2),
        )
        self.parts = nn.ModuleDict({"model": self.model, "adversary": self.adversary})
        self.parts.to(self.where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eye = Eye().to(self.where) if options.likeness else None
        self.optimisers = [torch.optim.Adam(p.parameters(), options.rate) for p in self.parts.values()]
        self.mean = torch.from_numpy(self.faces.point.mean(0)).to(self.where)
        self.settings = {k: v for k, v in asdict(options).items() if k not in ("epochs", "checkpoint_every")}
        self.settings["faces"] = len(self.faces)
        updates = options.epochs * len(self.faces) / options.batch
        self.run = Run(self, folder, Budget(updates, checkpoint=options.checkpoint_every))

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        figures = {name: round(loss, 4) for name, loss in losses.items()}
        return {"step": run.step, "minutes": run.seconds / 60, "spent": run.spent, **figures}

    def measure(self, run: Run) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        return {"parts": self.parts.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers]}

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load_state_dict(state["parts"])
        for optimiser, before in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(before)

    def update(self, step: int, spent: float) -> dict[str, float]:
        """One step of the autoencoder, then one of its adversary; the losses by name, see `LOSSES`."""
        o = self.options
        seed = o.seed * 1_000_003 + step
        random = torch.Generator().manual_seed(seed)
        rows = np.random.default_rng(seed).choice(len(self.faces), o.batch)
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = o.rate * max(rate_at(spent), 0.02)
        self.parts.train()
        real = augment(
            normalise(torch.from_numpy(self.faces.pixels[rows]).to(self.where)), SIDE, GENTLE, random
        )
        real = real.contiguous(memory_format=torch.channels_last)
        point = torch.from_numpy(self.faces.point[rows]).to(self.where)
        noise = torch.randn(len(rows), APPEARANCE, generator=random).to(self.where)
        with torch.autocast(self.where.type, torch.bfloat16):
            mean, spread = self.model.encode(real)
            again = self.model.decoder(mean + noise * (0.5 * spread).exp(), point).float()
            picture = picture_loss(again, real, o.edges)
            half = slice(0, len(real) // 2)  # the rest would cost as much and say little more
            likeness = (
                picture.new_zeros(()) if self.eye is None else self.eye.difference(again[half], real[half])
            )
            divergence = -0.5 * (1 + spread - mean.square() - spread.exp()).sum(1).mean()
            hidden = F.mse_loss(self.adversary(mean).float(), self.mean.expand_as(point))
            total = picture + o.likeness * likeness + o.narrow * divergence + o.hide * hidden
            self._step(self.optimisers[0], total)
            adversary = F.mse_loss(self.adversary(mean.detach()).float(), point)
            self._step(self.optimisers[1], adversary)
        losses = (picture, likeness, divergence, hidden, adversary)
        return {name: float(loss.detach()) for name, loss in zip(LOSSES, losses)}

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        self.parts.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


class Drawer:
    """Draws training faces with any expression, over and over."""

    def __init__(self, model: Autoencoder, pixels: np.ndarray) -> None:
        self.model = model.eval().requires_grad_(False)
        self.where = next(model.parameters()).device
        with torch.inference_mode():
            rows = [self.model.encode(x)[0] for x in self._batches(pixels)]
        self.appearance = torch.cat(rows).clone()  # (n, 32)

    def _batches(self, pixels: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(pixels), 256):
            yield normalise(torch.from_numpy(pixels[start : start + 256]).to(self.where))

    def draw(self, persons: np.ndarray, points: Tensor) -> Tensor:
        """Indices into the faces (b,) and valence, arousal (b, 2) -> (b, 1, 48, 48) in [-1, 1]."""
        with torch.no_grad(), torch.autocast(self.where.type, torch.bfloat16):
            return self.model.decoder(
                self.appearance[torch.from_numpy(persons)], points.to(self.where)
            ).float()


def train_autoencoder(faces: FaceSet, folder: Path, options: AutoencoderOptions, log: Log) -> Autoencoder:
    """Train it, or go on, or only read it when its budget is used up already."""
    course = AutoencoderCourse(faces, folder, options)
    course.run.go(log)
    return course.model.eval()
