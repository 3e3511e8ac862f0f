"""The latent composer: its tune is decoded from a vector that an actor has moved toward a feeling.

Form, harmony and all parts but the tune are written by the planner (`videoscore.compose.cue`). Where a locked cue holds
a tune of the user's own, the planner takes that up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from videoscore.compose.compose import compose as plan
from videoscore.cues.sheet import CueSheet
from videoscore.music.score import Role, Score
from videoscore.progress import Progress, silent
from videoscore.settings.fields import ComposeOptions


def compose(
    sheet: CueSheet,
    options: ComposeOptions | None = None,
    roles: Mapping[str, frozenset[Role]] | None = None,
    progress: Progress = silent,
) -> Score:
    """As `videoscore.compose.compose.compose`. Raises SetupError also when the networks' weights are missing,
    UsageError for a feeling that isn't one."""
    from videoscore.compose.latent.feelings import read_feelings
    from videoscore.compose.latent.model import load
    from videoscore.compose.latent.tune import write_tune

    options = options or ComposeOptions()
    feelings = () if options.feeling is None else read_feelings(options.feeling)
    return plan(sheet, options, roles, progress, partial(write_tune, load(), feelings))
