"""From a cue sheet to an arrangement: composed, or chosen from the library and fitted, then orchestrated. The one
place where music is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from videoscore.cues.sheet import CueSheet
from videoscore.music.score import Score
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.settle import roles_of
from videoscore.settings.build import differing
from videoscore.settings.fields import Options

if TYPE_CHECKING:
    from videoscore.library.select.select import Selection


@dataclass(frozen=True)
class Music:
    """Music that was written. score : notes by role. arrangement : the same, given to the preset's instruments.

    sheet : what it was written from, with the keys and meters of what was chosen from the library.
    selection : what was chosen there, where that was asked for. remarks : what the user should know of it.
    seconds : wall time by stage.
    """

    sheet: CueSheet
    score: Score
    arrangement: Arrangement
    options: Options
    selection: Selection | None = None
    remarks: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def sheet_to_keep(self) -> CueSheet:
        """The sheet, which now remembers what was heard of each cue, and with which settings."""
        from videoscore.compose.locked_notes import heard

        return heard(self.sheet, self.score, written_with(self.options))


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
    *,
    played: bool = True,
    selection: Selection | None = None,
) -> Music:
    """Compose, or fit from the library, and orchestrate a cue sheet with the preset of `options`.

    played : False where the arrangement isn't wanted, and so drums may be written that the preset has nobody for.
    selection : what `choose` gave for this sheet; it is chosen here when it wasn't.
    """
    from videoscore.compose.registry import compose
    from videoscore.perform.orchestrate.orchestrate import orchestrate

    preset = load_preset(options.preset)
    roles = roles_of(preset, options, played)
    if selection is None:
        sheet, selection = choose(sheet, options, clock)

    def composed(sheet: CueSheet) -> Score:
        with clock.stage("compose", float(sheet.duration)):
            return compose(sheet, options.compose, roles=roles, progress=clock.progress)

    score = composed(sheet) if selection is None else _fit(selection, composed, options, clock)
    with clock.stage("orchestrate", float(sheet.duration)):
        arrangement = orchestrate(score, preset, sheet.seed, sheet.cues)
    remarks = selection.remarks if selection else ()
    return Music(sheet, score, arrangement, options, selection, remarks, clock.seconds)


def _fit(
    selection: Selection, composed: Callable[[CueSheet], Score], options: Options, clock: Clock
) -> Score:
    from videoscore.cues.wishes import read_roles
    from videoscore.library.select.select import play

    roles = read_roles(options.compose.roles) if options.compose.roles else None
    with clock.stage("fit", float(selection.sheet.duration)):
        return play(selection, composed, roles, clock.progress)


def written_with(options: Options) -> dict[str, str | int | float | bool]:
    """The settings that decide which notes are written, by name, as far as they aren't the preset's own: what a cue
    sheet has to remember for its music to be written once more."""
    groups = ("compose",) if options.library.music == "generate" else ("compose", "library")
    return {name: value for name, value in differing(options, groups).items() if value is not None}
