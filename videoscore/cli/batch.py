"""``videoscore score`` with many inputs, and ``videoscore watch``."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from videoscore.cli.common import EVERYTHING, Command, print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError

if TYPE_CHECKING:
    from videoscore.batch.jobs import BatchInputs
    from videoscore.batch.report import Report
    from videoscore.batch.request import Request

FINDING = (
    click.option(
        "--recursive", "-r", is_flag=True, help="also what is in folders below INPUT; OUTPUT mirrors them"
    ),
    click.option(
        "--name",
        metavar="TEMPLATE",
        help="names of the outputs, with {stem}, {ext}, {parent}, {preset}, "
        "{seed}  [default: {stem}.scored{ext}]",
    ),
    click.option("--suffix", metavar="SUFFIX,...", help="only files that end so, e.g. mp4,mov"),
    click.option("--min-size", metavar="SIZE", help="only files of at least this size, e.g. 500k, 20M"),
    click.option("--max-size", metavar="SIZE", help="only files of at most this size"),
)
WORKING = (
    click.option(
        "--jobs",
        "-j",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="films at a time  [default: one a core, fewer where memory is short]",
    ),
    click.option(
        "--executor",
        metavar="local|inline|ray",
        help="who works: processes here, this process, or a Ray cluster  [default: local]",
    ),
    click.option("--address", metavar="ADDRESS", help="of the Ray cluster, or auto"),
    click.option("--retry", is_flag=True, help="also do again what failed before"),
    click.option(
        "--time-limit",
        type=click.FloatRange(1.0),
        metavar="SECONDS",
        help="give a film up after this time  [default: none]",
    ),
    click.option(
        "--cache-size",
        metavar="SIZE",
        help="bound of the cache of what was seen in films; 0: none  [default: 500M]",
    ),
)
LIST = (
    click.option(
        "--stdin", is_flag=True, help="read names from standard input, one a line or with NULs between"
    ),
)
NOTHING = ("there is no film to score", "Check the folder, --recursive and the filters.")
NAMES = (
    "recursive",
    "name",
    "suffix",
    "min_size",
    "max_size",
    "jobs",
    "executor",
    "address",
    "retry",
    "time_limit",
    "cache_size",
    "stdin",
)


def with_batch(*groups: Sequence[Any]) -> Any:
    """Add the options of a batch; `split` takes them out of the keywords again."""

    def add(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add


def split(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of a batch, and all others."""
    batch = {name: settings[name] for name in NAMES if name in settings}
    return batch, {name: value for name, value in settings.items() if name not in NAMES}


def is_batch(inputs: Sequence[str], output: str | None, batch: dict[str, Any]) -> bool:
    """Whether this is more than one plain file: several, a folder, a glob, a list, an option of a batch, or an output
    that is named as a folder, with a slash."""
    if len(inputs) != 1 or any(batch.values()) or (output is not None and output.endswith(("/", os.sep))):
        return True
    name = inputs[0]
    return os.path.isdir(name) or (glob.has_magic(name) and not os.path.lexists(name))


