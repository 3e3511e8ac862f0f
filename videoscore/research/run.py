"""The one training loop: for every network that is trained here, on CPU and GPU, resumable to the same result.

What is trained is a `Course`: it knows its network, one update, and how to measure itself. A `Run` drives it in a
folder: state.pt to go on from, log.jsonl to look at. The chance of an update has to hang on the seed and the number of
the update alone; then a run that was stopped and taken up again ends where the unbroken one does, on a CPU with the
same number of threads and a budget in updates.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from videoscore.errors import UsageError

Log = Callable[[dict[str, Any]], None]
STATE, LOG = "state.pt", "log.jsonl"


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Budget:
    """How long a run lasts; it may be extended when a run goes on.

    updates : in all; 0: `minutes` of training time instead, over every resume. checkpoint : seconds between two saved
    states. entry : updates between two entries of the log.
    """

    updates: float = 0.0
    minutes: float = 0.0
    checkpoint: float = 180.0
    entry: int = 50


class Course(Protocol):
    """What a run trains. settings : by name, all that its result hangs on, the budget apart."""

    @property
    def settings(self) -> Mapping[str, Any]: ...

    def update(self, step: int, spent: float) -> Mapping[str, float]:
        """One update, the `step`-th from 0, with a share `spent` of the budget used up; its losses by name."""
        ...

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        """The entry of the log for the last updates, whose mean losses these are; it may measure."""
        ...

    def measure(self, run: Run) -> dict[str, Any]:
        """Figures that are logged with every checkpoint and at the end; none: nothing is logged."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that an interrupted run needs, as tensors and plain values."""
        ...

    def load(self, state: Mapping[str, Any]) -> None: ...


class Run:
    """A course in a folder, and where in its budget it is. step : updates done. seconds : of training, in all.

    Raises UsageError when the folder holds a run with other settings, naming each of them.
    """

    def __init__(self, course: Course, folder: Path, budget: Budget) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.course, self.folder, self.budget = course, folder, budget
        self.where = device()
        self.step, self.seconds = 0, 0.0
        self._sums: dict[str, float] = {}
        if (folder / STATE).is_file():
            self._load()

    @property
    def spent(self) -> float:
        """Share of the budget that is used up; 1 and above is the end."""
        if self.budget.updates:
            return self.step / self.budget.updates
        return self.seconds / (60 * self.budget.minutes)

    def go(self, log: Log = lambda entry: None, most: int | None = None) -> None:
        """Train until the budget is used up, or for `most` updates. log : told what log.jsonl is told."""
        end = None if most is None else self.step + most
        saved = self.seconds
        while self.spent < 1 and self.step != end:
            clock = time.monotonic()
            for name, loss in self.course.update(self.step, self.spent).items():
                self._sums[name] = self._sums.get(name, 0.0) + loss
            self.step += 1
            self.seconds += time.monotonic() - clock
            if self.step % self.budget.entry == 0:
                losses = {name: total / self.budget.entry for name, total in self._sums.items()}
                self._sums = {}
                self._tell(self.course.entry(self, losses), log)
            if self.seconds - saved > self.budget.checkpoint:
                saved = self.seconds
                self.save()
                self._tell(self.course.measure(self), log)
        self.save()
        self._tell(self.course.measure(self), log)

    def save(self) -> None:
        """The state, whole or not at all: a kill while writing leaves the state before."""
        part = self.folder / f"{STATE}.part"
        torch.save(
            {
                "step": self.step,
                "seconds": self.seconds,
                "sums": self._sums,
                "settings": dict(self.course.settings),
                "course": self.course.state(),
            },
            part,
        )
        os.replace(part, self.folder / STATE)

    def _load(self) -> None:
        state = torch.load(self.folder / STATE, map_location=self.where, weights_only=True)
        if "course" not in state:
            raise UsageError(
                "this folder holds a run of an older videoscore",
                path=self.folder,
                remedy="Name another folder.",
            )
        before, now = state["settings"], dict(self.course.settings)
        others = [
            f"{name} {before.get(name)} (not {now.get(name)})"
            for name in sorted(before.keys() | now.keys())
            if before.get(name) != now.get(name)
        ]
        if others:
            raise UsageError(
                f"this folder holds a run with other settings: {', '.join(others)}",
                path=self.folder,
                remedy="Name another folder with --run, or the settings that it began with.",
            )
        self.course.load(state["course"])
        self.step, self.seconds, self._sums = state["step"], state["seconds"], dict(state["sums"])

    def _tell(self, entry: dict[str, Any], log: Log) -> None:
        if entry:
            with open(self.folder / LOG, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            log(entry)
