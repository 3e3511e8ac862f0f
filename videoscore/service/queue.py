"""The queue: one thread that gives jobs to the workers, hears of their progress, and places what they made."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoscore import errors
from videoscore.errors import OutputExists, VideoscoreError
from videoscore.files import place, write_error
from videoscore.service.store import OPEN, Job, Store
from videoscore.service.work import STAGING_NAME, Order, work
from videoscore.workers.executor import Outcome, ProgressReport, Setup, Task, TaskEvent, Work, WorkerLoss
from videoscore.workers.local import LocalPool

PARTS = ".videoscore-serve.parts"  # beside an output: where it is made
TRIES = 2  # of a job whose worker dies
PAUSE = 0.2  # seconds after which a new job, or a wish to cancel, is noticed at the latest


@dataclass(frozen=True)
class Stage:
    """How far a running job is. done, total : in the unit of the stage."""

    name: str
    done: float
    total: float


class Queue:
    """Jobs of a store, worked on `jobs` at a time (None: as many as fit) until `close`. `work` is replaced in tests."""

    def __init__(self, store: Store, jobs: int | None = None, work: Work = work) -> None:
        self.store = store
        self._pool = LocalPool(work, Setup(jobs=jobs))
        self.slots = self._pool.slots
        self._stages: dict[int, Stage] = {}
        self._unwanted: set[int] = set()
        self._running: set[int] = set()
        self._failure: Exception | None = None
        self._lock, self._stop, self._bell = threading.Lock(), threading.Event(), threading.Event()
        for job in store.open():  # of a server that was killed
            if job.state == "placing":
                self._place(job)
            else:
                shutil.rmtree(staging(job), ignore_errors=True)
        self._thread = threading.Thread(target=self._lead, name="videoscore-queue", daemon=True)
        self._thread.start()

    def add(self, request: Mapping[str, Any]) -> Job:
        self.check()
        job = self.store.add(request)
        self._bell.set()
        return job

    def check(self) -> None:
        """Raises what has stopped the queue, if anything has."""
        if self._failure is not None:
            raise VideoscoreError(
                f"the queue has stopped ({self._failure})", remedy="Start the server again."
            )

    def stage(self, id: int) -> Stage | None:
        """How far a job is; None where it isn't running."""
        with self._lock:
            return self._stages.get(id)

    def cancel(self, id: int) -> None:
        """Have a job end soon, unless it has ended."""
        with self._lock:
            self._unwanted.add(id)
        self._bell.set()

    def close(self) -> None:
        """End the workers at once; what they had goes back into the queue, for the next server."""
        self._stop.set()
        self._bell.set()
        self._thread.join()

    # ------------------------------------------------------------ the one thread

    def _lead(self) -> None:
        try:
            while not self._stop.is_set():
                self._cancel_unwanted()
                self._begin()
                events = self._pool.wait(PAUSE)
                for event in events:
                    self._handle(event)
                if not self._running:
                    self._bell.wait(PAUSE)
                    self._bell.clear()
        except Exception as error:  # a full disk, say: who asks is told by `check`
            self._failure = error
        finally:
            self._pool.stop()
            for id in self._running:
                job = self.store.get(id)
                if job is not None and job.state == "running":
                    shutil.rmtree(staging(job), ignore_errors=True)
                    self.store.put_back(id, job.tries)

    def _begin(self) -> None:
        for job in self.store.open():
            if len(self._running) >= self.slots:
                return
            if job.state == "queued":
                self.store.start(job.id)
                self._running.add(job.id)
                self._pool.submit(Task(job.id, Order(job.request, str(staging(job)))))

    def _cancel_unwanted(self) -> None:
        with self._lock:
            unwanted, self._unwanted = self._unwanted, set()
        for id in unwanted:
            job = self.store.get(id)
            if job is None or job.state not in OPEN:
                continue
            self._pool.cancel(id)
            self._forget(job)
            self.store.end(id, "cancelled")

    def _handle(self, event: TaskEvent) -> None:
        if isinstance(event, ProgressReport):
            with self._lock:
                self._stages[event.key] = Stage(event.stage, event.done, event.total)
            return
        job = self.store.get(event.key)
        assert job is not None
        if isinstance(event, WorkerLoss):
            self._forget(job)
            if job.tries + 1 < TRIES and not event.late:
                self.store.put_back(job.id, job.tries + 1)
            else:
                self._fail(job, "WorkerLost", f"{event.reason}, {job.tries + 1} times.")
        elif event.outcome.error:
            self._forget(job)
            self._fail(job, event.outcome.error, _named(event.outcome.reason, job))
        else:
            self._end(job, event.outcome)

    def _end(self, job: Job, outcome: Outcome) -> None:
        output = Path(job.request["output"])
        files = {path: str(_place_of(Path(path), output)) for path in outcome.files.values()}
        named = {kind: files[path] for kind, path in outcome.files.items()}
        self.store.placing(job.id, files, {**outcome.about, "files": named})
        placing = self.store.get(job.id)
        assert placing is not None
        self._place(placing)
        with self._lock:
            self._stages.pop(job.id, None)
        self._running.discard(job.id)

    def _place(self, job: Job) -> None:
        """Give the files that were made their names; those that have them already are left."""
        overwrite = bool(job.request["overwrite"])
        error: VideoscoreError | None = None
        try:
            for source, target in job.files.items():
                _move(Path(source), Path(target), overwrite)
        except VideoscoreError as cause:
            error = cause
        except OSError as cause:
            error = write_error(Path(job.request["output"]), cause)
        _clear(job)  # before the end is told: who hears of it finds nothing left
        if error is None:
            self.store.end(job.id, "done")
        else:
            self._fail(job, type(error).__name__, str(error))

    def _forget(self, job: Job) -> None:
        self._running.discard(job.id)
        with self._lock:
            self._stages.pop(job.id, None)
        _clear(job)

    def _fail(self, job: Job, kind: str, line: str) -> None:
        code = getattr(getattr(errors, kind, None), "exit_code", 1)
        self.store.end(job.id, "failed", {"error": kind, "message": line, "exit_code": code})


def staging(job: Job) -> Path:
    """The folder in which a job's files are made: beside its output, so that renaming works."""
    return Path(job.request["output"]).parent / PARTS / str(job.id)


def _clear(job: Job) -> None:
    shutil.rmtree(staging(job), ignore_errors=True)
    with suppress(OSError):  # others are in it, or it is gone
        staging(job).parent.rmdir()


def _place_of(made: Path, output: Path) -> Path:
    """Where a staged file belongs: beside the output, with its stem for the staged one's."""
    return (
        output
        if made.suffix == output.suffix and made.stem == STAGING_NAME
        else output.with_name(output.stem + made.name.removeprefix(STAGING_NAME))
    )


def _move(source: Path, target: Path, overwrite: bool) -> None:
    if not source.exists():  # moved before the server was killed
        return
    if source.is_dir():
        if overwrite and target.is_dir():
            shutil.rmtree(target)
        elif target.exists():
            raise OutputExists("is already there", path=target, remedy='Give another name, or "overwrite".')
        os.replace(source, target)
    else:
        place(source, target, overwrite)


def _named(line: str, job: Job) -> str:
    """An error's line with the names that the caller knows instead of those of the staging folder."""
    return line.replace(str(staging(job) / STAGING_NAME), str(Path(job.request["output"]).with_suffix("")))
