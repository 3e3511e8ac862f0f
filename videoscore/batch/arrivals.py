"""Scoring what arrives in folders: only files that are complete, each as often as it changes."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Callable
from pathlib import Path

from videoscore.batch.jobs import BatchInputs, Job, plan
from videoscore.batch.leader import Leader
from videoscore.batch.report import Line, Report
from videoscore.errors import VideoscoreError

State = tuple[int, int]  # size, mtime in ns
PATIENCE = 10  # intervals for which a file that is no film yet may still become one
STEP = 0.2  # seconds after which a signal is noticed at the latest


class Settling:
    """Which files have stayed the same for `interval` seconds. now : a clock, in seconds."""

    def __init__(self, interval: float, now: Callable[[], float] = time.monotonic) -> None:
        self.interval, self.now = interval, now
        self._since: dict[Path, tuple[State, float]] = {}

    def complete(self, paths: list[Path]) -> dict[Path, State]:
        """Those of `paths` that are complete, with their states. Ask again and again."""
        now, states, since = self.now(), {}, {}
        for path in paths:
            try:
                facts = os.stat(path)
            except OSError:
                continue
            state = facts.st_size, facts.st_mtime_ns
            before, begin = self._since.get(path, (None, now))
            since[path] = state, begin if before == state else now
            if state[0] and now - since[path][1] >= self.interval:
                states[path] = state
        self._since = since  # what is gone is forgotten
        return states

    def quiet(self, path: Path) -> float:
        """Seconds for which a complete file has stayed the same."""
        return self.now() - self._since[path][1]


def watch(
    leader: Leader,
    batch_inputs: BatchInputs,
    interval: float = 2.0,
    readable: Callable[[Path], bool] | None = None,
) -> Report:
    """Score what arrives until the leader is told to stop; the report of all of it, the last word on each film.

    A file counts as complete when size and time haven't changed for `interval` seconds, no program has it open for
    writing, and it can be read; one that can't is given up only after `PATIENCE` intervals. What changes while it is
    scored is no failure: it waits until it is complete.

    readable : whether a file can be read as far as that goes; by default, whether it can be probed.
    Raises OutputError, DiskFull when the ledger can't be written.
    """
    readable = readable or _is_film
    leader.arriving = True
    settling, states = Settling(interval), dict[Path, State]()
    whole, lines = Report(start=time.time()), dict[str, Line]()
    clock = time.perf_counter()
    with leader.stopper:
        while not leader.stopper.no_more:
            jobs = _jobs(leader, batch_inputs)
            ready = settling.complete([job.input for job in jobs])
            new = [
                job
                for job in jobs
                if job.input in ready
                and states.get(job.input) != ready[job.input]
                and not is_being_written(job.input)
                and (settling.quiet(job.input) >= PATIENCE * interval or readable(job.input))
            ]
            if new:
                report = leader.run(new)
                lines |= {
                    line.input: line for line in report.lines if not line.reason.startswith("done before")
                }
                if report.stop_reason == "disk full":
                    whole.stop_reason = report.stop_reason
                    break
                states |= {job.input: ready[job.input] for job in new}
            _sleep(interval / 2, leader)
    whole.lines, whole.seconds = list(lines.values()), time.perf_counter() - clock
    if whole.counts["queued"]:
        whole.stop_reason = whole.stop_reason or "interrupted"
    return whole


def is_being_written(path: Path) -> bool:
    """Whether a program of this machine has a file open for writing; False where the system doesn't tell (not Linux, or
    another user's program)."""
    try:
        facts = os.stat(path)
    except OSError:
        return False
    for handle in glob.iglob("/proc/[0-9]*/fd/[0-9]*"):
        try:
            other = os.stat(handle)
            if (other.st_dev, other.st_ino) != (facts.st_dev, facts.st_ino):
                continue
            descriptor = Path(handle.replace("/fd/", "/fdinfo/")).read_text(encoding="ascii")
        except OSError:  # it has ended, or isn't ours to look at
            continue
        flags = next((line.split()[1] for line in descriptor.splitlines() if line.startswith("flags:")), "0")
        if int(flags, 8) & (os.O_WRONLY | os.O_RDWR):
            return True
    return False


def _is_film(path: Path) -> bool:
    from videoscore.video.probe import probe

    try:
        probe(path)
    except VideoscoreError:
        return False
    return True


def _jobs(leader: Leader, batch_inputs: BatchInputs) -> list[Job]:
    """What is there now. Where two files would have one output, none is taken until one of them is gone."""
    try:
        jobs = plan(batch_inputs, leader.ledger.outputs())
    except VideoscoreError as error:
        leader.tell_once(str(error))
        return []
    return jobs


def _sleep(seconds: float, leader: Leader) -> None:
    end = time.monotonic() + seconds
    while not leader.stopper.no_more and time.monotonic() < end:
        time.sleep(min(STEP, seconds))
