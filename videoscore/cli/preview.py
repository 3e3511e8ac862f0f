"""Look before you score: `preview` and `tune`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from videoscore.cli.common import WATCHING, print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError
from videoscore.text.tables import cue_row, cue_table, table

if TYPE_CHECKING:
    from videoscore.preview.timeline import Timeline

PICTURES = (".png", ".svg")
COLUMNS = 100  # of text, where there is no terminal to ask

overwriting = click.option("--overwrite", is_flag=True, help="replace files that are already there")


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="the timeline: .png, .svg or .html; of many INPUTs, a contact sheet: .png or .svg",
)
@click.option("--text", is_flag=True, help="show it here, in text  [default without -o]")
@with_settings(*WATCHING)
@overwriting
@with_voice
def preview(
    teller: Teller, inputs: Sequence[str], output: str | None, text: bool, overwrite: bool, **settings: Any
) -> None:
    """What videoscore sees in a video: its moods over time, cuts, cues, hit points and speech."""
    from videoscore.pipeline.outputs import check_file
    from videoscore.preview.timeline import watch

    path = None if output is None else Path(output)
    if path is not None:
        _check_suffix(path, (*PICTURES, ".html") if len(inputs) == 1 else PICTURES)
        check_file(path, overwrite, Path(inputs[0]))
    timelines = [(Path(name).name, watch(name, progress=teller.progress, **settings)) for name in inputs]
    for _, timeline in timelines:
        teller.remarks(timeline.analysis.remarks)
    if path is not None:
        _write(timelines, path, overwrite)
    facts = {
        "output": output,
        "films": [
            {
                "input": name,
                "duration": t.duration,
                "speech": t.speech,
                "cues": [cue_row(c) for c in t.analysis.sheet.cues],
            }
            for name, t in zip(inputs, [t for _, t in timelines])
        ],
    }
    if text or path is None:
        print_result(teller, facts, "\n\n".join(_text(name, t) for name, t in timelines))
    else:
        teller.result(
            facts,
            f"{path}: {_count(sum(len(t.analysis.sheet.cues) for _, t in timelines), 'cue')} in "
            f"{_count(len(timelines), 'film')}",
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _write(timelines: Sequence[tuple[str, Timeline]], path: Path, overwrite: bool) -> None:
    """The picture, the page or the contact sheet, whole or not at all."""
    from videoscore.file_names import shown
    from videoscore.files import whole, write_text
    from videoscore.preview.html_page import page
    from videoscore.preview.picture import contact_sheet, draw

    timelines = [(shown(name), timeline) for name, timeline in timelines]
    if path.suffix.lower() == ".html":
        name, timeline = timelines[0]
        write_text(path, page(timeline, name), overwrite)
        return
    with whole(path, overwrite) as part:
        if len(timelines) == 1:
            draw(timelines[0][1], timelines[0][0], part)
        else:
            contact_sheet(timelines, part)


def _text(name: str, timeline: Timeline) -> str:
    from videoscore.file_names import shown
    from videoscore.preview.terminal import LEVELS, ribbon

    terminal = sys.stdout.isatty()
    width = os.get_terminal_size().columns if terminal else COLUMNS
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    picture = ribbon(timeline, width, colour)
    try:
        LEVELS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        picture = picture.translate(str.maketrans(LEVELS, "12345678"))
    return f"{shown(name)}\n{picture}\n\n{cue_table(timeline.analysis.sheet)}"


def _check_suffix(path: Path, suffixes: Sequence[str]) -> None:
    if path.suffix.lower() not in suffixes:
        raise UsageError(
            f"a timeline can't be written as {path.suffix or 'a file without suffix'}",
            path=path,
            remedy=f"Name it {', '.join(suffixes[:-1])} or {suffixes[-1]}.",
        )


@click.command()
@click.argument("input")
@click.option(
    "--save", metavar="FILE", help="write a preset (TOML): the chosen one with the recommended settings"
)
@click.option("--picture", metavar="FILE", help="windows against cues: .png or .svg")
@with_settings("sample", "perceive")
@overwriting
@with_voice
def tune(
    teller: Teller, input: str, save: str | None, picture: str | None, overwrite: bool, **settings: Any
) -> None:
    """Which smoothing window, and which shortest cue, suit the video INPUT."""
    from videoscore.files import whole, write_text
    from videoscore.perform.orchestrate.palette_file import load_preset
    from videoscore.pipeline.outputs import check_file
    from videoscore.pipeline.watch import analyze
    from videoscore.preview.tune import draw, preset_text
    from videoscore.preview.tune import tune as stage
    from videoscore.settings.build import build

    for name, suffixes in ((save, (".toml",)), (picture, PICTURES)):
        if name is not None:
            if Path(name).suffix.lower() not in suffixes:
                raise UsageError(
                    "has the wrong suffix", path=name, remedy=f"Name it {' or '.join(suffixes)}."
                )
            check_file(Path(name), overwrite, Path(input))
    options = build(**settings)
    tuning = stage(analyze(input, options, progress=teller.progress), options)
    if save is not None:
        write_text(Path(save), preset_text(tuning, load_preset(options.preset).path), overwrite)
    if picture is not None:
        with whole(Path(picture), overwrite) as part:
            draw(tuning, part)
    facts = {
        "best": _facts(tuning.best),
        "reason": tuning.reason,
        "trials": [_facts(t) for t in tuning.trials],
        "preset": save,
        "picture": picture,
    }
    print_result(teller, facts, f"{table(TRIAL_HEADS, _trial_rows(tuning))}\n\n{tuning.reason}")


TRIAL_HEADS = [
    *("window", "min-cue", "cues", "mean s", "on cuts"),
    *("a minute", "deviation", "stability", "cost", ""),
]


def _trial_rows(tuning: Any) -> list[list[str]]:
    """A row of text for every pair of settings that was tried."""
    return [
        [
            f"{t.window:g}",
            f"{float(t.min_cue):g}",
            str(t.cues),
            f"{t.mean_length:.1f}",
            f"{t.on_cuts:.2f}",
            f"{t.changes:.1f}",
            f"{t.deviation:.3f}",
            f"{t.stability:.2f}",
            f"{t.cost:.3f}",
            "<" if t == tuning.best else "",
        ]
        for t in tuning.trials
    ]


def _facts(trial: Any) -> dict[str, Any]:
    names = (
        "window",
        "min_cue",
        "cues",
        "mean_length",
        "on_cuts",
        "changes",
        "deviation",
        "stability",
        "cost",
    )
    return {name: getattr(trial, name) for name in names}
