"""Batches of stub films: a word in each file says what becomes of it (see batch_stubs.py)."""

from __future__ import annotations

import threading
from pathlib import Path

from batch_stubs import obey

from videoscore.batch.jobs import BatchInputs, plan
from videoscore.batch.leader import Leader
from videoscore.batch.ledger import Ledger
from videoscore.batch.report import Report
from videoscore.batch.request import Request

INLINE = Request(executor="inline")
TWO = Request(executor="local", jobs=2)


class Ears:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.lines, self.notes, self.words = [], [], []
        self.begun = threading.Event()

    def begin(self, total, slots):
        self.total = total

    def on_progress(self, input, word):
        self.words.append((input.name, word.stage))
        if word.stage == "perceive":
            self.begun.set()

    def on_end(self, line):
        self.lines.append(line)

    def note(self, text):
        self.notes.append(text)


def films(root: Path, **orders: str) -> None:
    root.mkdir(exist_ok=True)
    for name, order in orders.items():
        (root / f"{name}.mp4").write_text(order)


def batch(root: Path, out: Path, request: Request = INLINE, ears: Ears | None = None) -> Report:
    with Ledger(out) as ledger:
        ledger.recover()
        jobs = plan(BatchInputs((str(root),), out, recursive=True), ledger.outputs())
        with Leader(ledger, request, ears or Ears(), obey) as leader:
            return leader.run(jobs)


def states(out: Path) -> dict[str, str]:
    with Ledger(out, reading=True) as ledger:
        return {row.input.name: row.status for row in ledger.rows().values()}


def left_in(out: Path) -> set[str]:
    return {str(p.relative_to(out)) for p in out.rglob("*") if not p.name.startswith(".videoscore-batch.")}
