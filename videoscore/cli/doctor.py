"""``videoscore doctor``: is everything there?"""

from __future__ import annotations

import dataclasses

import click

from videoscore.cli.common import print_result, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import SetupError


@click.command()
@with_voice
def doctor(teller: Teller) -> None:
    """Check FluidSynth, SoundFont, ffmpeg, weights and the rest, and name the remedy for each lack.

    Exit code 0: videos can be scored. 5: something that is needed is missing.
    """
    from videoscore.system import examine

    checks = examine()
    lines = []
    for check in checks:
        mark = "ok  " if check.ok else "LACK" if check.needed else "note"
        lines.append(f"{mark}  {check.name:<11} {check.fact}")
        if check.remedy:
            lines.append(f"{'':<18}{check.remedy}")
    lacks = [check.name for check in checks if check.needed and not check.ok]
    print_result(
        teller, {"ok": not lacks, "checks": [dataclasses.asdict(c) for c in checks]}, "\n".join(lines)
    )
    if lacks:
        raise SetupError(f"not ready: {', '.join(lacks)}", remedy="Follow the remedies above.")
