"""The commands: many films, one of them broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import command_environment
from media import make_clip, packet_hash

from videoscore.batch.arrivals import Settling
from videoscore.batch.jobs import BatchInputs


def visible(folder: Path) -> set[str]:
    return {
        str(p.relative_to(folder)) for p in folder.rglob("*") if not p.name.startswith(".") and p.is_file()
    }


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["in"], "-o OUT_DIR"),
        (["in", "-o", "out", "--name", "{stm}"], "Did you mean stem?"),
        (["in", "-o", "out", "--executor", "lokal"], "Did you mean local?"),
        (["in", "-o", "out", "--address", "auto"], "--address has no effect"),
        (["in", "-o", "out", "--cues", "a.json"], "--cues is for one film"),
        (["in", "-o", "out", "--suffix", "mov"], "no film to score"),
        (["in", "-o", "out", "--min-size", "much"], "--min-size"),
        (["in", "-o", "out", "--jobs", "0"], "--jobs"),
        (["in/*.mov", "-o", "out"], "matches no file"),
        (["--stdin", "-o", "out"], "names nothing"),
        (["watch", "in/a.mp4", "-o", "out"], "is no folder"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(videoscore, tmp_path, words, hint):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(b"x")
    said = videoscore(*words, cwd=tmp_path)
    assert said.code == 2 and said.out == ""
    assert hint in said.err and len(said.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (
            ["in/a.mp4", "-o", "out/", "--quiet"],
            1,
            "failed:",
        ),  # one film into a folder is a batch; --quiet hides no error
        (["markers", "s.cues.json", "-o", "m.ffmeta", "--rate", "25"], 2, "--rate has no effect"),
        (["markers", "s.cues.json", "-o", "m.csv", "--rate", "1e999999999"], 2, "is no number"),
        (["compose", "s.cues.json", "-o", "music.musicxm"], 2, "Name it .mid"),
        (["lock", "s.cues.json", "1", "--unlock"], 2, "not locked"),
        (["-dash.mp4"], 2, "./-dash.mp4"),
        (["in", "-o", "out", "--dry-run", "--suffix", "mov"], 2, "no film to score"),
    ],
)
def test_a_slip_is_told_in_one_line(videoscore, tmp_path, words, code, hint):
    (tmp_path / "in").mkdir()
    for name in ("in/a.mp4", "-dash.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "s.cues.json").write_text(
        '{"format": "videoscore-cues", "version": 1, "duration": 4, "cues": [{"mood": "Happy"}]}'
    )
    said = videoscore(*words, cwd=tmp_path)
    assert said.code == code and said.out == ""
    assert hint in said.err and len(said.err.splitlines()) == 1


def test_a_dry_run_writes_nothing(videoscore, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\nb.mp4").write_bytes(b"x")
    said = videoscore("in", "-o", "out", "--dry-run", cwd=tmp_path)
    assert said.code == 0 and said.out.startswith("score ") and "a\\x0ab.scored.mp4" in said.out
    assert not (tmp_path / "out").exists()


def test_films_that_are_all_broken(videoscore, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "-o.mp4").write_bytes(b"no film")
    (folder / "list.mp4").write_text(f"#EXTM3U\n{folder}/-o.mp4\n")
    said = videoscore(folder, "-o", tmp_path / "out", "--executor", "inline", "--json")
    assert said.code == 1
    files = {Path(e["input"]).name: e for e in said.events if e["event"] == "file"}
    assert files["-o.mp4"]["error"] == files["list.mp4"]["error"] == "NotAVideo"
    assert "playlist" in files["list.mp4"]["reason"]
    assert said.result["failed"] == 2 and said.result["exit_code"] == 1
    assert visible(tmp_path / "out") == {"report.json"}


@pytest.mark.slow
def test_three_films_one_broken_then_another_preset(videoscore, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "below").mkdir(parents=True)
    clip = make_clip(folder / "a.mp4", seconds=2, cuts=[25], audio="tone")
    make_clip(folder / "below" / 'it\'s "b".mkv', seconds=2)
    (folder / "c.mp4").write_bytes(clip.path.read_bytes()[:400])
    more = ("-o", out, "--recursive", "--keep", "midi", "--seed", "3", "--json")
    environment = {"VIDEOSCORE_CACHE": str(tmp_path / "cache")}
    said = videoscore(folder, *more, "--jobs", "1", **environment)
    assert said.code == 1, said.err
    assert {k: said.result[k] for k in ("scored", "skipped", "failed", "queued")} == {
        "scored": 2,
        "skipped": 0,
        "failed": 1,
        "queued": 0,
    }
    base = {"a.scored", 'below/it\'s "b".scored'}
    assert visible(out) == {
        "report.json",
        "a.scored.mp4",
        'below/it\'s "b".scored.mkv',
        *(f"{b}{e}" for b in base for e in (".cues.json", ".mid")),
    }
    assert packet_hash(out / "a.scored.mp4") == packet_hash(clip.path)
    # the same as one alone, note for note
    alone = videoscore(folder / "a.mp4", "-o", tmp_path / "alone.mp4", "--keep", "midi", "--seed", "3")
    assert alone.code == 0, alone.err
    assert (tmp_path / "alone.mid").read_bytes() == (out / "a.scored.mid").read_bytes()
    assert (tmp_path / "alone.cues.json").read_bytes() == (out / "a.scored.cues.json").read_bytes()
    again = videoscore(folder, *more, **environment)
    assert (again.result["skipped"], again.result["failed"], again.code) == (2, 1, 1)
    piano = videoscore(folder, *more, "--preset", "piano", "--jobs", "1", **environment)
    assert piano.result["scored"] == 2
    stages = {e["stage"] for e in piano.events if e["event"] == "progress"}
    assert "render" in stages and "perceive" not in stages  # the cache knew what was seen
    assert not [p for p in out.rglob("*") if "part" in p.name]


def run_stubs(root: Path, out: Path) -> subprocess.Popen[bytes]:
    """A batch of stub work in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from batches import batch, TWO\n"
        "if __name__ == '__main__': batch(Path(sys.argv[1]), Path(sys.argv[2]), TWO)"
    )
    script = root.parent / "lead.py"
    script.write_text(code)
    tests = str(Path(__file__).parents[1])
    environment = command_environment()
    environment["PYTHONPATH"] += os.pathsep + tests
    return subprocess.Popen([sys.executable, str(script), str(root), str(out)], env=environment)


