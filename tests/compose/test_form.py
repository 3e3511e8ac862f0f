"""Form: phrases, cadences, themes that return, hits that are struck, short cues as one gesture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue
from videoscore.compose.network.load import load_composer
from videoscore.compose.plan.form import Return, phrases
from videoscore.compose.plan.harmony import DOMINANT, TONIC
from videoscore.compose.plan.plan import Planner, marks_of

from videoscore.compose.compose import compose
from videoscore.cues.sheet import CueSheet, CurvePoint, HitPoint
from videoscore.music.score import PPQ, Role


def film(*cues, seed: int = 0) -> CueSheet:
    return CueSheet("film.mp4", cues[-1].end, tuple(cues), seed=seed)


def planned(sheet: CueSheet):
    return Planner(load_composer()[1]).sheet(sheet)


def test_sentences_have_eight_bars():
    assert [p.bars for p in phrases(24, sentences=True)] == [8, 8, 8]
    assert [p.letter for p in phrases(24, sentences=True)] == ["A", "B", "A"]


@given(st.integers(1, 200), st.booleans())
def test_phrases_cover_every_bar_once(bars, sentences):
    ps = phrases(bars, sentences)
    assert [p.first for p in ps] == [sum(q.bars for q in ps[:i]) for i in range(len(ps))]
    assert sum(p.bars for p in ps) == bars and [p.last for p in ps] == [False] * (len(ps) - 1) + [True]


def test_a_cue_closes_with_an_authentic_cadence_and_a_period_opens_with_a_half():
    bars = planned(film(cue("1M1", 0, 16, "Happy", 8, key="G major")))
    chords = [b.plan.chord for b in bars]
    assert chords[-2:] == [DOMINANT[False], TONIC[False]]
    assert chords[3] == DOMINANT[False] and chords[0] == TONIC[False]


def test_before_a_cue_in_the_same_key_the_music_stays_open():
    bars = planned(film(cue("1M1", 0, 16, "Happy", 8), cue("1M2", 16, 32, "Dynamic", 8)))
    assert bars[7].plan.chord == DOMINANT[False] and bars[7].plan.next_chord == TONIC[False]


def test_a_returning_phrase_keeps_its_tune_and_later_only_its_tune():
    bars = planned(film(cue("1M1", 0, 64, "Peaceful", 32), seed=3))
    hows = [b.how for b in bars if b.replay is not None]
    assert Return.WHOLE in hows and Return.MELODY in hows
    assert all(b.replay < b.number for b in bars if b.replay is not None)


def melody(score, first: int, bars: int, beats: int = 4) -> list[tuple[int, int]]:
    a, b = first * beats * PPQ, (first + bars) * beats * PPQ
    return [(n.start - a, n.pitch) for n in score.notes if n.role == Role.MELODY and a <= n.start < b]


def test_the_theme_of_a_mood_comes_back_after_another_mood():
    """Calm, wild, and calm again but for a little: the tune of the first cue opens the third."""
    back = cue("1M3", 40, 56, "Peaceful", 8)
    back = replace(back, curve=tuple(replace(p, arousal=p.arousal + 0.4) for p in back.curve))
    sheet = film(cue("1M1", 0, 20, "Peaceful", 8), cue("1M2", 20, 40, "Angry", 12, key="A minor"), back)
    bars = planned(sheet)
    returned = [b for b in bars if b.cue == 2 and b.replay is not None]
    assert len(returned) >= 2 and all(b.how is Return.MELODY and bars[b.replay].cue == 0 for b in returned)
    score = compose(sheet)
    for b in returned:
        assert melody(score, b.number, 1) == melody(score, b.replay, 1)


def accompaniment(score, first: int, beats: int = 4) -> list[tuple[int, int]]:
    a = first * beats * PPQ
    return [
        (n.start - a, n.pitch)
        for n in score.notes
        if n.role != Role.MELODY and a <= n.start < a + beats * PPQ
    ]


def test_a_varied_return_is_written_anew_around_its_tune():
    sheet = film(cue("1M1", 0, 64, "Happy", 32), seed=1)
    bars, score = planned(sheet), compose(sheet)
    varied = [
        b for b in bars if b.how is Return.MELODY and b.replay is not None and melody(score, b.replay, 1)
    ]
    assert varied
    assert all(melody(score, b.number, 1) == melody(score, b.replay, 1) for b in varied)
    assert any(accompaniment(score, b.number) != accompaniment(score, b.replay) for b in varied)


@settings(max_examples=6, deadline=None)
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
    (position,) = marks_of(replace(calm, hits=(hit,)))[4]
    assert position.position == 0
    with_hit = compose(film(replace(calm, hits=(hit,))))
    at = [n.velocity for n in with_hit.notes if n.start == 16 * PPQ]
    before = [n.velocity for n in with_hit.notes if n.start < 8 * PPQ]
    assert min(at) > max(before)
    approach = [b.swell for b in planned(film(replace(calm, hits=(hit,))))]
    assert approach[3][1] > approach[3][0] >= approach[2][1] > approach[1][1] == 0


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
    chord = [n for n in score.notes if section.start <= n.start < section.end]
    assert {n.start for n in chord} == {section.start}
    assert {Role.MELODY, Role.ACCOMPANIMENT, Role.BASS} <= {n.role for n in chord}
    assert all((n.duration > 2 * PPQ) is long for n in chord)


def test_a_film_of_two_seconds_is_one_chord():
    score = compose(film(cue("1M1", 0, 2, "Dynamic", 1)))
    assert score.notes and {n.start for n in score.notes} == {0}
    assert score.tempo.seconds(score.sections[-1].end) == 2


def test_a_curve_inside_a_cue_is_heard_bar_by_bar():
    points = (CurvePoint(Fraction(0), 0.5, -0.5), CurvePoint(Fraction(32), 0.5, 0.9))
    bars = planned(film(replace(cue("1M1", 0, 32, "Happy", 16), curve=points)))
    arousal = [b.plan.arousal for b in bars]
    assert arousal == sorted(arousal) and arousal[-1] - arousal[0] > 1.2


def test_a_phrase_whose_valence_turns_stands_in_the_relative_key():
    """One cue from joy to grief: it begins in major and ends in the minor with the same notes."""
    points = (CurvePoint(Fraction(0), 0.6, 0.0), CurvePoint(Fraction(32), -0.6, 0.0))
    bars = planned(film(replace(cue("1M1", 0, 32, "Happy", 16), curve=points)))
    modes = [b.plan.minor for b in bars]
    assert modes[:4] == [False] * 4 and modes[-4:] == [True] * 4
    assert bars[-1].plan.chord == TONIC[True] and bars[-2].plan.chord == DOMINANT[True]
    assert all(len(set(modes[k : k + 4])) == 1 for k in range(0, 16, 4))


def test_a_cue_of_one_valence_keeps_its_mode_where_it_hardly_matters():
    points = (CurvePoint(Fraction(0), 0.05, 0.0), CurvePoint(Fraction(32), -0.05, 0.0))
    bars = planned(film(replace(cue("1M1", 0, 32, "Happy", 16), curve=points)))
    assert not any(b.plan.minor for b in bars)
