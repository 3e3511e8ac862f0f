"""A pool of processes on this machine. One that dies or hangs takes nothing with it but its own task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from videoscore.workers.capacity import cores, free_memory, share, workers_that_fit
from videoscore.workers.executor import (
    Outcome,
    ProgressReport,
    Setup,
    Task,
    TaskEnd,
    TaskEvent,
    Work,
    WorkerLoss,
)
from videoscore.workers.process import serve
from videoscore.workers.process_tree import kill_worker

GOODBYE = 5.0  # seconds that a worker without a task has for its end
SILENCE = 1800.0  # seconds without a word of progress after which a worker hangs, whatever its limit


@dataclass
class _Hand:
    """A running worker. start, last_word : monotonic seconds at which it got its task, and was last heard of.
    mute : it has never said a word."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    start: float = 0.0
    last_word: float = 0.0
    mute: bool = True

    def deadline(self) -> float:
        """When it is late, on the monotonic clock."""
        limit = self.task.limit if self.task else None
        return (
            self.last_word + SILENCE if limit is None else min(self.start + limit, self.last_word + SILENCE)
        )

    def lateness(self) -> str:
        """Why its task is given up now, "" while it may go on."""
        now = time.monotonic()
        if now < self.deadline():
            return ""
        limit = self.task.limit if self.task else None
        if limit is not None and now >= self.start + limit:
            return f"took longer than the time limit of {limit:g} s"
        return f"gave no sign of progress for {SILENCE:g} s"


class LocalPool:
    """Workers are spawned (never forked: threads and models don't survive that) when there is a task for them,
    keep their models from task to task, and have their share of the cores."""

    def __init__(self, work: Work, setup: Setup) -> None:
        self.work = work
        self.cores = cores()
        self.slots = setup.jobs or workers_that_fit(len(self.cores), free_memory())
        self._context = get_context("spawn")
        self._hands: list[_Hand | None] = [None] * self.slots

    def submit(self, task: Task) -> None:
        slot = self._idle()
        hand = self._hands[slot]
        if hand is not None and not hand.process.is_alive():
            self._kill(slot, hand)
            hand = None
        if hand is None:
            hand = self._hands[slot] = self._spawn(slot)
        hand.task = task
        hand.start = hand.last_word = time.monotonic()
        with contextlib.suppress(OSError):  # it has just died; `wait` will find that out
            hand.pipe.send(task)

    def wait(self, timeout: float) -> Sequence[TaskEvent]:
        busy = [
            (slot, hand)
            for slot, hand in enumerate(self._hands)
            if hand is not None and hand.task is not None
        ]
        if not busy:
            return ()
        patience = max(0.0, min(timeout, *(hand.deadline() - time.monotonic() for _, hand in busy)))
        ready = wait([source for _, hand in busy for source in (hand.pipe, hand.process.sentinel)], patience)
        events: list[TaskEvent] = []
        for slot, hand in busy:
            assert hand.task is not None
            task = hand.task
            if hand.pipe in ready:
                events += self._listen(slot, hand)
            elif hand.process.sentinel in ready:
                events.append(self._bury(slot, hand))
            elif late := hand.lateness():
                self._kill(slot, hand)
                events.append(WorkerLoss(task.key, late, late=True))
        return events

    def cancel(self, key: int) -> None:
        """End one task at once, its worker with it; nothing more is heard of it."""
        for slot, hand in enumerate(self._hands):
            if hand is not None and hand.task is not None and hand.task.key == key:
                self._kill(slot, hand)

    def stop(self) -> None:
        for slot, hand in enumerate(self._hands):
            if hand is not None:
                self._kill(slot, hand)

    def close(self) -> None:
        for hand in filter(None, self._hands):
            with contextlib.suppress(OSError):
                hand.pipe.send(None)
        end = time.monotonic() + GOODBYE
        for hand in filter(None, self._hands):
            hand.process.join(max(0.0, end - time.monotonic()))
        self.stop()

    # ------------------------------------------------------------ one worker

    def _idle(self) -> int:
        for slot, hand in enumerate(self._hands):
            if hand is not None and hand.task is None:
                return slot
        return self._hands.index(None)

    def _spawn(self, slot: int) -> _Hand:
        near_end, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve,
            name=f"videoscore-worker-{slot}",
            daemon=True,
            args=(theirs, self.work, slot, share(slot, self.slots, self.cores)),
        )
        process.start()
        theirs.close()  # so that the end of the worker is the end of the pipe
        return _Hand(process, near_end)

    def _listen(self, slot: int, hand: _Hand) -> list[TaskEvent]:
        """Everything a worker has said."""
        events: list[TaskEvent] = []
        assert hand.task is not None
        hand.last_word = time.monotonic()
        try:
            while hand.task is not None and hand.pipe.poll():
                word = hand.pipe.recv()
                hand.mute = False
                if isinstance(word, Outcome):
                    events.append(TaskEnd(hand.task.key, word))
                    hand.task = None
                elif isinstance(word, ProgressReport):
                    events.append(word)
        except (EOFError, OSError):
            events.append(self._bury(slot, hand))
        return events

    def _bury(self, slot: int, hand: _Hand) -> WorkerLoss:
        assert hand.task is not None
        hand.process.join(GOODBYE)
        code = hand.process.exitcode
        self._kill(slot, hand)  # what it has started may still be there
        how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
        return WorkerLoss(hand.task.key, f"the worker died ({how})", mute=hand.mute)

    def _kill(self, slot: int, hand: _Hand) -> None:
        assert hand.process.pid is not None
        kill_worker(hand.process.pid)
        hand.process.join()
        hand.pipe.close()
        self._hands[slot] = None
