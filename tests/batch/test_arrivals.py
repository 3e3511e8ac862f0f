"""Films that are still being written are no failures."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest
from batch_stubs import obey
from batches import INLINE, Ears, films, states
from media import Clip

from videoscore.batch.arrivals import is_being_written, watch
from videoscore.batch.film_task import Film
from videoscore.batch.jobs import BatchInputs
from videoscore.batch.leader import Leader
from videoscore.batch.ledger import Ledger
from videoscore.batch.report import Report

INTERVAL = 0.2


def watched(root: Path, out: Path, visits, readable=None, work=obey) -> tuple[Report, Ears]:
    """What a watch says of what `visits` does."""
    ears = Ears()
    with Ledger(out) as ledger, Leader(ledger, INLINE, ears, work) as leader:

        def visit() -> None:
            try:
                visits()
            finally:
                leader.stopper.no_more = True

        visitor = threading.Thread(target=visit)
        visitor.start()
        report = watch(leader, BatchInputs((str(root),), out), INTERVAL, readable)
        visitor.join()
    return report, ears


def until(done, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="the system doesn't tell")
def test_a_file_that_is_open_for_writing_waits(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    films(root)
    seen: list[dict[str, str]] = []

    def visits() -> None:
        with (root / "a.mp4").open("w") as file:  # a slow copy that pauses
            file.write("broken")
            file.flush()
            assert is_being_written(root / "a.mp4")
            time.sleep(6 * INTERVAL)
            seen.append(states(out))
            file.seek(0)
            file.write("fine  ")
        assert not is_being_written(root / "a.mp4")
        with (root / "a.mp4").open() as reading:  # who only reads doesn't matter
            assert reading and not is_being_written(root / "a.mp4")
            until(lambda: states(out) == {"a.mp4": "scored"})

    report, ears = watched(root, out, visits, readable=lambda path: True)
    assert seen == [{}] and states(out) == {"a.mp4": "scored"}
    assert report.counts["failed"] == 0 and [line.status for line in ears.lines] == ["scored"]


def test_half_a_film_waits_for_its_other_half(film: Clip, tmp_path: Path) -> None:
    """An MP4 has its index at the end; what copies it is on another machine, and pauses."""
    root, out = tmp_path / "in", tmp_path / "out"
    films(root)
    whole = film.path.read_bytes()

    def work(task: Film, progress):
        Path(task.input).with_suffix(".order").write_text("fine")
        return obey(Film(**{**vars(task), "input": str(Path(task.input).with_suffix(".order"))}), progress)

    def visits() -> None:
        (root / "a.mp4").write_bytes(whole[: len(whole) // 2])
        time.sleep(5 * INTERVAL)
        (root / "a.mp4").write_bytes(whole)
        until(lambda: states(out) == {"a.mp4": "scored"})

    report, ears = watched(root, out, visits, work=work)
    assert states(out) == {"a.mp4": "scored"} and report.exit_code == 0
    assert [line.status for line in ears.lines] == ["scored"]


def test_what_stays_broken_fails_in_the_end(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="broken")
    report, ears = watched(root, out, lambda: until(lambda: states(out) == {"a.mp4": "failed"}))
    assert [line.status for line in ears.lines] == ["failed"] and report.exit_code == 1


def test_a_film_that_changes_while_it_is_scored_waits(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="broken")

    def work(task: Film, progress):
        path = Path(task.input)
        if path.read_text() == "broken":
            path.write_text("fine")  # the rest of it arrives
            os.utime(path, (time.time(), time.time() + 1))
            return obey(
                Film(**{**vars(task), "input": str(shutil.copy(path, tmp_path / "never.mp4")) + "x"}),
                progress,
            )
        return obey(task, progress)

    report, ears = watched(
        root, out, lambda: until(lambda: states(out) == {"a.mp4": "scored"}), lambda p: True, work
    )
    assert states(out) == {"a.mp4": "scored"} and [line.status for line in ears.lines] == ["scored"]
    assert any("still being written" in note for note in ears.notes) and report.exit_code == 0
