"""One task after the other in this very process: the simplest executor, and the one to debug with."""

from __future__ import annotations

from collections.abc import Sequence

from videoscore.errors import UsageError
from videoscore.workers.executor import ProgressReport, Setup, Task, TaskEnd, TaskEvent, Work, attempt


class Inline:
    """Nothing can kill a task here, so that it takes no time limit; and there is one slot."""

    slots = 1

    def __init__(self, work: Work, setup: Setup) -> None:
        if setup.has_limit:
            raise UsageError(
                "--time-limit has no effect with --executor inline",
                remedy="Leave it out, or use --executor local.",
            )
        if setup.jobs not in (None, 1):
            raise UsageError(
                "--jobs has no effect with --executor inline", remedy="Leave it out, or use --executor local."
            )
        self.work = work
        self.tasks: list[Task] = []
        self.tell = setup.tell

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def wait(self, timeout: float) -> Sequence[TaskEvent]:
        if not self.tasks:
            return ()
        task = self.tasks.pop(0)

        def tell(stage: str, done: float, total: float) -> None:
            if self.tell is not None:
                self.tell(ProgressReport(task.key, 0, stage, done, total))

        return (TaskEnd(task.key, attempt(self.work, task.payload, tell)),)

    def stop(self) -> None:
        self.tasks.clear()

    def close(self) -> None:
        self.tasks.clear()
