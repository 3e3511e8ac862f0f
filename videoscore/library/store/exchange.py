"""The library as a CSV table, out and in: to look at, to tag in a spreadsheet, to take to another machine."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from videoscore.errors import UsageError
from videoscore.files import MB, read_text
from videoscore.library.add import AddReport, add
from videoscore.library.store.database import Library, StoredPiece, word
from videoscore.mood.circle import MOODS, mood_of
from videoscore.progress import Progress, silent
from videoscore.words import did_you_mean

COLUMNS = (
    "path",
    "title",
    "mood",
    "valence",
    "arousal",
    "source",
    "seconds",
    "key",
    "bpm",
    "beats",
    "bars",
    "notes",
    "programs",
    "pulse",
    "added",
    "content",
)
MOST_BYTES = 256 * MB
UNCHANGED = 1e-3  # of valence and arousal, which spreadsheets may round
DELIMITERS = ",;\t"  # spreadsheets write what the country writes lists with


@dataclass
class ImportReport:
    """tagged : pieces that got the user's word of the table. added : what became of files that were new.
    missing : rows (line, what they name) whose piece is neither in the library nor on the disk."""

    tagged: int = 0
    added: AddReport = field(default_factory=AddReport)
    missing: list[tuple[int, str]] = field(default_factory=list)


Argument = TypeVar("Argument")
Value = TypeVar("Value")
Word = tuple[float, float, str]  # valence, arousal, mood


@dataclass(frozen=True)
class _Row:
    """mood_word, point : the user's word as a mood, and as numbers; two that differ when one of them was edited."""

    line: int
    path: str
    content: str
    mood_word: Word | None
    point: Word | None

    def word(self, piece: StoredPiece) -> Word | None:
        """The user's word: what differs from what the library says. Raises UsageError when both do, and disagree."""
        if self.mood_word is None or self.point is None or self.mood_word[2] == self.point[2]:
            return self.point or self.mood_word
        if max(abs(self.point[0] - piece.valence), abs(self.point[1] - piece.arousal)) < UNCHANGED:
            return self.mood_word
        if self.mood_word[2] == piece.mood:
            return self.point
        raise UsageError(
            f"line {self.line}: valence {self.point[0]:g} and arousal {self.point[1]:g} are {self.point[2]}, not "
            f"{self.mood_word[2]}, and the piece has neither",
            remedy="Leave either the mood or the numbers empty.",
        )


def row(piece: StoredPiece) -> dict[str, str | float | int]:
    """A piece as `COLUMNS`. source : whose word mood, valence and arousal are, "user" or "tagger"."""
    e = piece.entry
    return {
        "path": str(piece.path),
        "title": e.title,
        "mood": piece.mood,
        "valence": piece.valence,
        "arousal": piece.arousal,
        "source": "tagger" if piece.user is None else "user",
        "seconds": e.seconds,
        "key": e.key_name,
        "bpm": e.bpm,
        "beats": e.beats,
        "bars": e.bars,
        "notes": e.notes,
        "programs": " ".join("drums" if p < 0 else str(p) for p in e.programs),
        "pulse": e.pulse,
        "added": piece.added,
        "content": e.content,
    }


