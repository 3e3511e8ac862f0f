"""What came of a batch: for people, for programs, and as an exit code."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from videoscore.errors import DiskFull, OutputExists
from videoscore.file_names import shown
from videoscore.files import write_text

NAME = "report.json"
SHOWN = 20  # lines of the table for each of skipped and failed; the report has all


@dataclass(frozen=True)
class Line:
    """What came of one film. status : scored, skipped, failed, or queued for what this run didn't come to.
    seconds : wall time of its last attempt."""

    input: str
    output: str
    status: str
    reason: str = ""
    error: str = ""
    seconds: float | None = None


@dataclass
class Report:
    """stop_reason : "" when all was done, else "interrupted" or "disk full". seconds : wall time."""

    lines: list[Line] = field(default_factory=list)
    stop_reason: str = ""
    start: float = 0.0
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        counter = Counter(line.status for line in self.lines)
        return {status: counter[status] for status in ("scored", "skipped", "failed", "queued")}

    @property
    def exit_code(self) -> int:
        if self.stop_reason == "interrupted":
            return 130
        if self.stop_reason:
            return DiskFull.exit_code
        return 1 if self.counts["failed"] else 0

    def facts(self) -> dict[str, Any]:
        """As the report's file and the JSON event "result" have it."""
        start = datetime.fromtimestamp(self.start, timezone.utc).isoformat(timespec="seconds")
        return {
            **self.counts,
            "stopped": self.stop_reason,
            "begun": start,
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }

    def table(self) -> str:
        """Counts, then skipped and failed films with their reasons."""
        counts = self.counts
        head = ", ".join(f"{counts[status]} {status}" for status in ("scored", "skipped", "failed"))
        if counts["queued"]:
            head += f", {counts['queued']} left for the next run"
        lines = [f"{head}, in {self.seconds:.1f} s" + (f" ({self.stop_reason})" if self.stop_reason else "")]
        for status in ("failed", "skipped"):
            rows_of_status = [line for line in self.lines if line.status == status]
            if status == "skipped":
                rows_of_status = [
                    line for line in rows_of_status if not line.reason.startswith("done before")
                ]
            lines += [
                f"  {status}  {shown(line.input)}: {_without_name(line)}" for line in rows_of_status[:SHOWN]
            ]
            if len(rows_of_status) > SHOWN:
                lines.append(f"  {status}  ... and {len(rows_of_status) - SHOWN} more, see {NAME}")
        return "\n".join(lines)

    def write(self, folder: Path) -> Path:
        """Write `NAME` into the folder, whole or not at all. Raises DiskFull, OutputError, OutputExists."""
        path = folder / NAME
        check_report(path)
        facts = {"videoscore": "batch report", **self.facts(), "files": [asdict(line) for line in self.lines]}
        write_text(path, json.dumps(facts, indent=1) + "\n")  # ASCII: a name needn't be UTF-8
        return path


def check_report(path: Path) -> None:
    """Raise OutputExists when there is another file of that name."""
    if os.path.lexists(path):
        try:
            with open(path, "rb") as file:
                if file.read(200).lstrip().startswith(b'{\n "videoscore": "batch report"'):
                    return
        except OSError:
            pass
        raise OutputExists("is already there, and no report of a batch", path=path, remedy="Move it away.")


def _without_name(line: Line) -> str:
    """The reason, which may begin with the name that was just told."""
    return shown(line.reason).removeprefix(shown(line.input) + ": ")


def left_over(jobs: Sequence[tuple[Path, Path]], reason: str) -> list[Line]:
    """Lines for the films that a run didn't come to."""
    return [Line(str(input), str(output), "queued", reason) for input, output in jobs]
