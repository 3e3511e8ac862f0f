"""How long work tells of itself: a callback, never a print."""

from __future__ import annotations

from collections.abc import Callable

# (stage, done, total): stage is the stage's name ("sample", "compose", ...); done and total are in
# the stage's own unit, mostly seconds of film. Raise videoscore.errors.Cancelled from it to abort.
Progress = Callable[[str, float, float], None]


def silent(stage: str, done: float, total: float) -> None:
    """The default: tell nobody."""
