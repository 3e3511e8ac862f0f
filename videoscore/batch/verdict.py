"""Whether a film is to be scored now, from what the ledger says and what is on the disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.batch.jobs import Job
from videoscore.batch.row import Row
from videoscore.errors import VideoscoreError
from videoscore.settings.fields import Options

OutputStamps = Mapping[Path, tuple[int, int] | None]


@dataclass(frozen=True)
class Verdict:
    """status : "queued" when it is to be done now, else "skipped", or "failed" for what failed before.
    touched : the input's new time (ns), where nothing but that has changed."""

    status: str
    reason: str = ""
    error: str = ""
    new_time: int | None = None


def decide(
    job: Job,
    row: Row | None,
    settings: str,
    *,
    retry: bool = False,
    overwrite: bool = False,
    kinds: Iterable[str] = ("cues",),
) -> Verdict:
    """What to do with one film.

    Parameters
    ----------
    row : what the ledger knows of it. settings : `digest` of what it is to be scored with.
    retry : do again what failed. overwrite : replace files that aren't the batch's own.
    """
    stamps: OutputStamps = {} if row is None else row.made
    if (
        row is not None
        and row.status in ("scored", "failed")
        and row.target == job.output
        and row.settings == settings
    ):
        same, new_time = _same_input(job.input, row)
        if same and row.status == "failed" and not retry:
            return Verdict("failed", row.reason, row.error)
        if same and row.status == "scored" and row.output is not None and os.path.lexists(row.output):
            foreign_file = None if overwrite else foreign([row.output], stamps)
            if foreign_file is None and foreign([row.output], stamps) is None:
                return Verdict("skipped", "done before, and unchanged", new_time=new_time)
            if foreign_file is not None:
                return Verdict(
                    "skipped",
                    f"{foreign_file.name} was changed since it was written; --overwrite makes it anew",
                )
    if not overwrite:
        there = foreign(job.files(job.suffix, kinds).values(), stamps)
        if there is not None:
            why = "was changed since it was written" if there in stamps else "is already there"
            return Verdict("skipped", f"{there.name} {why}; use --overwrite to replace it")
    return Verdict("queued")


def foreign(files: Iterable[Path], stamps: OutputStamps) -> Path | None:
    """The first of `files` that is there and isn't as this batch wrote it (None in `made`: may be anything)."""
    for path in files:
        if os.path.lexists(path) and not (path in stamps and stamps[path] in (None, stamp(path))):
            return path
    return None


def stamp(path: Path) -> tuple[int, int]:
    """(size, mtime in ns) of a file or folder, by which a change of it is known."""
    facts = os.lstat(path)
    return facts.st_size, facts.st_mtime_ns


def digest(options: Options, keep: Iterable[str] = ()) -> str:
    """A hash of all that decides how a film is scored: options, the preset's content, the SoundFont, what is kept."""
    from videoscore.perform.orchestrate.palette_file import load_preset
    from videoscore.perform.render.soundfont import find_soundfont

    font: Any = options.render.soundfont
    try:
        path = Path(str(find_soundfont(options.render.soundfont)))
        font = [path.name, path.stat().st_size]
    except (OSError, VideoscoreError):
        pass  # told when a film is scored
    facts = [dataclasses.asdict(options), repr(load_preset(options.preset)), font, sorted(keep)]
    return hashlib.sha256(json.dumps(facts, default=_plain, sort_keys=True).encode()).hexdigest()


def _same_input(path: Path, row: Row) -> tuple[bool, int | None]:
    """Whether the input is what it was; and its time, where that alone has changed."""
    from videoscore.batch.film_task import identity

    try:
        facts = os.stat(path)
    except OSError:
        return row.size is None, None  # it was missing then, too
    if (facts.st_size, facts.st_mtime_ns) == (row.size, row.mtime):
        return True, None
    if facts.st_size != row.size or not row.content:
        return False, None
    try:
        return identity(path)["content"] == row.content, facts.st_mtime_ns
    except VideoscoreError:
        return False, None


def _plain(value: Any) -> str:
    if isinstance(value, (Fraction, Path)):
        return str(value)
    raise TypeError(type(value).__name__)
