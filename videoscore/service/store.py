"""Jobs on disk, so that neither a killed worker nor a killed server loses one: SQLite, a row a job."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoscore.errors import OutputError

NAME = ".videoscore-serve.sqlite"
STATES = ("queued", "running", "placing", "done", "failed", "cancelled")
OPEN = ("queued", "running", "placing")
KEPT = 1000  # jobs that have ended and are still told of
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, request TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    files TEXT NOT NULL DEFAULT '{}', result TEXT, error TEXT, queued REAL NOT NULL, started REAL, ended REAL)"""


@dataclass(frozen=True)
class Job:
    """One job. request : as it was posted, with whole paths. tries : workers that were lost over it.

    files : staged file -> its place, while they are placed. result, error : facts of its end.
    queued, started, ended : seconds since 1970.
    """

    id: int
    state: str
    request: Mapping[str, Any]
    tries: int
    files: Mapping[str, str]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    queued: float
    started: float | None
    ended: float | None


class Store:
    """The jobs of one folder; any thread may call it."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(folder / NAME, check_same_thread=False, isolation_level=None)
            # one server a folder; the lock goes with the process, however that ends
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute(_TABLE)
            self._db.execute("UPDATE jobs SET state='queued' WHERE state='running'")
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise OutputError(
                f"the queue can't be kept there ({error})",
                path=folder / NAME,
                remedy="Stop the other server of this folder, or give another --folder.",
            ) from error

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._db

    def add(self, request: Mapping[str, Any]) -> Job:
        """A new job at the end of the queue."""
        with self._locked() as db:
            row = db.execute(
                "INSERT INTO jobs (state, request, queued) VALUES ('queued', ?, ?) RETURNING *",
                (json.dumps(request), time.time()),
            ).fetchone()
            db.execute(
                "DELETE FROM jobs WHERE state NOT IN ('queued', 'running', 'placing') AND id <= "
                "(SELECT max(id) FROM jobs) - ?",
                (KEPT,),
            )
        return _job(row)

    def get(self, id: int) -> Job | None:
        with self._locked() as db:
            row = db.execute("SELECT * FROM jobs WHERE id=?", (id,)).fetchone()
        return None if row is None else _job(row)

    def jobs(self, state: str | None = None, most: int = KEPT) -> list[Job]:
        """The newest first."""
        with self._locked() as db:
            rows = db.execute(
                "SELECT * FROM jobs WHERE ? IS NULL OR state=? ORDER BY id DESC LIMIT ?", (state, state, most)
            ).fetchall()
        return [_job(row) for row in rows]

    def open(self) -> list[Job]:
        """Those that haven't ended, the oldest first."""
        with self._locked() as db:
            rows = db.execute(
                "SELECT * FROM jobs WHERE state IN ('queued', 'running', 'placing') ORDER BY id"
            ).fetchall()
        return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self._locked() as db:
            rows = dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state: rows.get(state, 0) for state in STATES}

    def start(self, id: int) -> None:
        self._set(id, state="running", started=time.time())

    def put_back(self, id: int, tries: int) -> None:
        self._set(id, state="queued", started=None, tries=tries)

    def placing(self, id: int, files: Mapping[str, str], result: Mapping[str, Any]) -> None:
        """What was made is about to get its names: told first, so that after a kill this is gone on with."""
        self._set(id, state="placing", files=json.dumps(files), result=json.dumps(result))

    def end(self, id: int, state: str, error: Mapping[str, Any] | None = None) -> None:
        self._set(id, state=state, ended=time.time(), error=None if error is None else json.dumps(error))

    def _set(self, id: int, **values: Any) -> None:
        names = ", ".join(f"{name}=?" for name in values)
        with self._locked() as db:
            db.execute(f"UPDATE jobs SET {names} WHERE id=?", (*values.values(), id))


def _job(row: tuple) -> Job:
    id, state, request, tries, files, result, error, queued, started, ended = row
    return Job(
        id,
        state,
        json.loads(request),
        tries,
        json.loads(files),
        None if result is None or state not in ("done", "placing") else json.loads(result),
        None if error is None else json.loads(error),
        queued,
        started,
        ended,
    )
