"""Music alone: exact length, moods over time, intensity, loops that close, stems; as a command and from Python."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from conftest import run_command
from hypothesis import given, settings
from hypothesis import strategies as st
from media import make_clip

import videoscore
from videoscore.audio.wav import wav_writer
from videoscore.cues.file.sheet_file import load
from videoscore.cues.intensity import read_levels, scaled
from videoscore.cues.wishes import cue_sheet, read
from videoscore.errors import UsageError
from videoscore.perform.mix.bed import closed
from videoscore.perform.parts import Stem
from videoscore.stages import probe


def jump(sound: np.ndarray, at: int) -> float:
    """How sharp the bend of the wave is around a sample, the file taken as a loop."""
    around = np.take(sound, range(at - 3, at + 3), axis=0, mode="wrap")
    return float(np.abs(np.diff(around, n=2, axis=0)).max())


@pytest.fixture(scope="module")
def loop(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bed") / "loop.wav"
    said = run_command(
        *("bed", "-o", path, "--mood", "Peaceful, 0:08.0 happy", "--seconds", "16.01", "--loop", "--stems"),
        *(
            "--intensity-curve",
            "0 0.2, 0:08 1, 16.01 0.2",
            "--cues",
            path.with_suffix(".cues.json"),
            "--json",
        ),
    )
    assert said.code == 0, said.err
    path.with_suffix(".said").write_text(json.dumps(said.result))
    return path


def test_a_bed_has_exactly_the_samples_that_were_asked_for(tmp_path):
    said = run_command("bed", "-o", tmp_path / "b.ogg", "--mood", "Tired", "--seconds", "5.003", "--json")
    assert said.code == 0, said.err
    sound, rate = soundfile.read(tmp_path / "b.ogg")
    assert (len(sound), rate) == (round(5.003 * 48000), 48000) and said.result["samples"] == len(sound)
    assert np.abs(sound).max() > 0.05 and np.abs(sound[-100:]).max() < 0.01  # it ends
    assert abs(said.result["loudness"] + 14) < 1
    assert {p.name for p in tmp_path.iterdir()} == {"b.ogg"}


def test_a_bed_is_mastered_and_its_stems_add_up_to_it(tmp_path):
    apart = []
    for dynamics in (0, 18):
        bed = videoscore.write_bed(
            tmp_path / f"{dynamics}.wav",
            mood="0:00 Tired, 0:08 Angry",
            seconds=16,
            dynamics=dynamics,
            stems=True,
        )
        sound, rate = soundfile.read(bed.output)
        stems = [soundfile.read(path)[0] for path in bed.kept["stems"].iterdir()]
        assert bed.gain == 0 and np.abs(np.sum(stems, axis=0) - sound).max() < 2e-6
        calm, wild = (float((sound[a * rate : b * rate] ** 2).mean()) for a, b in ((2, 7), (9, 15)))
        apart.append(10 * np.log10(wild / calm))
    assert apart[1] > apart[0] + 4


@pytest.mark.parametrize("option", ["--duck", "--duck-band", "--duck-attack", "--duck-release", "--balance"])
def test_a_bed_has_no_settings_of_a_film(tmp_path, option):
    said = run_command("bed", "-o", tmp_path / "b.wav", "--mood", "Tired", "--seconds", "5", option, "-1")
    assert said.code == 2 and option in said.err


def test_a_loop_closes(loop):
    sound, rate = soundfile.read(loop)
    assert len(sound) == round(16.01 * rate)
    bends = np.array([jump(sound, k) for k in range(len(sound) - rate // 2, len(sound) - 10, 7)])
    assert jump(sound, 0) <= np.percentile(bends, 99)
    # what rings at the end rings on at the beginning: the levels on both sides are alike, and nothing fades out
    ends = [float(np.sqrt((x**2).mean())) for x in (sound[-rate // 10 :], sound[: rate // 10])]
    assert min(ends) > 0.2 * max(ends) > 1e-4


def test_the_loop_points_and_cues_stand_in_the_file(loop):
    data = loop.read_bytes()
    assert struct.unpack("<I", data[4:8])[0] + 8 == len(data)
    chunks, at = {}, 12
    while at < len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        chunks[name] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    samples = round(16.01 * 48000)
    assert struct.unpack("<9I", chunks[b"smpl"][:36])[7] == 1
    assert struct.unpack("<6I", chunks[b"smpl"][36:])[2:4] == (0, samples - 1)
    sheet = load(loop.with_suffix(".cues.json"))
    count = struct.unpack("<I", chunks[b"cue "][:4])[0]
    starts = [struct.unpack("<II4sIII", chunks[b"cue "][4 + 24 * k : 28 + 24 * k])[1] for k in range(count)]
    assert starts == [round(c.start * 48000) for c in sheet.cues]
    assert all(c.name.encode() in chunks[b"LIST"] for c in sheet.cues)


def test_moods_hold_where_they_were_said_and_the_sheet_ends_with_the_music(loop):
    sheet = load(loop.with_suffix(".cues.json"))
    assert sheet.duration == Fraction("16.01")
    assert {c.mood for c in sheet.cues if c.start < 8} == {"Peaceful"}
    assert {c.mood for c in sheet.cues if c.start >= 8} == {"Happy"}


def test_the_stems_are_as_long_and_their_sum_is_the_bed(loop):
    sound, _ = soundfile.read(loop)
    stems = [soundfile.read(p)[0] for p in sorted(loop.with_suffix(".stems").iterdir())]
    gain = json.loads(loop.with_suffix(".said").read_text())["gain"]
    assert stems and all(len(s) == len(sound) for s in stems)
    assert np.abs(np.sum(stems, axis=0) * 10 ** (gain / 20) - sound).max() < 2e-6


def test_the_intensity_is_heard(loop):
    sound, rate = soundfile.read(loop)
    quiet, loud = (float(np.sqrt((sound[a * rate : b * rate] ** 2).mean())) for a, b in ((0, 1), (7, 9)))
    assert loud > 2 * quiet


def test_intensity_keeps_mood_key_and_bars():
    sheet = cue_sheet(read(mood="Angry", seconds=60))
    low = scaled(sheet, read_levels("0 0, 1:00 1", sheet.duration))
    (a,), (b,) = sheet.cues, low.cues
    assert (a.mood, a.key, a.meter) == (b.mood, b.key, b.meter)
    assert np.allclose(b.at(Fraction(0)), np.array(a.at(Fraction(0))) * 0.4, atol=1e-5)
    assert np.allclose(b.at(Fraction(60)), a.at(Fraction(60)), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(200, 70000), st.integers(0, 9999))
def test_a_closed_stem_is_continuous_over_its_seam(tmp_path_factory, samples, seed):
    """Whatever the length: noise of two passes, of which the second differs a little."""
    rng = np.random.default_rng(seed)
    once = np.cumsum(rng.normal(0, 0.001, (samples, 2)), 0)
    once -= np.linspace(0, 1, samples)[:, None] * (once[-1] - once[0])  # ends where it began
    twice = np.concatenate([once, once + 0.01, once[:100]]).astype(np.float32)
    folder = tmp_path_factory.mktemp("shape")
    with wav_writer(folder / "a.wav", 48000, len(twice)) as wav:
        wav.write(twice)
    closed(Stem("a", folder / "a.wav", 48000, len(twice)), folder / "b.wav", samples)
    out, _ = soundfile.read(folder / "b.wav")
    assert len(out) == samples
    assert np.allclose(out[0], twice[samples], atol=1e-6)
    assert np.allclose(out[-1], twice[samples - 1], atol=1e-6)


def test_like_a_film(tmp_path):
    film = make_clip(tmp_path / "film.mp4", seconds=9.0, fps=25, cuts=(110,))
    bed = videoscore.write_bed(tmp_path / "like.mid", like=film.path, mood="Dynamic", seed=2)
    assert bed.music.sheet.duration == probe(film.path).duration
    assert {c.mood for c in bed.music.sheet.cues} == {"Dynamic"}
    midi = mido.MidiFile(tmp_path / "like.mid")
    assert abs(midi.length - 9.0) < 0.01
    refused = run_command("bed", "-o", tmp_path / "x.wav", "--like", film.path, "--seconds", "5")
    assert (refused.code, "--seconds has no effect with --like" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-o", "b.mp3", "--mood", "Happy", "--seconds", "5"], "music isn't written so"),
        (["-o", "b.wav", "--mood", "Happy"], "Give --seconds"),
        (["-o", "b.wav", "--mood", "Happy", "--seconds", "3", "--loop"], "is a stinger"),
        (["-o", "b.mid", "--mood", "Happy", "--seconds", "5", "--stems"], "this is notes"),
        (["-o", "b.wav", "--mood", "Happy", "--seconds", "5", "--smooth", "3"], "no effect without --like"),
        (
            ["-o", "b.wav", "--mood", "Happy", "--seconds", "5", "--intensity-curve", "0 2"],
            "'2' is no level",
        ),
        (
            ["-o", "b.wav", "--mood", "Happy", "--seconds", "5", "--intensity-curve", "0 1, 9 0"],
            "past the end",
        ),
        (
            ["-o", "b.wav", "--mood", "Happy", "--seconds", "5", "--loop", "--intensity-curve", "0 1, 5 0"],
            "another level than it begins",
        ),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, words, problem):
    said = run_command("bed", *words, cwd=tmp_path)
    assert said.code == 2 and problem in said.err and said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_users_is_replaced_unasked(tmp_path):
    (tmp_path / "b.loop.json").write_text("mine")
    said = run_command("bed", "-o", tmp_path / "b.flac", "--mood", "Happy", "--seconds", "5", "--loop")
    assert said.code == 4 and "b.loop.json" in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["b.loop.json"]
    for text in ("", "0:00", "1 0.5, 1 0.6", "x 1"):
        with pytest.raises(UsageError):
            read_levels(text, Fraction(10))
