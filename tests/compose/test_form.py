"""Form: phrases, cadences, themes that return, hits that are struck, short cues as one gesture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue

from videoscore.compose.chords import chord
from videoscore.compose.compose import compose, wish_for
from videoscore.compose.form import UNITS, plan_form
from videoscore.compose.marks import build_up, marks_of
from videoscore.compose.progressions import STOCKS
from videoscore.cues.sheet import CueSheet, CurvePoint, HitPoint
from videoscore.mood.circle import MOODS
from videoscore.music.score import PPQ, Role
from videoscore.settings.fields import ComposeOptions


def film(*cues, seed: int = 0) -> CueSheet:
    return CueSheet("film.mp4", cues[-1].end, tuple(cues), seed=seed)


def form(
    bars: int, mood: str = "Happy", minor: bool = False, goes_on: bool = False, modes=None, beats: int = 4
):
    modes = [minor] * bars if modes is None else modes
    return plan_form(bars, beats, mood, minor, modes, goes_on, lambda *key: Random(repr(key)), Random(1))


@given(st.integers(1, 130), st.sampled_from(MOODS), st.booleans(), st.integers(1, 6), st.booleans())
@settings(deadline=None)
def test_phrases_and_their_chords_cover_every_bar_once(bars, mood, minor, beats, goes_on):
    phrases = form(bars, mood, minor, goes_on, beats=beats)
    at = chords = 0
    for phrase in phrases:
        assert phrase.start == at and phrase.bars > 0
        at += phrase.bars
        for harmony in phrase.chords:
            assert harmony.start == chords and harmony.length > 0
            chords += harmony.length
        assert chords == at * beats * UNITS
    assert at == bars


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("minor", [False, True])
def test_every_half_phrase_is_two_bars_of_chords(mood, minor):
    stock = STOCKS[mood][minor]
    for halves in (stock.openings, stock.journeys, stock.half, stock.full, stock.open, stock.plagal):
        for half in halves:
            first, second = half.split(" | ")
            assert all(len(chord(n, minor).tones) >= 2 for n in (*first.split(), *second.split()))
    tonic = 9 if minor else 0
    assert all(chord(h.split()[-1], minor).root == tonic for h in stock.full), "full closes come home"
    assert all(chord(h.split()[-1], minor).root == (tonic + 7) % 12 for h in stock.half)


def test_a_period_opens_with_a_half_cadence_and_closes_with_a_full_one():
    first, second = form(8)
    assert (first.cadence, second.cadence) == ("half", "end")
    assert first.chords[-1].chord.root == 7 and second.chords[-1].chord.root == 0
    opening = [h.chord for h in first.chords if h.start < 2 * 4 * UNITS]
    assert [h.chord for h in second.chords][: len(opening)] == opening, (
        "antecedent and consequent begin alike"
    )


def test_chords_lead_where_they_must():
    dominant = chord("V7", True)
    assert dominant.tones == (4, 8, 11, 2) and dominant.leading == 8 and dominant.seventh == 2
    assert chord("V65/V", False).bass == 6 and chord("bII6", True).bass == 2
    assert chord("IV@1", False).bass == 0 and chord("viio7", True).tones == (8, 11, 2, 5)
    with pytest.raises(ValueError, match="numeral"):
        chord("H7", False)


def melody(score, first: int, bars: int, beats: int = 4) -> list[tuple[int, int]]:
    a, b = first * beats * PPQ, (first + bars) * beats * PPQ
    return [(n.start - a, n.pitch) for n in score.notes if n.role == Role.MELODY and a <= n.start < b]


def test_the_theme_of_a_mood_comes_back_after_another_mood():
    """Calm, wild, and calm again, longer: the rhythm of the first cue's opening opens the third."""
    for seed in range(4):
        sheet = film(
            cue("1M1", 0, 20, "Peaceful", 8),
            cue("1M2", 20, 40, "Angry", 12, key="A minor"),
            cue("1M3", 40, 80, "Peaceful", 16),
            seed=seed,
        )
        score = compose(sheet)
        assert melody(score, 0, 1) == melody(score, 20, 1) != []


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(2_100, 17_900), min_size=1, max_size=3, unique=True), st.integers(0, 3))
def test_hits_are_struck_by_all_within_forty_milliseconds(times, seed):
    hits = tuple(HitPoint(Fraction(t, 1000), "cut", 0.8) for t in sorted(times))
    sheet = film(replace(cue("1M1", 0, 20, "Dynamic", 11, key="D minor"), hits=hits), seed=seed)
    score = compose(sheet)
    onsets = np.array([float(score.tempo.seconds(n.start)) for n in score.notes])
    for hit in hits:
        near = np.abs(onsets - float(hit.t)) <= 0.041
        roles = {n.role for n, here in zip(score.notes, near) if here}
        assert {Role.MELODY, Role.ACCOMPANIMENT, Role.BASS} <= roles


