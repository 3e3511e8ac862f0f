"""``videoscore lock``: cues that keep their notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from videoscore.cli.common import WRITING, with_settings, with_voice
from videoscore.cli.telling import Teller
from videoscore.errors import CueSheetError, UsageError
from videoscore.settings.build import did_you_mean

if TYPE_CHECKING:
    from videoscore.cues.sheet import CueSheet

ALL = "all"


@click.command()
@click.argument("cues")
@click.argument("which", nargs=-1, required=True, metavar="CUE...")
@click.option("--unlock", is_flag=True, help="let them be written anew again")
@click.option(
    "--unheard", is_flag=True, help="lock what the sheet gives now, also where another music was heard last"
)
@click.option("-o", "--output", metavar="FILE", help="write the sheet there  [default: into CUES itself]")
@with_settings(*WRITING)
@click.option("--overwrite", is_flag=True, help="replace the file of -o")
@with_voice
def lock(
    teller: Teller,
    cues: str,
    which: Sequence[str],
    unlock: bool,
    unheard: bool,
    output: str | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Lock cues of the cue sheet CUES: they keep their notes, whatever is changed around them.

    CUE is a cue's number, counted from 1, its name, the beginning of its name, or "all". The music is composed once
    more, with the settings that the sheet remembers, and must be that which was heard: lock before you edit.
    """
    from videoscore.compose import locked_notes as locked
    from videoscore.cues.file.sheet_file import save
    from videoscore.pipeline import score as pipeline
    from videoscore.pipeline.outputs import check_file

    target = Path(cues if output is None else output)
    if output is not None:
        check_file(target, overwrite)
    given = {name: value for name, value in settings.items() if value is not None}
    sheet = pipeline.load_sheet(cues)
    assert sheet is not None
    numbers = numbers_of(sheet, which)
    if unlock:
        if given or unheard:
            raise UsageError(
                "--unlock composes nothing, and takes no other settings", remedy="Leave them out."
            )
        if not any(sheet.cues[k - 1].locked for k in numbers):
            names = ", ".join(sheet.cues[k - 1].name for k in numbers)
            raise CueSheetError(f"not locked: {names}", path=cues, remedy="Name cues that are.")
        sheet = locked.unlock(sheet, numbers)
    else:
        sheet = _locked(teller, cues, sheet, numbers, unheard, given)
    save(sheet, target)
    names = ", ".join(sheet.cues[k - 1].name for k in numbers)
    teller.result(
        {"output": target, "cues": numbers, "locked": [k for k, c in enumerate(sheet.cues, 1) if c.locked]},
        f"{target}: {'unlocked' if unlock else 'locked'} {names}",
    )


def _locked(
    teller: Teller, path: str, sheet: CueSheet, numbers: list[int], unheard: bool, given: dict[str, Any]
) -> CueSheet:
    """The sheet with these cues locked, with the notes that it gives; which must be those that were heard."""
    from videoscore.compose.locked_notes import lock as locked
    from videoscore.pipeline import score as pipeline

    # of the sheet's own kind of music nothing is said here again; another kind makes its settings void
    known = (
        {} if given.get("music") not in (None, sheet.composed.get("music", "generate")) else sheet.composed
    )
    _, options = pipeline.cue_options(path, {**known, **given})
    clock = pipeline.Clock(teller.progress)
    sheet, selection = pipeline.choose(sheet, options, clock)
    music, _ = pipeline.write(sheet, options, clock, selection=selection, known=pipeline.known_for(path))
    out = locked(sheet, music, numbers)
    for number in numbers:
        before, after = sheet.cues[number - 1], out.cues[number - 1]
        if not unheard and not before.locked and before.heard not in (None, after.heard):
            raise CueSheetError(
                f"cue {number} ({before.name}) isn't what was heard any more: since then the sheet, "
                "the settings or videoscore changed",
                path=path,
                remedy="Lock it in the sheet as it was scored, and edit that; or score this sheet, and "
                "lock in the one that it writes; --unheard locks what it gives now.",
            )
    return out


def numbers_of(sheet: CueSheet, which: Iterable[str]) -> list[int]:
    """Numbers from 1 of the cues that are meant, in order. Raises CueSheetError."""
    names, found = [cue.name for cue in sheet.cues], set()
    for word in which:
        if word.lower() == ALL and ALL not in names:
            found |= set(range(1, len(names) + 1))
            continue
        exact = [k for k, name in enumerate(names, 1) if name == word]
        begun = exact or [k for k, name in enumerate(names, 1) if name.split(" ")[0] == word]
        begun = begun or [
            k for k, name in enumerate(names, 1) if word and name.startswith(word) and not word.isdigit()
        ]
        if not begun and word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= len(names):
            begun = [int(word)]
        if len(begun) != 1:
            what = (
                f"there is no cue {word[:60]!r}"
                if not begun
                else f"{word[:60]!r} is the name of {len(begun)} cues"
            )
            raise CueSheetError(
                what,
                remedy=f"{did_you_mean(word, names)}Give a number from 1 to {len(names)}, or a "
                "name as it stands in the sheet.",
            )
        found.add(begun[0])
    return sorted(found)
