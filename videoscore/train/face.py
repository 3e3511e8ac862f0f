"""Train a model that reads faces: one command for CPU and GPU, resumable.

The emotion models (`vgg16-fer`, `cnn-fer`) have fourteen outputs: seven for the label of FER2013 and seven for
the votes of FER+, which describe the same face less noisily. The first is what the set is ranked by, the second
is what the perceiver reads.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.mood.faces.nets import INPUT, NETS
from videoscore.train.augment import Jitter, augment, centre, normalise
from videoscore.train.faces import NO_LABEL, TRAIN, VALID, FaceSet

Log = Callable[[dict], None]
CLASSES = len(EMOTIONS)


@dataclass(frozen=True)
class FaceOptions:
    """minutes : training time in all, over every resume. epochs : a budget in passes instead, when not 0.
    width : of the network. oversample : 0 draws every face equally often, 1 every class, .5 the geometric
    middle. smoothing : of the labels (Szegedy et al. 2016)."""

    model: str = "vgg16-fer"
    width: float = 1.0
    minutes: float = 90.0
    epochs: float = 0.0
    batch: int = 128
    rate: float = 0.1
    decay: float = 5e-4
    oversample: float = 0.5
    smoothing: float = 0.05
    seed: int = 0
    checkpoint_every: float = 180.0


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def rate_at(done: float) -> float:
    """Share of the peak rate: up in the first tenth of the budget, then a cosine to nothing (one cycle,
    Smith & Topin 2019)."""
    return done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.1) / 0.9))) + 1e-4


def draws(label: np.ndarray, power: float) -> np.ndarray:
    """(n,) labels -> (n,) probability of being drawn, proportional to (size of its class) ** -power."""
    size = np.bincount(label, minlength=CLASSES).astype(float)
    share = size[label] ** -power
    return share / share.sum()


def emotion_loss(out: Tensor, label: Tensor, votes: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy with the label and with the votes; a face without one or the other is left out of it."""
    known = label != NO_LABEL
    by_label = F.cross_entropy(out[known, :CLASSES], label[known], label_smoothing=smoothing, reduction="sum")
    by_votes = -(votes * F.log_softmax(out[:, CLASSES:], 1)).sum()
    return (by_label + by_votes) / len(out)


