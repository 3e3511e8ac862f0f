"""The whole way, with a real film: what is written, what is left, and what a mishap leaves (nothing)."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
import symusic
from conftest import Said, command_environment, run_command
from measure import downbeats
from media import Clip, make_clip, packet_hash

import videoscore
from videoscore.cues.file.sheet_file import load
from videoscore.errors import Cancelled, DiskFull, OutputExists, UsageError
from videoscore.pipeline import score as pipeline
from videoscore.pipeline.score import STAGES
from videoscore.stages import probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scored")


@pytest.fixture(scope="module")
def scored(film: Clip, folder: Path) -> Said:
    """One real run that keeps everything."""
    said = run_command(
        film.path,
        "-o",
        folder / "scored.mp4",
        "--keep",
        "midi,wav,stems",
        "--seed",
        "5",
        "--preset",
        "piano",
        "--min-cue",
        "1",
        "--json",
    )
    assert said.code == 0, said.err
    return said


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


# ---------------------------------------------------------------- what is written


def test_writes_what_was_asked_for_and_nothing_else(scored, folder):
    assert names(folder) == {"scored.mp4", "scored.cues.json", "scored.mid", "scored.wav", "scored.stems"}
    assert scored.err == ""
    kept = scored.result["kept"]
    assert set(kept) == {"cues", "midi", "wav", "stems"}
    assert all(Path(p).exists() for p in kept.values())


def test_the_picture_and_the_original_sound_are_untouched(scored, film, folder):
    output = folder / "scored.mp4"
    assert packet_hash(output) == packet_hash(film.path)
    media = probe(output)
    assert abs(media.duration - film.duration) <= media.video.frame_duration
    assert [a.default for a in media.audio] == [True, False]
    assert packet_hash(output, "0:a:1") == packet_hash(film.path, "0:a:0")


def test_the_music_fills_the_film_and_dies_at_its_end(scored, film, folder):
    sound, rate = soundfile.read(folder / "scored.wav")
    assert len(sound) == round(film.duration * rate)
    stems = [soundfile.read(p)[0] for p in sorted((folder / "scored.stems").iterdir())]
    assert all(len(stem) == len(sound) for stem in stems)
    music = np.abs(np.sum(stems, axis=0)).max(axis=1)
    assert music.max() > 0.001
    assert music[-64:].max() < 0.01 * music.max()


def test_kept_stems_add_up_to_the_sound_track_of_music_alone(film, folder, tmp_path):
    cues = folder / "scored.cues.json"
    said = run_command(
        film.path,
        "-o",
        tmp_path / "alone.mp4",
        "--cues",
        cues,
        "--audio",
        "replace",
        "--keep",
        "wav,stems",
        "--json",
    )
    assert said.code == 0, said.err
    whole = soundfile.read(tmp_path / "alone.wav")[0]
    total = np.sum([soundfile.read(p)[0] for p in (tmp_path / "alone.stems").iterdir()], axis=0)
    assert (whole**2).mean() > 1e-6
    assert 10 * np.log10(((whole - total) ** 2).mean() / (whole**2).mean()) < -60


def test_every_cue_boundary_is_a_downbeat_of_the_midi(scored, folder):
    sheet = load(folder / "scored.cues.json")
    beats = downbeats(folder / "scored.mid")
    for cue in sheet.cues:
        assert min(abs(float(cue.start) - beat) for beat in beats) < 0.001
        assert min(abs(float(cue.end) - beat) for beat in beats) < 0.001


def test_the_kept_midi_has_its_cues_as_markers_for_another_library(scored, folder):
    sheet = load(folder / "scored.cues.json")
    ticks = symusic.Score.from_file(folder / "scored.mid")
    markers = ticks.to("second").markers
    assert [m.text for m in markers] == [c.name for c in sheet.cues]
    assert all(abs(m.time - float(c.start)) < 0.001 for m, c in zip(markers, sheet.cues))
    assert {m.time for m in ticks.markers} <= set(ticks.get_downbeats())
    assert sum(len(t.notes) for t in ticks.tracks) > 0 and len(ticks.time_signatures) == len(sheet.cues)


def test_a_cut_is_a_cue_boundary(scored, film, folder):
    sheet = load(folder / "scored.cues.json")
    assert sheet.cuts == film.cuts
    assert sheet.duration == film.duration == sheet.cues[-1].end
    assert all(cue.start in film.cuts for cue in sheet.cues if cue.start_on == "cut")


def test_the_result_says_what_was_done(scored, folder):
    result = scored.result
    assert result["output"] == str(folder / "scored.mp4")
    assert (result["seed"], result["preset"]) == (5, "piano")
    assert result["notes"] > 0
    assert result["loudness"] == pytest.approx(-14, abs=1)
    assert result["true_peak"] <= -1
    assert set(result["seconds"]) == set(STAGES)
    assert 50e6 < result["peak_memory"] < 3e9


def test_progress_of_every_stage_goes_from_nothing_to_all(scored):
    told = [e for e in scored.events if e["event"] == "progress"]
    assert {e["stage"] for e in told} == set(STAGES)
    for stage in STAGES:
        done = [e["done"] for e in told if e["stage"] == stage]
        assert done == sorted(done) and done[0] == 0
        assert [e for e in told if e["stage"] == stage][-1]["done"] == [
            e["total"] for e in told if e["stage"] == stage
        ][-1]


# ---------------------------------------------------------------- seeds and cue sheets


def test_the_same_sheet_gives_the_same_midi_and_another_seed_another(scored, folder, tmp_path):
    sheet = folder / "scored.cues.json"
    for name, words in (("same.mid", []), ("other.mid", ["--seed", "6"])):
        said = run_command("compose", sheet, "--played", "-o", tmp_path / name, *words)
        assert said.code == 0, said.err
    kept = (folder / "scored.mid").read_bytes()
    assert (tmp_path / "same.mid").read_bytes() == kept
    assert (tmp_path / "other.mid").read_bytes() != kept


def test_an_edited_cue_sheet_is_obeyed(scored, film, folder, tmp_path):
    document = json.loads((folder / "scored.cues.json").read_text())
    mood = "Angry" if document["cues"][0]["mood"] != "Angry" else "Peaceful"
    document["cues"][0]["mood"] = mood
    edited = tmp_path / "edited.cues.json"
    edited.write_text(json.dumps(document))
    planned = run_command(film.path, "--cues", edited, "--dry-run", "--json", "-o", tmp_path / "x.mp4").result
    assert planned["plan"][0]["mood"] == mood
    assert (planned["seed"], planned["preset"]) == (5, "piano")
    assert names(tmp_path) == {"edited.cues.json"}
    said = run_command("compose", edited, "--played", "-o", tmp_path / "edited.mid")
    assert said.code == 0, said.err
    assert (tmp_path / "edited.mid").read_bytes() != (folder / "scored.mid").read_bytes()


def test_a_sheet_of_another_film_is_refused(scored, folder, tmp_path):
    longer = make_clip(tmp_path / "longer.mp4", seconds=8)
    said = run_command(longer.path, "--cues", folder / "scored.cues.json")
    assert said.code == 2
    assert "Traceback" not in said.err and len(said.err.strip().splitlines()) == 1
    assert names(tmp_path) == {"longer.mp4"}


def test_a_broken_sheet_is_refused_in_one_line(film, tmp_path):
    for text in ("", "{", "[]", '{"cues": 3}'):
        sheet = tmp_path / "bad.json"
        sheet.write_text(text)
        said = run_command(film.path, "--cues", sheet, "-o", tmp_path / "x.mp4")
        assert said.code == 2
        assert len(said.err.strip().splitlines()) == 1 and "bad.json" in said.err


def test_dry_run_prints_the_plan_and_writes_nothing(film, tmp_path):
    said = run_command(film.path, "-o", tmp_path / "x.mp4", "--dry-run", "--min-cue", "1", "--seed", "3")
    assert said.code == 0, said.err
    assert all(word in said.out for word in ("mood", "bpm", "0:04.000", "seed 3", "x.cues.json"))
    assert names(tmp_path) == set()


# ---------------------------------------------------------------- where it may write


def refused(*words: str | Path) -> str:
    """The one line of a run that must end with code 4, quickly."""
    said = run_command(*words, timeout=120)
    assert said.code == 4, (said.out, said.err)
    lines = said.err.strip().splitlines()
    assert len(lines) == 1
    assert "sample" not in said.out
    return lines[0]


def test_what_is_there_is_not_written_over(film, tmp_path):
    for name in ("out.mp4", "out.cues.json", "out.mid"):
        (tmp_path / name).write_text("mine")
        assert name in refused(film.path, "-o", tmp_path / "out.mp4", "--keep", "midi", "--json")
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    (tmp_path / "out.stems").mkdir()
    (tmp_path / "out.stems" / "diary.txt").write_text("mine")
    refused(film.path, "-o", tmp_path / "out.mp4", "--keep", "stems", "--overwrite")
    assert (tmp_path / "out.stems" / "diary.txt").read_text() == "mine"


def test_the_input_is_never_written_over(film, tmp_path):
    mine = tmp_path / "mine.mp4"
    shutil.copy(film.path, mine)
    (tmp_path / "link.mp4").symlink_to(mine)
    os.link(mine, tmp_path / "hard.mp4")
    for name in ("mine.mp4", "link.mp4", "hard.mp4", "../" + tmp_path.name + "/mine.mp4"):
        assert "original" in refused(mine, "-o", tmp_path / name, "--overwrite")
    assert mine.read_bytes() == film.path.read_bytes()


def test_impossible_outputs_are_refused_before_the_work(film, tmp_path):
    assert "folder" in refused(film.path, "-o", tmp_path / "no" / "out.mp4")
    assert "folder" in refused(film.path, "-o", tmp_path)
    assert ".txt" in refused(film.path, "-o", tmp_path / "out.txt")
    assert ".ogv" in refused(film.path, "-o", tmp_path / "out.ogv")  # no H.264 in Ogg
    assert names(tmp_path) == set()


def test_a_missing_system_part_is_told_before_the_work(film, tmp_path):
    said = run_command(film.path, "-o", tmp_path / "x.mp4", "--soundfont", tmp_path / "no.sf2", "--json")
    assert said.code == 5
    assert {e.get("stage") for e in said.events} <= {"probe", None}
    assert len(said.err.strip().splitlines()) == 1 and "no.sf2" in said.err


def test_a_setting_without_effect_is_refused(scored, film, folder):
    said = run_command(film.path, "--cues", folder / "scored.cues.json", "--smooth", "3")
    assert said.code == 2 and "--smooth has no effect" in said.err


def test_the_default_output_lies_beside_the_input(film, tmp_path):
    mine = tmp_path / "mine.mp4"
    shutil.copy(film.path, mine)
    targets = pipeline.plan_targets(probe(mine), None)
    assert targets.output == tmp_path / "mine.scored.mp4"
    assert targets.kept == {"cues": tmp_path / "mine.scored.cues.json"}


def test_kinds_to_keep_are_guessed_at(film, tmp_path):
    with pytest.raises(UsageError, match="Did you mean stems"):
        videoscore.score(film.path, tmp_path / "x.mp4", keep=["stem"])


# ---------------------------------------------------------------- mishaps


def _started(command: list[str], stage: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A run that has reached `stage`, and its children then."""
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=command_environment(),
        stdin=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if json.loads(line).get("stage") == stage:
            break
    time.sleep(0.3)
    with contextlib.suppress(psutil.NoSuchProcess):
        return child, psutil.Process(child.pid).children(recursive=True)
    return child, []


