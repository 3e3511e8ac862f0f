"""The music that comes with videoscore: MIDI files and a manifest, written by ``scripts/builtin_library.py``.

It is read beside the user's library and never written to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from videoscore.errors import SetupError
from videoscore.library.store.entry import PieceEntry
from videoscore.resources import LIBRARY_PIECES

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Builtin:
    """A piece, the file it is in, and how it was written (mood, seed and so on, as the manifest says)."""

    entry: PieceEntry
    path: Path
    written: dict[str, Any]


@lru_cache(maxsize=2)
def load_builtin(folder: Path = LIBRARY_PIECES) -> tuple[Builtin, ...]:
    """The pieces in the manifest; none when there is no manifest.

    Raises SetupError when it is damaged or names a file that isn't there.
    """
    path = folder / MANIFEST
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise ValueError(f"format {facts['format']}")
        pieces = tuple(
            Builtin(PieceEntry.from_facts(p["entry"]), folder / p["file"], p["written"])
            for p in facts["pieces"]
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the list of the built-in music can't be read ({error})",
            path=path,
            remedy="Install videoscore again.",
        ) from error
    for one in pieces:
        if not one.path.is_file():
            raise SetupError("a built-in piece is missing", path=one.path, remedy="Install videoscore again.")
    return pieces


def manifest(pieces: list[tuple[PieceEntry, str, dict[str, Any]]]) -> str:
    """The manifest's text for (entry, file name, how it was written)."""
    rows = [{"file": name, "written": written, "entry": entry.facts()} for entry, name, written in pieces]
    return json.dumps({"format": FORMAT, "pieces": rows}, indent=1, ensure_ascii=False) + "\n"
