"""The user's own folders, by the XDG Base Directory specification. There may be none: a service has no home."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path | None:
    """The home folder; None for a user without $HOME and without an entry among the system's users."""
    path = os.path.expanduser("~")
    return Path(path) if os.path.isabs(path) else None


def expanded(path: str | Path) -> Path:
    """A path whose ``~`` is the home folder; it stays as it is where there is none."""
    return Path(os.path.expanduser(path))


def cache_root() -> Path | None:
    """Where what can be computed again may lie; None where there is no home."""
    return _root("XDG_CACHE_HOME", ".cache")


def data_root() -> Path | None:
    """Where what is the user's own lies; None where there is no home."""
    return _root("XDG_DATA_HOME", ".local/share")


def _root(variable: str, folder: str) -> Path | None:
    value = os.environ.get(variable)
    if value and os.path.isabs(value):  # the specification has relative ones ignored
        return Path(value)
    here = home()
    return None if here is None else here / folder