def score_batch(
    teller: Teller,
    inputs: Sequence[str],
    output: str | None,
    batch: dict[str, Any],
    keep: Sequence[str],
    dry_run: bool,
    overwrite: bool,
    settings: dict[str, Any],
) -> None:
    """Score all of `inputs` into the folder `output`."""
    from videoscore.batch.jobs import plan
    from videoscore.batch.leader import Leader
    from videoscore.batch.ledger import Ledger
    from videoscore.batch.report import NAME, check_report
    from videoscore.cli.batch_teller import BatchTeller

    if batch["stdin"]:
        from videoscore.batch.jobs import read_names

        inputs = (*inputs, *read_names(sys.stdin.buffer.read()))
    if not inputs:
        raise UsageError("the list names nothing", remedy="Give names of films on standard input.")
    batch_inputs, request = read_request(inputs, output, batch, keep, overwrite, settings)
    if dry_run:
        _show(teller, batch_inputs, request)
        return
    listener = BatchTeller(teller)
    with Ledger(
        batch_inputs.output, reading=True
    ) as ledger:  # what is wrong is found before anything is made
        if not plan(batch_inputs, ledger.outputs()):
            raise UsageError(NOTHING[0], remedy=NOTHING[1])
    with Ledger(batch_inputs.output) as ledger:
        check_report(batch_inputs.output / NAME)
        ledger.recover()
        jobs = plan(batch_inputs, ledger.outputs())
        try:
            with Leader(ledger, request, listener) as leader:
                report = leader.run(jobs)
        finally:
            listener.close()
        _tell(teller, report, batch_inputs.output)


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="IN_DIR...")
@click.option("-o", "--output", metavar="OUT_DIR", help="the folder for the scored videos")
@with_batch(FINDING, WORKING)
@click.option(
    "--interval",
    type=click.FloatRange(0.1),
    default=2.0,
    metavar="SECONDS",
    show_default=True,
    help="a file is complete when it hasn't changed for this long",
)
@with_settings(*EVERYTHING)
@click.option(
    "--keep",
    metavar="KIND,...",
    default="",
    help="keep midi, musicxml, stems, wav beside the output (the cue sheet is always kept)",
)
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def watch(
    teller: Teller,
    inputs: Sequence[str],
    output: str | None,
    interval: float,
    keep: str,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Score what arrives in the folders IN_DIR, until Ctrl-C."""
    from videoscore.batch.arrivals import watch as watch_folders
    from videoscore.batch.leader import Leader
    from videoscore.batch.ledger import Ledger
    from videoscore.batch.report import NAME, check_report
    from videoscore.cli.batch_teller import BatchTeller

    batch, settings = split(settings)
    for name in inputs:
        if not os.path.isdir(name):
            raise UsageError(f"{name!r} is no folder", remedy="Name the folders to watch.")
    kinds = [kind for kind in (k.strip() for k in keep.split(",")) if kind]
    batch_inputs, request = read_request(inputs, output, batch, kinds, overwrite, settings)
    listener = BatchTeller(teller)
    with Ledger(batch_inputs.output) as ledger:
        check_report(batch_inputs.output / NAME)
        ledger.recover()
        try:
            with Leader(ledger, request, listener) as leader:
                report = watch_folders(leader, batch_inputs, interval)
        finally:
            listener.close()
        _tell(teller, report, batch_inputs.output)


def read_request(
    inputs: Sequence[str],
    output: str | None,
    batch: dict[str, Any],
    keep: Sequence[str],
    overwrite: bool,
    settings: dict[str, Any],
) -> tuple[BatchInputs, Request]:
    """What the command line asks for, checked as far as it can be before any film is looked at."""
    from videoscore.batch.jobs import BatchInputs, read_size, read_suffixes
    from videoscore.batch.output_names import TEMPLATE
    from videoscore.batch.perceptions import LIMIT, default_folder
    from videoscore.batch.request import Request
    from videoscore.pipeline.outputs import check_kinds
    from videoscore.pipeline.settle import check_players, settle
    from videoscore.workers import DEFAULT, check_executor

    if output is None:
        raise UsageError(
            "a folder, or several inputs, need a folder for what is written", remedy="Add -o OUT_DIR."
        )
    check_kinds(keep)
    check_executor(batch["executor"] or DEFAULT, batch["address"])
    options = settle(**settings)
    check_players(options)  # missing now rather than for each film
    cache = LIMIT if batch["cache_size"] is None else read_size(batch["cache_size"], "--cache-size")
    batch_inputs = BatchInputs(
        tuple(inputs),
        Path(output),
        batch["recursive"],
        batch["name"] or TEMPLATE,
        None if batch["suffix"] is None else read_suffixes(batch["suffix"]),
        read_size(batch["min_size"] or "0", "--min-size"),
        None if batch["max_size"] is None else read_size(batch["max_size"], "--max-size"),
        options.preset,
        options.seed,
    )
    return batch_inputs, Request(
        options,
        tuple(keep),
        batch["retry"],
        overwrite,
        batch["executor"] or DEFAULT,
        batch["jobs"],
        batch["address"],
        batch["time_limit"],
        (str(folder), cache) if cache and (folder := default_folder()) else None,
    )


def _tell(teller: Teller, report: Report, output: Path) -> None:
    """The end of a batch: report, table, exit code."""
    path = report.write(output)
    teller.result({**report.facts(), "report": path}, f"{report.table()}\n  report  {path}")
    if report.exit_code:
        raise SystemExit(report.exit_code)


def _show(teller: Teller, batch_inputs: BatchInputs, request: Request) -> None:
    """What would be done, and nothing written."""
    from videoscore.batch.jobs import plan
    from videoscore.batch.ledger import Ledger
    from videoscore.batch.verdict import decide, digest
    from videoscore.file_names import shown

    with Ledger(batch_inputs.output, reading=True) as ledger:
        rows, jobs = ledger.rows(), plan(batch_inputs, ledger.outputs())
    if not jobs:
        raise UsageError(NOTHING[0], remedy=NOTHING[1])
    settings = digest(request.options, request.keep)
    facts = []
    for job in jobs:
        verdict = decide(
            job,
            rows.get(job.input),
            settings,
            retry=request.retry,
            overwrite=request.overwrite,
            kinds=request.kinds,
        )
        facts.append(
            {
                "input": str(job.input),
                "output": str(job.output),
                "status": verdict.status,
                "reason": verdict.reason,
            }
        )
    lines = [
        f"{'score' if f['status'] == 'queued' else 'leave':6}{shown(f['input'])} -> {shown(f['output'])}"
        + (f" ({shown(f['reason'])})" if f["reason"] else "")
        for f in facts
    ]
    print_result(teller, {"plan": facts}, "\n".join(lines))
