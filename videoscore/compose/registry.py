"""Composers by name. A new one is one file with a function like `compose`, and one line in `COMPOSERS`.

None is imported before it is asked for, so this module costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from videoscore.cues.sheet import CueSheet
from videoscore.errors import UsageError
from videoscore.music.score import Role, Score
from videoscore.progress import Progress, silent
from videoscore.settings.fields import ComposeOptions
from videoscore.words import did_you_mean

# name -> "module:function"; the function is called as `compose` is
COMPOSERS = {
    "passages": "videoscore.compose.compose:compose",
    "latent": "videoscore.compose.latent.compose:compose",
}


def compose(
    sheet: CueSheet,
    options: ComposeOptions | None = None,
    roles: Mapping[str, frozenset[Role]] | None = None,
    progress: Progress = silent,
) -> Score:
    """Write the music of a cue sheet with the composer of ``options.composer``.

    roles : the roles that may play in each mood (by name); moods left out get melody, accompaniment and bass.
    The same sheet (with its seed), options and roles give the same notes. Locked cues keep their notes.

    Raises UsageError for a composer that isn't there, SetupError when what it needs is missing.
    """
    options = options or ComposeOptions()
    check(options)
    module, function = COMPOSERS[options.composer].split(":")
    return cast(Score, getattr(import_module(module), function)(sheet, options, roles, progress))


def check(options: ComposeOptions) -> None:
    """Raises UsageError for a composer or a feeling that isn't there, or a feeling without its composer."""
    if options.composer not in COMPOSERS:
        raise UsageError(
            f"there is no composer named {options.composer!r}",
            remedy=f"{did_you_mean(options.composer, COMPOSERS)}Choose from {', '.join(COMPOSERS)}.",
        )
    if options.feeling is None:
        return
    if options.composer != "latent":
        raise UsageError(
            f"--feeling has no effect with the composer {options.composer}",
            remedy="Add --composer latent, or leave it out.",
        )
    from videoscore.compose.latent.feelings import read_feelings

    read_feelings(options.feeling)
