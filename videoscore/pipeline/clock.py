"""Wall time by stage."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from videoscore.progress import Progress, silent

Item = TypeVar("Item")


@dataclass
class Clock:
    """Wall time by stage in seconds, and word of each stage's start and end to `progress`."""

    progress: Progress = silent
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, total: float) -> Iterator[None]:
        """Time the block as the stage `name`; total : seconds of film or music that it works through."""
        self.progress(name, 0.0, total)
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begin)
        self.progress(name, total, total)

    def time_items(self, name: str, items: Iterator[Item]) -> Iterator[Item]:
        """The same items, with the time each took put down to the stage `name`."""
        while True:
            begin = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.add(name, time.perf_counter() - begin)
            yield item

    def add(self, name: str, seconds: float) -> None:
        """Put further seconds down to a stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
