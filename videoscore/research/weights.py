"""Weight files, whole or not at all, and beside each the facts by which it can be made again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from videoscore.resources import PACKAGE


def commit() -> str | None:
    """Commit of the code that trains, if it is a checkout."""
    process = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    return process.stdout.strip() or None


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_weights(path: Path, save: Callable[[Path], None], facts: Mapping[str, Any]) -> Path:
    """Have `save` write the weights, put them at `path`, and a .json of the same name beside them.

    The .json holds `facts`, the commit, and the file's checksum and size. Returns `path`. Raises OSError; then, and
    on any other error, what was at `path` before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        save(part)
        raw = part.read_bytes()
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    record = {**facts, "commit": commit(), "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path
