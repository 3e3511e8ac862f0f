"""How much memory a run took at its peak: this process, and its largest child."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path
from types import TracebackType

EVERY = 0.2  # seconds between two looks at the children
_PROC = Path("/proc")


def own_peak() -> int | None:
    """Bytes: the most that was resident of this process so far; None where the system doesn't tell.

    On Linux `ru_maxrss` begins with what the parent had taken, since it outlives `exec`; the kernel's high-water mark
    of the process's own memory doesn't.
    """
    if (_PROC / "self" / "status").exists():
        return _high_water("self")
    return None if sys.platform == "win32" else _usage(children=False)


class PeakMemory:
    """Watches the children of this process, as a context, for the peak of the largest of them.

    A child's own high-water mark is read while it lives: `ru_maxrss` of children that have ended counts the parent's
    memory as theirs (`own_peak`). It stands in only where there is no /proc.
    """

    def __init__(self) -> None:
        self.children = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        if _PROC.exists():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def total(self) -> int:
        """Bytes: the peak of this process so far plus that of its largest child since the watch began; 0 where the
        system tells nothing."""
        if not _PROC.exists() and sys.platform != "win32":
            self.children = _usage(children=True)
        return (own_peak() or 0) + self.children

    def _watch(self) -> None:
        while True:
            for child in _children():
                self.children = max(self.children, _high_water(child) or 0)
            if self._ended.wait(EVERY):
                return


def _children() -> list[str]:
    """Ids of the processes that this one has started and that live; each thread has its own."""
    ids: list[str] = []
    for task in Path(_PROC / "self" / "task").iterdir():
        with contextlib.suppress(OSError):  # the thread has just ended
            ids += (task / "children").read_text().split()
    return ids


def _high_water(process: str) -> int | None:
    """Bytes; None for one that has ended, or has not yet become the program that it was started for."""
    try:
        # between fork and exec it still has its parent's memory, and its parent's command
        if process != "self" and _command(process) == _command("self"):
            return None
        for line in (_PROC / process / "status").read_text(errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _command(process: str) -> bytes:
    return (_PROC / process / "cmdline").read_bytes()


def _usage(children: bool) -> int:
    """Bytes, as POSIX tells them: of this process, or of its largest child that has ended."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF).ru_maxrss
