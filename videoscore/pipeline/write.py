"""From a cue sheet to an arrangement: composed, or chosen from the library and fitted, then orchestrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from videoscore.cues.sheet import CueSheet
from videoscore.errors import UsageError
from videoscore.music.score import Role, Score
from videoscore.perform.orchestrate.palettes import Preset, load_preset
from videoscore.perform.parts import Arrangement
from videoscore.settings.build import differing, settings
from videoscore.settings.fields import Options

if TYPE_CHECKING:
    from videoscore.compose.resume import Composed
    from videoscore.library.select.select import Selection
    from videoscore.pipeline.score import Clock


def roles_of(
    preset: Preset, options: Options | None = None, played: bool = True
) -> dict[str, frozenset[Role]]:
    """Mood -> the roles that are to be written in it: those that `options` ask for, else the preset's.

    Raises UsageError when there is no such role, or drums are asked for, to be `played` by a preset without any.
    """
    asked = options.compose.roles if options else None
    if asked is None:
        return {mood: frozenset(palette.roles) for mood, palette in preset.palettes.items()}
    from videoscore.cues.wishes import read_roles

    roles = read_roles(asked)
    if played and Role.DRUMS in roles and not any(p.players(Role.DRUMS) for p in preset.palettes.values()):
        raise UsageError(
            f"--roles: nobody plays drums in the preset {preset.name}",
            remedy="Leave them out, or choose another preset.",
        )
    return dict.fromkeys(preset.palettes, roles)


def choose(sheet: CueSheet, options: Options, clock: Clock) -> tuple[CueSheet, Selection | None]:
    """Where `options` ask for music of the library: the sheet with the meters and keys of what was chosen, and the
    choice. Else the sheet as it is, and None. Raises InputError when nothing can be chosen."""
    if options.library.music == "generate":
        return sheet, None
    from videoscore.library.select.select import select

    with clock.stage("select", float(sheet.duration)):
        selection = select(sheet, options.library)
    return selection.sheet, selection


def write(
    sheet: CueSheet,
    options: Options,
    clock: Clock,
    played: bool = True,
    selection: Selection | None = None,
    known: Composed | None = None,
) -> tuple[Score, Arrangement]:
    """Compose, or fit from the library, and orchestrate a cue sheet with the preset of `options`.

    played : False where the arrangement isn't wanted, and so drums may be written that the preset has nobody for.
    selection : what `choose` gave for this sheet; it is chosen here when it wasn't.
    known : where composed cues are kept, so that they aren't composed again (`videoscore.compose.resume`).
    """
    from videoscore.compose.compose import compose
    from videoscore.perform.orchestrate.orchestrate import orchestrate

    preset = load_preset(options.preset)
    roles = roles_of(preset, options, played)
    if selection is None:
        sheet, selection = choose(sheet, options, clock)

    def composed(sheet: CueSheet) -> Score:
        with clock.stage("compose", float(sheet.duration)):
            return compose(sheet, options.compose, roles=roles, progress=clock.progress, known=known)

    if selection is None:
        music = composed(sheet)
    else:
        from videoscore.cues.wishes import read_roles
        from videoscore.library.select.select import play

        wanted = read_roles(options.compose.roles) if options.compose.roles else None
        with clock.stage("fit", float(sheet.duration)):
            music = play(selection, composed, wanted, clock.progress)
    with clock.stage("orchestrate", float(sheet.duration)):
        return music, orchestrate(music, preset, sheet.seed)


def written_with(options: Options) -> dict[str, str | int | float | bool]:
    """The settings that decide which notes are written, by name, as far as they aren't the preset's own: what a cue
    sheet has to remember for its music to be written once more."""
    groups = ("compose",) if options.library.music == "generate" else ("compose", "library")
    return {name: value for name, value in differing(options, groups).items() if value is not None}


def refuse_selecting(given: Mapping[str, Any], options: Options) -> None:
    """A setting of the library, given where the music is written, is an error. Raises UsageError."""
    for name, value in given.items():
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
