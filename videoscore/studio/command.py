"""The command line that does what the studio did."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from videoscore.settings.build import differing, settings, show
from videoscore.settings.fields import Options

MUSIC_GROUPS = (
    "compose",
    "render",
    "master",
    "mix",
)  # the groups of settings that matter once there is a cue sheet


def command(film: Path, cues: Path, output: Path, options: Options, keep: Iterable[str] = ()) -> str:
    """`videoscore score` with the cue sheet, and with each setting in which `options` isn't its preset's default.

    The cue sheet itself carries preset and seed. Quoted for a POSIX shell.
    """
    words = ["videoscore", "score", str(film), "--cues", str(cues), "-o", str(output)]
    kinds = [kind for kind in keep if kind != "cues"]
    if kinds:
        words += ["--keep", ",".join(kinds)]
    for name, value in differing(options, MUSIC_GROUPS).items():
        words += [settings()[name].flag, _text(value)]
    return shlex.join(words)


def _text(value: object) -> str:
    """Exactly, where `show` would round."""
    return repr(value) if isinstance(value, float) else show(value)
