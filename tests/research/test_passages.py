"""Passages are made as it says: a piece's accompaniment as it stands, with tunes that it doesn't have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoscore.compose.passages import load_passages
from videoscore.music.score import Role
from videoscore.research.composer.harmony import local_scale, read_harmony
from videoscore.research.composer.paraphrase import (
    OFFSETS,
    paraphrase,
    returns,
    shared_classes,
    shared_run,
    spots_of,
    tune_of,
)
from videoscore.research.composer.passages import mine_passages, own_tunes, points_of

BAR, UNITS = 96, 24
# Bars of chords: C F G C and C Am Dm G, as (bass, three tones above)
SIMPLE = [(48, 64, 67, 72), (53, 65, 69, 72), (43, 62, 67, 71), (48, 64, 67, 72)]
OTHER = [(48, 64, 67, 72), (45, 64, 69, 72), (50, 65, 69, 74), (43, 62, 67, 71)]
TUNE = (72, 76, 79, 77, 76, 72, 77, 81, 79, 77, 74, 71, 74, 77, 76, 72)


def passage(chords, broken: bool, times: int = 2, tune=TUNE):
    """Bars with a tune in quarters, block chords or broken ones in quarters, and a bass."""
    rows = []
    for k, (bass, *upper) in enumerate(chords * times):
        at = k * BAR
        rows.append((at, BAR, bass, Role.BASS, 80))
        for n, pitch in enumerate(upper):
            rows.append(
                (at + n * UNITS if broken else at, UNITS if broken else BAR, pitch, Role.ACCOMPANIMENT, 80)
            )
        for n in range(4):
            rows.append((at + n * UNITS, UNITS, tune[(4 * k + n) % len(tune)], Role.MELODY, 80))
    return np.array(sorted(rows))


def test_chords_are_read_from_what_sounds():
    got = read_harmony(passage(SIMPLE, broken=True)[:, :4], 8 * BAR, UNITS)
    assert [got[4 * k] for k in range(4)] == [(0, ""), (5, ""), (7, ""), (0, "")]
    assert len(got) == 32


@given(st.lists(st.integers(0, 11), max_size=8))
def test_a_scale_has_seven_steps_and_what_sounds(classes):
    scale = local_scale(set(classes))
    assert len(set(scale)) == 7 and scale == tuple(sorted(scale))


@pytest.mark.parametrize("offset", OFFSETS)
def test_another_tune_keeps_the_rhythm_and_the_chords_and_little_else(offset):
    notes = passage(SIMPLE, broken=False)
    spots = spots_of(notes[:, :4], BAR, 8 * BAR)
    pitches = paraphrase(spots, offset)
    assert len(pitches) == len(tune_of(notes[:, :4])) == 32
    assert shared_run(spots, pitches) <= 8 and shared_classes(spots, pitches) < 0.5
    heavy = [p % 12 in s.chord for s, p in zip(spots, pitches) if s.weight > 0.8]
    assert np.mean(heavy) > 0.8
    leaps = np.abs(np.diff(pitches))
    assert leaps.max() <= 12 and np.mean(leaps <= 4) > 0.6
    assert pitches == paraphrase(spots, offset)
    assert pitches[-1] % 12 in spots[-1].chord


# one motif in three places, and a close
MOTIVIC = (72, 76, 79, 77, 74, 77, 81, 79, 76, 79, 83, 81, 72, 74, 76, 72)


@pytest.mark.parametrize("offset", OFFSETS)
def test_where_the_old_tune_came_back_to_its_motif_the_new_one_does(offset):
    notes = passage(SIMPLE, broken=False, tune=MOTIVIC)
    spots = spots_of(notes[:, :4], BAR, 8 * BAR)
    steps = [spot.step(spot.pitch) for spot in spots]
    links = returns(spots, steps)
    assert links[17:32] == list(range(1, 16))  # the second time is all a return
    assert links[5:8] == [1, 2, 3]  # and so is the motif's second place
    new = paraphrase(spots, offset)
    moves = np.diff([spot.step(pitch) for spot, pitch in zip(spots, new)])
    assert np.mean(moves[:15] == moves[16:31]) > 0.8


def test_a_tune_stays_with_parts_that_move_in_octaves():
    line = (60, 62, 64, 65, 67, 65, 64, 62)
    rows = [
        (k * UNITS, UNITS, pitch + up, role, 80)
        for k, pitch in enumerate(line * 4)
        for up, role in ((12, Role.MELODY), (0, Role.ACCOMPANIMENT), (-12, Role.BASS))
    ]
    spots = spots_of(np.array(sorted(rows))[:, :4], BAR, 8 * BAR)
    new = paraphrase(spots, OFFSETS[0])
    assert np.mean([p % 12 == s.pitch % 12 for p, s in zip(new, spots)]) > 0.8


def corpus(path, names=("a", "b", "held")):
    """Pieces of eight bars; the last is held out."""
    rows, bars = [], []
    for piece in range(len(names)):
        for onset, duration, pitch, role, velocity in passage(SIMPLE, broken=bool(piece % 2)).tolist():
            rows.append((piece * 8 + onset // BAR, onset % BAR, role, pitch, duration, velocity))
        bars += [piece] * 8
    table, count = np.array(rows), len(bars)
    np.savez(
        path,
        note_bar=table[:, 0], note_pos=table[:, 1], note_role=table[:, 2], note_pitch=table[:, 3],
        note_dur=table[:, 4], note_vel=table[:, 5], bar_len=np.full(count, BAR), bar_den=np.full(count, 4),
        bar_minor=np.zeros(count, int), bar_chord=np.tile([1, 16, 22, 1], count // 4), bar_segment=np.array(bars),
        bar_valence=np.full(count, 0.5), bar_arousal=np.full(count, 0.25), bar_piece=np.array(bars),
        bar_tempo=np.full(count, 100.0), piece_name=np.array(names), piece_set=np.array(["mutopia"] * len(names)),
        piece_split=np.array([0] * (len(names) - 1) + [1]),
    )  # fmt: skip
    return path


def test_a_stock_is_made_of_what_may_be_read_and_comes_back_from_its_file(tmp_path):
    said: list[str] = []
    stock = mine_passages(corpus(tmp_path / "c.npz"), said.append)
    assert len(stock) and "passages" in said[-1]
    assert not any("held" in piece for piece in stock.pieces)
    stock.save(tmp_path / "one.npz")
    mine_passages(tmp_path / "c.npz").save(tmp_path / "two.npz")
    again = load_passages(tmp_path / "one.npz")
    same = load_passages(tmp_path / "two.npz")
    for k in range(len(stock)):
        own, other = stock[k], again[k]
        assert own.bar == BAR and own.bars == 8 and own.closes[-1] == 8
        assert own.piece in ("mutopia/a", "mutopia/b")
        assert (own.notes == other.notes).all() and (own.tunes == other.tunes).all()
        assert (own.tunes == same[k].tunes).all() and len(own.chords) == 32
        assert not (own.notes[:, 3] == Role.MELODY).any()
        below = passage(SIMPLE, broken=own.piece == "mutopia/b")
        below = below[below[:, 3] != Role.MELODY]
        assert sorted(map(tuple, own.notes.tolist())) == sorted(map(tuple, below.tolist()))
        for pitches in own.tunes:  # not the piece's own
            assert np.mean(np.array(TUNE * 2) % 12 == pitches % 12) <= 0.35


def test_only_what_asks_for_no_credit_is_taken(tmp_path):
    path = corpus(tmp_path / "c.npz")
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, "piece_set": np.array(["film_and_game", "openscore_lieder", "mutopia"])})
    assert {str(piece) for piece in mine_passages(path).pieces} == {"openscore_lieder/b"}


def test_what_everybody_knows_is_left_out(tmp_path):
    stock = mine_passages(corpus(tmp_path / "c.npz", ("ChopinFF__O28__4", "somebody", "held")))
    assert {str(piece) for piece in stock.pieces} == {"mutopia/somebody"}


def test_a_tune_that_some_piece_has_is_thrown_away(tmp_path):
    path = corpus(tmp_path / "c.npz")
    rhythm = [(k * UNITS, UNITS) for k in range(32)]
    copy = [TUNE[k % 16] + 5 for k in range(32)]  # in another key
    own = [72 + (k * 5) % 7 for k in range(32)]
    kept = own_tunes([{"rhythm": rhythm, "tunes": [copy, own]}, {"rhythm": rhythm, "tunes": [copy]}], path)
    assert [row["tunes"] for row in kept] == [[own]]


def test_a_passage_sounds_livelier_faster():
    notes = passage(SIMPLE, broken=True)
    tune = tune_of(notes[:, :4])
    points = points_of(notes[notes[:, 3] != Role.MELODY], [n[:2] for n in tune], [n[2] for n in tune])
    arousal = [a for _, a in points]
    assert arousal == sorted(arousal) and arousal[-1] > arousal[0] + 0.2
