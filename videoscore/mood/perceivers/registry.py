"""Perceivers by name. A new one is one file with the protocol of perceiver.py, and one line in `PERCEIVERS`.

No model is imported before it is asked for, so this module costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from videoscore.errors import UsageError
from videoscore.mood.perceivers.perceiver import Perceiver
from videoscore.settings.fields import PerceiveOptions
from videoscore.words import did_you_mean

# name -> "module:factory"; the factory takes `PerceiveOptions` and raises SetupError without its weights
PERCEIVERS = {
    "auto": "videoscore.mood.perceivers.auto:AutoPerceiver",
    "scene": "videoscore.mood.perceivers.stills:scene",
    "deep": "videoscore.mood.perceivers.stills:deep",
    "face": "videoscore.mood.perceivers.faces:FacePerceiver",
}


def get_perceiver(name: str, options: PerceiveOptions | None = None) -> Perceiver:
    """A perceiver with its weights loaded.

    Raises UsageError for an unknown name, SetupError when its weights are missing.
    """
    try:
        module, factory = PERCEIVERS[name].split(":")
    except KeyError:
        raise UsageError(
            f"there is no perceiver named {name!r}",
            remedy=f"{did_you_mean(name, PERCEIVERS)}Choose from {', '.join(PERCEIVERS)}.",
        ) from None
    return cast(Perceiver, getattr(import_module(module), factory)(options or PerceiveOptions()))
