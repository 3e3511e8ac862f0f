"""``videoscore playlist``: pieces of the library for what a clip shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import WATCHING, print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.text.tables import clock, table


@click.command()
@click.argument("input")
@click.option(
    "-o", "--output", metavar="FILE", help="write it there: .m3u, .m3u8 or .json  [default: to stdout]"
)
@click.option("--m3u", "as_m3u", is_flag=True, help="M3U on stdout instead of a table")
@click.option(
    "--count", metavar="N", type=click.IntRange(1, 10000), default=20, show_default=True, help="most pieces"
)
@click.option(
    "--library",
    "library_file",
    metavar="FILE",
    help="the library's file  [default: $VIDEOSCORE_LIBRARY, or the user's own]",
)
@with_settings(*WATCHING)
@click.option("--overwrite", is_flag=True, help="replace a file that is already there")
@with_voice
def playlist(
    teller: Teller,
    input: str,
    output: str | None,
    as_m3u: bool,
    count: int,
    library_file: str | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Pieces of your library for the emotion that the video INPUT shows most, best first.

    Where the video shows no mood (or, with --perceiver face, no face) there is no list, and code 6 says so.
    """
    import json

    from videoscore.cli.teller import plain
    from videoscore.errors import UsageError
    from videoscore.files import write_text
    from videoscore.library.select.ranking import m3u
    from videoscore.pipeline.film_playlist import playlist_for
    from videoscore.pipeline.outputs import check_file

    form = Path(output).suffix.lower() if output is not None else ""
    if output is not None:
        if form not in (".m3u", ".m3u8", ".json"):
            raise UsageError(
                f"a playlist is no {form or 'file without a suffix'}",
                path=output,
                remedy="Name it .m3u, .m3u8 or .json.",
            )
        check_file(Path(output), overwrite, Path(input))
    tracks_of_film = playlist_for(input, count, library_file, progress=teller.progress, **settings)
    emotion, tracks, remarks = tracks_of_film.emotion, tracks_of_film.tracks, list(tracks_of_film.remarks)
    facts = {
        "emotion": dataclasses.asdict(emotion),
        "tracks": [dataclasses.asdict(t) for t in tracks],
        "remarks": remarks,
        "output": output,
    }
    teller.remarks(remarks)
    if output is not None:
        text = m3u(tracks) if form != ".json" else json.dumps(facts, default=plain, indent=1) + "\n"
        write_text(Path(output), text, overwrite)
    head = (
        f"{input}: {emotion.mood}, valence {emotion.valence:+.2f}, arousal {emotion.arousal:+.2f} "
        f"({100 * emotion.share:.0f} % of what is seen speaks for it)"
    )
    listing = _listing(tracks)
    if output is not None:
        teller.result(facts, f"{output}: {len(tracks)} pieces for {head}")
    else:
        print_result(teller, facts, m3u(tracks).rstrip("\n") if as_m3u else f"{head}\n{listing}")


def _listing(tracks: Sequence[Any]) -> str:
    """The pieces as a table, best first."""
    rows = [
        [
            str(k),
            t.mood,
            f"{t.valence:+.2f}",
            f"{t.arousal:+.2f}",
            f"{t.distance:.2f}",
            clock(t.seconds),
            t.title,
        ]
        for k, t in enumerate(tracks, 1)
    ]
    return table(["", "mood", "valence", "arousal", "distance", "length", "title"], rows)
