"""Processes that do long work, and how many of them fit; for batches and the studio. A new executor is one
file with the protocol of executor.py, and one line in `EXECUTORS`.

May import: `audio` and what stands below it. Begin with: `videoscore.workers.get_executor`.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from videoscore.errors import UsageError
from videoscore.words import did_you_mean
from videoscore.workers.executor import Executor, Setup, Work

# name -> "module:class"; the class takes (work, setup)
EXECUTORS = {
    "local": "videoscore.workers.local:LocalPool",
    "inline": "videoscore.workers.inline:Inline",
    "ray": "videoscore.workers.on_ray:RayPool",
}
DEFAULT = "local"


def check_executor(name: str, address: str | None) -> None:
    """Raise UsageError for an unknown name, or an address that it can't heed."""
    if name not in EXECUTORS:
        raise UsageError(
            f"--executor: there is none named {name!r}",
            remedy=f"{did_you_mean(name, EXECUTORS)}Choose from {', '.join(EXECUTORS)}.",
        )
    if address is not None and name != "ray":
        raise UsageError(
            f"--address has no effect with --executor {name}", remedy="Leave it out, or use --executor ray."
        )


def get_executor(name: str, work: Work, setup: Setup) -> Executor:
    """An executor that is ready for tasks. Raises UsageError as `check_executor` does and for a setting it can't heed,
    SetupError when a part of it is missing."""
    check_executor(name, setup.address)
    module, _, kind = EXECUTORS[name].partition(":")
    return cast(Executor, getattr(import_module(module), kind)(work, setup))
