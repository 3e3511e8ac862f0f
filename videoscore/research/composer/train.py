"""Train the composer: ``videoscore train composer``; one command for CPU and GPU, resumable.

The learning rate follows the share of the time budget that is used up, so that a
run ends well wherever it runs: ``--minutes`` counts training time over all resumes.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from videoscore.compose.network.load import HARMONY
from videoscore.compose.network.model import Composer, ComposerConfig
from videoscore.research.composer.windows import Augment, Corpus
from videoscore.research.weights import write_weights


@dataclass(frozen=True)
class TrainOptions:
    """minutes : training time in all. updates : a budget in optimiser steps, instead of minutes when not
    0, for runs that can be repeated exactly. window : notes and bar lines a window; batch : in a batch."""

    minutes: float = 90.0
    updates: int = 0
    window: int = 512
    batch: int = 2048
    rate: float = 1e-3
    decay: float = 0.05
    seed: int = 0
    threads: int = 0
    checkpoint_every: float = 240.0


Log = Callable[[dict], None]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_tensors(batch: dict[str, np.ndarray], where: torch.device) -> dict[str, torch.Tensor]:
    return {
        k: torch.from_numpy(np.ascontiguousarray(v)).to(where, non_blocking=True) for k, v in batch.items()
    }


def measure(model: Composer, batches: list[dict[str, np.ndarray]], where: torch.device) -> dict[str, float]:
    """Nats a note on fixed windows: onset (with bar lines), role, pitch, duration and their sum."""
    model.eval()
    total = torch.zeros(6, dtype=torch.float64)
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16):
        for batch in batches:
            total += model.loss(to_tensors(batch, where)).double().cpu()
    model.train()
    nats = (total[:4] / total[5]).tolist()
    return dict(zip(("onset", "role", "pitch", "duration"), nats)) | {"note": sum(nats)}


def learning_rate(done: float, peak: float) -> float:
    """Linear warm-up over the first 2 % of the budget, then a cosine down to 3 %."""
    if done < 0.02:
        return peak * max(done, 1e-4) / 0.02
    return peak * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.02) / 0.98))))


class Run:
    """A training run that lives in a folder: state.pt to go on from, log.jsonl to look at."""

    def __init__(self, corpus: Path, folder: Path, config: ComposerConfig, options: TrainOptions) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.where = folder, options, device()
        if options.threads:
            torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.train, self.valid = Corpus(corpus, 0), Corpus(corpus, 1)
        self.model = Composer(config).to(self.where)
        self.average = {k: v.detach().float().clone() for k, v in self.model.state_dict().items()}
        matrices = [p for p in self.model.parameters() if p.ndim >= 2]
        others = [p for p in self.model.parameters() if p.ndim < 2]
        groups = [
            {"params": matrices, "weight_decay": options.decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.95))
        self.seconds, self.step, self.notes = 0.0, 0, 0
        if (folder / "state.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.where, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.seconds, self.step, self.notes = state["seconds"], state["step"], state["notes"]

    def save(self) -> None:
        """Whole or not at all: a kill while writing leaves the state before."""
        part = self.folder / "state.pt.part"
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average,
                "optimiser": self.optimiser.state_dict(),
                "seconds": self.seconds,
                "step": self.step,
                "notes": self.notes,
                "config": self.model.config.as_dict(),
            },
            part,
        )
        os.replace(part, self.folder / "state.pt")

    @property
    def spent(self) -> float:
        """Share of the budget that is used up; 1 and above is the end."""
        o = self.options
        return self.step / o.updates if o.updates else self.seconds / (60 * o.minutes)

    def averaged(self) -> Composer:
        model = Composer(self.model.config).to(self.where)
        model.load_state_dict(self.average)
        return model.eval()

    def _average(self) -> None:
        keep = min(0.999, (1 + self.step) / (10 + self.step))
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value.float(), 1 - keep)

    def update(self, batch: dict[str, np.ndarray]) -> torch.Tensor:
        """One optimiser step; the batch's loss parts as `Composer.loss` returns them."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.spent, self.options.rate)
        with torch.autocast(self.where.type, torch.bfloat16):
            parts = self.model.loss(to_tensors(batch, self.where))
        (parts[:4].sum() / parts[4]).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self._average()
        return parts.detach()

    def go(self, log: Log) -> None:
        """Train until the budget is used up; logs every 50 steps, measures with every checkpoint."""
        o = self.options
        rng = np.random.default_rng([o.seed, self.step])
        checks = {
            name: self.valid.fixed(o.window, o.batch, 15_000, name)
            for name in ("openscore_lieder", "openscore_quartets", "freedoom")
        }
        batches = self.train.batches(rng, o.window, o.batch, Augment())
        since, total = self.seconds, torch.zeros(6)
        self.model.train()
        while self.spent < 1:
            clock = time.monotonic()
            total += self.update(next(batches)).cpu()
            self.step += 1
            self.seconds += time.monotonic() - clock
            if self.step % 50 == 0:
                self.notes += int(total[5])
                log(
                    {
                        "step": self.step,
                        "minutes": self.seconds / 60,
                        "notes": self.notes,
                        "train": float(total[:4].sum() / total[5]),
                    }
                )
                total.zero_()
            if self.seconds - since > o.checkpoint_every:
                since = self.seconds
                self.save()
                log(
                    {"step": self.step}
                    | {k: measure(self.averaged(), b, self.where) for k, b in checks.items()}
                )
        self.save()
        log(
            {"step": self.step, "done": True}
            | {k: measure(self.averaged(), b, self.where) for k, b in checks.items()}
        )


def export(run: Run, target: Path, command: str) -> None:
    """The averaged weights as fp16 safetensors, and how they were made as JSON beside them."""
    from safetensors.torch import save_file

    tensors = {k: v.half().contiguous().cpu() for k, v in run.average.items()}
    tensors[HARMONY] = torch.from_numpy(run.train.harmony().table).half()
    write_weights(
        target,
        partial(save_file, tensors, metadata={"config": json.dumps(run.model.config.as_dict())}),
        {
            "command": command,
            "steps": run.step,
            "notes": run.notes,
            "minutes": round(run.seconds / 60, 1),
            "device": str(run.where),
            "torch": torch.__version__,
            "options": asdict(run.options),
            "model": run.model.config.as_dict(),
        },
    )


def train(
    corpus: Path,
    folder: Path,
    out: Path | None,
    config: ComposerConfig,
    options: TrainOptions,
    command: str = "",
    log: Log = lambda entry: None,
) -> None:
    """Train (or go on training) in `folder`; write weights to `out` at the end when it is given."""
    run = Run(corpus, folder, config, options)

    def both(entry: dict) -> None:
        with open(folder / "log.jsonl", "a") as file:
            file.write(json.dumps(entry) + "\n")
        log(entry)

    run.go(both)
    if out is not None:
        export(run, out, command)
