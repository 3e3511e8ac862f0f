"""Cues as markers for video editors."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click

from videoscore.cli.common import with_voice
from videoscore.cli.telling import Teller
from videoscore.errors import UsageError

SUFFIXES = (".edl", ".csv", ".otio", ".ffmeta")


@click.command()
@click.argument("cues")
@click.option("-o", "--output", metavar="FILE", required=True,
              help=".edl (Resolve, Avid), .csv, .otio (OpenTimelineIO) or .ffmeta (chapters for ffmpeg)")
@click.option("--rate", metavar="RATE", help="pictures a second, exact, as 25 or 24000/1001  [default: the video's, if "
                                             "it lies beside CUES]")
@click.option("--no-hits", is_flag=True, help="cues only")
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def markers(teller: Teller, cues: str, output: str, rate: str | None, no_hits: bool, overwrite: bool) -> None:
    """The cues and hit points of the cue sheet CUES as markers that editing programs read."""
    from videoscore.cues import markers as forms
    from videoscore.cues.files import load
    from videoscore.outputs import check_file, write_text

    path = Path(output)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError("markers can't be written so", path=path, remedy=f"Name it {', '.join(SUFFIXES)}.")
    check_file(path, overwrite, Path(cues))
    sheet = load(Path(cues))
    if suffix == ".ffmeta":
        text = forms.chapters(sheet)
    else:
        pace = forms.check_rate(_rate(rate) if rate is not None else _of_video(Path(cues), sheet.source))
        write = {".edl": forms.edl, ".csv": forms.table, ".otio": forms.otio}[suffix]
        text = write(sheet, pace, not no_hits)
    write_text(path, text)
    count = len(sheet.cues) if suffix == ".ffmeta" else len(forms.markers(sheet, not no_hits))
    teller.result({"output": path, "markers": count}, f"{path}: {count} markers")


def _rate(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"--rate: {text!r} is no number", remedy="Write 25 or 24000/1001.") from error


def _of_video(cues: Path, source: str) -> Fraction:
    from videoscore.stages import probe

    video = cues.parent / Path(source).name
    if not source or not video.is_file():
        raise UsageError(f"the rate of the pictures is not known: {source or 'the video'} isn't beside the cue sheet",
                         path=cues, remedy="Give it with --rate, as 25 or 24000/1001.")
    return 1 / probe(video).video.frame_duration
