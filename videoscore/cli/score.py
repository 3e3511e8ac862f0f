"""``videoscore score``: the whole way."""

from __future__ import annotations

from typing import Any

import click

from videoscore.cli.common import EVERYTHING, print_result, with_settings, with_voice
from videoscore.cli.telling import Teller


@click.command()
@click.argument("input")
@click.option("-o", "--output", metavar="FILE",
              help="the scored video; its suffix chooses the container  [default: NAME.scored.* beside INPUT]")
@click.option("--cues", metavar="FILE", help="compose from this cue sheet instead of watching the video")
@with_settings(*EVERYTHING)
@click.option("--keep", metavar="KIND,...", default="",
              help="keep cues, midi, stems, wav beside the output (the cue sheet is always kept)")
@click.option("--dry-run", is_flag=True, help="print the plan (cues, moods, tempo, times) and write nothing")
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def score(teller: Teller, input: str, output: str | None, cues: str | None, keep: str, dry_run: bool,
          overwrite: bool, **settings: Any) -> None:
    """Write music for the video INPUT and put it under the picture.

    The picture and every other stream are copied untouched. The cue sheet is written beside the
    output as NAME.cues.json: edit it and give it back with --cues.
    """
    from videoscore import pipeline

    kinds = [kind for kind in (k.strip() for k in keep.split(",")) if kind]
    if dry_run:
        _show_plan(teller, pipeline.plan(input, output, cues=cues, keep=kinds, overwrite=overwrite,
                                         progress=teller.progress, **settings))
        return
    result = pipeline.score(input, output, cues=cues, keep=kinds, overwrite=overwrite,
                            progress=teller.progress, **settings)
    facts = {
        "output": result.output, "kept": result.kept, "duration": result.sheet.duration,
        "cues": [{"name": c.name, "start": c.start, "end": c.end, "mood": c.mood, "bpm": c.bpm}
                 for c in result.sheet.cues],
        "notes": result.notes, "seed": result.sheet.seed, "preset": result.sheet.preset,
        "loudness": result.loudness, "true_peak": result.true_peak,
        "seconds": {k: round(v, 3) for k, v in result.seconds.items()}, "peak_memory": result.peak_memory,
        "remarks": result.remarks,
    }
    teller.remarks(result.remarks)
    teller.result(facts, _summary(result))


def _summary(result: Any) -> str:
    from videoscore.cli.tables import clock

    moods = ", ".join(cue.mood for cue in result.sheet.cues[:6]) + (" ..." if len(result.sheet.cues) > 6 else "")
    loud = "silent" if result.loudness is None else f"{result.loudness:.1f} LUFS"
    if result.true_peak is not None:
        loud += f", true peak {result.true_peak:.1f} dBTP"
    lines = [f"{result.output}: {clock(result.sheet.duration)} of video, {len(result.sheet.cues)} cue"
             f"{'s' * (len(result.sheet.cues) != 1)} ({moods}), {result.notes} notes, {loud}, "
             f"in {sum(result.seconds.values()):.1f} s"]
    return "\n".join(lines + [f"  {kind}: {path}" for kind, path in result.kept.items()])


def _show_plan(teller: Teller, planned: Any) -> None:
    from videoscore.cli.tables import cue_row, cue_table

    sheet, targets = planned.sheet, planned.targets
    facts = {"plan": [cue_row(cue) for cue in sheet.cues], "duration": sheet.duration, "seed": sheet.seed,
             "preset": sheet.preset, "output": targets.output, "kept": targets.kept, "remarks": planned.remarks}
    teller.remarks(planned.remarks)
    head = f"{planned.media.path}: {float(sheet.duration):.3f} s, preset {sheet.preset}, seed {sheet.seed}"
    tail = "would write " + ", ".join(str(p) for p in (targets.output, *targets.kept.values()))
    print_result(teller, facts, f"{head}\n{cue_table(sheet)}\n{tail}")
