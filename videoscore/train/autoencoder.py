"""The face-generating autoencoder: the same person with another expression, at any valence and arousal.

    face 48 -> encoder -> appearance z (32) + v + a -> decoder -> face 48

It is needed in training only, see `videoscore.train.face_va`. Losses beside the picture's own make it mean what
it is asked: an adversary must not find (v, a) in z (Lample et al. 2017, "Fader Networks"); a judge, which learns
to read (v, a) from real faces alone, must read in what was drawn what was asked for, and must not tell it from a
real face (Odena et al. 2017, with the hinge loss); and z must be found again in the changed face: it is still the
same person. Faces are 1 x 48 x 48, not
3 x 64 x 64 as in the study, since FER2013 is grey and that large.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.errors import InputError, UsageError
from videoscore.mood.faces.nets import normalise
from videoscore.train.augment import Jitter, augment
from videoscore.train.face_run import Log, device, logger, rate_at, save_state
from videoscore.train.faces import SIDE, TRAIN, FaceSet

APPEARANCE = 32
CHANNELS = (16, 32, 64, 128)       # after each halving: 24, 12, 6, 3 pixels
CELL = SIDE >> len(CHANNELS)
# the same framing again and again would be learned by heart; but a turned face must not be drawn for a straight
GENTLE = Jitter(turn=5.0, zoom=0.05, shift=0.03, brightness=0.05, contrast=0.1, erased=0.0)


@dataclass(frozen=True)
class AutoencoderOptions:
    """epochs : passes over the training faces. The other numbers but batch, rate and seed weigh the losses:
    hide of (v, a) in z, obey and real of what the judge says, keep of z, narrow of z's divergence from a
    normal distribution."""

    epochs: float = 12.0
    batch: int = 128
    rate: float = 1e-3
    hide: float = 1.0
    obey: float = 1.0
    real: float = 0.03
    keep: float = 0.1
    narrow: float = 2e-3
    seed: int = 0
    checkpoint_every: float = 120.0


def halvings() -> nn.Sequential:
    """(b, 1, 48, 48) -> (b, 128 * 9)."""
    layers: list[nn.Module] = []
    inside = 1
    for out in CHANNELS:
        layers += [nn.Conv2d(inside, out, 3, 2, 1), nn.BatchNorm2d(out), nn.LeakyReLU(0.1, inplace=True)]
        inside = out
    return nn.Sequential(*layers, nn.Flatten())


class Judge(nn.Module):
    """Is it real, and what valence and arousal does it show?"""

    def __init__(self) -> None:
        super().__init__()
        self.look = halvings()
        self.real = nn.Linear(CHANNELS[-1] * CELL * CELL, 1)
        self.point = nn.Sequential(nn.Linear(CHANNELS[-1] * CELL * CELL, 128), nn.LeakyReLU(0.1), nn.Linear(128, 2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 1, 48, 48) -> (b, 1), large where it looks real, and (b, 2)."""
        seen = self.look(x)
        return self.real(seen).float(), self.point(seen).float()


class Decoder(nn.Module):
    """Appearance and expression -> a face."""

    def __init__(self) -> None:
        super().__init__()
        widths = (128, 64, 32, 32)                  # of 3, 6, 12, 24 pixels
        self.first = nn.Linear(APPEARANCE + 2, widths[0] * CELL * CELL)
        layers: list[nn.Module] = []
        for inside, out in zip(widths, widths[1:]):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inside, out, 3, 1, 1), nn.BatchNorm2d(out),
                       nn.LeakyReLU(0.1, inplace=True)]
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
    radius, angle = torch.rand(count, generator=random).sqrt(), torch.rand(count, generator=random) * 2 * math.pi
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


