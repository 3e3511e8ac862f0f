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
    from videoscore.cues.sheet import Cue as Cue
    from videoscore.cues.sheet import CueSheet as CueSheet
    from videoscore.errors import VideoscoreError as VideoscoreError
    from videoscore.mood.curve import MoodCurve as MoodCurve
    from videoscore.pipeline.bed import Bed as Bed
    from videoscore.pipeline.bed import write_bed as write_bed
    from videoscore.pipeline.score import Result as Result
    from videoscore.pipeline.score import score as score
    from videoscore.pipeline.watch import Analysis as Analysis
    from videoscore.pipeline.watch import analyze as analyze
    from videoscore.pipeline.without_film import write_music as write_music
    from videoscore.pipeline.write import Music as Music
    from videoscore.settings.build import build as build_options
    from videoscore.settings.fields import Options as Options
    from videoscore.slides.slideshow import slideshow as slideshow

_PUBLIC = {
    "Analysis": "videoscore.pipeline.watch",
    "Bed": "videoscore.pipeline.bed",
    "Cue": "videoscore.cues.sheet",
    "CueSheet": "videoscore.cues.sheet",
    "MoodCurve": "videoscore.mood.curve",
    "Music": "videoscore.pipeline.write",
    "Options": "videoscore.settings.fields",
    "Result": "videoscore.pipeline.score",
    "VideoscoreError": "videoscore.errors",
    "analyze": "videoscore.pipeline.watch",
    "build_options": "videoscore.settings.build:build",
    "score": "videoscore.pipeline.score",
    "write_bed": "videoscore.pipeline.bed",
    "slideshow": "videoscore.slides.slideshow",
    "write_music": "videoscore.pipeline.without_film",
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
