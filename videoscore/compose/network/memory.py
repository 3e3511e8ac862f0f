"""What the network remembers of the rows that are being written side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoscore.compose.network.model import Cache, Composer

MEMORY = 512  # steps kept in the cache when it is cut back: as many as a training window has
SLACK = 256  # steps it may grow beyond that

Step = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered of one sheet.

    keys, values : (layers, copies, heads, steps, head_dim) float32, a row for each copy. index : steps read in all.
    room : steps for which there is room in the buffers.
    """

    keys: NDArray[np.float32]
    values: NDArray[np.float32]
    index: int
    room: int


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

    def state(self, rows: list[int], index: int) -> State:
        """What is remembered in these rows, which are equally long."""
        end = self.cache.lengths[rows[0]]
        keys, values = (b[:, rows, :, :end].numpy() for b in (self.cache.keys, self.cache.values))
        return State(keys, values, index, self.cache.room)

    def restore(self, state: State, rows: list[int]) -> None:
        """Go on from `state`: each row with this one of its copies."""
        end = state.keys.shape[3]
        self.cache = Cache(self.model.config, len(rows), state.room)
        self.cache.keys[:, :, :, :end] = torch.from_numpy(state.keys[:, rows])
        self.cache.values[:, :, :, :end] = torch.from_numpy(state.values[:, rows])
        self.cache.lengths = [end] * len(rows)


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
