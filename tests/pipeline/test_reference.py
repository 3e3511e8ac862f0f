"""A MIDI file to be like: its tempo, key and mood decide, with and without a film, and its notes don't."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from conftest import run_command
from media import make_clip

import videoscore
from videoscore.cues.keys import signature_and_mode
from videoscore.errors import NotFound, UsageError
from videoscore.mood.curve import MoodCurve
from videoscore.music.midi import write_midi
from videoscore.pipeline.reference import Reference, moved_like, read_reference
from videoscore.pipeline.without_film import sheet_for
from videoscore.settings.build import build


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Sixteen bars of four in D minor at 150 quarters a minute."""
    path = tmp_path_factory.mktemp("song") / "song.mid"
    music = videoscore.write_music(mood="Angry", key="D minor", tempo=150, seconds="25.6", seed=3)
    write_midi(music.score, path)
    return path


def test_tempo_bars_and_key_are_read(song):
    like = read_reference(song)
    assert like.tempo == pytest.approx(150, rel=0.01)
    assert like.beats == 4
    assert signature_and_mode(like.key)[0] == signature_and_mode("D minor")[0]


def test_music_without_a_film_is_like_it_unless_something_else_is_said(song):
    like = read_reference(song)
    sheet, remarks = sheet_for(build(reference=song), seconds=64)
    assert {signature_and_mode(c.key)[0] for c in sheet.cues} == {-1}
    assert float(sheet.cues[0].bpm) == pytest.approx(150, rel=0.05)
    assert sheet.cues[0].at(Fraction(1)) == pytest.approx((like.valence, like.arousal), abs=1e-4)
    assert remarks[0].startswith("like song.mid: ") and sheet.notes["reference"] in remarks[0]
    said, _ = sheet_for(build(reference=song), seconds=64, mood="Tired", tempo=60)
    assert {c.mood for c in said.cues} == {"Tired"} and float(said.cues[0].bpm) == pytest.approx(60, rel=0.05)
    assert {signature_and_mode(c.key)[0] for c in said.cues} == {-1}


def test_a_curve_keeps_its_course_and_goes_where_the_reference_lies():
    t = np.arange(0, 40, 0.5)
    arousal = np.where(t < 20, -0.3, 0.3)
    curve = MoodCurve(t, np.full(len(t), 0.4), arousal, np.full((len(t), 8), 1 / 8), np.ones(len(t)))
    moved = moved_like(curve, Reference("a", 120, 4, "C major", -0.5, 0.9), [], Fraction(40))
    assert np.corrcoef(moved.arousal, arousal)[0, 1] > 0.99
    assert moved.arousal.max() <= 1 and moved.arousal.mean() == pytest.approx(0.9, abs=0.02)
    assert moved.valence.mean() == pytest.approx(-0.5, abs=0.02)


def test_a_film_is_scored_like_it(song, tmp_path):
    film = make_clip(tmp_path / "film.mp4", seconds=12.0, fps=10)
    said = run_command(
        "analyze", film.path, "--reference", song, "--cues", tmp_path / "a.cues.json", "--json"
    )
    assert said.code == 0, said.err
    assert any(r.startswith("like song.mid: ") for r in said.result["remarks"])
    seen = videoscore.analyze(film.path, reference=song)
    (cue,) = seen.sheet.cues
    assert any(abs(float(cue.bpm) / (150 * k) - 1) < 0.1 for k in (0.5, 1, 2))
    assert cue.key == "D minor"  # of a film in one mood the mode is the piece's, too
    both = videoscore.analyze(film.path, reference=song, mood="Peaceful")
    assert {c.mood for c in both.sheet.cues} == {"Peaceful"}


def test_what_is_no_music_is_told_before_anything_is_watched(tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"bad\.mid: --reference: .*four bars"):
        build_and_read(tmp_path / "bad.mid")
    with pytest.raises(NotFound, match="--reference"):
        build_and_read(tmp_path / "none.mid")
    said = run_command("score", tmp_path / "film.mp4", "--reference", tmp_path / "bad.mid")
    assert said.code == 2 and said.err.count("\n") == 1


def build_and_read(path):
    return sheet_for(build(reference=path), seconds=10, mood="Happy")
