"""Files into the library: found, read by several processes, each remembered as soon as it is done."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from videoscore.errors import NotFound
from videoscore.library.read.content import content_of
from videoscore.library.read.read import SUFFIXES
from videoscore.library.read.readers import Answer, read_all
from videoscore.library.store.database import FileStamp, Library
from videoscore.library.store.entry import PieceEntry
from videoscore.progress import Progress, silent
from videoscore.workers.capacity import core_count

BATCH, EVERY = 32, 1.0  # files, or seconds, after which what was read is written down


@dataclass
class AddReport:
    """What `add` did: how many files were added, known already, found again elsewhere, or are copies of others;
    and the skipped ones with the reason, in the order of their paths."""

    added: int = 0
    known: int = 0
    moved: int = 0
    copies: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def find_files(paths: Sequence[str | Path]) -> list[Path]:
    """The MIDI files that are named, and those in the folders that are named and below, each once, sorted.

    Raises NotFound when something named isn't there, or there is no MIDI file at all.
    """
    in_order: dict[str, None] = {}
    for name in paths:
        path = os.path.abspath(os.path.expanduser(name))
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                in_order.update(
                    dict.fromkeys(
                        os.path.join(folder, n)
                        for n in names
                        if n.lower().endswith(SUFFIXES) and not n.startswith("._")
                    )
                )
        elif os.path.exists(path):
            in_order[path] = None
        else:
            raise NotFound("no such file or folder", path=name, remedy="Check the name.")
    if not in_order:
        raise NotFound(
            f"no MIDI file ({', '.join(SUFFIXES)}) in there",
            path=paths[0] if paths else None,
            remedy="Name another folder.",
        )
    return [Path(p) for p in sorted(in_order)]


def add(
    library: Library, paths: Sequence[str | Path], jobs: int | None = None, progress: Progress = silent
) -> AddReport:
    """Add MIDI files, and those in folders, to the library.

    Parameters
    ----------
    jobs : processes that read; by default one a core.
    progress : told of ("add", files done, files in all).

    What is known (by path, size and time) isn't read again; a known content at a new path is found again there
    when its old path is gone, and is a copy otherwise. Stopped at any moment and called again, it goes on. A file that
    is no usable music is skipped with a reason, and so it is at once the next time.

    Raises NotFound (see `find_files`), OutputError, DiskFull, SetupError.
    """
    files = find_files(paths)
    adding = _Adding(library, len(files), progress)
    unread = [path for path in files if not adding.settle(path)]
    adding.flush()
    if unread:
        count = max(1, min(jobs or core_count(), len(unread)))
        with contextlib.closing(read_all(unread, count)) as answers:
            try:
                for path, answer in answers:
                    adding.take(path, answer)
            finally:  # what was read before Ctrl-C needn't be read again
                adding.flush()
    adding.settle_copies()
    adding.flush()
    adding.out.skipped.sort()
    return adding.out


class _Adding:
    """The bookkeeping of one `add`."""

    def __init__(self, library: Library, total: int, progress: Progress) -> None:
        from videoscore.library.read.tag import VERSION

        self.library, self.total, self.progress, self.version = library, total, progress, VERSION
        self.file_stamps, self.contents = library.file_stamps(), library.contents()
        self.problems = {
            s.content: s.problem
            for s in self.file_stamps.values()
            if s.problem and s.content and s.version == VERSION
        }
        self.current = {
            s.content for s in self.file_stamps.values() if s.version == VERSION and not s.problem
        }
        self.reading: set[str] = set()
        self.copies: list[tuple[Path, str, os.stat_result]] = []
        self.waiting: list[tuple[Path, FileStamp, PieceEntry | None, bool]] = []
        self.out, self.count, self.last_flush = AddReport(), 0, time.monotonic()

    def settle(self, path: Path) -> bool:
        """True when a file needn't be read."""
        name = str(path)
        if any("\ud800" <= c <= "\udfff" for c in name):
            return self._skip(path, None, "its name is not UTF-8")
        try:
            facts = path.stat()
            before = self.file_stamps.get(name)
            if (
                before is not None
                and (before.size, before.mtime, before.version)
                == (facts.st_size, facts.st_mtime_ns, self.version)
                and (before.problem or before.content in self.contents)
            ):
                if before.problem:
                    return self._skip(path, None, before.problem)
                self.out.known += 1
                return self._count()
            if not path.is_file():
                return self._skip(path, None, "not a file")
            content = content_of(path)
        except (OSError, NotFound) as error:
            return self._skip(path, None, getattr(error, "problem", None) or str(error))
        if content in self.problems:
            return self._skip(
                path,
                FileStamp(facts.st_size, facts.st_mtime_ns, content, self.problems[content], self.version),
                str(self.problems[content]),
            )
        if content in self.contents and content in self.current:
            self._again(path, content, facts)
            return self._count()
        if content in self.reading:
            self.copies.append((path, content, facts))
            return True
        self.reading.add(content)
        return False

    def take(self, path: Path, answer: Answer) -> None:
        """What a reader found."""
        try:
            facts = path.stat()
        except OSError as error:
            self._skip(path, None, f"it went away ({error.strerror})")
            return
        content = answer["content"]
        stamp = FileStamp(facts.st_size, facts.st_mtime_ns, content, answer.get("problem"), self.version)
        if stamp.problem:
            if content:
                self.problems[content] = stamp.problem
            self._skip(path, stamp, stamp.problem)
            return
        self.waiting.append((path, stamp, PieceEntry.from_facts(answer["piece"]), content in self.contents))
        self.contents[content] = str(path)
        self.current.add(content)
        self._count()

    def settle_copies(self) -> None:
        """Files whose content another file of this run had."""
        self.flush()
        for path, content, facts in self.copies:
            if content in self.contents:
                self._again(path, content, facts)
                self._count()
            else:
                problem = self.problems.get(content) or "it changed while it was read"
                self._skip(
                    path,
                    FileStamp(facts.st_size, facts.st_mtime_ns, content, problem, self.version),
                    problem,
                )

    def flush(self) -> None:
        """Write down what waits, all or nothing."""
        if self.waiting:
            with self.library.writing():
                for path, stamp, entry, old_entry in self.waiting:
                    if entry is not None:
                        self.library.put(str(path), stamp.size, stamp.mtime, entry)
                        self.out.known += old_entry
                        self.out.added += not old_entry
                    self.library.note(str(path), stamp)
        self.waiting, self.last_flush = [], time.monotonic()

    def _again(self, path: Path, content: str, facts: os.stat_result) -> None:
        """A known content at another path, or an old file with another time."""
        old = self.contents[content]
        stamp = FileStamp(facts.st_size, facts.st_mtime_ns, content, None, self.version)
        with self.library.writing():
            if old == str(path):
                self.out.known += 1
            elif self._still_at(old, content):
                self.out.copies += 1
            else:
                self.library.move(content, str(path), facts.st_size, facts.st_mtime_ns)
                self.contents[content] = str(path)
                self.out.moved += 1
            self.library.note(str(path), stamp)

    def _still_at(self, path: str, content: str) -> bool:
        try:
            return os.path.isfile(path) and content_of(Path(path)) == content
        except NotFound:
            return False

    def _skip(self, path: Path, stamp: FileStamp | None, problem: str) -> bool:
        self.out.skipped.append((path, problem))
        if stamp is not None:
            self.waiting.append((path, stamp, None, False))
        return self._count()

    def _count(self) -> bool:
        self.count += 1
        self.progress("add", self.count, self.total)
        if len(self.waiting) >= BATCH or time.monotonic() - self.last_flush > EVERY:
            self.flush()
        return True
