"""Every stage alone, in the order of the data.

>>> from videoscore import stages
>>> stages.probe("film.mp4").duration        # doctest: +SKIP
Fraction(10, 1)

Each is one function with one typed input and one typed output; docs/architecture.md draws the way
from one to the next, and `videoscore.pipeline.score` walks it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videoscore.compose.registry import compose as compose
    from videoscore.cues.file.sheet_file import load as load_cues
    from videoscore.cues.file.sheet_file import save as save_cues
    from videoscore.cues.spot.spot import spot as spot
    from videoscore.cues.wishes import cue_sheet as ask_cues
    from videoscore.cues.wishes import read as ask
    from videoscore.library.add import add as add_to_library
    from videoscore.library.select.select import play as play_selection
    from videoscore.library.select.select import select as select
    from videoscore.mood.perceive import perceive as perceive
    from videoscore.mood.smooth import smooth as smooth
    from videoscore.music.midi import write_midi as write_midi
    from videoscore.perform.master.gain import passages as passages
    from videoscore.perform.master.master import master as master
    from videoscore.perform.mix.mix import mix as mix
    from videoscore.perform.mix.speech import speech_regions as speech_regions
    from videoscore.perform.mux.mux import mux as mux
    from videoscore.perform.orchestrate.orchestrate import orchestrate as orchestrate
    from videoscore.perform.orchestrate.palette_file import load_preset as load_preset
    from videoscore.perform.played_midi import write_midi as write_played_midi
    from videoscore.perform.render.render import render as render
    from videoscore.settings.preset_file import list_presets as list_presets
    from videoscore.video.probe import probe as probe
    from videoscore.video.sample import sample as sample

_WHERE = {
    "probe": "videoscore.video.probe",
    "sample": "videoscore.video.sample",
    "perceive": "videoscore.mood.perceive",
    "smooth": "videoscore.mood.smooth",
    "spot": "videoscore.cues.spot.spot",
    "load_cues": "videoscore.cues.file.sheet_file:load",
    "save_cues": "videoscore.cues.file.sheet_file:save",
    "ask": "videoscore.cues.wishes:read",
    "ask_cues": "videoscore.cues.wishes:cue_sheet",
    "add_to_library": "videoscore.library.add:add",
    "select": "videoscore.library.select.select",
    "play_selection": "videoscore.library.select.select:play",
    "compose": "videoscore.compose.registry",
    "write_midi": "videoscore.music.midi",
    "load_preset": "videoscore.perform.orchestrate.palette_file",
    "list_presets": "videoscore.settings.preset_file",
    "orchestrate": "videoscore.perform.orchestrate.orchestrate",
    "write_played_midi": "videoscore.perform.played_midi:write_midi",
    "render": "videoscore.perform.render.render",
    "speech_regions": "videoscore.perform.mix.speech",
    "passages": "videoscore.perform.master.gain",
    "master": "videoscore.perform.master.master",
    "mix": "videoscore.perform.mix.mix",
    "mux": "videoscore.perform.mux.mux",
}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'videoscore.stages' has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(import_module(module), attribute or name)
