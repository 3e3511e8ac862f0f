"""What the network remembers of the rows that are being written side by side."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from videoscore.compose.model import Cache, Composer

MEMORY = 512  # steps kept in the cache when it is cut back: as many as a training window has
SLACK = 256  # steps it may grow beyond that

Step = dict[str, Tensor]


class Memory(Protocol):
    """Rows of steps, all read by one network."""

    def read(self, step: Step) -> Tensor:
        """Read one step a row, (rows, 1) each; the states after it (rows, width)."""

    def rearrange(self, rows: list[int], surplus: list[int]) -> None:
        """Go on with these rows (repeats allowed), each without its last `surplus` steps."""


class Cached:
    """Keys and values are kept."""

    def __init__(self, model: Composer, rows: int) -> None:
        self.model = model
        self.cache = Cache(model.config, rows, SLACK)

    def read(self, step: Step) -> Tensor:
        if max(self.cache.lengths) == self.cache.room and self.cache.room < MEMORY + SLACK:
            self.cache = self.cache.grown(self.cache.room + SLACK)
        for row, length in enumerate(self.cache.lengths):
            if length == MEMORY + SLACK:
                self.cache.forget(row, SLACK)
        return self.model(step, self.cache)[:, -1]

    def rearrange(self, rows: list[int], surplus: list[int]) -> None:
        lengths = [self.cache.lengths[r] - s for r, s in zip(rows, surplus)]
        self.cache = self.cache.rearranged(rows, lengths)


class Reread:
    """Nothing is kept: everything within memory is computed again at every step (to measure the cache's worth)."""

    def __init__(self, model: Composer, rows: int) -> None:
        self.model = model
        self.pages: list[list[Step]] = [[] for _ in range(rows)]

    def read(self, step: Step) -> Tensor:
        states = []
        for row, page in enumerate(self.pages):
            page.append({k: v[row : row + 1] for k, v in step.items()})
            del page[: -MEMORY - 1]
            whole = {k: torch.cat([p[k] for p in page], 1) for k in step}
            states.append(self.model(whole)[:, -1])
        return torch.cat(states)

    def rearrange(self, rows: list[int], surplus: list[int]) -> None:
        self.pages = [self.pages[r][: len(self.pages[r]) - s] for r, s in zip(rows, surplus)]
