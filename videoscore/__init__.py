"""Original music for a video, written from its mood.

>>> import videoscore
>>> result = videoscore.score("film.mp4", "scored.mp4", seed=3)        # doctest: +SKIP
>>> analysis = videoscore.analyze("film.mp4", smooth=4)                # doctest: +SKIP

The names below are the public surface; each is imported at its first use, so that
``import videoscore`` costs nothing. `videoscore.stages` holds every stage alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from videoscore.asked import Music as Music
    from videoscore.asked import write_music as write_music
    from videoscore.config import Options as Options
    from videoscore.cues.sheet import Cue as Cue
    from videoscore.cues.sheet import CueSheet as CueSheet
    from videoscore.errors import VideoscoreError as VideoscoreError
    from videoscore.mood.curve import MoodCurve as MoodCurve
    from videoscore.options import build as build_options
    from videoscore.pipeline import Analysis as Analysis
    from videoscore.pipeline import Result as Result
    from videoscore.pipeline import analyze as analyze
    from videoscore.pipeline import score as score

_PUBLIC = {
    "Analysis": "videoscore.pipeline",
    "Cue": "videoscore.cues.sheet",
    "CueSheet": "videoscore.cues.sheet",
    "MoodCurve": "videoscore.mood.curve",
    "Music": "videoscore.asked",
    "Options": "videoscore.config",
    "Result": "videoscore.pipeline",
    "VideoscoreError": "videoscore.errors",
    "analyze": "videoscore.pipeline",
    "build_options": "videoscore.options:build",
    "score": "videoscore.pipeline",
    "write_music": "videoscore.asked",
}
__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name == "stages":
        return import_module("videoscore.stages")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'videoscore' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(module), attribute or name)


def __dir__() -> list[str]:
    return [*__all__, "stages"]
