"""Locking cues of a cue sheet: they keep the notes that were heard, whatever is changed around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videoscore.cues.sheet import CueSheet
from videoscore.errors import CueSheetError
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.settle import load_sheet, settle_sheet
from videoscore.pipeline.write import write
from videoscore.progress import Progress, silent
from videoscore.settings.fields import ComposeOptions


def lock_cues(
    path: str | Path,
    numbers: list[int],
    *,
    unheard: bool = False,
    progress: Progress = silent,
    **settings: Any,
) -> CueSheet:
    """The cue sheet in a file with these cues (from 1) locked to the notes that it gives: composed once more, with the
    settings that the sheet remembers unless others are given.

    unheard : lock also where another music was heard last; else that is an error.

    Raises
    ------
    CueSheetError, UsageError, PresetError, SetupError
    """
    from videoscore.compose.locked_notes import lock

    sheet = load_sheet(path)
    # of the sheet's own kind of music nothing is said here again; another kind makes its settings void
    same_kind = settings.get("music") in (None, sheet.composed.get("music", "generate"))
    sheet_settings = dict(sheet.composed) if same_kind else {}
    if settings.get("composer") not in (None, sheet_settings.get("composer", ComposeOptions().composer)):
        sheet_settings.pop("feeling", None)  # another composer's
    _, options = settle_sheet(sheet, **{**sheet_settings, **settings})
    music = write(sheet, options, Clock(progress))
    locked_sheet = lock(music.sheet, music.score, numbers)
    for number in numbers:
        before, after = sheet.cues[number - 1], locked_sheet.cues[number - 1]
        if not unheard and not before.locked and before.heard not in (None, after.heard):
            raise CueSheetError(
                f"cue {number} ({before.name}) isn't what was heard any more: since then the sheet, "
                "the settings or videoscore changed",
                path=path,
                remedy="Lock it in the sheet as it was scored, and edit that; or score this sheet, and "
                "lock in the one that it writes; --unheard locks what it gives now.",
            )
    return locked_sheet


def unlock_cues(sheet: CueSheet, numbers: list[int], path: str | Path) -> CueSheet:
    """The sheet with these cues (from 1) free to be written anew. Raises CueSheetError, naming `path`, where none of
    them is locked."""
    from videoscore.compose.locked_notes import unlock

    if not any(sheet.cues[k - 1].locked for k in numbers):
        names = ", ".join(sheet.cues[k - 1].name for k in numbers)
        raise CueSheetError(f"not locked: {names}", path=path, remedy="Name cues that are.")
    return unlock(sheet, numbers)
