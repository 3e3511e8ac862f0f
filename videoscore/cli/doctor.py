"""``videoscore doctor``: is everything there? ``videoscore setup``: have the package manager give what isn't."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
import sys

import click

from videoscore.cli.common import print_result, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import SetupError, UsageError


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


@click.command()
@click.option("--yes", "-y", is_flag=True, help="don't ask")
@click.option("--dry-run", is_flag=True, help="show the commands, and run nothing")
@with_voice
def setup(teller: Teller, yes: bool, dry_run: bool) -> None:
    """Install what `videoscore doctor` lacks (FluidSynth, a SoundFont) by the system's package manager.

    The commands are shown, and run when you have said yes. Nothing is fetched in any other way.
    """
    from videoscore.system import examine, repairs

    commands = repairs(examine())
    lines = [shlex.join(command) for command in commands]
    if not commands or dry_run:
        nothing = "nothing is missing that a package manager could give; `videoscore doctor` has the rest"
        teller.result({"commands": lines, "run": 0}, "\n".join(lines) or nothing)
        return
    teller.say("\n".join(lines))
    if not yes:
        if teller.as_json or not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked", remedy="Say --yes, or --dry-run.")
        click.confirm("Run this?", abort=True, err=True)
    for command, line in zip(commands, lines):
        # the manager's own words are for people: beside JSON lines they go to stderr
        code = subprocess.run(command, check=False, stdout=sys.stderr if teller.as_json else None).returncode
        if code:
            raise SetupError(f"{line}: it ended with {code}", remedy="See above, and run it by hand.")
    left = [c.name for c in examine() if c.needed and not c.ok]
    if left:
        raise SetupError(f"still missing: {', '.join(left)}", remedy="See `videoscore doctor`.")
    teller.result({"commands": lines, "run": len(lines)}, "all that is needed is there")
