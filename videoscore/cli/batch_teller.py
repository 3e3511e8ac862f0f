"""How a batch is told of: one bar for all and one a worker, lines for what went wrong, or JSON lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.cli.teller import EVERY, Teller

if TYPE_CHECKING:
    from tqdm import tqdm

    from videoscore.batch.report import Line
    from videoscore.workers.executor import ProgressReport

WIDTH = 32  # of a file's name in a worker's bar


class BatchTeller:
    """A `videoscore.batch.request.Listener` that speaks through the command's `Teller`."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self._bars: dict[int, tqdm] = {}
        self._all: tqdm | None = None
        self._last_line: dict[Path, tuple[str, float]] = {}

    def begin(self, total: int, slots: int) -> None:
        self.close()
        self._event("begin", {"total": total, "workers": slots})
        if self._shows:
            from tqdm import tqdm

            self._all = tqdm(
                total=total, desc="films", unit="film", file=sys.stderr, position=0, dynamic_ncols=True
            )

    def on_progress(self, input: Path, word: ProgressReport) -> None:
        now = time.monotonic()
        stage, last = self._last_line.get(input, ("", 0.0))
        if stage == word.stage and now - last < EVERY and word.done < word.total:
            return
        self._last_line[input] = word.stage, now
        self._event(
            "progress",
            {
                "input": str(input),
                "stage": word.stage,
                "done": round(word.done, 3),
                "total": round(word.total, 3),
            },
        )
        if self._all is not None:
            self._bar(word, input)

    def on_end(self, line: Line) -> None:
        from videoscore.file_names import shown

        self._last_line.pop(Path(line.input), None)
        self._event("file", asdict(line))
        if self._all is not None:
            self._all.update()
        if line.status == "failed" and not self.teller.as_json:
            self._say(f"failed: {shown(line.reason)}")

    def note(self, text: str) -> None:
        if not self.teller.as_json and not self.teller.quiet:
            self._say(text)

    def _say(self, text: str) -> None:
        if self._all is not None:
            self._all.write(f"videoscore: {text}", file=sys.stderr)
        else:
            print(f"videoscore: {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bars off the screen."""
        for bar in (*self._bars.values(), self._all):
            if bar is not None:
                bar.close()
        self._bars.clear()
        self._all = None

    @property
    def _shows(self) -> bool:
        return not self.teller.as_json and not self.teller.quiet and sys.stderr.isatty()

    def _bar(self, word: ProgressReport, input: Path) -> None:
        from tqdm import tqdm

        from videoscore.file_names import shown

        bar = self._bars.get(word.slot)
        if bar is None:
            bar = self._bars[word.slot] = tqdm(
                total=1.0,
                file=sys.stderr,
                position=word.slot + 1,
                leave=False,
                dynamic_ncols=True,
                bar_format="{desc} {percentage:3.0f}% |{bar}|",
            )
        name = shown(input.name)
        name = name if len(name) <= WIDTH else f"{name[: WIDTH - 3]}..."
        bar.set_description_str(f"  {name:{WIDTH}} {word.stage:>11}", refresh=False)
        bar.n = min(1.0, word.done / word.total) if word.total else 0.0
        bar.refresh()

    def _event(self, event: str, facts: Mapping[str, Any]) -> None:
        if self.teller.as_json:
            self.teller.event(event, facts)
