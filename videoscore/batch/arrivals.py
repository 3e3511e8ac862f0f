"""Scoring what arrives in folders: only files that are complete, each as often as it changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from videoscore.batch.jobs import Job, Wanted, plan
from videoscore.batch.leader import Leader
from videoscore.batch.report import Line, Report
from videoscore.errors import VideoscoreError

State = tuple[int, int]  # size, mtime in ns
STEP = 0.2  # seconds after which a signal is noticed at the latest


class Settling:
    """Which files have stayed the same for `interval` seconds. now : a clock, in seconds."""

    def __init__(self, interval: float, now: Callable[[], float] = time.monotonic) -> None:
        self.interval, self.now = interval, now
        self._since: dict[Path, tuple[State, float]] = {}

    def settled(self, paths: list[Path]) -> dict[Path, State]:
        """Those of `paths` that are complete, with their states. Ask again and again."""
        now, found, since = self.now(), {}, {}
        for path in paths:
            try:
                facts = os.stat(path)
            except OSError:
                continue
            state = facts.st_size, facts.st_mtime_ns
            before, begin = self._since.get(path, (None, now))
            since[path] = state, begin if before == state else now
            if state[0] and now - since[path][1] >= self.interval:
                found[path] = state
        self._since = since  # what is gone is forgotten
        return found


def watch(leader: Leader, wanted: Wanted, interval: float = 2.0) -> Report:
    """Score what arrives until the leader is told to stop; the report of all of it, the last word on each film.

    A file counts as complete when size and time haven't changed for `interval` seconds.
    Raises OutputError, DiskFull when the ledger can't be written.
    """
    settling, given = Settling(interval), dict[Path, State]()
    whole, lines = Report(begun=time.time()), dict[str, Line]()
    clock = time.perf_counter()
    with leader.stopper:
        while not leader.stopper.asked:
            jobs = _jobs(leader, wanted)
            ready = settling.settled([job.input for job in jobs])
            new = [job for job in jobs if job.input in ready and given.get(job.input) != ready[job.input]]
            if new:
                report = leader.run(new)
                lines |= {
                    line.input: line for line in report.lines if not line.reason.startswith("done before")
                }
                if report.stopped == "disk full":
                    whole.stopped = report.stopped
                    break
                given |= {job.input: ready[job.input] for job in new}
            _sleep(interval / 2, leader)
    whole.lines, whole.seconds = list(lines.values()), time.perf_counter() - clock
    if whole.counts["queued"]:
        whole.stopped = whole.stopped or "interrupted"
    return whole


def _jobs(leader: Leader, wanted: Wanted) -> list[Job]:
    """What is there now. Where two files would have one output, none is taken until one of them is gone."""
    try:
        jobs = plan(wanted, leader.ledger.written())
    except VideoscoreError as error:
        leader.tell_once(str(error))
        return []
    return jobs


def _sleep(seconds: float, leader: Leader) -> None:
    end = time.monotonic() + seconds
    while not leader.stopper.asked and time.monotonic() < end:
        time.sleep(min(STEP, seconds))
