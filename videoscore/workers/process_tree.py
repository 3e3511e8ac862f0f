"""Ending a worker and all that it has started, which may be in sessions of their own (ffmpeg is)."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def descendants(pid: int, proc: Path = Path("/proc")) -> list[int]:
    """Processes below `pid`; none where the system has no /proc."""
    below: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for entry in os.listdir(proc):
            if entry.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    # "pid (name) state parent ...": the name may hold anything
                    parent = int(
                        (proc / entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
                    )
                    below.setdefault(parent, []).append(int(entry))
    ids, todo = [], [pid]
    while todo:
        children = below.get(todo.pop(), [])
        ids += children
        todo += children
    return ids


def kill_worker(pid: int) -> None:
    """SIGKILL for a worker, its group and everything below it. It is stopped first, so that nothing new begins."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
    children = descendants(pid)
    for kill, number in ((os.killpg, pid), *((os.kill, one) for one in children), (os.kill, pid)):
        with contextlib.suppress(OSError):  # gone, or not yet in a group of its own
            kill(number, signal.SIGKILL)


def kill_own_group() -> None:
    """The same from within a worker."""
    for one in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(one, signal.SIGKILL)
    os.killpg(0, signal.SIGKILL)
