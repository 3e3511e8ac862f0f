"""Pieces of the library for the emotion that a film shows most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.errors import InputError, NoMood
from videoscore.pipeline.watch import analyze
from videoscore.progress import Progress, silent

if TYPE_CHECKING:
    from videoscore.library.select.ranking import Dominant, PlaylistEntry


@dataclass(frozen=True)
class Playlist:
    """tracks : best first. remarks : what the user should know of how they were chosen."""

    emotion: Dominant
    tracks: tuple[PlaylistEntry, ...]
    remarks: tuple[str, ...]


def playlist_for(
    input: str | Path,
    count: int,
    library: str | None = None,
    *,
    progress: Progress = silent,
    **settings: Any,
) -> Playlist:
    """At most `count` pieces of the library (by default the user's own, and always the built-in pieces).

    settings : of how the film is watched, as for `videoscore.analyze`.

    Raises
    ------
    NoMood : no picture shows a mood. InputError : the library is empty, or the film can't be read.
    """
    from videoscore.library.select.ranking import dominant, rank
    from videoscore.library.select.select import open_library
    from videoscore.library.store.builtin import load_builtin

    pieces = []
    database = open_library(library)
    if database is not None:
        with database:
            pieces = database.pieces()
    if not pieces and not load_builtin():
        raise InputError(
            "the library is empty", remedy="Add MIDI files with `videoscore library add FOLDER`."
        )
    analysis = analyze(input, progress=progress, **settings)
    emotion = dominant(analysis.raw, analysis.shares)
    if emotion is None:
        raise NoMood(
            "no picture of it shows a mood",
            path=input,
            remedy="Choose pieces by mood with `videoscore library list --mood WORD`.",
        )
    there = [p for p in pieces if p.path.is_file()]
    remarks = [*analysis.remarks]
    if emotion.faces == 0 and "face" in analysis.shares:
        remarks.append("no face was found: the emotion is that of the scenes")
    if len(there) < len(pieces):
        remarks.append(f"{len(pieces) - len(there)} of {len(pieces)} pieces are no longer where they were")
    return Playlist(emotion, tuple(rank(emotion, there, load_builtin(), count)), tuple(remarks))