@pytest.mark.slow
def test_kills_at_any_moment_lose_nothing_and_do_nothing_twice(tmp_path):
    from batches import batch, films, states

    from videoscore.batch.ledger import PARTS

    root, out = tmp_path / "in", tmp_path / "out"
    films(root, **{f"f{n:02d}": ("broken" if n == 3 else f"slow {n}") for n in range(10)})
    for delay in (2.5, 3.5, 4.5):
        leader = run_stubs(root, out)
        time.sleep(delay)
        leader.send_signal(signal.SIGKILL)
        leader.wait()
    time.sleep(1.0)  # the workers go with their leader
    batch(root, out)
    assert list(states(out).values()).count("scored") == 9 and states(out)["f03.mp4"] == "failed"
    assert {p.name for p in out.iterdir() if not p.name.startswith(".")} == {
        f"f{n:02d}.scored{end}" for n in range(10) if n != 3 for end in (".mp4", ".cues.json")
    }
    assert not (out / PARTS).exists()
    for n in range(10):
        if n != 3:
            assert (out / f"f{n:02d}.scored.mp4").read_text() == f"slow {n} 0"


def test_a_file_is_complete_when_it_stays_the_same(tmp_path):
    path, clock = tmp_path / "a.mp4", [0.0]
    settling = Settling(2.0, lambda: clock[0])
    path.write_bytes(b"")

    def at(seconds: float) -> bool:
        clock[0] = seconds
        return path in settling.complete([path])

    assert not at(0) and not at(5)  # empty: nothing has come yet
    path.write_bytes(b"1")
    assert not at(6)
    path.write_bytes(b"12")
    assert not at(7.5) and not at(9) and at(9.6)
    shutil.move(path, tmp_path / "gone")
    assert not at(12)


def test_watch_scores_what_arrives_until_it_is_told_to_stop(tmp_path):
    import threading

    from batch_stubs import obey
    from batches import INLINE, Ears, films, states

    from videoscore.batch.arrivals import watch
    from videoscore.batch.leader import Leader
    from videoscore.batch.ledger import Ledger

    root, out = tmp_path / "in", tmp_path / "out"
    films(root, a="fine")
    with Ledger(out) as ledger, Leader(ledger, INLINE, Ears(), obey) as leader:

        def visit() -> None:
            for order in ("broken", "fine"):  # the second time it is another file
                films(root, b=order)
                time.sleep(1.5)
            os.kill(os.getpid(), signal.SIGINT)

        visitor = threading.Thread(target=visit)
        visitor.start()
        report = watch(leader, BatchInputs((str(root),), out), 0.3, readable=lambda path: True)
        visitor.join()
    assert states(out) == {"a.mp4": "scored", "b.mp4": "scored"}
    assert report.counts["scored"] == 2 and report.exit_code == 0
    assert json.loads(report.write(out).read_text())["scored"] == 2
