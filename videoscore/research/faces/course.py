"""A network that reads faces, as a course of the training loop (`videoscore.research.run`)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from videoscore.errors import InputError, UsageError
from videoscore.mood.faces.nets import INPUT, NETS, centre, normalise
from videoscore.research.faces.data import TRAIN, VALID, FaceSet
from videoscore.research.run import Budget, Run, device

# of the shipped models
WIDTH = {"vgg16-fer": 0.5, "cnn-fer": 1.0, "resnet34-va": 0.25}
RATE = {"vgg16-fer": 0.1, "cnn-fer": 1e-3, "resnet34-va": 2e-3}
# by AdamW: the CNN has no batch norm and doesn't start to learn by plain gradients; the ResNet, within the few
# passes that a CPU affords, gets there in half the time
ADAPTIVE = ("cnn-fer", "resnet34-va")
WAYS = ("plain", "under", "over", "generated")
BUDGET = ("minutes", "epochs", "checkpoint_every")  # options that may change when a run goes on


@dataclass(frozen=True)
class FaceOptions:
    """model : name in `NETS`. width : of the network, 0 as shipped. minutes : training time in all, over every
    resume. epochs : a budget in passes instead, when not 0. batch : faces an update. rate : peak learning
    rate, 0 the model's own. decay : of the weights. oversample : 0 draws every face equally often, 1 every
    class, .5 the geometric middle (emotion models). smoothing : of the labels (Szegedy et al. 2016). way : in
    which valence_arousal.py balances the plane, one of `WAYS`. real : share of real faces among the
    generated. autoencoder_epochs : passes in which the autoencoder that draws them is trained.
    checkpoint_every : seconds."""

    model: str = "vgg16-fer"
    width: float = 0.0
    minutes: float = 90.0
    epochs: float = 0.0
    batch: int = 128
    rate: float = 0.0
    decay: float = 5e-4
    oversample: float = 0.5
    smoothing: float = 0.05
    seed: int = 0
    way: str = "plain"
    real: float = 0.5
    autoencoder_epochs: float = 10.0
    checkpoint_every: float = 180.0

    def __post_init__(self) -> None:
        if self.model not in NETS:
            raise UsageError(
                f"there is no face model named {self.model!r}", remedy=f"Choose from {', '.join(NETS)}."
            )
        if self.way not in WAYS:
            raise UsageError(
                f"there is no way of training named {self.way!r}", remedy=f"Choose from {', '.join(WAYS)}."
            )

    @property
    def true_width(self) -> float:
        return self.width or WIDTH[self.model]

    @property
    def true_rate(self) -> float:
        return self.rate or RATE[self.model]


def rate_at(done: float) -> float:
    """Share of the peak rate: up in the first tenth of the budget, then a cosine to nothing (one cycle,
    Smith & Topin 2019)."""
    return done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.1) / 0.9))) + 1e-4


class FaceCourse(ABC):
    """A network that reads faces, a running mean of its weights, and its `Run` in a folder.

    Every update draws from generators seeded with (seed, step) alone. Raises InputError for too few faces, UsageError
    when the folder holds a run with other settings.
    """

    outputs: int

    def __init__(self, faces: FaceSet, folder: Path, options: FaceOptions) -> None:
        self.options, self.where = options, device()
        self.side = INPUT[options.model]
        self.train, self.valid = faces.take(faces.part == TRAIN), faces.take(faces.part == VALID)
        if len(self.train) == 0 or len(self.valid) == 0:
            raise InputError(
                "the set has too few faces to learn from and to check with", remedy="Train on more faces."
            )
        torch.manual_seed(options.seed)
        self.net = self._network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        gains = [p for p in self.net.parameters() if p.ndim < 2]
        matrices = [p for p in self.net.parameters() if p.ndim >= 2]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": options.decay},
            {"params": gains, "weight_decay": 0.0},
        ]
        self.optimiser: torch.optim.Optimizer
        if options.model in ADAPTIVE:
            self.optimiser = torch.optim.AdamW(groups, options.true_rate)
        else:
            self.optimiser = torch.optim.SGD(groups, options.true_rate, momentum=0.9, nesterov=True)
        self.settings = {name: value for name, value in asdict(options).items() if name not in BUDGET}
        self.settings["faces"] = len(self.train)
        updates = options.epochs * len(self.train) / options.batch
        self.run = Run(self, folder, Budget(updates, options.minutes, options.checkpoint_every))

    @abstractmethod
    def share(self) -> np.ndarray:
        """(n,) how often each training face is drawn; sums to 1."""

    @abstractmethod
    def loss(self, chosen: np.ndarray, random: torch.Generator) -> Tensor:
        """Mean loss of the training faces at these indices."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """Figures of the averaged network on the validation part."""

    def _network(self) -> nn.Module:
        return NETS[self.options.model](self.outputs, self.options.true_width).to(self.where)  # type: ignore[call-arg]

    @property
    def epoch(self) -> float:
        """Passes over the training faces so far."""
        return self.run.step * self.options.batch / len(self.train)

    def averaged(self) -> nn.Module:
        net = self._network()
        net.load_state_dict(self.average)
        return net.eval()

    def forward(self, x: Tensor) -> Tensor:
        """(b, 1, s, s) -> (b, outputs) float32, in half precision on the way."""
        with torch.autocast(self.where.type, torch.bfloat16):
            return self.net(x.contiguous(memory_format=torch.channels_last)).float()

    @cached_property
    def shares(self) -> np.ndarray:
        return self.share()

    def update(self, step: int, spent: float) -> dict[str, float]:
        """One optimiser step, see `videoscore.research.run.Course`."""
        seed = self.options.seed * 1_000_003 + step
        random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the dropout
        rows = np.random.default_rng(seed).choice(len(self.shares), self.options.batch, p=self.shares)
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.true_rate * rate_at(spent)
        self.net.train()
        loss = self.loss(rows, random)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        keep = min(0.999, (1 + step) / (10 + step))
        for name, value in self.net.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)
        return {"train": float(loss.detach())}

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        return {"step": run.step, "minutes": run.seconds / 60, "epoch": self.epoch, **losses}

    def measure(self, run: Run) -> dict[str, Any]:
        return {"step": run.step, "epoch": self.epoch, "done": run.spent >= 1} | self.figures()

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average = state["average"]


def outputs(net: nn.Module, pixels: np.ndarray, side: int) -> Tensor:
    """(n, 48, 48) faces -> (n, outputs), float32 on the CPU; the mean with those of the mirrored faces."""
    where = next(net.parameters()).device
    rows = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 256):
            x = centre(normalise(torch.from_numpy(pixels[start : start + 256]).to(where)), side)
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast(where.type, torch.bfloat16):
                rows.append(((net(x).float() + net(x.flip(3)).float()) / 2).cpu())
    return torch.cat(rows)
