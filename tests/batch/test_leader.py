"""A batch survives its films, and its ledger says what happened."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from batch_stubs import obey, stillborn
from batches import INLINE, TWO, Ears, batch, films, left_in, states

from videoscore.batch import leader as run_module
from videoscore.batch.jobs import BatchInputs, plan
from videoscore.batch.leader import Leader
from videoscore.batch.ledger import PARTS, Ledger
from videoscore.errors import OutputExists, SetupError, UsageError
from videoscore.settings.build import build


def test_bad_films_stop_nothing(tmp_path):
    films(tmp_path / "in", a="fine", b="broken", c="bug", d="output", e="fine too")
    ears = Ears()
    report = batch(tmp_path / "in", tmp_path / "out", INLINE, ears)
    assert report.counts == {"scored": 2, "skipped": 0, "failed": 3, "queued": 0}
    assert report.exit_code == 1 and not report.stop_reason
    assert states(tmp_path / "out") == {
        "a.mp4": "scored",
        "b.mp4": "failed",
        "c.mp4": "failed",
        "d.mp4": "failed",
        "e.mp4": "scored",
    }
    reasons = {Path(line.input).name: (line.error, line.reason) for line in ears.lines}
    assert reasons["b.mp4"][0] == "BrokenVideo" and reasons["b.mp4"][1].endswith("Repair it.")
    assert "RuntimeError: two lines" in reasons["c.mp4"][1]
    assert left_in(tmp_path / "out") == {
        "a.scored.mp4",
        "a.scored.cues.json",
        "e.scored.mp4",
        "e.scored.cues.json",
    }
    assert not (tmp_path / "out" / PARTS).exists()
    assert ("a.mp4", "mux") in ears.words and ears.total == 5


def test_a_rerun_does_what_is_new_changed_or_to_be_retried_and_nothing_else(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="broken", c="fine", d="fine")
    assert batch(root, out).exit_code == 1
    again = batch(root, out)
    assert again.counts == {"scored": 0, "skipped": 3, "failed": 1, "queued": 0} and again.exit_code == 1
    films(root, c="other", e="new")
    os.utime(root / "d.mp4", (1, 1))  # touched, and the same
    third = batch(root, out)
    assert {Path(line.input).name for line in third.lines if line.status == "scored"} == {"c.mp4", "e.mp4"}
    assert (out / "c.scored.mp4").read_text() == "other 0"
    (out / "a.scored.mp4").unlink()
    assert {Path(line.input).name for line in batch(root, out).lines if line.status == "scored"} == {"a.mp4"}
    (root / "b.mp4").write_text("broken")  # another time, the same bytes: it stays failed
    assert batch(root, out).counts["failed"] == 1
    with Ledger(out, reading=True) as ledger:
        assert ledger.row(root / "b.mp4").attempts == 1
    batch(root, out, replace(INLINE, retry=True))
    with Ledger(out, reading=True) as ledger:
        assert ledger.row(root / "b.mp4").attempts == 2
    seven = batch(root, out, replace(INLINE, options=build(seed=7)))
    assert seven.counts["scored"] == 4 and (out / "a.scored.mp4").read_text() == "fine 7"
    assert not any(p.name.count("scored") > 1 for p in out.iterdir())


def test_foreign_and_edited_files_stay(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="fine")
    out.mkdir()
    (out / "a.scored.mp4").write_text("somebody's")
    first = batch(root, out)
    assert first.counts == {"scored": 1, "skipped": 1, "failed": 0, "queued": 0} and first.exit_code == 0
    assert (out / "a.scored.mp4").read_text() == "somebody's"
    assert states(out) == {"a.mp4": "skipped", "b.mp4": "scored"}
    (out / "b.scored.cues.json").write_text("edited by hand")
    changed = batch(root, out, replace(INLINE, options=build(seed=1)))
    assert changed.counts["skipped"] == 2
    assert (out / "b.scored.cues.json").read_text() == "edited by hand"
    forced = batch(root, out, replace(INLINE, options=build(seed=1), overwrite=True))
    assert forced.counts["scored"] == 2 and (out / "a.scored.mp4").read_text() == "fine 1"


def test_another_suffix_where_the_own_will_not_do_and_never_onto_another_film(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root)
    (root / "a.gif").write_text("fine")
    (root / "a.mkv").write_text("other")
    assert batch(root, out).counts["scored"] == 2
    assert {n for n in left_in(out) if not n.endswith("json")} == {"a.scored.gif.mkv", "a.scored.mkv"}
    assert batch(root, out).counts["skipped"] == 2


def test_a_full_disk_stops_cleanly_and_the_rest_waits(tmp_path, monkeypatch):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="full", c="fine")
    report = batch(root, out)
    assert (report.stop_reason, report.exit_code) == ("disk full", 4)
    assert states(out) == {"a.mp4": "scored", "b.mp4": "queued", "c.mp4": "queued"}
    films(root, b="fine")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "room_for", lambda size, folder: False)
        assert batch(root, out).counts == {"scored": 0, "skipped": 1, "failed": 0, "queued": 2}
    assert batch(root, out).counts == {"scored": 2, "skipped": 1, "failed": 0, "queued": 0}


def test_a_vanished_input_fails_alone_and_is_done_when_it_is_back(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="fine")
    with Ledger(out) as ledger:
        jobs = plan(BatchInputs((str(root),), out))
        (root / "a.mp4").unlink()
        with Leader(ledger, INLINE, Ears(), obey) as leader:
            report = leader.run(jobs)
    assert [(Path(line.input).name, line.error) for line in report.lines] == [
        ("a.mp4", "NotFound"),
        ("b.mp4", ""),
    ]
    films(root, a="fine")
    assert batch(root, out).counts["scored"] == 1


def test_a_pool_survives_the_death_of_its_workers(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="die", c="die once", d="broken", e="fine")
    report = batch(root, out, TWO)
    assert states(out) == {
        "a.mp4": "scored",
        "b.mp4": "failed",
        "c.mp4": "scored",
        "d.mp4": "failed",
        "e.mp4": "scored",
    }
    reasons = {Path(line.input).name: (line.error, line.reason) for line in report.lines}
    assert reasons["b.mp4"][0] == "WorkerLost" and "signal 9" in reasons["b.mp4"][1]
    with Ledger(out, reading=True) as ledger:
        assert {p.name: r.attempts for p, r in ledger.rows().items()} == {
            "a.mp4": 1,
            "b.mp4": 2,
            "c.mp4": 2,
            "d.mp4": 1,
            "e.mp4": 1,
        }
    assert not (out / PARTS).exists()
    again = batch(root, out, TWO)
    assert again.counts == {"scored": 0, "skipped": 3, "failed": 2, "queued": 0}


@pytest.mark.slow
def test_a_film_that_hangs_is_given_up_with_all_it_has_started(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="hang", b="fine")
    report = batch(root, out, replace(TWO, jobs=1, limit=15.0))
    assert states(out) == {"a.mp4": "failed", "b.mp4": "scored"}
    (line,) = [line for line in report.lines if line.status == "failed"]
    assert line.error == "TimeLimit" and "15 s" in line.reason
    child = Path(f"/proc/{(root / 'a.mp4.child').read_text()}/cmdline")
    assert not child.exists() or not child.read_bytes()  # gone, or only waiting to be counted as gone
    assert not (out / PARTS).exists()
    assert batch(root, out, INLINE).counts["failed"] == 1  # it isn't tried again unasked


@pytest.mark.slow
def test_where_no_worker_can_start_no_film_is_blamed(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine", b="fine")
    with Ledger(out) as ledger:
        jobs = plan(BatchInputs((str(root),), out), ledger.outputs())
        with (
            pytest.raises(SetupError, match="no worker can be started.*code 7"),
            Leader(ledger, TWO, Ears(), stillborn) as leader,
        ):
            leader.run(jobs)
    assert set(states(out).values()) == {"queued"}
    assert batch(root, out).counts["scored"] == 2


@pytest.mark.slow
def test_a_worker_that_falls_silent_is_given_up_without_a_limit_too(tmp_path, monkeypatch):
    monkeypatch.setattr("videoscore.workers.local.SILENCE", 12.0)
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="hang", b="fine")
    report = batch(root, out, replace(TWO, jobs=1))
    assert states(out) == {"a.mp4": "failed", "b.mp4": "scored"}
    (line,) = [line for line in report.lines if line.status == "failed"]
    assert line.error == "TimeLimit" and "no sign of progress for 12 s" in line.reason


def interrupt(ears: Ears, times: int) -> threading.Thread:
    """Ctrl-C when the first film is under way."""

    def run() -> None:
        ears.begun.wait(60)
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(("times", "done"), [(1, 1), (2, 0)])
def test_ctrl_c_once_finishes_what_runs_and_twice_stops_now(tmp_path, times, done):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="slow", b="slow", c="slow")
    ears = Ears()
    thread = interrupt(ears, times)
    report = batch(root, out, INLINE, ears)
    thread.join()
    assert (report.stop_reason, report.exit_code) == ("interrupted", 130)
    assert list(states(out).values()).count("scored") == done
    assert report.counts["queued"] == 3 - done and set(states(out).values()) <= {"scored", "queued"}
    assert len(ears.notes) == 1 and not (out / PARTS).exists()
    assert batch(root, out).counts == {"scored": 3 - done, "skipped": done, "failed": 0, "queued": 0}


def test_the_report_is_for_programs_and_for_people(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    films(root, **{"a\nb": "fine", "c": "broken"})
    report = batch(root, out)
    facts = json.loads(report.write(out).read_text())
    assert facts["scored"] == 1 and facts["exit_code"] == 1
    assert {f["input"] for f in facts["files"]} == {str(root / "a\nb.mp4"), str(root / "c.mp4")}
    assert report.table().splitlines()[0].startswith("1 scored, 0 skipped, 1 failed")
    assert "it is broken" in report.table() and len(report.table().splitlines()) == 2
    report.write(out)  # its own may be replaced
    (out / "report.json").write_text("mine")
    with pytest.raises(OutputExists):
        report.write(out)


def test_settings_that_an_executor_cannot_heed(tmp_path):
    films(tmp_path / "in", a="fine")
    for request in (
        replace(INLINE, limit=3.0),
        replace(INLINE, jobs=2),
        replace(INLINE, address="auto"),
        replace(INLINE, executor="loca"),
    ):
        with pytest.raises(UsageError):
            batch(tmp_path / "in", tmp_path / "out", request)
