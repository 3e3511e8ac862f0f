"""Music from the library for a cue sheet: the edges around matching and fitting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from videoscore.compose.locked_notes import standing
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import InputError, NotFound, OutputError, SetupError
from videoscore.file_names import as_text
from videoscore.files import read_start
from videoscore.library.read.content import digest
from videoscore.library.read.read import MOST_BYTES, Music, Unusable, read
from videoscore.library.select.fit import assemble, continues, fit
from videoscore.library.select.match import match
from videoscore.library.select.pick import Pick
from videoscore.library.store.catalogue import Catalogue, load
from videoscore.library.store.database import Library, default_path
from videoscore.music.score import Note, Role, Score
from videoscore.progress import Progress, silent
from videoscore.settings.fields import LibraryOptions
from videoscore.user_folders import expanded

MOST_GONE = 1000  # missing files after which no more are looked for
TITLE = 80  # characters of a title in a cue sheet


@dataclass(frozen=True)
class Selection:
    """What is to be played.

    sheet : the cue sheet with the meters and keys of the picks. picks : one a cue; None where the music is written
    or locked.
    remarks : which cue gets what, a sentence each. film : what it is for, see `film_of`.
    """

    sheet: CueSheet
    picks: tuple[Pick | None, ...]
    remarks: tuple[str, ...]
    film: str


def film_of(sheet: CueSheet) -> str:
    """By what the library remembers a film: its file's name and its length."""
    return f"{as_text(sheet.source)} {float(sheet.duration):.3f}"


def library_path(path: str | None) -> Path | None:
    """The file that is named, else the user's own; None for a user without a home folder."""
    if path:
        return expanded(path)
    try:
        return default_path()
    except SetupError:
        return None


def open_library(path: str | None) -> Library | None:
    """The user's library for reading; None when there is none yet. Raises NotFound when one is named and missing."""
    place = library_path(path)
    if place is not None and place.is_file():
        return Library(place)
    if path:
        raise NotFound(
            "there is no library",
            path=path,
            remedy="Make it with `videoscore library add`, or leave out --library.",
        )
    return None


def select(sheet: CueSheet, options: LibraryOptions) -> Selection:
    """Choose music for every cue.

    Pieces whose files are gone are passed over, and told of in the remarks.

    Raises
    ------
    InputError : with ``music="select"``, nothing in the library can fill a cue. NotFound, SetupError.
    """
    library = open_library(options.path)
    try:
        catalogue = load(library, film_of(sheet), options.builtin)
    finally:
        if library is not None:
            library.close()
    free = not all(cue.locked for cue in sheet.cues)
    if options.music == "select" and len(catalogue) == 0 and free:
        raise InputError(
            "the library is empty",
            path=options.path or default_path(),
            remedy="Add MIDI files with `videoscore library add FOLDER`, or use --music generate.",
        )
    picks, absent_files = _present(sheet, catalogue, options)
    missing = [cue.name for cue, pick in zip(sheet.cues, picks) if pick is None and not cue.locked]
    if options.music == "select" and missing:
        raise InputError(
            f"no piece of the library can fill the cue {missing[0]}",
            path=options.path or default_path(),
            remedy="Add more files to it, or use --music auto or generate.",
        )
    remarks = [_words(cue, pick, options) for cue, pick in zip(sheet.cues, picks)]
    if len(catalogue) == 0 and free:
        remarks = ["the library is empty: all music is written"]
    if absent_files:
        remarks.append(
            f"{len(absent_files)} piece{'s' * (len(absent_files) != 1)} of the library "
            f"{'are' if len(absent_files) != 1 else 'is'} no longer where "
            f"{'they were' if len(absent_files) != 1 else 'it was'} (first: {absent_files[0]}): "
            "add the folder again where it is now"
        )
    return Selection(_fit_sheet(sheet, picks), tuple(picks), tuple(remarks), film_of(sheet))


def play(
    selection: Selection,
    generate: Callable[[CueSheet], Score],
    roles: frozenset[Role] | None = None,
    progress: Progress = silent,
) -> Score:
    """The score of a selection.

    Parameters
    ----------
    generate : writes a whole cue sheet; called once when a cue has no pick.
    roles : those that are wanted of the picked pieces; None for all.
    progress : told of ("fit", seconds of film done, seconds in all).

    Raises InputError when a piece was changed since it was added, or is gone.
    """
    sheet, picks = selection.sheet, selection.picks
    own_score = (
        generate(sheet) if any(p is None and not c.locked for c, p in zip(sheet.cues, picks)) else None
    )
    music: dict[str, Music] = {}
    parts: list[list[Note]] = []
    total = float(sheet.duration)
    for k, (cue, pick) in enumerate(zip(sheet.cues, picks)):
        progress("fit", float(cue.start), total)
        if cue.locked:
            parts.append(standing(cue, 0))
            continue
        if pick is None:
            assert own_score is not None
            place = own_score.sections[k]
            parts.append(
                [
                    replace(n, start=n.start - place.start)
                    for n in own_score.notes
                    if place.start <= n.start < place.end
                ]
            )
            continue
        if pick.piece.content not in music:
            music[pick.piece.content] = _read(pick)
        after = picks[k + 1] if k + 1 < len(picks) else None
        following = sheet.cues[k + 1].key if k + 1 < len(picks) else None
        part = fit(
            cue, pick, music[pick.piece.content], following, after is not None and continues(pick, after)
        )
        parts.append([n for n in part if roles is None or n.role in roles])
    progress("fit", total, total)
    return assemble(sheet, parts)


