"""One long job at a time, in a process of its own that stays warm; blocking, so call it from a thread."""

from __future__ import annotations

import threading
from typing import Any

from videoscore import errors
from videoscore.errors import Cancelled, UsageError, VideoscoreError
from videoscore.progress import Progress, silent
from videoscore.studio.tasks import Job, work
from videoscore.workers.executor import ProgressReport, Setup, Task, TaskEnd, WorkerLoss
from videoscore.workers.local import LocalPool

PATIENCE = 0.1  # seconds between two looks at `cancel`


class Failure(VideoscoreError):
    """What went wrong in the worker, in the words that it had for it."""

    def __init__(self, kind: str, line: str) -> None:
        self.kind, self.line = kind, line
        super().__init__(line)
        self.exit_code = getattr(getattr(errors, kind, VideoscoreError), "exit_code", 1)

    def __str__(self) -> str:
        return self.line


class Runner:
    """The worker is a process of the batch's kind: it goes when this process goes, however that ends."""

    def __init__(self) -> None:
        self._pool = LocalPool(work, Setup(jobs=1))
        self._busy, self._stop = threading.Lock(), threading.Event()
        self._count = 0

    def run(self, job: Job, progress: Progress = silent) -> Any:
        """What the job gives. Raises Failure, Cancelled after `cancel`, or UsageError while another runs."""
        if not self._busy.acquire(blocking=False):
            raise UsageError("something is being made already", remedy="Wait for it, or cancel it.")
        try:
            self._stop.clear()
            self._count += 1
            self._pool.submit(Task(self._count, job))
            while True:
                for word in self._pool.wait(PATIENCE):
                    if isinstance(word, ProgressReport):
                        progress(word.stage, word.done, word.total)
                    elif isinstance(word, WorkerLoss):
                        raise VideoscoreError(
                            f"the work was broken off: {word.reason}",
                            remedy="Close other programs if memory is short, and try again.",
                        )
                    elif isinstance(word, TaskEnd):
                        if word.outcome.error:
                            raise Failure(word.outcome.error, word.outcome.reason)
                        return word.outcome.about["result"]
                if self._stop.is_set():
                    self._pool.stop()
                    raise Cancelled("cancelled")
        finally:
            self._busy.release()

    def cancel(self) -> None:
        """Have `run` end the worker and raise Cancelled."""
        self._stop.set()

    def close(self) -> None:
        """End the worker at once, and what it does."""
        self._stop.set()
        # one thread at a time may call the pool: `run` lets go of it as soon as it has seen `_stop`
        if self._busy.acquire(timeout=10 * PATIENCE):
            self._pool.stop()
