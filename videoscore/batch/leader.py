"""Leading a batch: who gets which film, and what the ledger is told of it."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from videoscore.batch.film_task import Film, score_film
from videoscore.batch.jobs import Job
from videoscore.batch.ledger import Ledger
from videoscore.batch.publication import place, room_for
from videoscore.batch.report import Line, Report, left_over
from videoscore.batch.request import Listener, Request
from videoscore.batch.signals import Stopper
from videoscore.batch.verdict import decide, digest, foreign
from videoscore.errors import Cancelled, SetupError, VideoscoreError
from videoscore.file_names import shown
from videoscore.workers import get_executor
from videoscore.workers.executor import (
    Executor,
    Outcome,
    ProgressReport,
    Setup,
    Task,
    TaskEnd,
    TaskEvent,
    Work,
    WorkerLoss,
)

TRIES = 2  # of a film whose worker dies
STILLBORN = 4  # workers that die without a word, after which it isn't the films
PAUSE = 0.5  # seconds after which a signal is noticed at the latest


class Leader:
    """Leads films through an executor and keeps the ledger; close it, or use it as a context.

    Parameters
    ----------
    ledger : open, and recovered. work : what is done with a film (another one in tests).

    Raises UsageError, SetupError.
    """

    def __init__(self, ledger: Ledger, request: Request, listener: Listener, work: Work = score_film) -> None:
        self.ledger, self.request, self.listener = ledger, request, listener
        self.settings = digest(request.options, request.keep)
        self.stopper = Stopper(listener.note)
        setup = Setup(request.jobs, request.address, request.limit is not None, self._forward_progress)
        self.executor: Executor = get_executor(request.executor, work, setup)
        self._running: dict[int, Job] = {}
        self._waiting: deque[Job] = deque()
        self._tries: dict[Path, int] = {}
        self._stillborn = 0
        self._start_times: dict[int, float] = {}
        self._owners: dict[Path, Path] = {}  # what was written -> the input it was made from
        self._keys = 0
        self.arriving = False  # the films may still be written: one that changed under way waits
        self._states: dict[int, tuple[int | None, int | None]] = {}
        self._last_note = ""
        self._full = ""
        self.report = Report()

    def close(self) -> None:
        self.executor.close()

    def __enter__(self) -> Leader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell_once(self, text: str) -> None:
        """A note, unless it was the last one."""
        if text != self._last_note:
            self.listener.note(text)
        self._last_note = text

    def run(self, jobs: Sequence[Job]) -> Report:
        """Score what is to be scored; one bad film stops nothing.

        Raises OutputError or DiskFull when not even the ledger can be written.
        """
        self.report = report = Report(start=time.time())
        clock = time.perf_counter()
        self._sort(jobs)
        with self.stopper:
            try:
                self._lead()
            except Cancelled:
                pass  # the one film that runs in this process was left; it goes back below
            finally:
                self._leave()
        if self.stopper.no_more and (self._waiting or self.stopper.now):
            report.stop_reason = "interrupted"
        elif self._full:
            report.stop_reason = "disk full"
        report.lines += left_over(
            [(job.input, job.output) for job in self._waiting], self._full or report.stop_reason
        )
        report.seconds = time.perf_counter() - clock
        return report

    # ------------------------------------------------------------ the way of one film

    def _sort(self, jobs: Sequence[Job]) -> None:
        """Into the queue, or straight into the report."""
        rows = self.ledger.rows()
        self._owners = {path: row.input for row in rows.values() for path in row.made}
        todo = []
        for job in jobs:
            verdict = decide(
                job,
                rows.get(job.input),
                self.settings,
                retry=self.request.retry,
                overwrite=self.request.overwrite,
                kinds=self.request.kinds,
            )
            if verdict.status == "queued":
                todo.append(job)
                continue
            if verdict.new_time is not None:
                self.ledger.touch(job.input, verdict.new_time)
            self.report.lines.append(
                Line(str(job.input), str(job.output), verdict.status, verdict.reason, verdict.error)
            )
        options = self.request.options
        self.ledger.queue(
            (job.input, job.output, self.settings, options.seed, options.preset) for job in todo
        )
        self._waiting = deque(todo)
        self.listener.begin(len(jobs), self.executor.slots)
        for line in self.report.lines:
            if not line.reason.startswith("done before"):
                row = rows.get(Path(line.input))
                if line.status == "skipped" and (row is None or not row.made):
                    self.ledger.queue(
                        [(Path(line.input), Path(line.output), self.settings, options.seed, options.preset)]
                    )
                    self.ledger.end(Path(line.input), "skipped", line.reason)
            self.listener.on_end(line)

    def _lead(self) -> None:
        while self._running or (self._waiting and not self.stopper.no_more and not self._full):
            if self.stopper.now:
                return
            while (
                self._waiting
                and len(self._running) < self.executor.slots
                and not self.stopper.no_more
                and not self._full
            ):
                self._begin(self._waiting[0])
            for event in self.executor.wait(PAUSE):
                self._handle(event)

    def _begin(self, job: Job) -> None:
        """Give the first waiting film to the executor, where there is room on the disk for it."""
        if not room_for(sum(map(_size, (job, *self._running.values()))), self.ledger.folder):
            self._full = "no space left for it on the disk"
            return
        self._waiting.popleft()
        self._keys += 1
        self.ledger.start(job.input)
        self._running[self._keys], self._start_times[self._keys] = job, time.perf_counter()
        self._states[self._keys] = _stat(job.input)
        film = Film(
            str(job.input),
            str(self._folder(self._keys)),
            job.suffix,
            job.free_suffix,
            self.request.options,
            self.request.keep,
            self.request.cache,
        )
        self.executor.submit(Task(self._keys, film, self.request.limit))

    def _handle(self, event: TaskEvent) -> None:
        if isinstance(event, ProgressReport):
            self.listener.on_progress(self._running[event.key].input, event)
            return
        job = self._running[event.key]
        try:
            if isinstance(event, WorkerLoss):
                self._record_loss(job, event)
            else:
                self._record_end(event, job)
        finally:
            del self._running[event.key]
            shutil.rmtree(self._folder(event.key), ignore_errors=True)

    def _record_loss(self, job: Job, loss: WorkerLoss) -> None:
        if loss.mute:
            self._stillborn += 1
            self.ledger.put_back(job.input, loss.reason)
            self._waiting.appendleft(job)
            if self._stillborn == STILLBORN:
                raise SetupError(
                    f"no worker can be started: {loss.reason}",
                    remedy="Try --executor inline, which says why.",
                )
            return
        self._tries[job.input] = tries = self._tries.get(job.input, 0) + 1
        if tries < TRIES and not loss.late:
            self.ledger.put_back(job.input, loss.reason)
            self._waiting.appendleft(job)
        elif loss.late:
            self._record_failure(loss.key, job, Outcome("TimeLimit", f"{job.input}: {loss.reason}."))
        else:
            self._record_failure(
                loss.key, job, Outcome("WorkerLost", f"{job.input}: {loss.reason}, {tries} times.")
            )

    def _record_end(self, end: TaskEnd, job: Job) -> None:
        outcome = end.outcome
        if outcome.error == "DiskFull":  # no fault of the film's: it waits for the next run
            self._full = "no space left on the disk"
            self.ledger.put_back(job.input, self._full)
            self._waiting.appendleft(job)
        elif outcome.error and self.arriving and _stat(job.input) != self._states[end.key]:
            self.ledger.put_back(job.input, "it was still being written")
            self.tell_once(f"{shown(job.input.name)} is still being written; it waits")
        elif outcome.error:
            self._record_failure(end.key, job, outcome)
        else:
            self._publish(end.key, job, outcome)

    def _publish(self, key: int, job: Job, outcome: Outcome) -> None:
        """Put the files of a scored film where they belong."""
        staging_files = {kind: Path(path) for kind, path in outcome.files.items()}
        files = job.files(
            staging_files["output"].suffix, [kind for kind in staging_files if kind != "output"]
        )
        row = self.ledger.row(job.input)
        assert row is not None
        there = None if self.request.overwrite else foreign(files.values(), row.made)
        if self._owners.get(files["output"], job.input) != job.input:
            there = files["output"]  # another film's: not even with --overwrite
        if there is not None:
            self._end(key, job, "skipped", f"{there.name} is already there", outcome=outcome)
            return
        self.ledger.placing(job.input, files.values())
        try:
            stamps = place(staging_files, files)
        except VideoscoreError as error:
            self._record_end(TaskEnd(key, Outcome.failure(error)), job)
            return
        self._owners |= dict.fromkeys(stamps, job.input)
        self._end(key, job, "scored", outcome=outcome, output=files["output"], made={**row.made, **stamps})

    def _record_failure(self, key: int, job: Job, outcome: Outcome) -> None:
        self._end(key, job, "failed", outcome.reason, outcome.error, outcome)

    def _end(
        self,
        key: int,
        job: Job,
        status: str,
        reason: str = "",
        error: str = "",
        outcome: Outcome | None = None,
        **facts: object,
    ) -> None:
        outcome = outcome or Outcome()
        if outcome.size is None:  # the worker went before it could tell
            size, mtime = _stat(job.input)
            outcome = replace(outcome, size=size, mtime=mtime)
        seconds = time.perf_counter() - self._start_times[key]
        self.ledger.end(
            job.input,
            status,
            reason,
            error,
            seconds=seconds,
            size=outcome.size,
            mtime=outcome.mtime,
            content=outcome.content,
            versions=dict(outcome.versions),
            about=dict(outcome.about),
            **facts,
        )
        line = Line(
            str(job.input), str(facts.get("output", job.output)), status, reason, error, round(seconds, 3)
        )
        self.report.lines.append(line)
        self.listener.on_end(line)

    def _leave(self) -> None:
        """End what still runs, when it is left early; its films go back into the queue."""
        if not self._running:
            return
        self.executor.stop()
        for key, job in self._running.items():
            with suppress(
                VideoscoreError
            ):  # where the ledger can't be written, the next run will put it right
                self.ledger.put_back(job.input, "interrupted")
            self._waiting.appendleft(job)
            shutil.rmtree(self._folder(key), ignore_errors=True)
        self._running.clear()

    def _forward_progress(self, word: ProgressReport) -> None:
        """From an executor that works in this process."""
        if self.stopper.now:
            raise Cancelled("stopped")
        self.listener.on_progress(self._running[word.key].input, word)

    def _folder(self, key: int) -> Path:
        return self.ledger.parts / str(key)


def _size(job: Job) -> int:
    return _stat(job.input)[0] or 0


def _stat(path: Path) -> tuple[int | None, int | None]:
    try:
        facts = path.stat()
    except OSError:
        return None, None
    return facts.st_size, facts.st_mtime_ns
