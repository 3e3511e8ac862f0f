"""What a run says: bars on stderr for people, JSON lines on stdout for programs."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.errors import VideoscoreError

if TYPE_CHECKING:
    from tqdm import tqdm

LONG = 1.0  # seconds after which a stage gets a bar
EVERY = 0.2  # seconds between two progress events of a stage


@dataclass
class Stage:
    """A stage that is under way. begin, told : monotonic seconds."""

    begin: float
    last_shown: float = 0.0
    bar: tqdm | None = None


@dataclass
class Teller:
    """The one voice of a command.

    as_json : progress and the result as JSON lines on stdout. quiet : only errors.
    """

    as_json: bool = False
    quiet: bool = False
    _stages: dict[str, Stage] = field(default_factory=dict)
    _done_stages: set[str] = field(default_factory=set)

    def progress(self, stage: str, done: float, total: float) -> None:
        """A `videoscore.progress.Progress`."""
        if self.quiet and not self.as_json or stage in self._done_stages and done >= total:
            return
        now = time.monotonic()
        state = self._stages.get(stage)
        if state is None:
            state = self._stages[stage] = Stage(now)
            self._done_stages.discard(stage)
        is_last = done >= total
        if self.as_json:
            if state.last_shown == 0.0 or is_last or now - state.last_shown >= EVERY:
                state.last_shown = now
                self._event(
                    {"event": "progress", "stage": stage, "done": round(done, 3), "total": round(total, 3)}
                )
        elif not self.quiet:
            self._bar(stage, state, done, total, now)
        if is_last:
            self._end(stage)

    def say(self, text: str) -> None:
        """A line on stdout for people; nothing under --json or --quiet."""
        if not self.as_json and not self.quiet:
            self.close()
            print(text, flush=True)

    def result(self, facts: Mapping[str, Any], text: str) -> None:
        """The end of a run: `facts` as the JSON event "result", or `text`."""
        if self.as_json:
            self._event({"event": "result", **facts})
        else:
            self.say(text)

    def remarks(self, remarks: Sequence[str]) -> None:
        """What the user should know of a run that went well, a line each on stderr; with --json it is in the
        result."""
        self.close()
        if not self.quiet and not self.as_json:
            for remark in remarks:
                with contextlib.suppress(OSError):  # a note that can't be said stops nothing
                    print(f"note: {remark}", file=sys.stderr, flush=True)

    def error(self, kind: str, message: str, exit_code: int) -> None:
        """One line on stderr, and the JSON event "error"."""
        self.close()
        if self.as_json:
            self._event({"event": "error", "error": kind, "message": message, "exit_code": exit_code})
        print(f"videoscore: {message}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take bars off the screen."""
        for stage in list(self._stages):
            self._end(stage)

    def event(self, name: str, facts: Mapping[str, Any]) -> None:
        """An event of a command's own; only under --json."""
        if self.as_json:
            self._event({"event": name, **facts})

    def _event(self, event: Mapping[str, Any]) -> None:
        print(json.dumps(event, default=plain, allow_nan=False), flush=True)

    def _bar(self, stage: str, state: Stage, done: float, total: float, now: float) -> None:
        if not sys.stderr.isatty() or now - state.begin < LONG:
            return
        if state.bar is None:
            from tqdm import tqdm

            state.bar = tqdm(
                total=total,
                initial=done,
                desc=f"{stage:>11}",
                unit="s",
                leave=False,
                file=sys.stderr,
                bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed} (left: {remaining})",
            )
        state.bar.update(max(0.0, done - state.bar.n))

    def _end(self, stage: str) -> None:
        state = self._stages.pop(stage)
        self._done_stages.add(stage)
        if state.bar is not None:
            state.bar.close()
        took = time.monotonic() - state.begin
        if took >= LONG and not self.as_json and not self.quiet and sys.stderr.isatty():
            print(f"{stage:>11} {took:.1f} s", file=sys.stderr, flush=True)


def plain(value: Any) -> Any:
    """What json can't write by itself: paths, fractions, arrays."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def listen(debug: bool, quiet: bool) -> None:
    """Send the product's own log to stderr, a line each; other libraries' only with `debug`."""
    import warnings

    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter(
            "%(name)s: %(levelname)s: %(message)s" if debug else "videoscore: %(levelname)s: %(message)s"
        )
    )
    if not debug:
        handler.addFilter(lambda record: record.name.split(".")[0] == "videoscore")
        warnings.simplefilter("ignore")
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING)
    for chatty in ("matplotlib", "PIL", "numba", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def describe(error: VideoscoreError) -> tuple[str, str, int]:
    """Kind, line and exit code of an error, as `Teller.error` takes them."""
    return type(error).__name__, str(error), error.exit_code
