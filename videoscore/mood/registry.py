"""Perceivers by name. A new one is one file with the protocol below, and one line in `PERCEIVERS`.

No model is imported before it is asked for, so this module costs nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import UsageError
from videoscore.video.frames import Frame

Array = NDArray[np.float64]

# name -> "module:factory"; the factory takes no argument and raises SetupError without its weights
PERCEIVERS = {
    "scene": "videoscore.mood.scene:ScenePerceiver",
}


@dataclass(frozen=True, eq=False)
class Reading:
    """What a perceiver sees in n pictures, each by itself.

    valence, arousal : (n,) in [-1, 1]. moods : (n, 8), rows sum to 1. confidence : (n,) in [0, 1].
    """

    valence: Array
    arousal: Array
    moods: Array
    confidence: Array

    def __len__(self) -> int:
        return len(self.valence)


class Perceiver(Protocol):
    """`perceive` may be called with any number of frames of any sizes; what it says of a frame must not
    depend on the others in the batch."""

    name: str

    def perceive(self, frames: Sequence[Frame]) -> Reading: ...


def get_perceiver(name: str) -> Perceiver:
    """A perceiver with its weights loaded.

    Raises UsageError for an unknown name, SetupError when its weights are missing.
    """
    try:
        module, factory = PERCEIVERS[name].split(":")
    except KeyError:
        near = difflib.get_close_matches(name, PERCEIVERS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"there is no perceiver named {name!r}",
                         remedy=f"{hint}Choose from {', '.join(PERCEIVERS)}.") from None
    return cast(Perceiver, getattr(import_module(module), factory)())
