"""Moods in words: read from text, put on a film's cuts, and overruling what was read there."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from conftest import run_command
from hypothesis import given, settings
from hypothesis import strategies as st
from media import make_clip

import videoscore
from videoscore.cues.check import check
from videoscore.cues.file.sheet_file import dumps, load, loads
from videoscore.cues.mood_words import moods_between, read_moods
from videoscore.cues.spot.overrule import overrule, stretches
from videoscore.cues.spot.spot import spot
from videoscore.cues.wishes import cue_sheet, read
from videoscore.errors import UsageError
from videoscore.mood.circle import MOODS, mood_of
from videoscore.mood.curve import MoodCurve
from videoscore.settings.fields import SpotOptions
from videoscore.video.frames import Cut


def curve_of(seconds: float, seed: int = 0) -> MoodCurve:
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, seconds, 0.5)
    va = np.clip(np.cumsum(rng.normal(0, 0.08, (len(t), 2)), 0) + rng.uniform(-0.5, 0.5, 2), -1, 1)
    return MoodCurve(t, va[:, 0], va[:, 1], np.full((len(t), 8), 1 / 8), np.full(len(t), 0.4))


def spotted(words: str | None, cuts=(), seconds: int = 90, seed: int = 0):
    options = SpotOptions(mood=words)
    return spot(
        curve_of(seconds, seed), [Cut(Fraction(str(t)), s) for t, s in cuts], Fraction(seconds), options
    )


def test_words_are_read_in_any_case_and_clock():
    assert [str(m) for m in read_moods("peaceful, 42 DYNAMIC;1:02:03.5 Read")] == [
        "0:00 Peaceful",
        "0:42 Dynamic",
        "62:03.500 read",
    ]
    assert [m.exact for m in read_moods("Happy, 1001/24 Tired, 0:50 Angry, 60.0 read")] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("Dynmic", "no mood 'Dynmic'", "Did you mean Dynamic?"),
        ("", "it says nothing", '"0:00 Peaceful'),
        ("0:00", "not a time and a mood in '0:00'", '"Peaceful"'),
        ("Happy, Tired", "no time in 'Tired'", '"0:00 Peaceful'),
        ("0:10 Happy, 0:10.2 Tired", "doesn't come after '0:10 Happy'", "half a second"),
        ("x:10 Happy", "not a time", "clock time"),
        ("0:10 Happy Tired", "not a time and a mood", '"0:00 Peaceful'),
    ],
)
def test_what_cannot_be_read_is_one_line_with_a_remedy(text, problem, remedy):
    with pytest.raises(UsageError) as error:
        read_moods(text)
    assert problem in str(error.value) and remedy in str(error.value)
    assert "\n" not in str(error.value)


def test_one_word_holds_for_the_whole_film():
    sheet = spotted("tired", seconds=200)
    assert len(sheet.cues) > 1 and {c.mood for c in sheet.cues} == {"Tired"}
    assert {mood_of(p.valence, p.arousal) for c in sheet.cues for p in c.curve} == {"Tired"}
    assert sheet.notes == {"mood": "0:00 Tired"}


def test_times_move_to_the_nearest_cut_within_reach_and_are_kept_elsewhere():
    cuts = [(20.4, 0.9), (44, 0.2), (60, 0.9)]
    sheet = spotted("0:22 Happy, 0:42 Angry, 0:50 Tired, 0:58.5 Dynamic", cuts)
    starts = {c.start: c.start_on for c in sheet.cues}
    assert starts[Fraction("20.4")] == "cut" and starts[Fraction(44)] == "cut"
    assert starts[Fraction(50)] == "edit"
    assert starts[Fraction("58.5")] == "edit"  # a time with decimals is meant as it is
    assert sheet.notes["mood"] == "0:20.400 Happy, 0:44 Angry, 0:50 Tired, 0:58.500 Dynamic"
    assert loads(dumps(sheet)) == sheet


def test_two_words_never_share_a_cut():
    sheet = spotted("0:40 Happy, 0:41 Angry", [(40.5, 1.0)])
    happy, angry = (next(c for c in sheet.cues if c.mood == m and c.start >= 40) for m in ("Happy", "Angry"))
    assert angry.start - happy.start >= Fraction(1, 2)


def test_before_the_first_word_and_after_read_the_film_is_as_it_reads():
    plain, sheet = spotted(None), spotted("0:30.0 Angry, 1:00.0 read")
    at = [Fraction(k) for k in (5, 15, 25, 65, 75, 85)]

    def on(cues, t):
        return next(c for c in cues if c.start <= t < c.end).at(t)

    for t in at:
        assert np.allclose(on(plain.cues, t), on(sheet.cues, t), atol=0.07)  # lines are thinned to .03 each
    assert {c.mood for c in sheet.cues if 30 <= c.start < 60} == {"Angry"}


def test_a_time_past_the_end_says_where_the_end_is():
    with pytest.raises(UsageError, match=r"'1:30 Happy' lies past the end, at 90 s. .*before 1:30"):
        spotted("1:30 Happy")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.integers(1, 88), st.sampled_from([*MOODS, "read"])), max_size=5),
    st.lists(st.integers(1, 890), max_size=12, unique=True),
)
def test_any_words_over_any_film_hold_where_they_are_said(seed, asked, tenths):
    asked = sorted(dict(asked).items())
    words = ", ".join(["Peaceful", *(f"{t} {m}" for t, m in asked)])
    cuts = [Cut(Fraction(k, 10), 0.5) for k in sorted(tenths)]
    curve = curve_of(90, seed)
    parts = stretches(words, cuts, Fraction(90))
    assert parts[0].start == 0 and parts[-1].end == 90
    assert all(a.end == b.start and a.end > a.start for a, b in zip(parts, parts[1:]))
    moved = overrule(curve, parts, cuts, Fraction(90))
    sheet = spot(curve, cuts, Fraction(90), SpotOptions(mood=words))
    check(sheet)
    for part in parts:
        rows = (curve.t >= float(part.start)) & (curve.t < float(part.end))
        inside = [c for c in sheet.cues if part.start <= c.start < part.end]
        assert inside[0].start == part.start and inside[-1].end == part.end
        if part.mood is None:
            assert np.array_equal(moved.valence[rows], curve.valence[rows])
        else:
            assert {c.mood for c in inside} == {part.mood}
            assert {mood_of(*va) for va in zip(moved.valence[rows], moved.arousal[rows])} <= {part.mood}


def test_the_course_inside_keeps_its_shape():
    t = np.arange(0, 60, 0.5)
    arousal = 0.1 * np.sin(t / 5)
    curve = MoodCurve(t, np.full(len(t), 0.5), arousal, np.full((len(t), 8), 1 / 8), np.ones(len(t)))
    moved = overrule(curve, stretches("Angry", [], Fraction(60)), [], Fraction(60))
    assert np.corrcoef(moved.arousal, arousal)[0, 1] > 0.999
    assert np.ptp(moved.arousal) > 0.1


def test_words_for_a_part_of_a_film():
    words = "Happy, 0:30 Tired, 0:50.25 read"
    assert moods_between(words, Fraction(20), Fraction(60)) == "0/1 Happy, 0:10 Tired, 121/4 read"
    assert moods_between("0:30 Tired", Fraction(0), Fraction(20)) is None


def test_music_without_a_film_takes_moods_over_time():
    sheet = cue_sheet(read(mood="Peaceful, 0:42 dynamic", seconds=90))
    assert [(c.mood, c.start) for c in sheet.cues] == [("Peaceful", 0), ("Dynamic", 42)]
    on_grid = cue_sheet(read(mood="Peaceful, 0:42 dynamic", seconds=90, tempo=120))
    assert {c.bpm for c in on_grid.cues} == {120} and on_grid.cues[1].start == 42
    for words in ("0:10 Happy", "Happy, 0:10 read"):
        with pytest.raises(UsageError, match="first from 0:00"):
            read(mood=words, seconds=90)


# ---------------------------------------------------------------- as a user


def test_analyze_overrules_a_film_and_says_where_the_words_hold(tmp_path):
    film = make_clip(tmp_path / "film.mp4", seconds=20, cuts=(270,), fps=25)
    said = run_command(
        "analyze", film.path, "--cues", tmp_path / "a.cues.json", "--mood", "Peaceful, 0:10 Angry"
    )
    assert said.code == 0, said.err
    sheet = load(tmp_path / "a.cues.json")
    assert [(c.mood, c.start) for c in sheet.cues] == [("Peaceful", 0), ("Angry", film.cuts[0])]
    assert "note: 0:10 Angry holds from the cut at 0:10.800" in said.err
    assert sheet.notes["mood"] == "0:00 Peaceful, 0:10.800 Angry"
    late = run_command("score", film.path, "--dry-run", "--mood", "0:21 Happy")
    assert late.code == 2 and late.err.count("\n") == 1 and "past the end, at 20 s" in late.err
    wrong = run_command("preview", film.path, "--mood", "Glad")
    assert wrong.code == 2 and "The moods are Happy" in wrong.err
    idle = run_command("score", film.path, "--cues", tmp_path / "a.cues.json", "--mood", "Happy")
    assert idle.code == 2 and "--mood has no effect with a cue sheet" in idle.err
    seen = videoscore.analyze(film.path, mood="withered")
    assert {c.mood for c in seen.sheet.cues} == {"Withered"}
