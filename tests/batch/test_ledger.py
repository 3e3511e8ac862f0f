"""The ledger says what happened, also after a kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import command_environment

from videoscore.batch.ledger import NAME, PARTS, Ledger
from videoscore.errors import OutputError, SetupError

A, B = Path("/in/a.mp4"), Path(os.fsdecode(b"/in/caf\xe9\n'\".mp4"))


def queued(ledger: Ledger, *inputs: Path) -> None:
    ledger.queue((p, Path("/out") / p.name, "hash", 7, "piano") for p in inputs)


def test_a_film_goes_through_its_states(tmp_path):
    with Ledger(tmp_path) as ledger:
        queued(ledger, A, B)
        ledger.start(B)
        assert ledger.row(B).status == "running" and ledger.row(B).attempts == 1
        ledger.placing(B, [Path("/out/b")])
        assert ledger.outputs() == {Path("/out/b")}
        ledger.end(
            B,
            "scored",
            made={Path("/out/b"): (5, 6)},
            output=Path("/out/b"),
            content="c",
            size=1,
            mtime=2,
            versions={"videoscore": "1"},
            about={"notes": 3},
        )
        ledger.end(A, "failed", "broken.", "BrokenVideo")
    with Ledger(tmp_path) as ledger:
        rows = ledger.rows()
        assert set(rows) == {A, B}
        assert (rows[A].status, rows[A].reason, rows[A].error) == ("failed", "broken.", "BrokenVideo")
        b = rows[B]
        assert (b.status, b.seed, b.preset, b.settings, b.made) == (
            "scored",
            7,
            "piano",
            "hash",
            {Path("/out/b"): (5, 6)},
        )
        assert b.started <= b.ended and b.about == {"notes": 3} and b.versions == {"videoscore": "1"}
        # in the queue again, it is still known what was made
        queued(ledger, B)
        assert ledger.row(B).status == "queued" and ledger.row(B).made == b.made
    assert {p.name for p in tmp_path.iterdir()} == {NAME, ".videoscore-batch.lock"}


def test_after_a_kill_what_ran_waits_again_and_its_files_are_gone(tmp_path):
    code = (
        "import os, sys, signal; from pathlib import Path; from videoscore.batch.ledger import Ledger\n"
        "l = Ledger(Path(sys.argv[1])); l.queue([(Path('/a'), Path('/b'), 's', 0, 'p')]); l.start(Path('/a'))\n"
        "l.parts.mkdir(); (l.parts / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=command_environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    with Ledger(tmp_path) as ledger:
        assert ledger.row(Path("/a")).status == "running"
        assert ledger.recover() == 1
        assert ledger.row(Path("/a")).status == "queued"
    assert not (tmp_path / PARTS).exists()


def test_a_foreign_file_in_the_place_of_the_parts_stays(tmp_path):
    keep = tmp_path / "mine"
    keep.mkdir()
    (tmp_path / PARTS).symlink_to(keep)
    with Ledger(tmp_path) as ledger, pytest.raises(OutputError, match="Move it away"):
        ledger.recover()
    assert keep.is_dir()


def test_one_batch_at_a_time(tmp_path):
    code = (
        "import sys; from pathlib import Path; from videoscore.batch.ledger import Ledger\n"
        "try: Ledger(Path(sys.argv[1]))\nexcept Exception as e: print(type(e).__name__, e)"
    )

    def other() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env=command_environment(),
            text=True,
            capture_output=True,
            check=True,
        ).stdout

    with Ledger(tmp_path):
        assert "another batch is at work" in other()
    assert other() == ""


def test_looking_makes_nothing(tmp_path):
    with Ledger(tmp_path / "none", reading=True) as ledger:
        assert ledger.rows() == {}
    assert not (tmp_path / "none").exists()


def test_looking_leaves_a_batch_at_work_its_folder(tmp_path):
    """Between two films the folder of parts is empty, and still the batch's own."""
    with Ledger(tmp_path) as ledger:
        ledger.parts.mkdir()
        with Ledger(tmp_path, reading=True) as reader:
            reader.rows()
        assert ledger.parts.is_dir()
    assert not ledger.parts.exists()


def test_what_is_no_ledger_or_a_newer_one_is_left_alone(tmp_path):
    (tmp_path / NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(SetupError, match="no ledger"):
        Ledger(tmp_path)
    (tmp_path / NAME).unlink()
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SetupError, match="newer"):
        Ledger(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError):
            Ledger(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError):
        Ledger(tmp_path / "f")