def to_csv(pieces: list[StoredPiece]) -> str:
    """A line a piece."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(piece) for piece in pieces)
    return out.getvalue()


def import_csv(
    library: Library, path: Path, jobs: int | None = None, progress: Progress = silent
) -> ImportReport:
    """Take the user's words from a table such as `to_csv` writes, and add the files that are new.

    A row names its piece by `content` or `path`. Its mood, or valence and arousal, are the user's word, unless its
    `source` is "tagger"; where they disagree, the one that isn't the library's. Nothing is tagged when the table breaks
    a rule.

    Raises NotFound, UsageError (with the line), and what `add` raises.
    """
    rows = _read(path)
    out = ImportReport()
    contents, paths = _index(library)
    new = [r for r in rows if r.content not in contents and r.path not in paths]
    there = [r.path for r in new if r.path and os.path.isfile(r.path)]
    if there:
        out.added = add(library, there, jobs, progress)
        contents, paths = _index(library)
    skips = {str(p) for p, _ in out.added.skipped}
    words: list[tuple[StoredPiece, Word]] = []
    for r in rows:
        content = r.content if r.content in contents else paths.get(r.path)
        if content is None:
            if r.path not in skips:
                out.missing.append((r.line, r.path or r.content))
            continue
        piece = library.pieces("content = ?", (content,))[0]
        mood_word = _with_path(path, r.word, piece)
        if mood_word is not None:
            words.append((piece, mood_word))
    for piece, mood_word in words:
        library.tag(piece, mood_word)
    out.tagged = len(words)
    return out


def read_word(mood: str | None, valence: object, arousal: object) -> tuple[float, float, str] | None:
    """The user's word for a piece from a mood, or from valence and arousal; None from nothing.

    With both, the mood has to be the one of the octant in which the point lies. Raises UsageError.
    """
    if mood:
        try:
            mood_word = word(mood)
        except KeyError:
            hint = did_you_mean(mood.capitalize(), MOODS)
            raise UsageError(
                f"there is no mood {mood!r}", remedy=f"{hint}Choose from {', '.join(MOODS)}."
            ) from None
    if valence in (None, "") and arousal in (None, ""):
        return mood_word if mood else None
    point = []
    for name, value in (("valence", valence), ("arousal", arousal)):
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not -1 <= number <= 1:
            raise UsageError(
                f"{name} is {str(value) if value not in (None, '') else 'missing'}",
                remedy="Give both, as numbers from -1 to 1.",
            )
        point.append(number)
    if mood and mood_of(*point) != mood_word[2]:
        raise UsageError(
            f"valence {point[0]:g} and arousal {point[1]:g} are {mood_of(*point)}, not {mood_word[2]}",
            remedy="Give either the mood or the numbers.",
        )
    return point[0], point[1], mood_of(*point)


def _index(library: Library) -> tuple[set[str], dict[str, str]]:
    """The contents in the library, and the content of every file that was seen."""
    contents = set(library.contents())
    paths = {
        path: s.content
        for path, s in library.file_stamps().items()
        if s.content in contents and s.content is not None
    }
    paths.update({path: content for content, path in library.contents().items()})
    return contents, paths


def _read(path: Path) -> list[_Row]:
    text = read_text(
        path, MOST_BYTES, "Check the name.", form="CSV in UTF-8", wrong="That is no table of a library."
    )
    return _with_path(path, _rows, text)


def _with_path(path: Path, function: Callable[[Argument], Value], argument: Argument) -> Value:
    """`function(given)`, whose errors say in which file."""
    try:
        return function(argument)
    except csv.Error as error:
        raise UsageError(str(error), path=path, remedy="Save it as CSV anew.") from error
    except UsageError as error:
        raise UsageError(error.problem, path=path, remedy=error.remedy) from error


def _rows(text: str) -> list[_Row]:
    head, _, rest = text.partition("\n")
    if head.startswith("sep="):  # Excel's own first line
        text, (head, _, _) = rest, rest.partition("\n")
    for delimiter in DELIMITERS:
        if {"path", "content"} & set(next(csv.reader([head], delimiter=delimiter), ())):
            reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
            return [_parse(cells, reader.line_num, delimiter != ",") for cells in reader]
    raise UsageError(
        "it has no column path or content",
        remedy="Its first line has to name the columns; `videoscore library export` shows how.",
    )


def _parse(cells: dict[str, str | None], line: int, comma: bool) -> _Row:
    """comma : decimals may be written with one."""
    names = ("path", "content", "mood", "valence", "arousal", "source")
    get = {name: (cells.get(name) or "").strip() for name in names}
    if get["source"] not in ("", "user", "tagger"):
        raise UsageError(f"line {line}: the source is {get['source'][:20]!r}", remedy="Write user or tagger.")
    mood_word = point = None
    if get["source"] != "tagger":
        numbers = [get[name].replace(",", ".") if comma else get[name] for name in ("valence", "arousal")]
        try:
            mood_word, point = read_word(get["mood"], None, None), read_word(None, *numbers)
        except UsageError as error:
            raise UsageError(f"line {line}: {error.problem}", remedy=error.remedy) from None
    path = os.path.abspath(os.path.expanduser(get["path"])) if get["path"] else ""
    return _Row(line, path, get["content"].lower(), mood_word, point)
