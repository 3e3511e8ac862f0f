"""What names a file's content, wherever the file lies: SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from videoscore.files import read_start
from videoscore.library.read.read import MOST_BYTES


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def content_of(path: Path) -> str:
    """SHA-256 of a file's first `MOST_BYTES` + 1 bytes: of all of it where it can be a piece. Raises NotFound."""
    return digest(read_start(path, MOST_BYTES))
