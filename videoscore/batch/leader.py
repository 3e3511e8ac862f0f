"""Leading a batch: who gets which film, and what the ledger is told of it."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from videoscore.batch.decide import decide, digest, foreign
from videoscore.batch.film_task import Film, score_film
from videoscore.batch.jobs import Job
from videoscore.batch.ledger import Ledger
from videoscore.batch.place import place, room_for
from videoscore.batch.report import Line, Report, left
from videoscore.batch.request import Listener, Request
from videoscore.batch.stopping import Stopper
from videoscore.errors import Cancelled, SetupError, VideoscoreError
from videoscore.file_names import shown
from videoscore.workers import get_executor
from videoscore.workers.executor import (
    Ended,
    Executor,
    Happening,
    Outcome,
    ProgressReport,
    Setup,
    Task,
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
        setup = Setup(request.jobs, request.address, request.limit is not None, self._heard)
        self.executor: Executor = get_executor(request.executor, work, setup)
        self._running: dict[int, Job] = {}
        self._waiting: deque[Job] = deque()
        self._tries: dict[Path, int] = {}
        self._stillborn = 0
        self._begun: dict[int, float] = {}
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
        self.report = report = Report(begun=time.time())
        clock = time.perf_counter()
        self._sort(jobs)
        with self.stopper:
            try:
                self._lead()
            except Cancelled:
                pass  # the one film that runs in this process was left; it goes back below
            finally:
                self._leave()
        if self.stopper.asked and (self._waiting or self.stopper.now):
            report.stopped = "interrupted"
        elif self._full:
            report.stopped = "disk full"
        report.lines += left([(job.input, job.output) for job in self._waiting], self._full or report.stopped)
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
            if verdict.touched is not None:
                self.ledger.touch(job.input, verdict.touched)
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
            self.listener.ended(line)

    def _lead(self) -> None:
        while self._running or (self._waiting and not self.stopper.asked and not self._full):
            if self.stopper.now:
                return
            while (
                self._waiting
                and len(self._running) < self.executor.slots
                and not self.stopper.asked
                and not self._full
            ):
                self._begin(self._waiting[0])
            for happening in self.executor.wait(PAUSE):
                self._happened(happening)

    def _begin(self, job: Job) -> None:
        """Give the first waiting film to the executor, where there is room on the disk for it."""
        if not room_for(sum(map(_size, (job, *self._running.values()))), self.ledger.folder):
            self._full = "no space left for it on the disk"
            return
        self._waiting.popleft()
        self._keys += 1
        self.ledger.start(job.input)
        self._running[self._keys], self._begun[self._keys] = job, time.perf_counter()
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

    def _happened(self, happening: Happening) -> None:
        if isinstance(happening, ProgressReport):
            self.listener.told(self._running[happening.key].input, happening)
            return
        job = self._running[happening.key]
        try:
            if isinstance(happening, WorkerLoss):
                self._lost(job, happening)
            else:
                self._ended(happening, job)
        finally:
            del self._running[happening.key]
            shutil.rmtree(self._folder(happening.key), ignore_errors=True)

    def _lost(self, job: Job, lost: WorkerLoss) -> None:
        if lost.mute:
            self._stillborn += 1
            self.ledger.put_back(job.input, lost.reason)
            self._waiting.appendleft(job)
            if self._stillborn == STILLBORN:
                raise SetupError(
                    f"no worker can be started: {lost.reason}",
                    remedy="Try --executor inline, which says why.",
                )
            return
        self._tries[job.input] = tries = self._tries.get(job.input, 0) + 1
        if tries < TRIES and not lost.late:
            self.ledger.put_back(job.input, lost.reason)
            self._waiting.appendleft(job)
        elif lost.late:
            self._failed(lost.key, job, Outcome("TimeLimit", f"{job.input}: {lost.reason}."))
        else:
            self._failed(lost.key, job, Outcome("WorkerLost", f"{job.input}: {lost.reason}, {tries} times."))

    def _ended(self, ended: Ended, job: Job) -> None:
        outcome = ended.outcome
        if outcome.error == "DiskFull":  # no fault of the film's: it waits for the next run
            self._full = "no space left on the disk"
            self.ledger.put_back(job.input, self._full)
            self._waiting.appendleft(job)
        elif outcome.error and self.arriving and _stat(job.input) != self._states[ended.key]:
            self.ledger.put_back(job.input, "it was still being written")
            self.tell_once(f"{shown(job.input.name)} is still being written; it waits")
        elif outcome.error:
            self._failed(ended.key, job, outcome)
        else:
            self._publish(ended.key, job, outcome)

    def _publish(self, key: int, job: Job, outcome: Outcome) -> None:
        """Put the files of a scored film where they belong."""
        staged = {kind: Path(path) for kind, path in outcome.files.items()}
        files = job.files(staged["output"].suffix, [kind for kind in staged if kind != "output"])
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
            made = place(staged, files)
        except VideoscoreError as error:
            self._ended(Ended(key, Outcome.failure(error)), job)
            return
        self._owners |= dict.fromkeys(made, job.input)
        self._end(key, job, "scored", outcome=outcome, output=files["output"], made={**row.made, **made})

    def _failed(self, key: int, job: Job, outcome: Outcome) -> None:
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
        seconds = time.perf_counter() - self._begun[key]
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
        self.listener.ended(line)

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

    def _heard(self, word: ProgressReport) -> None:
        """From an executor that works in this process."""
        if self.stopper.now:
            raise Cancelled("stopped")
        self.listener.told(self._running[word.key].input, word)

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
