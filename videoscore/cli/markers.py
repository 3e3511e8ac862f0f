"""Cues as markers for video editors."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import click

from videoscore.cli.common import with_voice
from videoscore.cli.telling import Teller
from videoscore.errors import UsageError


@click.command()
@click.argument("cues")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help=".edl (Resolve, Avid), .csv, .otio (OpenTimelineIO) or .ffmeta (chapters for ffmpeg)",
)
@click.option(
    "--rate",
    metavar="RATE",
    help="pictures a second, exact, as 25 or 24000/1001  [default: the video's, if it lies beside CUES]",
)
@click.option("--no-hits", is_flag=True, help="cues only")
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def markers(teller: Teller, cues: str, output: str, rate: str | None, no_hits: bool, overwrite: bool) -> None:
    """The cues and hit points of the cue sheet CUES as markers that editing programs read."""
    from videoscore.cues import markers as forms
    from videoscore.cues.file.sheet_file import load
    from videoscore.files import write_text
    from videoscore.pipeline.outputs import KINDS, check_file

    path = Path(output)
    suffix = path.suffix.lower()
    kinds = {KINDS[kind].suffix: kind for kind in (*forms.FORMS, "chapters")}
    if suffix not in kinds:
        raise UsageError("markers can't be written so", path=path, remedy=f"Name it {', '.join(kinds)}.")
    if suffix == ".ffmeta" and (rate is not None or no_hits):
        raise UsageError(
            f"{'--no-hits' if rate is None else '--rate'} has no effect on chapters",
            path=path,
            remedy="Leave it out: they have times instead of pictures, and no hit points.",
        )
    check_file(path, overwrite, Path(cues))
    sheet = load(Path(cues))
    if suffix == ".ffmeta":
        text = forms.chapters(sheet)
    else:
        pace = forms.check_rate(_rate(rate) if rate is not None else _of_video(Path(cues), sheet.source))
        text = forms.FORMS[kinds[suffix]](sheet, pace, not no_hits)
    write_text(path, text)
    count = len(sheet.cues) if suffix == ".ffmeta" else len(forms.markers(sheet, not no_hits))
    teller.result({"output": path, "markers": count}, f"{path}: {count} markers")


def _rate(text: str) -> Fraction:
    from videoscore.settings.build import exact

    try:
        return exact(text)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"--rate: {text!r} is no number", remedy="Write 25 or 24000/1001.") from error


def _videos(cues: Path, source: str) -> Iterator[Path]:
    """Where the pictures of a cue sheet may be: the film itself, or the scored one, whose cue sheet this is."""
    from videoscore.batch.jobs import SUFFIXES

    if source:
        yield cues.parent / Path(source).name
    name = cues.name.removesuffix(".json").removesuffix(".cues")
    yield cues.parent / name
    yield from (cues.parent / f"{name}{suffix}" for suffix in sorted(SUFFIXES))


def _of_video(cues: Path, source: str) -> Fraction:
    from videoscore.stages import probe

    video = next((v for v in _videos(cues, source) if v.is_file()), None)
    if video is None:
        raise UsageError(
            f"the rate of the pictures is not known: {source or 'the video'} isn't beside the cue sheet",
            path=cues,
            remedy="Give it with --rate, as 25 or 24000/1001.",
        )
    return 1 / probe(video).video.frame_duration