def test_a_hit_is_played_louder_and_approached_by_a_swell():
    calm = cue("1M1", 0, 20, "Peaceful", 8)
    hit = HitPoint(Fraction(10), "rise", 1.0)
    marks = marks_of(replace(calm, hits=(hit,)))
    assert [m.position for m in marks[4]] == [0]
    score = compose(film(replace(calm, hits=(hit,))))
    at = [n.velocity for n in score.notes if n.start == 16 * PPQ]
    before = [n.velocity for n in score.notes if n.start < 8 * PPQ]
    assert min(at) > max(before)
    swells = [build_up(marks, bar, 8)[1] for bar in range(8)]
    assert swells[3][1] > swells[3][0] >= swells[2][1] > swells[1][1] == 0


@pytest.mark.parametrize(("mood", "long"), [("Angry", False), ("Tired", True)])
@pytest.mark.parametrize("seconds", [Fraction(1, 2), Fraction(5, 2), Fraction(39, 10)])
def test_a_short_cue_is_a_stinger_or_a_held_chord(mood, long, seconds):
    sheet = film(
        cue("1M1", 0, 8, "Happy", 4),
        cue("1M2", 8, 8 + seconds, mood, 1),
        cue("1M3", 8 + seconds, 16 + seconds, "Happy", 4),
    )
    score = compose(sheet)
    section = score.sections[1]
    struck = [n for n in score.notes if section.start <= n.start < section.end]
    assert {n.start for n in struck} == {section.start}
    assert {Role.MELODY, Role.ACCOMPANIMENT, Role.BASS} <= {n.role for n in struck}
    assert all((n.duration > 2 * PPQ) is long for n in struck)


def test_a_film_of_two_seconds_is_one_chord():
    score = compose(film(cue("1M1", 0, 2, "Dynamic", 1)))
    assert score.notes and {n.start for n in score.notes} == {0}
    assert score.tempo.seconds(score.sections[-1].end) == 2


def test_a_curve_inside_a_cue_is_asked_for_bar_by_bar_and_heard():
    points = (CurvePoint(Fraction(0), 0.5, -0.9), CurvePoint(Fraction(64), 0.5, 0.9))
    sheet = film(replace(cue("1M1", 0, 64, "Happy", 32), curve=points))
    arousal = wish_for(sheet, 0, ComposeOptions(), {}).arousal
    assert list(arousal) == sorted(arousal) and arousal[-1] - arousal[0] > 1.2
    quarter = 8 * 4 * PPQ
    scores = [compose(replace(sheet, seed=seed)) for seed in range(4)]
    counts = [
        sum(k * quarter <= n.start < (k + 1) * quarter for score in scores for n in score.notes)
        for k in (0, 2)
    ]
    assert counts[1] > 1.3 * counts[0]


def test_a_phrase_whose_valence_turns_stands_in_the_relative_key():
    """One cue from joy to grief: it begins in major and ends in the minor with the same notes."""
    phrases = form(16, modes=[False] * 8 + [True] * 8)
    assert [p.minor for p in phrases] == [False, False, True, True]
    assert phrases[-1].chords[-1].chord.root == 9 and phrases[0].chords[0].chord.root == 0
    points = (CurvePoint(Fraction(0), 0.6, 0.0), CurvePoint(Fraction(32), -0.6, 0.0))
    score = compose(film(replace(cue("1M1", 0, 32, "Happy", 16), curve=points)))
    last = [n for n in score.notes if n.start >= 15 * 4 * PPQ and n.role == Role.BASS]
    assert last[-1].pitch % 12 == 9


def test_a_cue_of_one_valence_keeps_its_mode_where_it_hardly_matters():
    points = (CurvePoint(Fraction(0), 0.05, 0.0), CurvePoint(Fraction(32), -0.05, 0.0))
    score = compose(film(replace(cue("1M1", 0, 32, "Happy", 16), curve=points)))
    assert score.sections[0].chords[-1] == 1, "C major"
