"""The library's database: SQLite, one file, files of music referenced and never copied."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from types import TracebackType

from videoscore.errors import DiskFull, NotFound, OutputError, SetupError
from videoscore.library.store.entry import PieceEntry, SectionEntry
from videoscore.mood.circle import centre, mood_of
from videoscore.user_folders import data_root, expanded

VARIABLE = "VIDEOSCORE_LIBRARY"
PATIENCE = 30.0  # seconds to wait for another process's write
SECTION_COLUMNS = tuple(f.name for f in fields(SectionEntry))
PIECE_COLUMNS = tuple(f.name for f in fields(PieceEntry) if f.name != "sections")
# Each step brings a database one version further; never edit one that was released, add another.
STEPS = (
    f"""
    CREATE TABLE pieces (
        id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE, path TEXT NOT NULL, size INTEGER NOT NULL,
        mtime INTEGER NOT NULL, title TEXT NOT NULL, seconds REAL NOT NULL, key INTEGER NOT NULL, bpm REAL NOT NULL,
        beats REAL NOT NULL, bars INTEGER NOT NULL, notes INTEGER NOT NULL, programs TEXT NOT NULL,
        pulse REAL NOT NULL, valence REAL NOT NULL, arousal REAL NOT NULL,
        user_valence REAL, user_arousal REAL, user_mood TEXT, added TEXT NOT NULL,
        CHECK ((user_valence IS NULL) = (user_arousal IS NULL)));
    CREATE INDEX pieces_path ON pieces (path);
    CREATE TABLE sections (
        piece INTEGER NOT NULL REFERENCES pieces ON DELETE CASCADE, number INTEGER NOT NULL,
        {", ".join(f"{name} REAL NOT NULL" for name in SECTION_COLUMNS)},
        PRIMARY KEY (piece, number)) WITHOUT ROWID;
    CREATE TABLE seen (
        path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, content TEXT, problem TEXT,
        version INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE uses (film TEXT NOT NULL, cue INTEGER NOT NULL, content TEXT NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (film, cue)) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True)
class StoredPiece:
    """A piece in the library. size, mtime : of the file, bytes and nanoseconds. user : the user's word (valence,
    arousal, mood), which beats the tagger's; None where there is none. added : when, in UTC."""

    id: int
    path: Path
    size: int
    mtime: int
    entry: PieceEntry
    user: tuple[float, float, str] | None
    added: str

    @property
    def valence(self) -> float:
        return self.entry.valence if self.user is None else self.user[0]

    @property
    def arousal(self) -> float:
        return self.entry.arousal if self.user is None else self.user[1]

    @property
    def mood(self) -> str:
        return mood_of(self.valence, self.arousal) if self.user is None else self.user[2]


@dataclass(frozen=True)
class FileStamp:
    """A file that was looked at. problem : why it was skipped, or None."""

    size: int
    mtime: int
    content: str | None
    problem: str | None
    version: int


def default_path() -> Path:
    """$VIDEOSCORE_LIBRARY, else ``videoscore/library.sqlite`` in the user's data folder (XDG Base Directory).

    Raises SetupError for a user without a home folder.
    """
    if os.environ.get(VARIABLE):
        return expanded(os.environ[VARIABLE])
    root = data_root()
    if root is None:
        raise SetupError(
            "this user has no home folder for the library",
            remedy=f"Name its file with --library, or in ${VARIABLE}.",
        )
    return root / "videoscore" / "library.sqlite"


