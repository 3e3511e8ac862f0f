"""A training run that lives in a folder: state.pt to go on from, log.jsonl to look at."""

from __future__ import annotations

import json
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from videoscore.errors import InputError, UsageError
from videoscore.mood.faces.nets import INPUT, NETS, centre, normalise
from videoscore.research.faces.data import TRAIN, VALID, FaceSet

Log = Callable[[dict[str, Any]], None]

# of the shipped models
WIDTH = {"vgg16-fer": 0.5, "cnn-fer": 1.0, "resnet34-va": 0.25}
RATE = {"vgg16-fer": 0.1, "cnn-fer": 1e-3, "resnet34-va": 2e-3}
# by AdamW: the CNN has no batch norm and doesn't start to learn by plain gradients; the ResNet, within the few
# passes that a CPU affords, gets there in half the time
ADAPTIVE = ("cnn-fer", "resnet34-va")
WAYS = ("plain", "under", "over", "generated")


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


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def rate_at(done: float) -> float:
    """Share of the peak rate: up in the first tenth of the budget, then a cosine to nothing (one cycle,
    Smith & Topin 2019)."""
    return done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.1) / 0.9))) + 1e-4


def save_state(state: dict[str, Any], folder: Path) -> None:
    """state.pt, whole or not at all: a kill while writing leaves the state before."""
    part = folder / "state.pt.part"
    torch.save(state, part)
    os.replace(part, folder / "state.pt")


def logger(folder: Path, log: Log) -> Log:
    """Tells `log` and writes a line of log.jsonl."""

    def both(entry: dict[str, Any]) -> None:
        with open(folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        log(entry)

    return both


class FaceRun(ABC):
    """One network, a running mean of its weights, and where in its budget it is.

    Every update draws from generators seeded with (seed, step) alone, so a run that was interrupted ends in
    the same weights as one that wasn't, on a CPU with the same number of threads and a budget in epochs.
    """

    outputs: int

    def __init__(self, faces: FaceSet, folder: Path, options: FaceOptions) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.where = folder, options, device()
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
        self.seconds, self.step = 0.0, 0
        if (folder / "state.pt").exists():
            self._load()

    @abstractmethod
    def share(self) -> np.ndarray:
        """(n,) how often each training face is drawn; sums to 1."""

    @abstractmethod
    def loss(self, chosen: np.ndarray, random: torch.Generator) -> Tensor:
        """Mean loss of the training faces at these indices."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Figures of the averaged network on the validation part."""

    def _network(self) -> nn.Module:
        return NETS[self.options.model](self.outputs, self.options.true_width).to(self.where)  # type: ignore[call-arg]

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.where, weights_only=True)
        before = {k: state["options"].get(k) for k in ("model", "seed", "way")}
        for key, value in before.items():
            if value is not None and value != getattr(self.options, key):
                raise UsageError(
                    f"this folder holds a run with {key} {value}",
                    path=self.folder,
                    remedy="Name another folder, or the same options.",
                )
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average, self.seconds, self.step = state["average"], state["seconds"], state["step"]

    def save(self) -> None:
        save_state(
            {
                "net": self.net.state_dict(),
                "average": self.average,
                "seconds": self.seconds,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "options": asdict(self.options),
            },
            self.folder,
        )

    @property
    def epoch(self) -> float:
        return self.step * self.options.batch / len(self.train)

    @property
    def spent(self) -> float:
        """Share of the budget that is used up; 1 and above is the end."""
        o = self.options
        return self.epoch / o.epochs if o.epochs else self.seconds / (60 * o.minutes)

    def averaged(self) -> nn.Module:
        net = self._network()
        net.load_state_dict(self.average)
        return net.eval()

    def run(self, x: Tensor) -> Tensor:
        """(b, 1, s, s) -> (b, outputs) float32, in half precision on the way."""
        with torch.autocast(self.where.type, torch.bfloat16):
            return self.net(x.contiguous(memory_format=torch.channels_last)).float()

    def update(self, share: np.ndarray) -> float:
        seed = self.options.seed * 1_000_003 + self.step
        random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the dropout
        chosen = np.random.default_rng(seed).choice(len(share), self.options.batch, p=share)
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.true_rate * rate_at(self.spent)
        loss = self.loss(chosen, random)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        keep = min(0.999, (1 + self.step) / (10 + self.step))
        for name, value in self.net.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)
        return float(loss.detach())

    def go(self, log: Log, most: int | None = None) -> None:
        """Train until the budget is used up, or for `most` updates; measures with every checkpoint."""
        log = logger(self.folder, log)
        share = self.share()
        since, total, end = self.seconds, 0.0, None if most is None else self.step + most
        self.net.train()
        while self.spent < 1 and self.step != end:
            clock = time.monotonic()
            total += self.update(share)
            self.step += 1
            self.seconds += time.monotonic() - clock
            if self.step % 50 == 0:
                log(
                    {
                        "step": self.step,
                        "minutes": self.seconds / 60,
                        "epoch": self.epoch,
                        "train": total / 50,
                    }
                )
                total = 0.0
            if self.seconds - since > self.options.checkpoint_every:
                since = self.seconds
                self.save()
                log({"step": self.step, "epoch": self.epoch} | self.measure())
        self.save()
        log({"step": self.step, "epoch": self.epoch, "done": self.spent >= 1} | self.measure())


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
