"""The ledger: one row a film, in SQLite beside the output; what it says is what happened.

Only the process that leads the batch writes to it, and only one such process may have it open. A row
goes queued -> running -> scored, failed or skipped; whatever kills the leader, every row tells how far its
film was, and `Ledger.recover` puts what was running back into the queue.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from videoscore.batch.folder_lock import Lock
from videoscore.batch.row import COLUMNS, Row, dump_stamps, row_of
from videoscore.errors import OutputError, SetupError
from videoscore.files import write_error

NAME = ".videoscore-batch.sqlite"
PARTS = ".videoscore-batch.parts"  # everything unfinished is made in here, so all of it is known to be ours
STATES = ("queued", "running", "scored", "skipped", "failed")
ONE_MORE = object()  # as a column's value: what it was and one
PATIENCE = 30.0  # seconds to wait for somebody who reads the ledger
# Each step brings a ledger one version further; never edit one that was released, add another. Paths are bytes: a
# name needn't be UTF-8.
STEPS = (
    f"""
    CREATE TABLE files (
        input BLOB PRIMARY KEY, target BLOB NOT NULL, status TEXT NOT NULL CHECK (status IN {STATES}),
        error TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
        queued REAL, started REAL, ended REAL, seconds REAL,
        seed INTEGER, preset TEXT, versions TEXT NOT NULL DEFAULT '{{}}', settings TEXT NOT NULL,
        size INTEGER, mtime INTEGER, content TEXT,
        output BLOB, made BLOB NOT NULL DEFAULT '{{}}', about TEXT NOT NULL DEFAULT '{{}}') WITHOUT ROWID;
    CREATE INDEX files_status ON files (status);
    """,
)


class Ledger:
    """The open ledger of an output folder; close it, or use it as a context.

    Parameters
    ----------
    folder : the output folder; made when it isn't there.
    reading : only look: nothing is made, nothing locked, and a missing ledger is an empty one.

    Raises
    ------
    OutputError : the folder can't be made or written to, or another batch is at work in it. DiskFull.
    SetupError : the file is no ledger, or a newer videoscore's.
    """

    def __init__(self, folder: Path, reading: bool = False) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.path = self.folder / NAME
        self.parts = self.folder / PARTS
        self.lock: Lock | None = None
        with self._errors():
            if not reading:
                self.folder.mkdir(parents=True, exist_ok=True)
                self.lock = Lock(self.folder)
            try:
                self.db = self._open(reading)
            except BaseException:
                self._unlock()
                raise

    def _open(self, reading: bool) -> sqlite3.Connection:
        name: str | Path = self.path
        if reading and not self.path.exists():
            name = ":memory:"
        db = sqlite3.connect(name, timeout=PATIENCE, isolation_level=None)
        try:
            if name != ":memory:" and not reading:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(STEPS):
                raise SetupError(
                    "this ledger was written by a newer videoscore",
                    path=self.path,
                    remedy="Update videoscore, or write to another folder.",
                )
            for number in range(version, len(STEPS)):
                db.executescript(
                    f"BEGIN IMMEDIATE; {STEPS[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
                )
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        if self.lock is not None:  # who only reads leaves a batch at work its folder
            with contextlib.suppress(OSError):
                self.parts.rmdir()  # stays when something is in it
        self.db.close()
        self._unlock()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------ looking

    def rows(self) -> dict[Path, Row]:
        """Every row by its input."""
        with self._errors():
            records = self.db.execute(f"SELECT {', '.join(COLUMNS)} FROM files").fetchall()
        return {row.input: row for row in map(row_of, records)}

    def row(self, input: Path) -> Row | None:
        """The row of one film."""
        with self._errors():
            record = self.db.execute(
                f"SELECT {', '.join(COLUMNS)} FROM files WHERE input = ?", (os.fsencode(input),)
            ).fetchone()
        return None if record is None else row_of(record)

    def outputs(self) -> frozenset[Path]:
        """Every file that a batch has put here."""
        return frozenset(path for row in self.rows().values() for path in row.made)

    # ------------------------------------------------------------ writing

    def recover(self) -> int:
        """Put what a dead run left back into the queue, and remove its unfinished files. Returns how many rows."""
        with self._errors():
            if os.path.lexists(self.parts):
                if self.parts.is_symlink() or not self.parts.is_dir():
                    raise OutputError(
                        "this name is kept for unfinished files", path=self.parts, remedy="Move it away."
                    )
                shutil.rmtree(self.parts)
        return self._write(
            "UPDATE files SET status = 'queued', reason = 'the run before was ended' WHERE status = 'running'"
        )

    def queue(self, jobs: Iterable[tuple[Path, Path, str, int, str]]) -> None:
        """Put films into the queue: (input, target, settings, seed, preset) each. What was made stays known."""
        now = time.time()
        rows = [(os.fsencode(i), os.fsencode(t), s, seed, preset, now) for i, t, s, seed, preset in jobs]
        with self._errors():
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(
                "INSERT INTO files (input, target, status, settings, seed, preset, queued) "
                "VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?6) ON CONFLICT (input) DO UPDATE SET "
                "target = ?2, status = 'queued', error = '', reason = '', settings = ?3, seed = ?4, preset = ?5, "
                "queued = ?6",
                rows,
            )
            self.db.execute("COMMIT")

    def start(self, input: Path) -> None:
        """The film is being worked on now."""
        self._set(
            input, status="running", started=time.time(), ended=None, reason="", error="", attempts=ONE_MORE
        )

    def put_back(self, input: Path, reason: str) -> None:
        """The film waits again, for the next run."""
        self._set(input, status="queued", reason=reason)

    def placing(self, input: Path, files: Iterable[Path]) -> None:
        """The film's files are about to be put where they belong: from now on they are ours, whatever happens."""
        row = self.row(input)
        assert row is not None
        self._set(input, made=dump_stamps({**row.made, **dict.fromkeys(files)}))

    def end(self, input: Path, status: str, reason: str = "", error: str = "", **facts: Any) -> None:
        """scored, failed or skipped. facts : further columns as in `Row`."""
        assert status in STATES[2:]
        if "made" in facts:
            facts["made"] = dump_stamps(facts["made"])
        for name in ("versions", "about"):
            if name in facts:
                facts[name] = json.dumps(facts[name])
        if facts.get("output") is not None:
            facts["output"] = os.fsencode(facts["output"])
        self._set(input, status=status, reason=reason, error=error, ended=time.time(), **facts)

    def touch(self, input: Path, mtime: int) -> None:
        """The input has another time, and is the same all the same."""
        self._set(input, mtime=mtime)

    def _set(self, input: Path, **columns: Any) -> None:
        names = ", ".join(
            f"{name} = attempts + 1" if value is ONE_MORE else f"{name} = :{name}"
            for name, value in columns.items()
        )
        values = {name: value for name, value in columns.items() if value is not ONE_MORE}
        if (
            self._write(f"UPDATE files SET {names} WHERE input = :key", {**values, "key": os.fsencode(input)})
            != 1
        ):
            raise KeyError(input)

    def _write(self, statement: str, values: Mapping[str, Any] | None = None) -> int:
        with self._errors():
            return self.db.execute(statement, values or {}).rowcount

    def _unlock(self) -> None:
        if self.lock is not None:
            self.lock.release()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What SQLite and the system say, as errors of ours."""
        try:
            yield
        except sqlite3.Error as error:
            if self._in_transaction():
                self.db.execute("ROLLBACK")
            if "full" in str(error):
                raise write_error(self.path, OSError(28, "no space left")) from error
            if isinstance(error, sqlite3.OperationalError):
                raise OutputError(
                    f"the ledger can't be written ({error})",
                    path=self.path,
                    remedy="Check the folder's permissions and the disk.",
                ) from error
            raise SetupError(
                f"this is no ledger of a batch ({error})",
                path=self.path,
                remedy="Move it away; every film is then scored anew.",
            ) from error
        except OSError as error:
            raise write_error(self.folder, error) from error

    def _in_transaction(self) -> bool:
        return getattr(self, "db", None) is not None and self.db.in_transaction