def remember(selection: Selection, options: LibraryOptions) -> None:
    """Note in the user's library, where there is one, what was played. Raises OutputError."""
    place = library_path(options.path)
    if place is not None and place.is_file() and any(selection.picks):
        with Library(place) as library:
            library.use(selection.film, [None if p is None else p.piece.content for p in selection.picks])


def remember_or_tell(selection: Selection, options: LibraryOptions) -> tuple[str, ...]:
    """`remember`, but a library that can't be written to is only a remark: the film is scored already."""
    try:
        remember(selection, options)
    except OutputError as error:
        return (f"what was played couldn't be noted in the library: {error.problem}",)
    return ()


def reasons(sheet: CueSheet, picks: tuple[Pick | None, ...]) -> list[Mapping[str, object]]:
    """Why each pick was made, as rows: cue, piece, bars, and the cost by its terms."""
    rows: list[Mapping[str, object]] = []
    for cue, pick in zip(sheet.cues, picks):
        if pick is None:
            rows.append({"cue": cue.name, "mood": cue.mood, "music": "locked" if cue.locked else "generate"})
            continue
        rows.append(
            {
                "cue": cue.name,
                "mood": cue.mood,
                "music": "select",
                "title": pick.piece.title,
                "path": pick.piece.path,
                "builtin": pick.piece.id is None,
                "bars": bar_words(pick.bars),
                "key": pick.key,
                "semitones": pick.semitones,
                "stretch": round(pick.stretch, 4),
                "distance": round(pick.distance, 3),
                "cost": round(pick.cost, 3),
                "terms": {name: round(value, 3) for name, value in pick.terms.items()},
                "others": [
                    {
                        "title": o.piece.title,
                        "first_bar": o.first_bar + 1,
                        "distance": round(o.distance, 3),
                        "cost": round(o.cost, 3),
                    }
                    for o in pick.others
                ],
            }
        )
    return rows


def bar_words(bars: tuple[int, ...]) -> str:
    """Bars as people count them, from 1: "9-16, 13-16"."""
    parts, first = [], bars[0]
    for bar, following in zip(bars, [*bars[1:], -1]):
        if following != bar + 1:
            parts.append(f"{first + 1}-{bar + 1}" if bar > first else f"{bar + 1}")
            first = following
    return ", ".join(parts)


def _present(
    sheet: CueSheet, catalogue: Catalogue, options: LibraryOptions
) -> tuple[list[Pick | None], list[Path]]:
    """The picks among pieces whose files are there, and the files that aren't."""
    left_out: dict[str, Path] = {}
    while True:
        picks = match(sheet, catalogue, options, leave_out=frozenset(left_out))
        absent = {
            p.piece.content: p.piece.path for p in picks if p is not None and not p.piece.path.is_file()
        }
        if not absent:
            return picks, list(left_out.values())
        left_out |= absent
        # one search for each would take long where a whole disk is gone
        left_out |= {p.content: p.path for p in catalogue.pieces[:MOST_GONE] if not p.path.is_file()}


def _fit_sheet(sheet: CueSheet, picks: list[Pick | None]) -> CueSheet:
    cues = tuple(
        cue if pick is None else replace(cue, meter=pick.meter, key=pick.key)
        for cue, pick in zip(sheet.cues, picks)
    )
    remarks = {
        f"music {cue.name}": "locked"
        if cue.locked
        else "written"
        if pick is None
        else f"{pick.piece.title[:TITLE]}, bars {bar_words(pick.bars)[:TITLE]}"
        for cue, pick in zip(cues, picks)
    }
    return replace(sheet, cues=cues, notes={**sheet.notes, **remarks})


def _words(cue: Cue, pick: Pick | None, options: LibraryOptions) -> str:
    name = cue.name
    if cue.locked:
        return f"{name}: locked, so that it keeps its notes"
    if pick is None:
        return f"{name}: written, since no piece of the library comes within {options.near:g} of its mood"
    shift = (
        f", {abs(pick.semitones)} semitone{'s' * (abs(pick.semitones) != 1)} "
        f"{'up' if pick.semitones > 0 else 'down'}"
        if pick.semitones
        else ""
    )
    speed = (
        f", {100 * abs(pick.stretch - 1):.1f} % {'faster' if pick.stretch > 1 else 'slower'}"
        if abs(pick.stretch - 1) >= 0.0005
        else ""
    )
    return (
        f"{name}: from the library, {pick.piece.title}, bars {bar_words(pick.bars)}{shift}{speed} "
        f"(distance of moods {pick.distance:.2f})"
    )


def _read(pick: Pick) -> Music:
    """The piece's file, which must hold what it held when it was added."""
    path = pick.piece.path
    data = read_start(path, MOST_BYTES, "Add its folder again with `videoscore library add`.")
    if digest(data) != pick.piece.content:
        raise InputError(
            "the piece was changed since it was added to the library",
            path=path,
            remedy="Add it again with `videoscore library add`.",
        )
    try:
        return read(data)
    except Unusable as error:
        raise InputError(
            f"the piece can't be read any more ({error})",
            path=path,
            remedy="Remove it with `videoscore library remove`.",
        ) from error
