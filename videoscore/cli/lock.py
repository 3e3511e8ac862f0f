"""``videoscore lock``: cues that keep their notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import WRITING, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError


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
    from videoscore.cues.file.sheet_file import save
    from videoscore.cues.lookup import cue_numbers
    from videoscore.pipeline.lock_cues import lock_cues, unlock_cues
    from videoscore.pipeline.outputs import check_file
    from videoscore.pipeline.settle import load_sheet

    target = Path(cues if output is None else output)
    if output is not None:
        check_file(target, overwrite)
    overrides = {name: value for name, value in settings.items() if value is not None}
    sheet = load_sheet(cues)
    numbers = cue_numbers(sheet, which)
    if unlock:
        if overrides or unheard:
            raise UsageError(
                "--unlock composes nothing, and takes no other settings", remedy="Leave them out."
            )
        sheet = unlock_cues(sheet, numbers, cues)
    else:
        sheet = lock_cues(cues, numbers, unheard=unheard, progress=teller.progress, **overrides)
    save(sheet, target, overwrite or output is None)
    names = ", ".join(sheet.cues[k - 1].name for k in numbers)
    teller.result(
        {"output": target, "cues": numbers, "locked": [k for k, c in enumerate(sheet.cues, 1) if c.locked]},
        f"{target}: {'unlocked' if unlock else 'locked'} {names}",
    )
