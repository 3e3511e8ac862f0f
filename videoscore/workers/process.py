"""A worker of the local pool: a process that does one task after the other, and goes with its leader.

Imports nothing heavy: the environment has to be set before any numerical library is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection

from videoscore.progress import Progress
from videoscore.workers.capacity import threads
from videoscore.workers.executor import Outcome, ProgressReport, Task, Work, attempt
from videoscore.workers.process_tree import kill_own_group

EVERY = 0.2  # seconds between two words of progress


def serve(pipe: Connection, work: Work, slot: int, share: Sequence[int]) -> None:
    """Do tasks from `pipe` until it says None. share : the cores to stay on."""
    # a group of its own: Ctrl-C on the terminal is for the leader, and all of the group can be killed at once
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(threads(len(share)))
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, share)
    logging.getLogger().addHandler(logging.NullHandler())  # warnings are collected by the work, not printed
    warnings.simplefilter("ignore")
    threading.Thread(target=_go_with_leader, daemon=True).start()
    while True:
        try:
            task: Task | None = pipe.recv()
        except (EOFError, OSError):  # the leader has gone
            return
        if task is None:
            return
        _say(pipe, attempt(work, task.payload, _teller(pipe, task.key, slot)))


def _teller(pipe: Connection, key: int, slot: int) -> Progress:
    """A `Progress` that tells the leader, not too often."""
    last: dict[str, float] = {}
    owner = threading.get_ident()

    def tell(stage: str, done: float, total: float) -> None:
        now = time.monotonic()
        # from one thread only, for two messages in one pipe at once would mix
        if threading.get_ident() == owner and (done >= total or now - last.get(stage, 0.0) >= EVERY):
            last[stage] = now
            _say(pipe, ProgressReport(key, slot, stage, float(done), float(total)))

    return tell


def _say(pipe: Connection, word: ProgressReport | Outcome) -> None:
    try:
        pipe.send(word)
    except OSError:  # the leader has gone; `_go_with_leader` may not have noticed yet
        kill_own_group()


def _go_with_leader() -> None:
    """Kill this whole group when the leader is gone, however it went."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    leader = parent_process()
    assert leader is not None
    wait([leader.sentinel])
    kill_own_group()
