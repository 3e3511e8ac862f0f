"""``videoscore score``: the whole way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from videoscore.cli.batch import FINDING, LIST, WORKING, is_batch, score_batch, split, with_batch
from videoscore.cli.common import EVERYTHING, print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="FILE|FOLDER",
    help="the scored video; its suffix chooses the container  [default: NAME.scored.* beside INPUT]; of many "
    "INPUTs, the folder for all",
)
@click.option("--cues", metavar="FILE", help="compose from this cue sheet instead of watching the video")
@with_settings(*EVERYTHING)
@click.option(
    "--keep",
    metavar="KIND,...",
    default="",
    help="keep midi, musicxml, stems, wav beside the output (the cue sheet is always kept)",
)
@click.option(
    "--explain",
    is_flag=True,
    help="print why each cue is where it is and as it is; with --music select or auto also what each choice costs",
)
@click.option("--dry-run", is_flag=True, help="print the plan (cues, moods, tempo, times) and write nothing")
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_batch(LIST, FINDING, WORKING)
@with_voice
def score(
    teller: Teller,
    inputs: Sequence[str],
    output: str | None,
    cues: str | None,
    keep: str,
    explain: bool,
    dry_run: bool,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Write music for the video INPUT and put it under the picture.

    Folders, globs or several INPUTs are scored as a batch, into a folder. The picture and every
    other stream are copied untouched. The cue sheet is written beside the output as NAME.cues.json:
    edit it and give it back with --cues.
    """
    batch, settings = split(settings)
    kinds = [kind for kind in (k.strip() for k in keep.split(",")) if kind]
    if not inputs and not batch["stdin"]:
        raise click.UsageError("Missing argument 'INPUT...'.", click.get_current_context())
    if is_batch(inputs, output if cues is None else None, batch):
        for is_set, flag in ((cues is not None, "--cues"), (explain, "--explain")):
            if is_set:
                raise UsageError(
                    f"{flag} is for one film, not for a batch", remedy="Leave it out, or name one film."
                )
        score_batch(teller, inputs, output, batch, kinds, dry_run, overwrite, settings)
        return
    _score_one(teller, inputs[0], output, cues, kinds, explain, dry_run, overwrite, settings)


def _score_one(
    teller: Teller,
    input: str,
    output: str | None,
    cues: str | None,
    kinds: list[str],
    explain: bool,
    dry_run: bool,
    overwrite: bool,
    settings: dict[str, Any],
) -> None:
    from videoscore.pipeline.score import plan, score

    if dry_run:
        _show_plan(
            teller,
            explain,
            plan(
                input,
                output,
                cues=cues,
                keep=kinds,
                overwrite=overwrite,
                progress=teller.progress,
                **settings,
            ),
        )
        return
    result = score(
        input, output, cues=cues, keep=kinds, overwrite=overwrite, progress=teller.progress, **settings
    )
    facts = {
        "output": result.output,
        "kept": result.kept,
        "duration": result.sheet.duration,
        "cues": [
            {"name": c.name, "start": c.start, "end": c.end, "mood": c.mood, "bpm": c.bpm}
            for c in result.sheet.cues
        ],
        "notes": result.notes,
        "seed": result.sheet.seed,
        "preset": result.sheet.preset,
        "loudness": result.loudness,
        "true_peak": result.true_peak,
        "seconds": {k: round(v, 3) for k, v in result.seconds.items()},
        "peak_memory": result.peak_memory,
        "remarks": result.remarks,
        **_picks_of(result)[0],
    }
    teller.remarks(result.remarks)
    reasons, words = _reasons_of(result.plan, result.sheet) if explain else ({}, "")
    text = [_summary(result), words, _picks_of(result, True)[1] if explain else ""]
    teller.result(facts | reasons, "\n\n".join(filter(None, text)))


def _summary(result: Any) -> str:
    from videoscore.text.tables import clock

    moods = ", ".join(cue.mood for cue in result.sheet.cues[:6]) + (
        " ..." if len(result.sheet.cues) > 6 else ""
    )
    loud = "silent" if result.loudness is None else f"{result.loudness:.1f} LUFS"
    if result.true_peak is not None:
        loud += f", true peak {result.true_peak:.1f} dBTP"
    lines = [
        f"{result.output}: {clock(result.sheet.duration)} of video, {len(result.sheet.cues)} cue"
        f"{'s' * (len(result.sheet.cues) != 1)} ({moods}), {result.notes} notes, {loud}, "
        f"in {sum(result.seconds.values()):.1f} s"
    ]
    return "\n".join(lines + [f"  {kind}: {path}" for kind, path in result.kept.items()])


def _picks_of(outcome: Any, explain: bool = False) -> tuple[dict[str, Any], str]:
    """What was chosen from the library, as facts and as text; nothing where all was written."""
    if outcome.selection is None:
        return {}, ""
    from videoscore.library.select.select import reasons
    from videoscore.text.picks import pick_table

    rows = reasons(outcome.sheet, outcome.selection.picks)
    return {"music": rows}, pick_table(rows, explain)


def _reasons_of(plan: Any, sheet: Any) -> tuple[dict[str, Any], str]:
    """Why each cue is as it is, as facts and as text."""
    from videoscore.pipeline.explain import explain
    from videoscore.text.reasons import reasons_text

    reasons = explain(sheet, plan.options, plan.analysis)
    return {"reasons": [reason.facts() for reason in reasons]}, reasons_text(reasons, plan.options)


def _show_plan(teller: Teller, explain: bool, plan: Any) -> None:
    from videoscore.text.tables import cue_row, cue_table

    sheet, targets = plan.sheet, plan.targets
    facts = {
        "plan": [cue_row(cue) for cue in sheet.cues],
        "duration": sheet.duration,
        "seed": sheet.seed,
        "preset": sheet.preset,
        "output": targets.output,
        "kept": targets.kept,
        "remarks": plan.remarks,
        **_picks_of(plan)[0],
    }
    teller.remarks(plan.remarks)
    head = f"{plan.media.path}: {float(sheet.duration):.3f} s, preset {sheet.preset}, seed {sheet.seed}"
    tail = "would write " + ", ".join(str(p) for p in (targets.output, *targets.kept.values()))
    pick_text = _picks_of(plan, explain)[1]
    reasons, words = _reasons_of(plan, sheet) if explain else ({}, "")
    words = words and f"\n{words}\n"
    print_result(
        teller, facts | reasons, "\n".join(filter(None, (head, cue_table(sheet), words, pick_text, tail)))
    )
