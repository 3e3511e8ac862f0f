"""Every stage alone, in the order of the data.

>>> from videoscore import stages
>>> stages.probe("film.mp4").duration        # doctest: +SKIP
Fraction(10, 1)

Each is one function with one typed input and one typed output; docs/architecture.md draws the way
from one to the next, and `videoscore.pipeline` walks it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videoscore.compose.ask import cue_sheet as ask_cues
    from videoscore.compose.ask import read as ask
    from videoscore.compose.compose import compose as compose
    from videoscore.compose.midi import write_midi as write_midi
    from videoscore.cues.files import load as load_cues
    from videoscore.cues.files import save as save_cues
    from videoscore.cues.spot import spot as spot
    from videoscore.library.add import add as add_to_library
    from videoscore.library.select import play as play_selection
    from videoscore.library.select import select as select
    from videoscore.mood.perceive import perceive as perceive
    from videoscore.mood.smooth import smooth as smooth
    from videoscore.perform.midi import write_midi as write_played_midi
    from videoscore.perform.mix import mix as mix
    from videoscore.perform.mux import mux as mux
    from videoscore.perform.orchestrate import orchestrate as orchestrate
    from videoscore.perform.palettes import list_presets as list_presets
    from videoscore.perform.palettes import load_preset as load_preset
    from videoscore.perform.render import render as render
    from videoscore.perform.speech import speech_regions as speech_regions
    from videoscore.video.probe import probe as probe
    from videoscore.video.sample import sample as sample

_WHERE = {
    "probe": "videoscore.video.probe",
    "sample": "videoscore.video.sample",
    "perceive": "videoscore.mood.perceive",
    "smooth": "videoscore.mood.smooth",
    "spot": "videoscore.cues.spot",
    "load_cues": "videoscore.cues.files:load",
    "save_cues": "videoscore.cues.files:save",
    "ask": "videoscore.compose.ask:read",
    "ask_cues": "videoscore.compose.ask:cue_sheet",
    "add_to_library": "videoscore.library.add:add",
    "select": "videoscore.library.select",
    "play_selection": "videoscore.library.select:play",
    "compose": "videoscore.compose.compose",
    "write_midi": "videoscore.compose.midi",
    "load_preset": "videoscore.perform.palettes",
    "list_presets": "videoscore.perform.palettes",
    "orchestrate": "videoscore.perform.orchestrate",
    "write_played_midi": "videoscore.perform.midi:write_midi",
    "render": "videoscore.perform.render",
    "speech_regions": "videoscore.perform.speech",
    "mix": "videoscore.perform.mix",
    "mux": "videoscore.perform.mux",
}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'videoscore.stages' has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(import_module(module), attribute or name)