class Library:
    """An open library; close it, or use it as a context.

    Raises SetupError when the file is no library or a newer videoscore's, OutputError when it can't be made, DiskFull.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = Path(path) if path is not None else default_path()
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            try:
                self.db.execute("PRAGMA foreign_keys = ON")
                self.db.execute("PRAGMA journal_mode = WAL")
                self.db.execute("PRAGMA synchronous = NORMAL")
                self._migrate()
            except BaseException:
                self.db.close()
                raise

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        with self._errors():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    # ------------------------------------------------------------ files and pieces

    def file_stamps(self) -> dict[str, FileStamp]:
        """Every file that was looked at, by path."""
        rows = self.db.execute("SELECT path, size, mtime, content, problem, version FROM seen")
        return {path: FileStamp(*rest) for path, *rest in rows}

    def contents(self) -> dict[str, str]:
        """Path of every piece by its content."""
        return dict(self.db.execute("SELECT content, path FROM pieces"))

    def note(self, path: str, stamp: FileStamp) -> None:
        """Remember what came of looking at a file."""
        self.db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)", (path, *astuple(stamp)))

    def put(self, path: str, size: int, mtime: int, entry: PieceEntry) -> None:
        """Add a piece, or replace what is known of one with the same content (the user's word stays)."""
        user = self._replace(path, entry.content)
        row = (
            entry.content,
            path,
            size,
            mtime,
            entry.title,
            entry.seconds,
            entry.key,
            entry.bpm,
            entry.beats,
            entry.bars,
            entry.notes,
            json.dumps(entry.programs),
            entry.pulse,
            entry.valence,
            entry.arousal,
        )
        self.db.execute(
            "INSERT INTO pieces (content, path, size, mtime, title, seconds, key, bpm, beats, bars, notes, programs, "
            "pulse, valence, arousal, added) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,datetime('now')) "
            "ON CONFLICT (content) DO UPDATE SET path=excluded.path, size=excluded.size, mtime=excluded.mtime, "
            "seconds=excluded.seconds, key=excluded.key, bpm=excluded.bpm, beats=excluded.beats, bars=excluded.bars, "
            "notes=excluded.notes, programs=excluded.programs, pulse=excluded.pulse, valence=excluded.valence, "
            "arousal=excluded.arousal",
            row,
        )
        (number,) = self.db.execute("SELECT id FROM pieces WHERE content = ?", (entry.content,)).fetchone()
        if user is not None:
            self.db.execute(
                "UPDATE pieces SET user_valence = ?, user_arousal = ?, user_mood = ? "
                "WHERE id = ? AND user_valence IS NULL",
                (*user, number),
            )
        self.db.execute("DELETE FROM sections WHERE piece = ?", (number,))
        marks = ", ".join("?" * (2 + len(SECTION_COLUMNS)))
        self.db.executemany(
            f"INSERT INTO sections (piece, number, {', '.join(SECTION_COLUMNS)}) VALUES ({marks})",
            [(number, k, *astuple(section)) for k, section in enumerate(entry.sections)],
        )

    def _replace(self, path: str, content: str) -> tuple[float | None, float | None, str | None] | None:
        """The user's word for the piece that a file held before it was changed. That piece lives on only where another
        file has its content."""
        old = self.db.execute(
            "SELECT id, content, user_valence, user_arousal, user_mood FROM pieces "
            "WHERE path = ? AND content != ?",
            (path, content),
        ).fetchone()
        if old is None:
            return None
        other = self.db.execute(
            "SELECT path, size, mtime FROM seen WHERE content = ? AND path != ?", (old[1], path)
        ).fetchone()
        if other is not None:
            self.move(old[1], *other)
        else:
            self.db.execute("DELETE FROM pieces WHERE id = ?", (old[0],))
        return old[2:]

    def move(self, content: str, path: str, size: int, mtime: int) -> None:
        """The piece is found at another path now."""
        self.db.execute(
            "UPDATE pieces SET path = ?, size = ?, mtime = ? WHERE content = ?", (path, size, mtime, content)
        )

    def remove(self, piece: StoredPiece) -> None:
        """Forget a piece and its files; they stay on the disk."""
        with self.writing():
            self.db.execute("DELETE FROM pieces WHERE id = ?", (piece.id,))
            self.db.execute("DELETE FROM seen WHERE content = ?", (piece.entry.content,))

    def tag(self, piece: StoredPiece, user: tuple[float, float, str] | None) -> None:
        """Set the user's word (valence, arousal, mood), or take it back with None."""
        with self.writing():
            self.db.execute(
                "UPDATE pieces SET user_valence = ?, user_arousal = ?, user_mood = ? WHERE id = ?",
                (*(user or (None, None, None)), piece.id),
            )

    def pieces(
        self, where: str = "1", values: Sequence[object] = (), sections: bool = False
    ) -> list[StoredPiece]:
        """Pieces in order of their id. `where` : SQL on the table `pieces`, never text of a user's.
        sections : read them too; else the entries have none."""
        rows = self.db.execute(
            f"SELECT id, path, size, mtime, user_valence, user_arousal, user_mood, added, {', '.join(PIECE_COLUMNS)} "
            f"FROM pieces WHERE {where} ORDER BY id",
            tuple(values),
        ).fetchall()
        entries = []
        for row in rows:
            number, path, size, mtime, valence, arousal, mood, added = row[:8]
            parts = self._sections(number) if sections else ()
            facts = dict(zip(PIECE_COLUMNS, row[8:]), programs=json.loads(row[16]), sections=())
            entry = replace(PieceEntry.from_facts(facts), sections=parts)
            user = None if valence is None else (valence, arousal, mood or mood_of(valence, arousal))
            entries.append(StoredPiece(number, Path(path), size, mtime, entry, user, added))
        return entries

    def find(self, name: str) -> StoredPiece:
        """A piece by its path, its id or the beginning of its content. Raises NotFound."""
        from videoscore.library.read.content import content_of

        path = os.path.abspath(os.path.expanduser(name))
        pieces = self.pieces("path = ?", (path,), True)
        if not pieces and os.path.isfile(path):
            pieces = self.pieces("content = ?", (content_of(Path(path)),), True)
        if not pieces and name.isascii() and name.isdigit() and len(name) < 18:
            pieces = self.pieces("id = ?", (int(name),), True)
        if not pieces and len(name) >= 8 and set(name.lower()) <= set("0123456789abcdef"):
            pieces = self.pieces("content LIKE ? || '%'", (name.lower(),), True)
        if len(pieces) != 1:
            raise NotFound(
                "the library has no such piece",
                path=name,
                remedy="`videoscore library list` shows all; `videoscore library add` adds a file.",
            )
        return pieces[0]

    def _sections(self, piece: int) -> tuple[SectionEntry, ...]:
        rows = self.db.execute(
            f"SELECT {', '.join(SECTION_COLUMNS)} FROM sections WHERE piece = ? ORDER BY number", (piece,)
        )
        whole = [f.name for f in fields(SectionEntry) if f.type == "int"]
        by_name = (dict(zip(SECTION_COLUMNS, row)) for row in rows)
        return tuple(SectionEntry(**{**row, **{name: int(row[name]) for name in whole}}) for row in by_name)

    # ------------------------------------------------------------ uses

    def use(self, film: str, contents: Sequence[str | None]) -> None:
        """Remember what was played in a film, cue by cue (None: nothing of the library's)."""
        now = time.time()
        with self.writing():
            self.db.execute("DELETE FROM uses WHERE film = ?", (film,))
            self.db.executemany(
                "INSERT INTO uses VALUES (?, ?, ?, ?)",
                [(film, k, content, now) for k, content in enumerate(contents) if content is not None],
            )

    def recent(self, film: str) -> dict[str, int]:
        """How many other films ago each piece was last played, from 1, by content."""
        rows = self.db.execute(
            "SELECT film, MAX(at) AS last FROM uses WHERE film != ? GROUP BY film ORDER BY last DESC, film",
            (film,),
        ).fetchall()
        ago = {name: k for k, (name, _) in enumerate(rows, 1)}
        out: dict[str, int] = {}
        for name, content in self.db.execute("SELECT film, content FROM uses WHERE film != ?", (film,)):
            out[content] = min(out.get(content, len(ago) + 1), ago[name])
        return out

    # ------------------------------------------------------------ inside

    def _migrate(self) -> None:
        if self._version() == len(STEPS):
            return
        self.db.execute("BEGIN IMMEDIATE")  # then look again: another process may have been first
        try:
            version = self._version()
            if version > len(STEPS):
                raise SetupError(
                    "it was made by a newer videoscore",
                    path=self.path,
                    remedy="Install that one, or name another library with --library.",
                )
            tables = self.db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
            if version == 0 and tables:
                raise SetupError("this database is no library", path=self.path, remedy="Name another file.")
            for step in STEPS[version:]:
                for statement in filter(str.strip, step.split(";")):
                    self.db.execute(statement)
            self.db.execute(f"PRAGMA user_version = {len(STEPS)}")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _version(self) -> int:
        return int(self.db.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            words = str(error)
            if "full" in words:
                raise DiskFull(
                    "no space left for the library", path=self.path, remedy="Free some space."
                ) from error
            if "not a database" in words or "malformed" in words:
                raise SetupError(
                    f"the library can't be read ({words})",
                    path=self.path,
                    remedy="Restore it from a copy, or delete it and add the files again.",
                ) from error
            raise OutputError(
                f"the library can't be opened or written ({words})",
                path=self.path,
                remedy="Choose another file with --library.",
            ) from error
        except OSError as error:
            raise OutputError(
                f"the library's folder can't be made ({error.strerror or error})",
                path=self.path,
                remedy="Choose another file with --library.",
            ) from error


def word(mood: str) -> tuple[float, float, str]:
    """A mood as the user's word for a piece: the middle of its octant. Raises KeyError when there is none such."""
    valence, arousal = centre(mood)
    return round(valence, 4), round(arousal, 4), mood_of(valence, arousal)