@pytest.mark.parametrize(
    ("number", "stage"),
    [
        (signal.SIGINT, "perceive"),
        (signal.SIGINT, "render"),
        (signal.SIGTERM, "render"),
        (signal.SIGTERM, "mix"),
    ],
)
def test_a_cancelled_run_leaves_nothing(tmp_path, number, stage):
    clip = make_clip(tmp_path / "film.mp4", seconds=12, cuts=[150], audio="tone")
    command = [
        sys.executable,
        "-m",
        "videoscore",
        str(clip.path),
        "-o",
        str(tmp_path / "out.mp4"),
        "--json",
        "--keep",
        "stems,midi,wav",
    ]
    child, children = _started(command, stage)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "Traceback" not in err and len(err.strip().splitlines()) == 1
    assert json.loads(out.splitlines()[-1])["exit_code"] == 130
    assert names(tmp_path) == {"film.mp4"}
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_progress_callback_may_stop_it(film, tmp_path):
    def stop(stage: str, done: float, total: float) -> None:
        if stage == "compose":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        videoscore.score(film.path, tmp_path / "out.mp4", progress=stop)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "where",
    [
        "videoscore.cues.file.sheet_file.save",
        "videoscore.perform.played_midi.write_midi",
        "videoscore.perform.render.render.render",
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing(scored, film, folder, tmp_path, monkeypatch, where):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(where, full)
    with pytest.raises(DiskFull, match=r"out\.mp4"):
        videoscore.score(film.path, tmp_path / "out.mp4", cues=folder / "scored.cues.json", keep=["midi"])
    assert names(tmp_path) == set()


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root"
)
@pytest.mark.parametrize("kilobytes", [256, 4000])
def test_a_disk_that_is_really_full(scored, film, folder, tmp_path, kilobytes):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting isn't allowed here")
    try:
        said = run_command(
            film.path, "-o", disk / "out.mp4", "--cues", folder / "scored.cues.json", "--keep", "wav,stems"
        )
        assert (said.code, names(disk)) == (4, set()), said.err
        assert len(said.err.strip().splitlines()) == 1 and "out.mp4: " in said.err
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---------------------------------------------------------------- the Python API


