"""From what the user said to options that hold together, alone or with a cue sheet.

Preset and seed stand in the options and in a cue sheet. `settle_sheet` is the one place that decides between
them: what the user says now, else the sheet; and it writes the answer into both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videoscore.cues.mood_words import read_moods
from videoscore.cues.sheet import CueSheet
from videoscore.errors import UsageError
from videoscore.music.score import Role
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.orchestrate.palettes import Preset
from videoscore.settings.build import build, settings
from videoscore.settings.fields import Options

WATCHING = ("sample", "perceive", "smooth", "spot")  # the groups of settings that a cue sheet makes useless


def settle(
    preset: str | None = None, seed: Any = None, options: Options | None = None, **choices: Any
) -> Options:
    """Options that hold together: built, the whole preset checked, no setting without effect.

    Parameters are those of `videoscore.settings.build.build`.

    Raises
    ------
    UsageError : a value out of its limits, or a setting that would do nothing. PresetError : a bad preset.
    """
    options = build(preset, seed, options, **choices)
    _refuse_selecting(choices, options)
    if options.spot.mood is not None:
        read_moods(options.spot.mood)
    if options.spot.reference is not None:
        from videoscore.pipeline.reference import read_reference

        read_reference(options.spot.reference)
    load_preset(options.preset)
    return options


def settle_sheet(
    sheet: CueSheet,
    preset: str | None = None,
    seed: Any = None,
    options: Options | None = None,
    **choices: Any,
) -> tuple[CueSheet, Options]:
    """A cue sheet and the options to play it with: its own preset and seed unless `options`, `preset` or `seed` say
    otherwise. Raises as `settle`."""
    if options is None:
        preset = sheet.preset if preset is None else preset
        seed = sheet.seed if seed is None else seed
    options = settle(preset, seed, options, **choices)
    return dataclasses.replace(sheet, preset=options.preset, seed=options.seed), options


def load_sheet(cues: str | Path | CueSheet) -> CueSheet:
    """A cue sheet from its file; one that is already loaded as it is. Raises CueSheetError.

    A preset's file that isn't where the sheet says is looked for beside the sheet.
    """
    if isinstance(cues, CueSheet):
        return cues
    from videoscore.cues.file.sheet_file import load

    sheet = load(Path(cues))
    beside = Path(cues).parent / Path(sheet.preset).name
    if sheet.preset.endswith(".toml") and not Path(sheet.preset).is_file() and beside.is_file():
        return dataclasses.replace(sheet, preset=str(beside))
    return sheet


def refuse_watching(choices: Mapping[str, Any]) -> None:
    """A setting of how the film is watched, given with a cue sheet, is an error. Raises UsageError."""
    for name, value in choices.items():
        setting = settings().get(name)
        if value is not None and setting is not None and setting.group in WATCHING:
            raise UsageError(
                f"{setting.flag} has no effect with a cue sheet: the video isn't watched",
                remedy="Leave it out, or leave out --cues.",
            )


def _refuse_selecting(choices: Mapping[str, Any], options: Options) -> None:
    """A setting of the library, given where the music is written, is an error. Raises UsageError."""
    for name, value in choices.items():
        setting = settings().get(name)
        if (
            value is not None
            and setting is not None
            and setting.group == "library"
            and name != "music"
            and options.library.music == "generate"
        ):
            raise UsageError(
                f"{setting.flag} has no effect with --music generate",
                remedy="Add --music select or auto, or leave it out.",
            )


def roles_of(preset: Preset, options: Options, played: bool = True) -> dict[str, frozenset[Role]]:
    """Mood -> the roles that are to be written in it: those that `options` ask for, else the preset's.

    Raises UsageError when there is no such role, or drums are asked for, to be `played` by a preset without any.
    """
    if options.compose.roles is None:
        return {mood: frozenset(palette.roles) for mood, palette in preset.palettes.items()}
    from videoscore.cues.wishes import read_roles

    roles = read_roles(options.compose.roles)
    if played and Role.DRUMS in roles and not any(p.players(Role.DRUMS) for p in preset.palettes.values()):
        raise UsageError(
            f"--roles: nobody plays drums in the preset {preset.name}",
            remedy="Leave them out, or choose another preset.",
        )
    return dict.fromkeys(preset.palettes, roles)


def check_players(options: Options) -> None:
    """What composing and playing will need, before any long work: the composer and its feelings exist, the roles have
    players, FluidSynth and a SoundFont are there.

    Raises UsageError, PresetError or SetupError.
    """
    from videoscore.compose.registry import check
    from videoscore.perform.render.soundfont import find_soundfont, fluidsynth

    check(options.compose)
    roles_of(load_preset(options.preset), options)
    fluidsynth()
    find_soundfont(options.render.soundfont)