class FaceRun:
    """A training run that lives in a folder: state.pt to go on from, log.jsonl to look at."""

    def __init__(self, faces: FaceSet, folder: Path, options: FaceOptions) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.where = folder, options, device()
        torch.manual_seed(options.seed)
        self.side = INPUT[options.model]
        self.train, self.valid = faces.take(faces.part == TRAIN), faces.take(faces.part == VALID)
        self.net = NETS[options.model](2 * CLASSES, options.width).to(self.where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        gains = [p for p in self.net.parameters() if p.ndim < 2]
        matrices = [p for p in self.net.parameters() if p.ndim >= 2]
        self.optimiser = torch.optim.SGD([{"params": matrices, "weight_decay": options.decay},
                                          {"params": gains, "weight_decay": 0.0}],
                                         lr=options.rate, momentum=0.9, nesterov=True)
        self.seconds, self.step = 0.0, 0
        if (folder / "state.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.where, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average, self.seconds, self.step = state["average"], state["seconds"], state["step"]

    def save(self) -> None:
        """Whole or not at all: a kill while writing leaves the state before."""
        part = self.folder / "state.pt.part"
        torch.save({"net": self.net.state_dict(), "average": self.average, "seconds": self.seconds,
                    "optimiser": self.optimiser.state_dict(), "step": self.step, "options": asdict(self.options)},
                   part)
        os.replace(part, self.folder / "state.pt")

    @property
    def epoch(self) -> float:
        return self.step * self.options.batch / max(len(self.train), 1)

    @property
    def spent(self) -> float:
        """Share of the budget that is used up; 1 and above is the end."""
        o = self.options
        return self.epoch / o.epochs if o.epochs else self.seconds / (60 * o.minutes)

    def averaged(self) -> nn.Module:
        net = NETS[self.options.model](2 * CLASSES, self.options.width).to(self.where)
        net.load_state_dict(self.average)
        return net.eval()

    def batches(self) -> Iterator[np.ndarray]:
        """Indices into the training faces, for ever. A resumed run draws on with another seed."""
        rng = np.random.default_rng([self.options.seed, self.step])
        share = draws(np.minimum(self.train.label, CLASSES - 1), self.options.oversample)
        while True:
            yield rng.choice(len(share), self.options.batch, p=share)

    def update(self, chosen: np.ndarray, random: torch.Generator) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * rate_at(self.spent)
        x = normalise(torch.from_numpy(self.train.pixels[chosen]).to(self.where))
        x = augment(x, self.side, Jitter(), random).contiguous(memory_format=torch.channels_last)
        label = torch.from_numpy(self.train.label[chosen].astype(np.int64)).to(self.where)
        votes = torch.from_numpy(self.train.votes[chosen]).to(self.where)
        with torch.autocast(self.where.type, torch.bfloat16):
            out = self.net(x)
        loss = emotion_loss(out.float(), label, votes, self.options.smoothing)
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

    def go(self, log: Log) -> None:
        """Train until the budget is used up; measures on the validation part with every checkpoint."""
        random = torch.Generator().manual_seed(self.options.seed * 1_000_003 + self.step)
        since, total = self.seconds, 0.0
        batches = self.batches()
        self.net.train()
        while self.spent < 1:
            clock = time.monotonic()
            total += self.update(next(batches), random)
            self.step += 1
            self.seconds += time.monotonic() - clock
            if self.step % 50 == 0:
                log({"step": self.step, "minutes": self.seconds / 60, "epoch": self.epoch, "train": total / 50})
                total = 0.0
            if self.seconds - since > self.options.checkpoint_every:
                since = self.seconds
                self.save()
                log({"step": self.step, "epoch": self.epoch} | measure(self.averaged(), self.valid, self.side))
        self.save()
        log({"step": self.step, "epoch": self.epoch, "done": True} | measure(self.averaged(), self.valid, self.side))


def outputs(net: nn.Module, pixels: np.ndarray, side: int, mirrored: bool = True) -> Tensor:
    """(n, 48, 48) faces -> (n, outputs), float32 on the CPU; the mean with those of the mirrored faces."""
    where = next(net.parameters()).device
    rows = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 256):
            x = centre(normalise(torch.from_numpy(pixels[start:start + 256]).to(where)), side)
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast(where.type, torch.bfloat16):
                out = net(x).float()
                rows.append(((out + net(x.flip(3)).float()) / 2 if mirrored else out).cpu())
    return torch.cat(rows)


def measure(net: nn.Module, faces: FaceSet, side: int) -> dict[str, float]:
    """Accuracy on the labels, on the majority of the votes (ties and faces without votes left out), and
    the mean loss of the votes in nats."""
    out = outputs(net, faces.pixels, side)
    by_label, by_votes = out[:, :CLASSES].argmax(1).numpy(), out[:, CLASSES:].argmax(1).numpy()
    clear = decided(faces.votes)
    logs = F.log_softmax(out[:, CLASSES:], 1).numpy()
    return {"label": float((by_label == faces.label).mean()),
            "majority": float((by_votes == faces.votes.argmax(1))[clear].mean()),
            "votes": float(-(faces.votes * logs).sum(1).mean())}


def decided(votes: np.ndarray) -> np.ndarray:
    """(n, 7) -> (n,) faces of which one emotion got more votes than any other."""
    ordered = np.sort(votes, 1)
    return ordered[:, -1] > ordered[:, -2]


def train(faces: FaceSet, folder: Path, options: FaceOptions, log: Log = lambda entry: None) -> FaceRun:
    """Train (or go on training) in `folder`."""
    run = FaceRun(faces, folder, options)

    def both(entry: dict) -> None:
        with open(folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        log(entry)

    run.go(both)
    return run
