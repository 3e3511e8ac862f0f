"""What the leader of a batch and those who do the work say to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from videoscore.errors import Cancelled, VideoscoreError
from videoscore.progress import Progress
from videoscore.workers.capacity import give_back_memory


@dataclass(frozen=True)
class Task:
    """One film to work on. key : unique in a run. payload : for the work function; can be pickled.
    limit : seconds after which it counts as hung, or None."""

    key: int
    payload: Any
    limit: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a task. error : kind, "" when it went well; reason : the error's line.

    files : kind -> file that was made, "output" among them. size, mtime (ns), content (SHA-256) : of the input.
    versions, about : further facts, as JSON can hold them.
    """

    error: str = ""
    reason: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    mtime: int | None = None
    content: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def failure(error: BaseException, **facts: Any) -> Outcome:
        """A failure as the ledger keeps it, one line whatever it was."""
        if isinstance(error, VideoscoreError):
            return Outcome(type(error).__name__, str(error), **facts)
        if isinstance(error, MemoryError):
            return Outcome("MemoryError", "out of memory. Use fewer --jobs.", **facts)
        what = " ".join(str(error).split())[:300]
        return Outcome(type(error).__name__, f"internal error: {type(error).__name__}: {what}.", **facts)


# gets a task's payload; tells its progress
Work = Callable[[Any, Progress], Outcome]


@dataclass(frozen=True)
class ProgressReport:
    """A task is under way. slot : which worker has it. done, total : in the unit of the stage."""

    key: int
    slot: int
    stage: str
    done: float
    total: float


@dataclass(frozen=True)
class TaskEnd:
    key: int
    outcome: Outcome


@dataclass(frozen=True)
class WorkerLoss:
    """The worker went, and the task with it.

    late : it was killed for having passed its limit. mute : it never said a word, so that it hardly was the task.
    """

    key: int
    reason: str
    late: bool = False
    mute: bool = False


TaskEvent = ProgressReport | TaskEnd | WorkerLoss


@dataclass(frozen=True)
class Setup:
    """jobs : workers, None for as many as fit. address : of a cluster. has_limit : tasks have a time limit.
    tell : for an executor that can't tell from `wait`, because it works meanwhile; may raise Cancelled."""

    jobs: int | None = None
    address: str | None = None
    has_limit: bool = False
    tell: Callable[[ProgressReport], None] | None = None


class Executor(Protocol):
    """Works on up to `slots` tasks at a time. One thread at a time calls it."""

    slots: int

    def submit(self, task: Task) -> None:
        """Take a task; only called while fewer than `slots` are under way."""

    def wait(self, timeout: float) -> Sequence[TaskEvent]:
        """What has happened, at the latest after `timeout` seconds (one that works in this very process may
        take as long as the task)."""

    def stop(self) -> None:
        """End everything at once, running tasks with it. Nothing of them goes on afterwards."""

    def close(self) -> None:
        """End the workers; none has a task."""


def attempt(work: Work, payload: Any, progress: Progress) -> Outcome:
    """Do the work; a failure is an outcome, too. Cancelled and KeyboardInterrupt pass."""
    try:
        return work(payload, progress)
    except Cancelled:
        raise
    except Exception as error:
        return Outcome.failure(error)
    finally:
        give_back_memory()
