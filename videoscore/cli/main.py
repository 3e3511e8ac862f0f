"""The command ``videoscore``: finds the sub-command, and turns every error into one line and a code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from videoscore import __version__
from videoscore.cli.environment import settle
from videoscore.cli.teller import Teller, describe, listen
from videoscore.errors import DiskFull, VideoscoreError
from videoscore.files import is_full
from videoscore.words import did_you_mean

# command -> (module: attribute, help); modules are imported when their command runs
COMMANDS = {
    "score": ("score:score", "Write music for a video and put it under the picture (the default command)."),
    "slideshow": ("slideshow:slideshow", "Make a film of photographs, with music of their moods."),
    "watch": ("batch:watch", "Score the videos that arrive in a folder."),
    "analyze": ("stages:analyze", "Mood curve, cuts and cues of a video, as JSON or CSV."),
    "preview": ("preview:preview", "See what videoscore sees in a video: as a picture, a page or text."),
    "tune": ("preview:tune", "Which smoothing window and shortest cue suit a video."),
    "probe": ("stages:probe", "What is in a video file."),
    "compose": (
        "stages:compose",
        "Write the music of a cue sheet, of a mood or of a curve of moods, as MIDI.",
    ),
    "bed": ("bed:bed", "Music alone, as sound of exact length: for a mood, or like a film."),
    "render": ("stages:render", "Play the music of a cue sheet to WAV stems."),
    "lock": ("lock:lock", "Keep the notes of cues of a cue sheet, whatever is changed around them."),
    "studio": ("studio:studio", "A local page: see, change, hear and export the score of a video."),
    "serve": ("serve:serve", "Scoring for other programs on this machine, over local HTTP."),
    "markers": (
        "markers:markers",
        "Cues and hit points as markers for video editors (EDL, CSV, OTIO, chapters).",
    ),
    "mix": ("stages:mix", "Mix music files under a video's sound, to WAV or into the video."),
    "library": ("library:library", "Your own MIDI files: tagged, kept, and chosen for a video's cues."),
    "playlist": ("playlist:playlist", "Pieces of the library for a video's dominant emotion."),
    "presets": ("presets:presets", "List the presets, or show one."),
    "doctor": ("doctor:doctor", "Check the parts of the system that scoring needs."),
    "setup": ("doctor:setup", "Install what doctor lacks, by the system's package manager, after asking."),
    "train": ("train:train", "Train a model."),
    "evaluate": ("evaluate:evaluate", "Measure a trained model."),
}
DEFAULT = "score"
COMPLETION = "_VIDEOSCORE_COMPLETE"  # environment variable of click's completion in shells


class Commands(click.Group):
    """Sub-commands by name, imported late; anything else is an INPUT for the default command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"videoscore.cli.{module}"), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "--help"
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if first.startswith("-") and os.path.exists(first):
            raise click.UsageError(f"{first!r} is read as options. Write ./{first}", ctx)
        if first not in COMMANDS and first not in own:
            hint = (
                "" if first.startswith("-") else did_you_mean(first, COMMANDS)
            )  # an option of the default command
            if hint and not os.path.exists(first) and "." not in first:
                raise click.UsageError(f"No such command or file {first!r}. {hint.strip()}", ctx)
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(
            "Commands"
        ):  # from the table: importing every command would cost half a second
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`videoscore INPUT -o OUTPUT` is short for `videoscore score INPUT -o OUTPUT`; "
    "`videoscore COMMAND --help` lists the options of a command.",
)
@click.version_option(__version__, prog_name="videoscore")
def commands() -> None:
    """Original music for a video, written from its mood, changing on its cuts, ending when it ends."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code (docs/errors.md)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    settle()
    listen(debug, "--quiet" in arguments or "-q" in arguments)
    for name in ("SIGTERM", "SIGHUP"):  # die as on Ctrl-C: children ended, temporary files removed
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _on_interrupt)
    teller = Teller(as_json="--json" in arguments)
    sys.exit(_run(arguments, teller, debug))


def _run(arguments: list[str], teller: Teller, debug: bool) -> int:
    try:
        if COMPLETION in os.environ:  # a shell asks what could be written next
            commands.main(arguments, prog_name="videoscore", standalone_mode=False)
        # not `main`, which makes code 1 of a reader that has gone
        with commands.make_context("videoscore", arguments, obj=teller) as context:
            commands.invoke(context)
        teller.close()
        return _flush(0)
    except click.exceptions.Exit as end:  # --help, --version
        return _flush(end.exit_code)
    except BrokenPipeError:
        return _unread()
    except (KeyboardInterrupt, click.exceptions.Abort):
        _report(teller, "Cancelled", "cancelled; nothing half-written was left.", 130)
        return 130
    except (Exception, SystemExit) as error:
        code = _report_failure(error, teller, debug)
        _drop_unwritable()
        return code


def _flush(code: int) -> int:
    """The code, once all that was said is out: a pipe may break only then."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _unread()
    return code


def _unread() -> int:
    """The code for a reader of stdout that has gone (`| head`); nothing more is said to it."""
    _to_nowhere()
    return 141


def _drop_unwritable() -> None:
    """What stdout still holds and can't take (a full disk): else Python tries once more at exit, and ends with 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _to_nowhere()


def _to_nowhere() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_failure(error: BaseException, teller: Teller, debug: bool) -> int:
    """Tell of an error; the exit code it has."""
    if debug:
        traceback.print_exc()
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        words = " ".join(error.format_message().split())
        where = getattr(error, "ctx", None)
        command = where.command_path if where else "videoscore"
        kind, line, code = (
            "UsageError",
            f"{words.rstrip('.?')}{'?' if words.endswith('?') else '.'} See `{command} --help`.",
            error.exit_code,
        )
        code = 2 if isinstance(error, click.UsageError) else code
    elif isinstance(error, VideoscoreError):
        kind, line, code = describe(error)
    elif isinstance(error, OSError) and is_full(error):
        kind, line, code = describe(
            DiskFull("no space left on the disk", path=error.filename, remedy="Free some space.")
        )
    elif isinstance(error, MemoryError):
        kind, line, code = "MemoryError", "out of memory. Close other programs, or score a shorter part.", 1
    else:
        what = " ".join(str(error).split())[:300]
        kind, code = type(error).__name__, 1
        line = f"internal error: {kind}: {what}. Please report it with what the same command prints with --debug."
    _report(teller, kind, line, code)
    return code


def _report(teller: Teller, kind: str, line: str, code: int) -> None:
    with contextlib.suppress(OSError):  # nobody reads, or stderr leads onto a full disk
        teller.error(kind, line, code)


def _on_interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt
