"""A folder of results that were dear to compute, by name: bounded, shared by any number of processes, never trusted."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from videoscore.user_folders import cache_root, expanded

Entry = TypeVar("Entry")


def cache_folder(kind: str) -> Path | None:
    """The folder of one kind of results: in $VIDEOSCORE_CACHE, else in ``videoscore`` in the user's cache folder (XDG
    Base Directory); None for a user without a home folder."""
    if os.environ.get("VIDEOSCORE_CACHE"):
        return expanded(os.environ["VIDEOSCORE_CACHE"]) / kind
    root = cache_root()
    return None if root is None else root / "videoscore" / kind


@dataclass(frozen=True)
class FolderCache:
    """folder : made at the first entry. limit : bytes of all entries together; 0 keeps none. suffix : of the entries.
    most : entries.

    Entries are written beside their names and renamed, and the least recently used go when there are too many. A folder
    that can't be read or written only costs time, so its failures are no errors.
    """

    folder: Path
    limit: int
    suffix: str = ".npz"
    most: int = 5000

    def get(self, name: str, read: Callable[[Path], Entry]) -> Entry | None:
        """What `read` makes of an entry; None when there is none, or it is damaged (it is then removed)."""
        path = self._path(name)
        try:
            content = read(path)
        except FileNotFoundError:
            return None
        except (
            Exception
        ):  # a damaged archive fails in a dozen ways (zipfile, zlib, NumPy's header, our types)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        self.touch([name])
        return content

    def touch(self, names: Iterable[str]) -> None:
        """These were of use just now."""
        for name in names:
            with contextlib.suppress(OSError):
                os.utime(self._path(name))

    def put(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Keep an entry; the least recently used ones make room."""
        if self.limit <= 0:
            return
        part = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".part", delete=False) as file:
                part = Path(file.name)
                write(file)  # type: ignore[arg-type]
            os.replace(part, self._path(name))
            self._bound()
        except OSError:
            if part is not None:
                with contextlib.suppress(OSError):
                    part.unlink()

    def _bound(self) -> None:
        entries = []
        for path in self.folder.glob(f"*{self.suffix}"):
            with contextlib.suppress(OSError):
                facts = path.stat()
                entries.append((facts.st_mtime_ns, facts.st_size, path))
        over = sum(size for _, size, _ in entries) - self.limit
        spare = len(entries) - self.most
        for k, (_, size, path) in enumerate(sorted(entries)):
            if over <= 0 and k >= spare:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            over -= size

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{self.suffix}"
