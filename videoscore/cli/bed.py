"""``videoscore bed``: music alone."""

from __future__ import annotations

from typing import Any

import click

from videoscore.cli.common import EVERYTHING, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.text.tables import clock, cue_row, cue_table

FILM_ONLY = (
    "audio",
    "balance",
    "duck",
    "duck_band",
    "duck_attack",
    "duck_release",
)  # settings of the mix that mean nothing without a film


@click.command()
@click.option(
    "-o", "--output", required=True, metavar="FILE", help=".wav, .flac or .ogg; .mid; .musicxml: a lead sheet"
)
@click.option(
    "--mood",
    metavar="WORDS",
    help='one of the eight moods, or several over time, as "0:00 Peaceful, 0:42 Dynamic"',
)
@click.option(
    "--valence", metavar="X", help="with --arousal, instead of a mood: -1 (negative) to 1 (positive)"
)
@click.option("--arousal", metavar="X", help="-1 (calm) to 1 (agitated)")
@click.option(
    "--curve", metavar="FILE", help="instead of a mood: a CSV file with the columns t, valence, arousal"
)
@click.option("--like", metavar="FILM", help="instead of a mood and a length: those of this film")
@click.option("--seconds", metavar="SECONDS", help="exact length  [default with --curve: to its end]")
@click.option("--key", metavar="KEY", help='as "D minor"; by default as it suits the mood')
@click.option(
    "--tempo", metavar="BPM", help="quarter notes a minute, nearly: whole bars fill the length exactly"
)
@click.option(
    "--intensity-curve",
    metavar="WORDS",
    help='levels from 0 to 1 over time, as "0:00 0.3, 1:00 1.0": mood and sound follow it',
)
@click.option(
    "--loop",
    is_flag=True,
    help="the end leads into the beginning; with loop points in the file, or beside it",
)
@click.option("--stems", is_flag=True, help="also one WAV an instrument, in NAME.stems")
@click.option("--cues", metavar="FILE", help="also write the cue sheet of the music there")
@with_settings(*EVERYTHING, without=(*FILM_ONLY, "mood"))
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def bed(teller: Teller, output: str, like: str | None, **words: Any) -> None:
    """Write music alone, of exact length: for a mood, for a curve of moods, or like a film."""
    from videoscore.pipeline.bed import write_bed

    result = write_bed(output, like=like, progress=teller.progress, **words)
    sheet = result.music.sheet
    facts = {
        "output": result.output,
        "kept": result.kept,
        "duration": sheet.duration,
        "samples": result.samples,
        "sample_rate": result.sample_rate,
        "notes": len(result.music.score.notes),
        "loudness": result.loudness,
        "true_peak": result.true_peak,
        "gain": result.gain,
        "seed": sheet.seed,
        "preset": sheet.preset,
        "plan": [cue_row(cue) for cue in sheet.cues],
        "seconds": result.seconds,
        "remarks": result.remarks,
    }
    teller.remarks(result.remarks)
    sound = "" if result.samples is None else f", {result.samples} samples at {result.sample_rate} Hz"
    loud = "" if result.loudness is None else f", {result.loudness:.1f} LUFS"
    lines = [f"{result.output}: {clock(sheet.duration)}, {facts['notes']} notes{sound}{loud}"]
    lines += [f"  {kind}: {path}" for kind, path in result.kept.items()]
    teller.result(facts, "\n".join([*lines, cue_table(sheet)]))
