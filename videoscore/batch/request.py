"""What a batch is asked for, and who is told how it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from videoscore.batch.report import Line
from videoscore.settings.fields import Options
from videoscore.workers import DEFAULT
from videoscore.workers.executor import ProgressReport


@dataclass(frozen=True)
class Request:
    """How films are to be scored. keep : kinds as for `pipeline.score`. limit : seconds a film may take.
    cache : folder and bound in bytes of the cache of perceptions."""

    options: Options = field(default_factory=Options)
    keep: tuple[str, ...] = ()
    retry: bool = False
    overwrite: bool = False
    executor: str = DEFAULT
    jobs: int | None = None
    address: str | None = None
    limit: float | None = None
    cache: tuple[str, int] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("cues", *self.keep)))


class Listener(Protocol):
    """Who is told how it goes."""

    def begin(self, total: int, slots: int) -> None: ...

    def on_progress(self, input: Path, word: ProgressReport) -> None: ...

    def on_end(self, line: Line) -> None: ...

    def note(self, text: str) -> None: ...
