"""Train an eight-mood CNN: one loop for every kind of lesson, on CPU and GPU, resumable to the same result.

The randomness of an update depends on the seed and the number of the update alone, so a run that was
stopped and taken up again ends where the unbroken one does.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.errors import UsageError
from videoscore.mood.perceivers.backbone import half_precision
from videoscore.mood.perceivers.deep import DENSE, MoodCNN
from videoscore.research.deep.views import augmented_views, plain_views

Floats = NDArray[np.float32]
Log = Callable[[dict[str, Any]], None]

WARM_UP = 0.05  # share of the run over which the rate rises
POINT_SHARE = 0.3  # of the loss of valence and arousal beside that of the moods
FEATURE_SHARE = 0.5  # of the loss of a teacher's features beside that of the moods


@dataclass(frozen=True, eq=False)
class Lessons:
    """What there is to learn from n stored pictures.

    pictures : (n, STORED, STORED, 3) uint8. rows : (m,) which pictures an epoch shows; one may be named twice.
    moods : (n, 8) probabilities to match. points : (n, 2) standardised valence and arousal, if they are to be
    learned too. features : (n, k) of a teacher's, likewise. One of `moods` and `features` must be there.
    halfway : (v, n, c, s, s) what the frozen blocks of a student make of v views of each picture; without it,
    pictures are augmented as they are shown.
    """

    pictures: NDArray[np.uint8]
    rows: NDArray[np.int64]
    moods: Floats | None = None
    points: Floats | None = None
    features: Floats | None = None
    halfway: NDArray[np.float16] | None = None

    def views(self, rows: NDArray[np.int64], rng: np.random.Generator, where: torch.device) -> Tensor:
        """A view at random of each picture in `rows`."""
        if self.halfway is None:
            return augmented_views(torch.from_numpy(self.pictures[rows]).to(where), rng)
        drawn = self.halfway[rng.integers(len(self.halfway), size=len(rows)), rows]  # (b, c, s, s)
        return torch.from_numpy(drawn).to(where).float().contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Recipe:
    """epochs : in all. batch : pictures. rate : the highest, AdamW; it warms up and falls as a cosine.
    decay : of the weights. checkpoint : seconds between two saved states. check : epochs between two
    measurements; the last epoch is always measured."""

    epochs: int = 60
    batch: int = 64
    rate: float = 1e-3
    decay: float = 1e-4
    seed: int = 0
    checkpoint: float = 120.0
    check: int = 1


class Student(nn.Module):
    """The CNN and what helps it to learn: outputs for a teacher's features and for valence and arousal.

    frozen : blocks, from the picture on, that stay as they are; lessons then begin halfway, behind them.
    """

    def __init__(self, net: MoodCNN, features: int = 0, frozen: int = 0) -> None:
        super().__init__()
        self.net, self.frozen = net, frozen
        self.features = nn.Linear(DENSE[0], features) if features else None
        self.point = nn.Linear(DENSE[1], 2)
        for part in (*net.blocks[:frozen], *net.norms[:frozen]):
            part.requires_grad_(False)

    def loss(self, x: Tensor, moods: Tensor | None, points: Tensor | None, features: Tensor | None) -> Tensor:
        """Views (b, 3, 128, 128), or (b, c, s, s) behind the frozen blocks, and what each should say -> mean loss."""
        seen = self.net.look(x, self.frozen)  # (b, 512)
        total = x.new_zeros(())
        if features is not None and self.features is not None:
            share = FEATURE_SHARE if moods is not None else 1.0
            total = total + share * F.mse_loss(self.features(seen).float(), features)
        if moods is not None:
            logits, last = self.net.tell(seen)  # (b, 8), (b, 64)
            total = total + F.cross_entropy(logits.float(), moods)
            if points is not None:
                total = total + POINT_SHARE * F.mse_loss(self.point(last).float(), points)
        return total


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Run:
    """A training run that lives in a folder: state.pt to go on from, log.jsonl with one line an epoch.

    Raises UsageError when the folder holds a run with other settings.
    """

    def __init__(self, student: Student, lessons: Lessons, recipe: Recipe, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.lessons, self.recipe = folder, lessons, recipe
        self.where = device()
        self.student = student.to(self.where).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        free = [p for p in student.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(free, lr=recipe.rate, weight_decay=recipe.decay)
        self.step, self.lost, self.seconds = 0, 0.0, 0.0
        self.steps_per_epoch = math.ceil(len(lessons.rows) / recipe.batch)
        self.settings = {
            **asdict(recipe),
            "pictures": len(lessons.rows),
            "config": asdict(student.net.config),
            "frozen": student.frozen,
        }
        del self.settings["checkpoint"], self.settings["check"]
        if (folder / "state.pt").is_file():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.where, weights_only=True)
        if state["settings"] != self.settings:
            raise UsageError(
                "this folder holds a run with other settings",
                path=self.folder,
                remedy="Name another folder with --run, or the settings that it began with.",
            )
        self.student.load_state_dict(state["student"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.lost, self.seconds = state["step"], state["lost"], state["seconds"]

    def save(self) -> None:
        """Whole or not at all: a kill while writing leaves the state before."""
        part = self.folder / "state.pt.part"
        torch.save(
            {
                "student": self.student.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "lost": self.lost,
                "seconds": self.seconds,
                "settings": self.settings,
            },
            part,
        )
        os.replace(part, self.folder / "state.pt")

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.recipe.epochs

    def rate(self) -> float:
        """Learning rate of the next update: linear warm-up, then a cosine down to nothing."""
        done = self.step / self.steps
        if done < WARM_UP:
            return self.recipe.rate * (self.step + 1) / (WARM_UP * self.steps + 1)
        return self.recipe.rate * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))

    def rows(self) -> NDArray[np.int64]:
        """Pictures of the next update, sorted (they may lie on a disk)."""
        epoch, at = divmod(self.step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, 1, epoch]).permutation(self.lessons.rows)
        return np.sort(np.array_split(order, self.steps_per_epoch)[at])

    def update(self) -> float:
        """One optimiser step; its loss."""
        seed = [self.recipe.seed, 2, self.step]
        rng = np.random.default_rng(seed)
        torch.manual_seed(int(rng.integers(2**62)))  # what dropout blanks
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        rows, to_learn = self.rows(), self.lessons
        targets = [
            None if v is None else torch.from_numpy(v[rows]).float().to(self.where)
            for v in (to_learn.moods, to_learn.points, to_learn.features)
        ]
        x = to_learn.views(rows, rng, self.where)
        with torch.autocast(self.where.type, torch.bfloat16, enabled=half_precision(self.where)):
            loss = self.student.loss(x, *targets)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def go(
        self,
        check: Callable[[MoodCNN], dict[str, float]] | None = None,
        log: Log = lambda entry: None,
        stop_after: int | None = None,
    ) -> MoodCNN:
        """Train until the last epoch (or for `stop_after` updates); returns the network, ready to be used.

        check : measures the network after every epoch. log : gets each epoch's figures, as log.jsonl does.
        """
        last = self.steps if stop_after is None else min(self.steps, self.step + stop_after)
        self.student.train()
        clock = saved = time.monotonic()
        while self.step < last:
            self.lost += self.update()
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            if self.step % self.steps_per_epoch == 0:
                self._end_epoch(check, log)
            if now - saved > self.recipe.checkpoint:
                saved = now
                self.save()
        self.save()
        return self.student.net.eval()

    def _end_epoch(self, check: Callable[[MoodCNN], dict[str, float]] | None, log: Log) -> None:
        epoch = self.step // self.steps_per_epoch
        entry: dict[str, Any] = {
            "epoch": epoch,
            "seconds": round(self.seconds, 1),
            "loss": self.lost / self.steps_per_epoch,
        }
        self.lost = 0.0
        if check is not None and (epoch % self.recipe.check == 0 or self.step == self.steps):
            entry |= check(self.student.net.eval())
            self.student.train()
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self.save()
        log(entry)


def logits(net: MoodCNN, pictures: NDArray[np.uint8], rows: NDArray[np.int64], batch: int = 64) -> Floats:
    """(m, 8) of the pictures in `rows`, seen whole."""
    where = next(net.parameters()).device
    out = []
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
        for at in range(0, len(rows), batch):
            x = plain_views(torch.from_numpy(pictures[rows[at : at + batch]]).to(where))
            out.append(net(x).float().cpu())
    return torch.cat(out).numpy() if out else np.empty((0, 8), np.float32)
