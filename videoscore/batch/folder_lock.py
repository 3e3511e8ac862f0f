"""One batch at a time in a folder: a lock that goes with its process, however it ends."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from videoscore.errors import OutputError

NAME = ".videoscore-batch.lock"


class Lock:
    """Held from the making to `release`. The file stays: to remove it would let two in.

    Raises OutputError when another process holds it, OSError when it can't be made.
    """

    def __init__(self, folder: Path) -> None:
        import fcntl

        self.file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            # not the ledger itself: closing any of a process's handles on that would drop SQLite's own locks
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.file)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise OutputError(
                    "another batch is at work in this folder",
                    path=folder,
                    remedy="Wait for it, or write to another folder.",
                ) from error
            raise

    def release(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
