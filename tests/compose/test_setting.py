"""Cues are set from passages: the right number of bars, closed where they have to be, and the mood's own music
again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.compose.cue import Wish
from videoscore.compose.passages import load_passages
from videoscore.compose.setting import Target, can_set, fit, plan_blocks, ranking, write_setting
from videoscore.cues.meter import TEMPO
from videoscore.errors import SetupError
from videoscore.mood.circle import MOODS, centre
from videoscore.music.score import Role

ALL = frozenset(Role)
STOCK = load_passages()


def wish(bars=16, mood="Happy", beats=4, minor=False, roles=ALL, film=1, **other) -> Wish:
    valence, arousal = centre(mood)
    facts = {
        "valence": (valence,) * bars, "arousal": (arousal,) * bars, "goes_on": False, "film": film, "seed": film,
        "number": 0, "bpm": 100.0,
    }  # fmt: skip
    return Wish(bars=bars, beats=beats, mood=mood, minor=minor, roles=roles, **{**facts, **other})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(STOCK) - 1), st.integers(3, 90), st.booleans(), st.booleans())
def test_a_passage_fills_any_number_of_bars_and_ends_where_it_closes(number, bars, closes, may_vamp):
    passage = STOCK[number]
    vamp, played = fit(passage, bars, closes, may_vamp)
    assert vamp + len(played) == bars and 0 <= vamp <= (3 if may_vamp else 0)
    assert all(0 <= bar < passage.bars for bar in played)
    if closes and bars >= passage.closes[0]:
        assert played[-1] + 1 in passage.closes


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("beats", [3, 4])
def test_every_mood_has_passages_that_lie_about_where_it_does(mood, beats):
    valence, arousal = centre(mood)
    minor = valence < 0
    best = ranking(STOCK, Target(mood, minor, valence, arousal), beats, sum(TEMPO[mood]) / 2)[:10]
    points = STOCK.points_at(sum(TEMPO[mood]) / 2)[list(best)]
    assert len({STOCK[k].piece for k in best}) >= 5
    assert np.abs(points[:, 1].mean() - arousal) < 0.6 and (points[:, 1].mean() > 0.1) == (arousal > 0)
    assert all(STOCK[k].minor == minor for k in best)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MOODS), st.integers(3, 40), st.sampled_from([3, 4]), st.booleans(), st.integers(0, 50))
def test_a_page_stays_in_its_cue(mood, bars, beats, goes_on, film):
    page = write_setting(wish(bars, mood, beats, centre(mood)[0] < 0, film=film, goes_on=goes_on), STOCK)
    end = bars * beats * 24
    assert sum(h.length for h in page.chords) == end and page.chords[0].start == 0
    for tones in page.tones.values():
        assert all(0 <= t.start < t.start + t.length <= end and 21 <= t.pitch <= 108 for t in tones)
    if not goes_on:
        last = [t for rows in page.tones.values() for t in rows if t.start >= end - beats * 24]
        assert {t.start for t in last} <= {end - beats * 24}
        tonic = {9, 0, 4} if centre(mood)[0] < 0 else {0, 4, 7}
        assert {t.pitch % 12 for t in last} <= tonic


def test_a_mood_has_its_music_in_a_film_whatever_the_cue():
    short, long = (plan_blocks(wish(bars, film=3), STOCK)[0] for bars in (12, 24))
    assert short.passage.piece == long.passage.piece and short.tune == long.tune
    others = {plan_blocks(wish(16, film=film), STOCK)[0].passage.piece for film in range(20)}
    assert len(others) >= 5
    own = [plan_blocks(replace(wish(16, film=3), seed=seed), STOCK)[0] for seed in range(4, 12)]
    assert sum((b.passage.piece, b.tune) != (short.passage.piece, short.tune) for b in own) >= 6


def test_a_cue_longer_than_its_passage_hears_it_again_with_its_tune_ornamented():
    block = plan_blocks(wish(80), STOCK)[0]
    assert block.bars.count(0) >= 2
    page = write_setting(wish(80), STOCK)
    bar, again = 96, block.vamp + block.bars.index(0, 1)
    length = block.passage.bars

    def notes(role, at):
        inside = [t for t in page.tones[role] if at * bar <= t.start < (at + length) * bar]
        return {(t.start - at * bar, t.pitch) for t in inside}

    first, second = notes(Role.MELODY, block.vamp), notes(Role.MELODY, again)
    assert first != second and len(first & second) > 0.6 * len(first)  # other notes between the old ones
    others = [role for role in page.tones if role != Role.MELODY]
    assert all(notes(role, block.vamp) == notes(role, again) for role in others)


def test_a_curve_that_goes_elsewhere_changes_the_music_by_whole_phrases():
    arousal = (-0.6,) * 16 + (0.7,) * 16
    valence = (0.5,) * 32
    blocks = plan_blocks(wish(32, "Peaceful", valence=valence, arousal=arousal), STOCK)
    assert len(blocks) == 2 and blocks[1].start == 16
    assert blocks[0].passage.points[1, 1] < blocks[1].passage.points[1, 1] - 0.4
    steady = plan_blocks(wish(32, "Peaceful"), STOCK)
    assert len(steady) == 1


def test_only_the_roles_that_may_play_do_and_no_tone_of_the_chords_is_lost():
    full = write_setting(wish(16, "Dynamic"), STOCK)
    few = write_setting(
        wish(16, "Dynamic", roles=frozenset({Role.MELODY, Role.ACCOMPANIMENT, Role.BASS})), STOCK
    )
    assert set(few.tones) <= {Role.MELODY, Role.ACCOMPANIMENT, Role.BASS} and not few.strokes

    def at(page, role=None):
        return {(t.start, t.pitch) for r, rows in page.tones.items() for t in rows if role in (None, r)}

    assert at(few) == at(full)
    pad = write_setting(wish(16, "Tired", roles=ALL, required=frozenset({Role.PAD, Role.COUNTER})), STOCK)
    assert pad.tones[Role.PAD] and pad.tones[Role.COUNTER]


def test_what_cannot_be_set():
    assert not can_set(wish(2), STOCK) and not can_set(wish(16, beats=5), STOCK)
    assert can_set(wish(16, beats=3), STOCK)


def test_a_damaged_stock_says_what_to_do(tmp_path):
    path = tmp_path / "passages.npz"
    path.write_bytes(b"no stock")
    with pytest.raises(SetupError, match="passages can't be read"):
        load_passages(path)
