"""Cues as markers for video editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from videoscore.cli.common import with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError

if TYPE_CHECKING:
    from videoscore.cues.timecode import Timecode


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
@click.option(
    "--drop-frame/--no-drop-frame",
    "drop",
    default=None,
    help="leave out numbers at 29.97 and 59.94, so that the code keeps to the clock"
    "  [default: as the video's own time code]",
)
@click.option(
    "--start",
    metavar="HH:MM:SS:FF",
    help="time code of the first picture  [default: the video's own, else 01:00:00:00 in an EDL and 0 elsewhere]",
)
@click.option("--no-hits", is_flag=True, help="cues only")
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def markers(
    teller: Teller,
    cues: str,
    output: str,
    rate: str | None,
    drop: bool | None,
    start: str | None,
    no_hits: bool,
    overwrite: bool,
) -> None:
    """The cues and hit points of the cue sheet CUES as markers that editing programs read."""
    from videoscore.cues import markers as forms
    from videoscore.cues.file.sheet_file import load
    from videoscore.files import write_text
    from videoscore.pipeline.outputs import check_file

    path = Path(output)
    suffix = path.suffix.lower()
    if suffix not in forms.FORMS:
        raise UsageError(
            "markers can't be written so", path=path, remedy=f"Name it {', '.join(forms.FORMS)}."
        )
    if suffix == ".ffmeta":
        _refuse({"--rate": rate, "--drop-frame": drop, "--start": start, "--no-hits": no_hits or None}, path)
    check_file(path, overwrite, Path(cues))
    sheet = load(Path(cues))
    if suffix == ".ffmeta":
        text, count = forms.chapters(sheet), len(sheet.cues)
    else:
        film = _film(Path(cues), sheet.source)
        timecode = _timecode(
            teller, Path(cues), sheet.source, film, rate, drop, start, forms.usual_start(suffix)
        )
        text = forms.marker_file(suffix, sheet, timecode, not no_hits, film)
        count = len(forms.markers(sheet, not no_hits))
    write_text(path, text, overwrite)
    teller.result({"output": path, "markers": count}, f"{path}: {count} markers")


def _refuse(options: dict[str, object], path: Path) -> None:
    for flag, value in options.items():
        if value is not None:
            raise UsageError(
                f"{flag} has no effect on chapters",
                path=path,
                remedy="Leave it out: they have times instead of pictures, and no hit points.",
            )


def _timecode(
    teller: Teller,
    cues: Path,
    source: str,
    film: Path | None,
    rate: str | None,
    drop: bool | None,
    start: str | None,
    usual: str,
) -> Timecode:
    """As asked for, else as the film has it."""
    from videoscore.cues.timecode import film_timecode, read_rate
    from videoscore.stages import probe
    from videoscore.video.frame_rate import picture_count

    if film is None and rate is None:
        raise UsageError(
            f"the rate of the pictures is not known: {source or 'the video'} isn't beside the cue sheet",
            path=cues,
            remedy="Give it with --rate, as 25 or 24000/1001.",
        )
    count = None if film is None else picture_count(probe(film))
    if count is not None and rate is None and not count.steady:
        teller.remarks(
            [f"the pictures of {film} come at no steady rate; they are counted at {float(count.rate):.6g} a second "
             "(--rate says otherwise)"]
        )  # fmt: skip
    return film_timecode(
        count, rate=None if rate is None else read_rate(rate), drop=drop, start=start, usual=usual
    )


def _film(cues: Path, source: str) -> Path | None:
    """Where the pictures of a cue sheet are: the film itself, or the scored one, whose cue sheet this is."""
    from videoscore.batch.jobs import SUFFIXES
    from videoscore.file_names import as_text

    name = cues.name.removesuffix(".json").removesuffix(".cues")
    places = [Path(source).name] if source else []
    for place in (*places, name, *(f"{name}{suffix}" for suffix in sorted(SUFFIXES))):
        if "\0" not in place and (cues.parent / place).is_file():
            return cues.parent / place
    if "\\x" in source:  # a name with bytes in it that are no text
        return next((p for p in cues.parent.iterdir() if as_text(p.name) == source and p.is_file()), None)
    return None
