"""The perceive stage on small films: what a user sees of curves, sources and remarks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from media import run_ffmpeg

from videoscore.errors import NoFace, UsageError
from videoscore.pipeline.watch import Analysis, analyze

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video" / "clips"
FACE = CLIPS / "face_woman_emotions_pexels.mp4"
needs_clips = pytest.mark.skipif(not CLIPS.is_dir(), reason="needs ../shared/data/video/clips")

FILMS = {
    "one_second": ("testsrc2=s=160x90:r=10:d=1",),
    "one_frame": ("testsrc2=s=160x90:r=10:d=0.1",),
    "black": ("color=black:s=160x90:r=10:d=3",),
    "static": ("mandelbrot=s=160x90:r=10:end_scale=0.3:maxiter=200,loop=loop=-1:size=1,trim=duration=3",),
}


def film(folder: Path, name: str) -> Path:
    path = folder / f"{name}.mp4"
    run_ffmpeg(
        "-f",
        "lavfi",
        "-i",
        *FILMS[name],
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        *(("-frames:v", "1") if name == "one_frame" else ()),
        path,
    )
    return path


def sensible(seen: Analysis) -> None:
    for curve in (seen.raw, seen.curve):
        assert np.isfinite(curve.valence).all() and (np.abs(curve.valence) <= 1).all()
        assert np.isfinite(curve.arousal).all() and (np.abs(curve.arousal) <= 1).all()
        assert curve.moods.sum(1) == pytest.approx(np.ones(len(curve)))
    assert sum(seen.shares.values()) == pytest.approx(np.ones(len(seen.raw)))
    assert len(seen.sheet.cues) == 1


@pytest.mark.parametrize("name", sorted(FILMS))
def test_the_smallest_films_have_a_curve(tmp_path, name):
    seen = analyze(film(tmp_path, name))
    sensible(seen)
    if name == "black":
        assert (seen.shares["held"] == 1).all() and (seen.raw.confidence == 0).all()
        assert seen.raw.valence == pytest.approx(np.zeros(len(seen.raw)), abs=0.01)
        assert "3.0 of 3.0 s" in seen.remarks[0]
    if name == "static":
        assert np.ptp(seen.curve.valence) < 0.1
        assert not seen.remarks


def test_a_face_perceiver_without_faces_has_its_own_exit_code(tmp_path):
    path = film(tmp_path, "static")
    with pytest.raises(NoFace) as caught:
        analyze(path, perceiver="face")
    assert caught.value.path == path
    run = subprocess.run(
        [sys.executable, "-m", "videoscore", "analyze", str(path), "--perceiver", "face"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 6 and run.stdout == ""
    assert (
        run.stderr.count("\n") == 1 and "no face was found" in run.stderr and "--fallback scene" in run.stderr
    )


def test_a_fallback_goes_on_and_says_it(tmp_path):
    path = film(tmp_path, "static")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "videoscore",
            "analyze",
            str(path),
            "--perceiver",
            "face",
            "--fallback",
            "scene",
            "--format",
            "csv",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and "note: no face was found" in run.stderr
    head = run.stdout.splitlines()[0].split(",")
    assert head[-2:] == ["scene", "held"]


def test_an_unknown_perceiver_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="Did you mean face"):
        analyze(film(tmp_path, "static"), perceiver="fase")


@pytest.mark.parametrize(
    "settings", [{"fallback": "scene"}, {"perceiver": "scene", "mood_weights": "x.safetensors"}]
)
def test_a_setting_that_would_do_nothing_is_refused(tmp_path, settings):
    with pytest.raises(UsageError, match="has no effect with --perceiver"):
        analyze(film(tmp_path, "static"), **settings)


@needs_clips
@pytest.mark.data
def test_from_crying_to_laughing_valence_flips_within_a_second():
    """By eye: she worries until her brows relax at 8.8 s, takes her hand down at 9.4 s and smiles from 9.5 s on."""
    curve = analyze(FACE, perceiver="face").curve
    positive = curve.valence > 0
    flips = np.flatnonzero(np.diff(positive.astype(int)))
    assert len(flips) == 1 and not positive[0]
    assert curve.t[flips[0]] == pytest.approx(9.2, abs=1.0)
    assert np.interp([3, 5, 7], curve.t, curve.valence).max() < -0.2
    assert np.interp([11, 14, 18], curve.t, curve.valence).min() > 0.4


@needs_clips
@pytest.mark.data
def test_a_face_that_begins_to_laugh_gets_a_cue_of_its_own_within_a_second():
    """`auto` weighs the scene, too, which doesn't change: what must change in time is the music."""
    analysis = analyze(FACE)
    crying, laughing = analysis.sheet.cues
    assert float(laughing.start) == pytest.approx(9.2, abs=1.0)
    assert crying.mood in ("Depressed", "Withered", "Anxiety") and laughing.mood == "Happy"
    curve = analysis.curve
    assert np.interp([3, 5], curve.t, curve.valence).max() < 0
    assert np.interp([11, 14, 18], curve.t, curve.valence).min() > 0.4
