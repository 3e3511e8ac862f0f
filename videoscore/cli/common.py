"""Options that many commands share, made from the table of settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from videoscore.cli.teller import Teller
from videoscore.settings.build import Setting, settings, show
from videoscore.settings.fields import Options

Command = TypeVar("Command", bound=Callable[..., Any])

# settings that matter to a command, by option group
WATCHING = ("sample", "perceive", "smooth", "spot")
WRITING = ("compose", "library")
SOUNDING = ("render", "master")
MIXING = ("mix",)
EVERYTHING = WATCHING + WRITING + SOUNDING + MIXING


def with_settings(*groups: str, without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Add the options of these groups (or single ones, by name), but for those named in `without`, and --preset and
    --seed. They arrive as keywords, None when not given; `videoscore.settings.build.build` takes them as they are."""

    def add(command: Command) -> Command:
        members = [
            s
            for s in settings().values()
            if (s.group in groups or s.name in groups) and s.name not in without
        ]
        for setting in reversed(members):
            command = _option(setting)(command)
        defaults = Options()
        command = click.option(
            "--seed", metavar="N", help=f"another seed writes other notes  [default: {defaults.seed}]"
        )(command)
        return click.option(
            "--preset",
            metavar="NAME|FILE",
            help=f"instruments and settings; see `videoscore presets list`  [default: {defaults.preset}]",
        )(command)

    return add


def _option(setting: Setting) -> Callable[[Command], Command]:
    default = "" if setting.default is None else f"  [default: {show(setting.default)}]"
    metavar = "|".join(map(str, setting.choices)) if setting.choices else _METAVARS.get(setting.kind, "VALUE")
    metavar = _OWN_METAVARS.get(setting.name, metavar)
    return click.option(setting.flag, setting.name, metavar=metavar, help=setting.help + default)


_METAVARS = {int: "N", float: "X", str: "NAME", Fraction: "SECONDS", bool: "true|false"}
_OWN_METAVARS = {
    "soundfont": "FILE",
    "library": "FILE",
    "roles": "ROLE,...",
    "mood": "WORDS",
    "reference": "FILE",
}


def with_voice(command: Command) -> Command:
    """Add --json, --quiet and --debug; the command gets a `teller`."""
    import functools

    @functools.wraps(command)
    def command_with_voice(*args: Any, as_json: bool, quiet: bool, **keywords: Any) -> Any:
        teller = click.get_current_context().find_root().obj
        teller.as_json, teller.quiet = as_json, quiet
        return command(*args, teller=teller, **keywords)

    options: Iterable[Callable[[Any], Any]] = (
        click.option("--json", "as_json", is_flag=True, help="progress and result as JSON lines on stdout"),
        click.option("--quiet", "-q", is_flag=True, help="say nothing but errors"),
        click.option("--debug", is_flag=True, expose_value=False, help="tracebacks and all logs on stderr"),
    )
    for one in reversed(tuple(options)):
        command_with_voice = one(command_with_voice)
    return command_with_voice  # type: ignore[return-value]


def print_result(teller: Teller, facts: dict[str, Any], text: str) -> None:
    """The result of a command that only tells: shown even when quiet, for it is what was asked for."""
    if teller.as_json:
        teller.result(facts, text)
    else:
        teller.close()
        print(text, flush=True)  # not click.echo, which takes a terminal of ASCII for one of UTF-8


def rated_options(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add --oasis, --frames and --clips: the tables of rated pictures and clips."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        folder = click.Path(exists=True, file_okay=False, path_type=Path)
        for name, table in (("clips", "clips.csv"), ("frames", "rated.csv"), ("oasis", "oasis.csv")):
            command = click.option(
                f"--{name}",
                type=folder,
                required=required,
                metavar="FOLDER",
                help=f"folder with {table} and what it lists",
            )(command)
        return command

    return decorate


with_rated = rated_options(required=True)


def training_log(teller: Teller) -> Callable[[dict[str, Any]], None]:
    """Tells of a training run's log entries."""

    def log(entry: dict[str, Any]) -> None:
        if teller.as_json:
            teller.result({"event": "log", **entry}, "")
        else:
            teller.say(
                "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items())
            )

    return log
