"""The command as users and programs meet it: as a process, with real files."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import command_environment

HEAVY = {"torch", "av", "scipy", "numpy", "silero_vad", "matplotlib", "tqdm"}


def one_line(err: str) -> str:
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


# ---------------------------------------------------------------- help and words


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"], ["presets", "list"]])
def test_nothing_heavy_is_imported_before_it_is_needed(words):
    code = (
        "import sys; from videoscore.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env=command_environment(),
    )
    imported = set(eval(done.stderr.strip().splitlines()[-1]))
    assert not imported & HEAVY


def test_help_takes_no_longer_than_0_4_seconds():
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "videoscore", "--help"],
            check=True,
            capture_output=True,
            env=command_environment(),
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # processor time: it waits for nothing, and what else runs on the machine isn't its fault
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.4


def test_help_lists_every_command_and_every_setting(videoscore):
    from videoscore.cli.main import COMMANDS
    from videoscore.settings.build import settings, show

    said = videoscore("--help").out
    assert all(name in said for name in COMMANDS)
    helps = {name: " ".join(videoscore(name, "--help").out.split()) for name in ("score", "slideshow")}
    for setting in settings().values():
        said = helps["slideshow" if setting.group == "slides" else "score"]
        assert setting.flag in said
        assert setting.help.split(";")[0] in said
        if setting.default is not None:
            assert f"[default: {show(setting.default)}]" in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["scroe"], "Did you mean score?"),
        (["presets", "shwo", "piano"], "show"),
        (["presets", "show", "pianno"], "Did you mean piano?"),
        (["{film}", "--pressets", "x"], "--preset"),
        (["{film}", "--audio", "dukc"], "Did you mean duck?"),
        (["{film}", "--keep", "midy"], "Did you mean midi?"),
        (["{film}", "--takes", "many"], "whole number"),
        (["{film}", "--min-cue", "0"], "out of range"),
        (["{film}", "--preset", "piano", "--cues"], "requires an argument"),
        (["score"], "INPUT"),
        (["{film}", "{film}"], "-o OUT_DIR"),
    ],
)
def test_usage_errors_are_one_line_and_code_2(videoscore, film, words, hint):
    said = videoscore(*[w.format(film=film.path) for w in words])
    assert said.code == 2
    assert said.out == ""
    assert hint in one_line(said.err)


def test_a_missing_file_is_code_3_also_without_the_word_score(videoscore, tmp_path):
    for words in (["no.mp4"], ["score", "no.mp4"], ["probe", "no.mp4"], ["analyze", "no.mp4"]):
        said = videoscore(*words, cwd=tmp_path)
        assert said.code == 3
        assert "no.mp4" in one_line(said.err)


def test_a_folder_is_refused_in_one_line(videoscore, tmp_path):
    for words, code in (
        (["probe", tmp_path], 3),
        ([tmp_path], 2),
    ):  # scored it can be, with a folder to write to
        said = videoscore(*words)
        assert said.code == code
        assert "folder" in one_line(said.err)


def test_json_tells_an_error_on_stdout_too(videoscore, tmp_path):
    said = videoscore("no.mp4", "--json", cwd=tmp_path)
    assert said.code == 3
    last = said.events[-1]
    assert (last["event"], last["error"], last["exit_code"]) == ("error", "NotFound", 3)
    assert last["message"] in said.err


def test_an_unforeseen_fault_is_one_line_and_debug_shows_where(film):
    code = (
        "import sys, videoscore.video.probe as p\n"
        "def broken(path): raise RuntimeError('boom\\nand more')\n"
        "p.probe = broken\nfrom videoscore.cli.main import main; main(sys.argv[1:])"
    )

    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", code, "probe", str(film.path), *words],
            capture_output=True,
            text=True,
            env=command_environment(),
            check=False,
        )

    plain = run()
    assert plain.returncode == 1
    assert "boom and more" in one_line(plain.stderr) and "--debug" in plain.stderr
    assert "Traceback" in run("--debug").stderr


def test_a_closed_pipe_is_no_fault(film):
    command = f"{sys.executable} -m videoscore presets show cinematic | head -c 1"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=command_environment(),
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)


# ---------------------------------------------------------------- commands that only tell


def test_probe(videoscore, film):
    facts = videoscore("probe", film.path, "--json").result
    assert facts["duration_exact"] == "4"
    assert (facts["video"]["width"], facts["video"]["height"]) == (160, 96)
    assert len(facts["audio"]) == 1
    assert "160 x 96" in videoscore("probe", film.path).out


def test_presets(videoscore):
    names = [p["name"] for p in videoscore("presets", "list", "--json").result["presets"]]
    assert "cinematic" in names and "piano" in names
    shown = videoscore("presets", "show", "piano", "--json").result
    assert set(shown["moods"]) == {
        "Happy",
        "Dynamic",
        "Angry",
        "Anxiety",
        "Depressed",
        "Withered",
        "Tired",
        "Peaceful",
    }
    assert Path(shown["path"]).is_file()


def test_doctor_finds_all_that_is_needed(videoscore):
    said = videoscore("doctor", "--json")
    assert said.code == 0, said.err
    checks = {c["name"]: c for c in said.result["checks"]}
    assert {"fluidsynth", "soundfont", "ffmpeg", "weights", "threads"} <= set(checks)
    assert all(c["ok"] or (c["remedy"] and not c["needed"]) for c in checks.values())


@pytest.mark.parametrize(
    ("environment", "lack"),
    [
        ({"VIDEOSCORE_SOUNDFONT": "/nowhere.sf2"}, "soundfont"),
        ({"IMAGEIO_FFMPEG_EXE": "/bin/false"}, "ffmpeg"),
    ],
)
def test_doctor_names_each_lack_with_its_remedy(videoscore, environment, lack):
    said = videoscore("doctor", "--json", **environment)
    assert said.code == 5
    check = next(c for c in said.events[0]["checks"] if c["name"] == lack)
    assert not check["ok"] and check["remedy"]


def test_doctor_sees_a_weight_file_that_was_changed(tmp_path, monkeypatch):
    import shutil

    from videoscore import system

    shutil.copytree(system.WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(system, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(system, "WEIGHT_SUMS", tmp_path / "weights" / "SHA256SUMS")
    name = next(iter(system.checksums()))
    good = {c.name: c for c in system.examine()}["weights"]
    assert good.ok, good.fact
    with (tmp_path / "weights" / name).open("r+b") as file:
        file.write(b"x")
    bad = {c.name: c for c in system.examine()}["weights"]
    assert not bad.ok and name in bad.fact
    (tmp_path / "weights" / name).unlink()
    assert "missing" in {c.name: c for c in system.examine()}["weights"].fact


# ---------------------------------------------------------------- analyze


def test_analyze_as_csv_and_json_and_cue_sheet(videoscore, film, tmp_path):
    table, sheet = tmp_path / "curve.csv", tmp_path / "film.cues.json"
    said = videoscore("analyze", film.path, "-o", table, "--cues", sheet)
    assert said.code == 0, said.err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    times = [float(r["t"]) for r in rows]
    assert times == sorted(times) and times[0] == 0 and times[-1] < 4
    assert all(-1 <= float(r[k]) <= 1 for r in rows for k in ("valence", "arousal"))
    whole = json.loads(videoscore("analyze", film.path).out)
    assert whole["curve"]["t"] == pytest.approx(times, abs=1e-3)
    assert [c["t"] for c in whole["cuts"]] == [2.0]
    assert json.loads(sheet.read_text())["cues"] == whole["cues"]["cues"]


def test_analyze_writes_over_nothing(videoscore, film, tmp_path):
    there = tmp_path / "there.json"
    there.write_text("mine")
    said = videoscore("analyze", film.path, "-o", there)
    assert said.code == 4
    assert there.read_text() == "mine"
    assert "--overwrite" in one_line(said.err)


def test_the_page_of_the_command_line_is_up_to_date():
    import cli_docs

    page = cli_docs.PAGE.read_text(encoding="utf-8")
    assert cli_docs.filled(page) == page, "run: python scripts/cli_docs.py"