def test_the_api_scores_and_refuses_like_the_command(scored, film, folder, tmp_path):
    told: list[str] = []
    result = videoscore.score(
        film.path,
        tmp_path / "out.mkv",
        cues=folder / "scored.cues.json",
        audio="replace",
        progress=lambda stage, done, total: told.append(stage),
    )
    assert result.output == tmp_path / "out.mkv"
    assert result.sheet.seed == 5 and result.notes > 0
    assert "sample" not in told and told[0] == "probe"
    assert len(probe(result.output).audio) == 1  # replaced
    with pytest.raises(OutputExists):
        videoscore.score(film.path, tmp_path / "out.mkv")


def test_analysis_holds_curve_cuts_and_cues(film):
    seen = videoscore.analyze(film.path, min_cue=1, smooth=1)
    assert [c.t for c in seen.cuts] == list(film.cuts)
    assert len(seen.curve) == len(seen.raw) >= 8
    assert np.allclose(seen.curve.moods.sum(axis=1), 1)
    assert seen.sheet.duration == film.duration


def test_one_s_own_music_is_mixed_and_muxed(film, tmp_path):
    music = tmp_path / "mine.wav"
    t = np.arange(2 * 44100) / 44100
    soundfile.write(music, 0.2 * np.sin(2 * np.pi * 220 * t), 44100)
    said = run_command("mix", film.path, music, "-o", tmp_path / "mixed.mp4", "--audio", "keep", "--json")
    assert said.code == 0, said.err
    assert packet_hash(tmp_path / "mixed.mp4") == packet_hash(film.path)
    said = run_command("mix", film.path, music, "-o", tmp_path / "mixed.wav", "--audio", "replace")
    assert said.code == 0, said.err
    sound, rate = soundfile.read(tmp_path / "mixed.wav")
    assert len(sound) == 4 * rate
    assert np.abs(sound[:rate]).max() > 0.05 and np.abs(sound[3 * rate :]).max() < 1e-4
    said = run_command("mix", film.path, tmp_path / "no.wav", "-o", tmp_path / "x.wav")
    assert said.code == 3
    assert names(tmp_path) == {"mine.wav", "mixed.mp4", "mixed.wav"}


def test_render_writes_stems_of_a_cue_sheet(scored, folder, tmp_path):
    said = run_command("render", folder / "scored.cues.json", "-o", tmp_path / "stems", "--json")
    assert said.code == 0, said.err
    assert {p.name for p in (tmp_path / "stems").iterdir()} == set(said.result["stems"])
    for name in said.result["stems"]:
        kept, rendered = folder / "scored.stems" / name, tmp_path / "stems" / name
        assert np.allclose(soundfile.read(kept)[0], soundfile.read(rendered)[0])
