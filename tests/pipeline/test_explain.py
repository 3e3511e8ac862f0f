"""Why each cue is as it is: as facts, and as the words of --explain."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from conftest import run_command
from media import make_clip

from videoscore.cues.spot.spot import spot
from videoscore.mood.curve import MoodCurve
from videoscore.mood.octants import octant_probabilities
from videoscore.pipeline.explain import explain
from videoscore.pipeline.watch import Analysis
from videoscore.settings.build import build
from videoscore.stages import probe
from videoscore.text.reasons import reasons_text
from videoscore.video.frames import Cut


def analysis_of(film, options, va, cuts) -> Analysis:
    """What would have been seen in a film: a point on the plane a half second, cuts with their strengths."""
    media = probe(film.path)
    va = np.array(va, float)
    t = np.arange(len(va)) / 2
    curve = MoodCurve(t, va[:, 0], va[:, 1], octant_probabilities(va[:, 0], va[:, 1]), np.full(len(t), 0.8))
    shares = {"scene": np.full(len(t), 0.75), "face": np.full(len(t), 0.25), "held": np.zeros(len(t))}
    sheet = spot(curve, cuts, media.duration, options.spot)
    return Analysis(media, curve, curve, tuple(cuts), shares, sheet, {})


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("explain") / "film.mp4", seconds=40, fps=10)


def test_a_cue_on_a_cut_a_cut_passed_over_and_what_was_read(film):
    options = build()
    cuts = [Cut(Fraction(10), 0.4), Cut(Fraction(20), 0.9)]
    seen = analysis_of(film, options, [(0.6, -0.2)] * 40 + [(-0.5, 0.6)] * 40, cuts)
    first, second = explain(seen.sheet, options, seen)
    assert (first.boundary, first.reading.mood, first.reading.shares) == (
        "with the film",
        "Peaceful",
        {"scene": 0.75, "face": 0.25},
    )
    assert first.passed_over == (
        "the one inside begins no cue: at 10.00 s (strength 0.40 of 1) the mood changes by 0.00 of valence and "
        "arousal, and from 0.28 on music is changed"
    )
    assert first.mood.startswith("Peaceful, where that lies on the circle; next ")
    assert second.boundary == (
        "on a cut (strength 0.90 of 1): the mood goes from Peaceful to Angry (valence -1.10, arousal +0.80)"
    )
    assert second.reading.mood == "Angry" and second.reading.confidence == 0.8
    assert second.key.startswith(f"{second.cue.key}, since the valence of Angry is negative")
    bpm = float(re.match(r"[\d.]+", second.tempo)[0])
    assert bpm == pytest.approx(float(second.cue.bpm), abs=0.05)
    words = reasons_text((first, second), options)
    assert "from 75 % scenes, 25 % faces" in words and "every 0.5 s, smoothed over 6 s" in words


def test_words_and_locks_are_told(film):
    from dataclasses import replace

    options = build(mood="0:24 Tired")
    seen = analysis_of(film, options, [(0.6, -0.2)] * 80, [Cut(Fraction(25), 0.7)])
    sheet = replace(seen.sheet, cues=(replace(seen.sheet.cues[0], notes=()), *seen.sheet.cues[1:]))
    first, second = explain(sheet, options, seen)
    assert (first.overruled, second.overruled) == (None, "Tired")
    assert second.reading.mood == "Peaceful"  # what was read, not what was said
    assert "1.00 s from the time you said: you asked for it" in second.boundary
    words = reasons_text((first, second), options)
    assert (
        "Tired, as you said with --mood; Peaceful was read" in words
        and "its notes stand in the cue sheet" in words
    )


def test_a_mood_on_a_border_is_told_with_both(film):
    options = build()
    seen = analysis_of(film, options, [(-0.3, 0.002)] * 40 + [(-0.3, -0.002)] * 40, [])
    (only,) = explain(seen.sheet, options, seen)
    word, _, why = only.mood.partition(", on its border to ")
    assert word == only.cue.mood and {word, re.match(r"\w+", why)[0]} == {"Anxiety", "Depressed"}
    neutral = analysis_of(film, options, [(0.004, 0.004)] * 80, [])
    (only,) = explain(neutral.sheet, options, neutral)
    assert only.mood.startswith(f"{only.cue.mood}, next to neutral, where the moods meet")


def test_a_short_cue_for_its_cuts(film):
    options = build()
    seen = analysis_of(film, options, [(0.6, -0.2)] * 80, [Cut(Fraction(3), 1.0)])
    (only,) = explain(seen.sheet, options, seen)
    assert only.passed_over.endswith("parted at it, a cue would be shorter than 8 s")


def test_explain_as_a_command(film, tmp_path):
    sheet = tmp_path / "a.cues.json"
    said = run_command("analyze", film.path, "--explain", "--cues", sheet)
    assert said.code == 0, said.err
    assert re.search(r"begins +with the film\n  read .*confidence", said.out)
    plan = run_command("score", film.path, "--cues", sheet, "--dry-run", "--explain", "--json")
    (reason, *_) = plan.result["reasons"]
    assert reason["read"] is None and reason["key"] and reason["boundary"] == "with the film"
    many = run_command("score", film.path, film.path, "-o", tmp_path / "out", "--explain")
    assert many.code == 2 and "--explain is for one film" in many.err
