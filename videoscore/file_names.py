"""Names of files: as text that everything can hold, as one line for people, and short enough for the disk.

A name on a POSIX disk is bytes. Python hands those that aren't text in the file system's encoding over as lone
surrogates (PEP 383), which no text file, database or font takes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

LONGEST = 255  # bytes of a name: ext4, XFS, APFS; NTFS counts UTF-16 units, which are no more


def as_text(name: str | Path) -> str:
    """A name that is text: what is UTF-8 is read so whatever the locale, other bytes are written as ``\\xe9``."""
    text = str(name)
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte, from JSON
        raw = text.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def shown(name: str | Path) -> str:
    """A name, or words with names in them, as one line: control characters and line ends are written as ``\\x0a``."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in as_text(name))


def size(name: str) -> int:
    """Bytes that a name takes on the disk."""
    return len(os.fsencode(name))


def cut(name: str, most: int) -> str:
    """The longest beginning of whole characters within `most` bytes."""
    while name and size(name) > max(0, most):
        name = name[:-1]
    return name


def shortened(stem: str, most: int) -> str:
    """A stem of at most `most` bytes; one that was longer ends in a mark of the whole, so that two of them stay two."""
    if size(stem) <= most:
        return stem
    mark = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    return cut(stem, most - size(mark)) + mark


def longest_in(folder: Path) -> int:
    """Bytes that a name in a folder may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError, AttributeError):
        return LONGEST
