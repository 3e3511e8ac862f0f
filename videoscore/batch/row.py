"""One row of the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """What is known of one film.

    target : the output as planned; output : as written (the suffix may be another), None before.
    error : kind of the error; reason : its line, or why it was skipped. attempts : how often it was begun.
    started, ended : seconds since the epoch, of the last attempt. seed, preset, versions, settings (a hash) : of
        the last attempt. size, mtime (ns), content (SHA-256) : of the input then.
    made : file -> (size, mtime in ns) of all that was written; None while it is being put in place.
    """

    input: Path
    target: Path
    status: str
    error: str
    reason: str
    attempts: int
    started: float | None
    ended: float | None
    seed: int | None
    preset: str | None
    settings: str
    size: int | None
    mtime: int | None
    content: str | None
    output: Path | None
    made: Mapping[Path, tuple[int, int] | None] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


COLUMNS = (
    "input",
    "target",
    "status",
    "error",
    "reason",
    "attempts",
    "started",
    "ended",
    "seed",
    "preset",
    "settings",
    "size",
    "mtime",
    "content",
    "output",
    "made",
    "versions",
    "about",
)


def row_of(columns: tuple[Any, ...]) -> Row:
    """A row from its columns, in the order of `COLUMNS`."""
    facts = dict(zip(COLUMNS, columns))
    for name in ("input", "target", "output"):
        facts[name] = None if facts[name] is None else Path(os.fsdecode(facts[name]))
    stamps = json.loads(facts["made"])
    facts["made"] = {
        Path(os.fsdecode(bytes.fromhex(path))): None if about is None else tuple(about)
        for path, about in stamps.items()
    }
    facts["versions"], facts["about"] = json.loads(facts["versions"]), json.loads(facts["about"])
    return Row(**facts)


def dump_stamps(stamps: Mapping[Path, tuple[int, int] | None]) -> str:
    """Files as JSON. In hexadecimal, for JSON can't hold names that aren't Unicode."""
    return json.dumps({os.fsencode(path).hex(): about for path, about in stamps.items()})