class AutoencoderRun:
    """The autoencoder with its two helpers, in a folder; resumable as `FaceRun` is."""

    def __init__(self, faces: FaceSet, folder: Path, options: AutoencoderOptions) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.where = folder, options, device()
        known = np.isfinite(faces.point).all(1) & (faces.part == TRAIN)
        if not known.any():
            raise InputError("no training face has a valence and arousal", remedy="Train on another set.")
        self.faces = faces.take(known)
        torch.manual_seed(options.seed)
        self.model = Autoencoder()
        self.judge = Judge()
        self.adversary = nn.Sequential(nn.Linear(APPEARANCE, 128), nn.LeakyReLU(0.1), nn.Linear(128, 128),
                                       nn.LeakyReLU(0.1), nn.Linear(128, 2))
        self.parts = nn.ModuleDict({"model": self.model, "judge": self.judge, "adversary": self.adversary})
        self.parts.to(self.where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        helpers = [p for n in ("judge", "adversary") for p in self.parts[n].parameters()]
        self.optimisers = [torch.optim.Adam(self.model.parameters(), options.rate, (0.5, 0.99)),
                           torch.optim.Adam(helpers, options.rate, (0.5, 0.99))]
        self.step, self.seconds = 0, 0.0
        self.mean = torch.from_numpy(self.faces.point.mean(0)).to(self.where)
        if (folder / "state.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.where, weights_only=True)
        if state.get("options", {}).get("seed") != self.options.seed:
            raise UsageError("this folder holds another run", path=self.folder, remedy="Name another folder.")
        self.parts.load_state_dict(state["parts"])
        for optimiser, before in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(before)
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        save_state({"parts": self.parts.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
                    "step": self.step, "seconds": self.seconds, "options": asdict(self.options)}, self.folder)

    @property
    def spent(self) -> float:
        return self.step * self.options.batch / len(self.faces) / self.options.epochs

    def go(self, log: Log, most: int | None = None) -> Autoencoder:
        """Train until the budget is used up, or for `most` updates."""
        log = logger(self.folder, log)
        since, sums, end = self.seconds, np.zeros(7), None if most is None else self.step + most
        self.parts.train()
        while self.spent < 1 and self.step != end:
            clock = time.monotonic()
            sums += self.update()
            self.step += 1
            self.seconds += time.monotonic() - clock
            if self.step % 50 == 0:
                names = ("picture", "hide", "obey", "real", "keep", "judge", "adversary")
                log({"step": self.step, "minutes": self.seconds / 60, "spent": self.spent}
                    | dict(zip(names, (sums / 50).round(4).tolist())))
                sums[:] = 0
            if self.seconds - since > self.options.checkpoint_every:
                since = self.seconds
                self.save()
        self.save()
        return self.model.eval()

    def update(self) -> np.ndarray:
        """One step of the autoencoder, then one of its helpers. Returns the losses, see `go`."""
        seed = self.options.seed * 1_000_003 + self.step
        random = torch.Generator().manual_seed(seed)
        chosen = np.random.default_rng(seed).choice(len(self.faces), self.options.batch)
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = self.options.rate * max(rate_at(self.spent), 0.02)
        real = augment(normalise(torch.from_numpy(self.faces.pixels[chosen]).to(self.where)), SIDE, GENTLE, random)
        real = real.contiguous(memory_format=torch.channels_last)
        point = torch.from_numpy(self.faces.point[chosen]).to(self.where)
        asked = disc(len(chosen), random).to(self.where)
        noise = torch.randn(len(chosen), APPEARANCE, generator=random).to(self.where)
        with torch.autocast(self.where.type, torch.bfloat16):
            losses, drawn, mean = self._draw(real, point, asked, noise)
            self._step(self.optimisers[0], sum(losses.values()))                     # type: ignore[arg-type]
            truly, read = self.judge(real)
            falsely, _ = self.judge(drawn.detach())
            misread = F.mse_loss(read, point)
            found = F.mse_loss(self.adversary(mean.detach()).float(), point)
            told = (F.relu(1 - truly) + F.relu(1 + falsely)).mean()
            self._step(self.optimisers[1], misread + found + told)
        shown = [losses[k] for k in ("picture", "hide", "obey", "real", "keep")] + [misread, found]
        return np.array([float(x.detach()) for x in shown])

    def _draw(self, real: Tensor, point: Tensor, asked: Tensor,
              noise: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The weighed losses of the autoencoder, its faces with the expression asked for, and z's mean."""
        o = self.options
        mean, spread = self.model.encode(real)
        z = mean + noise * (0.5 * spread).exp()
        # both through the decoder at once: batch norm then sees one and the same kind of picture
        both = self.model.decoder(torch.cat([z, z]), torch.cat([point, asked])).float()
        again, drawn = both.chunk(2)
        real_looking, read = self.judge(drawn)
        divergence = -0.5 * (1 + spread - mean.square() - spread.exp()).sum(1).mean()
        return {
            "picture": F.l1_loss(again, real) + 2 * F.mse_loss(again, real) + o.narrow * divergence,
            "hide": o.hide * F.mse_loss(self.adversary(mean).float(), self.mean.expand_as(point)),
            "obey": o.obey * F.mse_loss(read, asked),
            "real": -o.real * real_looking.mean(),
            "keep": o.keep * F.mse_loss(self.model.encode(drawn)[0], mean.detach()),
        }, drawn, mean

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
        self.appearance = torch.cat(rows).clone()                   # (n, 32)

    def _batches(self, pixels: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(pixels), 256):
            yield normalise(torch.from_numpy(pixels[start:start + 256]).to(self.where))

    def draw(self, persons: np.ndarray, points: Tensor) -> Tensor:
        """Indices into the faces (b,) and valence, arousal (b, 2) -> (b, 1, 48, 48) in [-1, 1]."""
        with torch.no_grad(), torch.autocast(self.where.type, torch.bfloat16):
            return self.model.decoder(self.appearance[torch.from_numpy(persons)], points.to(self.where)).float()


def train_autoencoder(faces: FaceSet, folder: Path, options: AutoencoderOptions, log: Log) -> Autoencoder:
    """Train it, or go on, or only read it when its budget is used up already."""
    return AutoencoderRun(faces, folder, options).go(log)
