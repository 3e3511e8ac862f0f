"""A pool of processes on this machine. One that dies or hangs takes nothing with it but its own task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from videoscore.batch.executors.base import Ended, Happening, Lost, Outcome, Setup, Task, Told, Work
from videoscore.batch.executors.ending import kill_worker
from videoscore.batch.executors.resources import cores, free_memory, share, workers_that_fit
from videoscore.batch.executors.worker import serve

GOODBYE = 5.0  # seconds that a worker without a task has for its end


@dataclass
class _Hand:
    """A running worker. begun : monotonic seconds at which it got its task."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    begun: float = 0.0


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
        hand.task, hand.begun = task, time.monotonic()
        with contextlib.suppress(OSError):  # it has just died; `wait` will find that out
            hand.pipe.send(task)

    def wait(self, timeout: float) -> Sequence[Happening]:
        busy = [(slot, hand) for slot, hand in enumerate(self._hands) if hand is not None and hand.task is not None]
        if not busy:
            return ()
        limits = [hand.begun + hand.task.limit - time.monotonic() for _, hand in busy
                  if hand.task is not None and hand.task.limit is not None]
        patience = max(0.0, min([timeout, *limits]))
        ready = wait([source for _, hand in busy for source in (hand.pipe, hand.process.sentinel)], patience)
        happened: list[Happening] = []
        for slot, hand in busy:
            assert hand.task is not None
            task = hand.task
            if hand.pipe in ready:
                happened += self._listen(slot, hand)
            elif hand.process.sentinel in ready:
                happened.append(self._bury(slot, hand))
            elif task.limit is not None and time.monotonic() - hand.begun >= task.limit:
                self._kill(slot, hand)
                happened.append(Lost(task.key, f"took longer than the time limit of {task.limit:g} s", late=True))
        return happened

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
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, name=f"videoscore-worker-{slot}", daemon=True,
                                        args=(theirs, self.work, slot, share(slot, self.slots, self.cores)))
        process.start()
        theirs.close()  # so that the end of the worker is the end of the pipe
        return _Hand(process, ours)

    def _listen(self, slot: int, hand: _Hand) -> list[Happening]:
        """Everything a worker has said."""
        said: list[Happening] = []
        assert hand.task is not None
        try:
            while hand.task is not None and hand.pipe.poll():
                word = hand.pipe.recv()
                if isinstance(word, Outcome):
                    said.append(Ended(hand.task.key, word))
                    hand.task = None
                elif isinstance(word, Told):
                    said.append(word)
        except (EOFError, OSError):
            said.append(self._bury(slot, hand))
        return said

    def _bury(self, slot: int, hand: _Hand) -> Lost:
        assert hand.task is not None
        hand.process.join(GOODBYE)
        code = hand.process.exitcode
        self._kill(slot, hand)  # what it has started may still be there
        how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
        return Lost(hand.task.key, f"the worker died ({how})")

    def _kill(self, slot: int, hand: _Hand) -> None:
        assert hand.process.pid is not None
        kill_worker(hand.process.pid)
        hand.process.join()
        hand.pipe.close()
        self._hands[slot] = None
