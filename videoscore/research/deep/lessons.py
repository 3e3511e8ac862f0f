"""What the eight-mood CNNs learn, as a course of the training loop (`videoscore.research.run`)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.mood.perceivers.backbone import half_precision
from videoscore.mood.perceivers.deep import DENSE, MoodCNN
from videoscore.research.deep.views import augmented_views, plain_views
from videoscore.research.run import Budget, Log, Run, device

Floats = NDArray[np.float32]
Check = Callable[[MoodCNN], dict[str, float]]

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

    @property
    def digest(self) -> str:
        """Of all that they say, so that a run doesn't go on with others. The pictures count by their number."""
        told = (self.rows, self.moods, self.points, self.features)
        raw = b"".join(b"-" if v is None else np.ascontiguousarray(v).tobytes() for v in told)
        shapes = repr((self.pictures.shape, None if self.halfway is None else self.halfway.shape))
        return hashlib.sha256(raw + shapes.encode()).hexdigest()

    def views(self, rows: NDArray[np.int64], rng: np.random.Generator, where: torch.device) -> Tensor:
        """A view at random of each picture in `rows`."""
        if self.halfway is None:
            return augmented_views(torch.from_numpy(self.pictures[rows]).to(where), rng)
        features = self.halfway[rng.integers(len(self.halfway), size=len(rows)), rows]  # (b, c, s, s)
        return torch.from_numpy(features).to(where).float().contiguous(memory_format=torch.channels_last)


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
        embedding = self.net.look(x, self.frozen)  # (b, 512)
        total = x.new_zeros(())
        if features is not None and self.features is not None:
            share = FEATURE_SHARE if moods is not None else 1.0
            total = total + share * F.mse_loss(self.features(embedding).float(), features)
        if moods is not None:
            logits, last = self.net.tell(embedding)  # (b, 8), (b, 64)
            total = total + F.cross_entropy(logits.float(), moods)
            if points is not None:
                total = total + POINT_SHARE * F.mse_loss(self.point(last).float(), points)
        return total


class DeepCourse:
    """An eight-mood CNN that learns lessons, and its `Run` in a folder; log.jsonl gets one line an epoch.

    check : measures the network, every `Recipe.check` epochs and at the end. Raises UsageError when the folder holds a
    run with other settings.
    """

    def __init__(
        self,
        student: Student,
        lessons: Lessons,
        recipe: Recipe,
        folder: Path,
        check: Check | None = None,
    ) -> None:
        self.lessons, self.recipe, self.check, self.where = lessons, recipe, check, device()
        self.student = student.to(self.where).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        free = [p for p in student.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(free, lr=recipe.rate, weight_decay=recipe.decay)
        self.steps_per_epoch = math.ceil(len(lessons.rows) / recipe.batch)
        self.steps = self.steps_per_epoch * recipe.epochs
        self.settings: dict[str, Any] = {
            **asdict(recipe),
            "pictures": len(lessons.rows),
            "config": asdict(student.net.config),
            "frozen": student.frozen,
            "lessons": lessons.digest,
        }
        del self.settings["checkpoint"], self.settings["check"]
        self.run = Run(self, folder, Budget(self.steps, 0.0, recipe.checkpoint, self.steps_per_epoch))

    def go(self, log: Log = lambda entry: None, most: int | None = None) -> MoodCNN:
        """Train to the end (or for `most` updates); the network, ready to be used."""
        self.run.go(log, most)
        return self.student.net.eval()

    def rate(self, step: int) -> float:
        """Learning rate of an update: linear warm-up, then a cosine down to nothing."""
        share = step / self.steps
        if share < WARM_UP:
            return self.recipe.rate * (step + 1) / (WARM_UP * self.steps + 1)
        return self.recipe.rate * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))

    def rows(self, step: int) -> NDArray[np.int64]:
        """Pictures of an update, sorted (they may lie on a disk)."""
        epoch, at = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, 1, epoch]).permutation(self.lessons.rows)
        return np.sort(np.array_split(order, self.steps_per_epoch)[at])

    def update(self, step: int, spent: float) -> dict[str, float]:
        """One optimiser step, see `videoscore.research.run.Course`."""
        rng = np.random.default_rng([self.recipe.seed, 2, step])
        torch.manual_seed(int(rng.integers(2**62)))  # what dropout blanks
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(step)
        rows, to_learn = self.rows(step), self.lessons
        targets = [
            None if v is None else torch.from_numpy(v[rows]).float().to(self.where)
            for v in (to_learn.moods, to_learn.points, to_learn.features)
        ]
        self.student.train()
        x = to_learn.views(rows, rng, self.where)
        with torch.autocast(self.where.type, torch.bfloat16, enabled=half_precision(self.where)):
            loss = self.student.loss(x, *targets)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimiser.step()
        return {"loss": float(loss.detach())}

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        epoch = run.step // self.steps_per_epoch
        entry: dict[str, Any] = {"epoch": epoch, "seconds": round(run.seconds, 1), **losses}
        if self.check is not None and (epoch % self.recipe.check == 0 or run.step == self.steps):
            entry |= self.check(self.student.net.eval())
        run.save()
        return entry

    def measure(self, run: Run) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        return {"student": self.student.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.student.load_state_dict(state["student"])
        self.optimiser.load_state_dict(state["optimiser"])


def logits(net: MoodCNN, pictures: NDArray[np.uint8], rows: NDArray[np.int64], batch: int = 64) -> Floats:
    """(m, 8) of the pictures in `rows`, seen whole."""
    where = next(net.parameters()).device
    out = []
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
        for at in range(0, len(rows), batch):
            x = plain_views(torch.from_numpy(pictures[rows[at : at + batch]]).to(where))
            out.append(net(x).float().cpu())
    return torch.cat(out).numpy() if out else np.empty((0, 8), np.float32)
