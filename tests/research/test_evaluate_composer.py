"""The composer's evaluation: figures whose value is known beforehand."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from videoscore.mood.circle import centre, mood_of
from videoscore.music.score import PPQ, Note, Role, Score, Section, TempoMap
from videoscore.research.composer import following, overlap, texture
from videoscore.research.composer import hit_rates as hits
from videoscore.research.composer import sheets as asked
from videoscore.research.composer.sheets import Task
from videoscore.research.composer.texture import Passage


def bars_of(*bars: list[tuple[int, int]]) -> Passage:
    """Bars of 4/4 from (onset in 1/24 quarters, pitch)."""
    notes = sorted((96 * k + onset, pitch) for k, bar in enumerate(bars) for onset, pitch in bar)
    onset, pitch = np.array(notes, np.int64).reshape(-1, 2).T
    return Passage(
        onset,
        np.full(len(onset), 12),
        pitch,
        np.zeros(len(onset), np.int64),
        2.0 * len(bars),
        np.arange(len(bars) + 1) * 96,
    )


ONE, OTHER = [(0, 60), (24, 64), (48, 67)], [(12, 62), (36, 65)]


def test_figures_of_form():
    p = bars_of(ONE, OTHER, ONE, OTHER, ONE, OTHER)
    assert texture.self_similarity(p, 2) == 1.0 and texture.self_similarity(p, 1) == 0.0
    assert np.isnan(texture.self_similarity(p, 16))
    assert texture.grooving(bars_of(ONE, ONE, ONE)) == 1.0
    assert texture.grooving(bars_of(ONE, OTHER)) == pytest.approx(1 - 5 / 16)
    assert texture.identical_in_a_row(bars_of(OTHER, ONE, ONE, ONE, OTHER)) == 3
    assert texture.identical_in_a_row(bars_of([], [], [], ONE)) == 1, "silence isn't a repetition"
    assert texture.empty_bars(bars_of(ONE, [], [], ONE)) == 0.5
    assert texture.intervals(bars_of(ONE)).tolist() == [4, 3]


def test_overlap_of_distributions():
    rng = np.random.default_rng(0)
    one, same, far = rng.normal(0, 1, 4000), rng.normal(0, 1, 4000), rng.normal(50, 1, 4000)
    assert overlap.overlap(one, same) > 0.95 and overlap.overlap(one, far) < 0.01
    half = np.r_[np.zeros(50), np.ones(50)]
    assert overlap.overlap(half, np.zeros(100), np.array([-0.5, 0.5, 1.5])) == 0.5


def test_hit_rates():
    heard = np.array([(0.5, 0.1), (-0.5, 0.5), (-0.5, -0.5), (0.5, 0.5)])
    wanted = np.array([centre("Happy"), centre("Happy"), centre("Happy"), centre("Dynamic")])
    rates = hits.rates(heard, wanted, octants=True)
    assert mood_of(0.5, 0.5) == "Dynamic"
    assert rates == {
        "arousal": 0.75,
        "valence": 0.5,
        "quadrant": 0.5,
        "octant": 0.5,
        "octant or its neighbour": 0.5,
    }


def test_moods_one_by_one():
    heard = np.array([(0.5, 0.1), (0.1, 0.5), (-0.5, -0.5)])
    wanted = np.array([centre("Happy"), centre("Happy"), centre("Tired")])
    found = hits.by_mood(heard, wanted)
    assert list(found) == ["Happy", "Tired"]
    assert found["Happy"] == {
        "valence": pytest.approx(0.3),
        "arousal": pytest.approx(0.3),
        "octant": 0.5,
        "octant or its neighbour": 1.0,
    }
    assert found["Tired"]["octant"] == 0.0


def test_controls_do_not_know_what_they_must_not():
    high, low = Task(-0.6, 0.6, 12, 3), Task(0.6, -0.6, 12, 3)
    assert asked.unasked(high) == asked.unasked(low)
    keys = {asked.unasked(replace(high, seed=s)).cues[0].key.split()[1] for s in range(20)}
    assert keys == {"major", "minor"}, "the mode is drawn by lot"
    assert asked.unasked(high).cues[0].bpm == 100
    assert asked.paced(high).cues[0].bpm > 130 > 90 > asked.paced(low).cues[0].bpm
    assert asked.moded(high).cues[0].key.endswith("minor") and asked.moded(low).cues[0].key.endswith("major")
    for sheet in (asked.unasked(high), asked.paced(high), asked.moded(high)):
        assert sheet.cues[0].at(Fraction(5)) == (0.0, 0.0)
    assert asked.spotted(high).cues[0].mood != asked.spotted(low).cues[0].mood


def score_of(starts: list[int], seconds: int, pitch=lambda s: 60) -> Score:
    """Notes at these beats, 120 to the minute."""
    notes = tuple(Note(s * PPQ // 2, Role.MELODY, pitch(s), PPQ // 2, 64) for s in starts)
    whole = Section("1M1", "Happy", 0.0, 0.0, "C major", 0, seconds * 2 * PPQ, seconds // 2, 4)
    return Score(notes, (whole,), TempoMap(((0, 500_000),)), Fraction(seconds))


def test_the_density_knob_leaves_only_beats():
    score = score_of(list(range(16)), 8)
    assert asked.thinned(score, Task(0.6, 0.6, 8, 0)) == score
    assert [n.start % PPQ for n in asked.thinned(score, Task(0.6, -0.6, 8, 0)).notes] == [0] * 8


def test_every_kind_of_moving_piece_moves():
    pieces = following.pieces(16, 5)
    assert {p.kind for p in pieces} == {f"{k}, {c}" for k in ("ramp", "step") for c in ("one cue", "3 cues")}
    for p in pieces:
        assert 60 <= p.sheet.duration <= 90 and p.sheet.cues[-1].end == p.sheet.duration
        assert p.sheet.cues[0].start == 0 and all(
            a.end == b.start for a, b in zip(p.sheet.cues, p.sheet.cues[1:])
        )
        curve = np.array([p.asked(t, t + 10) for t in range(0, 50, 5)])
        assert np.ptp(curve, axis=0).max() > 0.5
        assert np.abs(curve).max() <= following.REACH + 1e-9


def test_a_score_that_does_what_is_asked_follows_and_one_that_does_not_does_not():
    """More and more notes under a rising arousal are followed; under a falling one they are not."""
    rising = [p for p in following.pieces(32, 5) if p.kind == "ramp, one cue"]
    up = next(p for p in rising if p.asked(0, 1)[1] < -0.5 and abs(p.asked(0, 1)[0]) < 0.1)
    down = next(p for p in rising if p.asked(0, 1)[1] > 0.5 and abs(p.asked(0, 1)[0]) < 0.1)
    seconds = int(up.sheet.duration)
    starts = [s for s in range(seconds * 4) if s % max(1, round(8 - 8 * s / (seconds * 4))) == 0]
    score = score_of(starts, seconds, lambda s: 60 + 7 * (s % 3))
    assert following.following([up], [score], "judge")["arousal"]["correlation"] > 0.5
    assert following.following([down], [score], "judge")["arousal"]["correlation"] < -0.5
    assert "valence" not in following.following([up], [score], "judge"), "it isn't asked to move"


def corpus_file(folder):
    """Two pieces, one of them held out, of 40 bars of a scale."""
    bars = 80
    path = folder / "corpus.npz"
    np.savez(
        path,
        note_bar=np.repeat(np.arange(bars), 4),
        note_pos=np.tile([0, 24, 48, 72], bars),
        note_role=np.zeros(4 * bars, int),
        note_pitch=60 + np.arange(4 * bars) % 9,
        note_dur=np.full(4 * bars, 24),
        bar_len=np.full(bars, 96),
        bar_tempo=np.full(bars, 120.0),
        bar_piece=np.repeat([0, 1], 40),
        piece_split=np.array([0, 1]),
    )
    return path


def test_real_music_is_cut_in_whole_bars(tmp_path):
    from videoscore.research.composer.real_music import HELD_OUT, TRAINED, Corpus

    corpus = Corpus(corpus_file(tmp_path))
    (piece,) = corpus.pieces(TRAINED)
    assert len(piece.bars) == 41 and len(piece.onset) == 160 and piece.seconds == 80
    for p in corpus.passages(HELD_OUT, 10, 5):
        assert p.seconds == 10 and p.bars[0] == 0 and p.bars[-1] == 5 * 96 and p.onset.max() < p.bars[-1]


@pytest.mark.slow
def test_the_whole_evaluation(tmp_path):
    from videoscore.research.composer.evaluate import Settings, evaluate
    from videoscore.research.composer.table import lines

    report = evaluate(Settings(cues=8, pieces=4, seconds=6, probe=3, long=20, corpus=corpus_file(tmp_path)))
    text = "\n".join(lines(json.loads(json.dumps(report))))
    assert report["cues"] == 8 and len(report["corners"]) == 4
    for words in ("mood unsaid", "octant", "shuffled", "overlap", "longest run", "minutes of music"):
        assert words in text
    assert report["memory"]["peak"] < 2000
