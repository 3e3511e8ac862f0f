"""``videoscore playlist``: pieces of the library for what a clip shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import WATCHING, print_result, with_settings, with_voice
from videoscore.cli.telling import Teller
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

    from videoscore.cli.telling import plain
    from videoscore.errors import InputError, NoMood, UsageError
    from videoscore.files import write_text
    from videoscore.library.select.ranking import dominant, m3u, rank
    from videoscore.library.select.select import open_library
    from videoscore.library.store.builtin import load_builtin
    from videoscore.pipeline import score as pipeline
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
    library = open_library(library_file)
    pieces = []
    if library is not None:
        with library:
            pieces = library.pieces()
    if not pieces and not load_builtin():
        raise InputError(
            "the library is empty", remedy="Add MIDI files with `videoscore library add FOLDER`."
        )
    seen = pipeline.analyze(input, progress=teller.progress, **settings)
    emotion = dominant(seen.raw, seen.shares)
    if emotion is None:
        raise NoMood(
            "no picture of it shows a mood",
            path=input,
            remedy="Choose pieces by mood with `videoscore library list --mood WORD`.",
        )
    there = [p for p in pieces if p.path.is_file()]
    tracks = rank(emotion, there, load_builtin(), count)
    remarks = [*seen.remarks]
    if emotion.faces == 0 and "face" in seen.shares:
        remarks.append("no face was found: the emotion is that of the scenes")
    if len(there) < len(pieces):
        remarks.append(f"{len(pieces) - len(there)} of {len(pieces)} pieces are no longer where they were")
    facts = {
        "emotion": dataclasses.asdict(emotion),
        "tracks": [dataclasses.asdict(t) for t in tracks],
        "remarks": remarks,
        "output": output,
    }
    teller.remarks(remarks)
    if output is not None:
        text = m3u(tracks) if form != ".json" else json.dumps(facts, default=plain, indent=1) + "\n"
        write_text(Path(output), text)
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
    head = (
        f"{input}: {emotion.mood}, valence {emotion.valence:+.2f}, arousal {emotion.arousal:+.2f} "
        f"({100 * emotion.share:.0f} % of what is seen speaks for it)"
    )
    listed = table(["", "mood", "valence", "arousal", "distance", "length", "title"], rows)
    if output is not None:
        teller.result(facts, f"{output}: {len(tracks)} pieces for {head}")
    else:
        print_result(teller, facts, m3u(tracks).rstrip("\n") if as_m3u else f"{head}\n{listed}")
