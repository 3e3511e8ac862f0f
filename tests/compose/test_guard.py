"""The guards of the decoder: no bar again and again, and hashes that find a copy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue

from videoscore.compose.network.decode import Decoder, Sampling
from videoscore.compose.network.load import load_composer
from videoscore.compose.plan.form import Return
from videoscore.compose.plan.guide import push
from videoscore.compose.plan.plan import Planner
from videoscore.compose.write.guard import MOST, Guard
from videoscore.compose.write.hand import NO, Hand, Written
from videoscore.compose.write.realise import realise
from videoscore.compose.write.writing import Writing
from videoscore.cues.sheet import CueSheet
from videoscore.music.score import Role
from videoscore.research.composer.copies import LONGEST, longest_shared, melody, summary, texture, tokens
from videoscore.research.composer.texture import Passage, identical_in_a_row, passage
from videoscore.settings.fields import ComposeOptions


def film(bars: int = 14) -> CueSheet:
    return CueSheet("film.mp4", Fraction(2 * bars), (cue("1M1", 0, 2 * bars, "Happy", bars),))


def bar_of(number: int, *pitches: int) -> list[Written]:
    """The pitches on the beats, over a bass note."""
    return [Written(number, 0, Role.MELODY, pitches[0], 24), Written(number, 0, Role.BASS, 48, 96)] + [
        Written(number, 24 * k, Role.MELODY, p, 24) for k, p in enumerate(pitches) if k
    ]


def test_a_plan_that_repeats_one_bar_for_ever_is_broken_up():
    sheet, (model, harmony) = film(), load_composer()
    bars = [
        b if b.number == 0 else replace(b, replay=0, how=Return.WHOLE) for b in Planner(harmony).sheet(sheet)
    ]
    writing = Writing(sheet, bars, push(bars, ComposeOptions()), 1, True)
    with torch.inference_mode():
        Decoder(model, Sampling(), guided=True).write([writing])
    assert identical_in_a_row(passage(realise(sheet, bars, writing.page))) == MOST, (
        "four are a figure, five a fault"
    )


def hand_after(same: int) -> Hand:
    """A hand that opens a bar after `same` bars of the same notes, and one that differs before them."""
    _, harmony = load_composer()
    hand = Hand(Planner(harmony).sheet(film()), same + 1, 14, np.random.default_rng(0))
    hand.earlier = {0: bar_of(0, 72)} | {k: bar_of(k, 72, 74, 76) for k in range(1, same + 1)}
    hand.open_bar()
    return hand


def test_only_the_note_that_would_make_the_fifth_bar_the_same_is_barred():
    hand = hand_after(MOST)
    guard = Guard(hand)
    guard.open_bar()
    for note in bar_of(hand.bar, 72, 74):
        assert np.array_equal(
            guard.pitch_bias(note.position, note.role), hand.pitch_bias(note.position, note.role)
        )
        hand.write(note)
    free, barred = hand.pitch_bias(48, Role.MELODY), guard.pitch_bias(48, Role.MELODY)
    assert free[76] > NO / 2 >= barred[76]
    assert np.array_equal(np.delete(free, 76), np.delete(barred, 76))
    assert np.array_equal(guard.pitch_bias(60, Role.MELODY), hand.pitch_bias(60, Role.MELODY)), (
        "another onset is news"
    )


def test_four_bars_are_left_alone():
    hand = hand_after(MOST - 1)
    guard = Guard(hand)
    guard.open_bar()
    for note in bar_of(hand.bar, 72, 74):
        hand.write(note)
    assert guard.pitch_bias(48, Role.MELODY)[76] > NO / 2


def tune(rng: np.random.Generator, notes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.cumsum(rng.choice([6, 12, 24], notes)), rng.integers(55, 80, notes)


@given(st.integers(2, 40), st.integers(-5, 5), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_copied_run_is_found_in_another_key_to_the_note(length, shift, seed):
    rng = np.random.default_rng(seed)
    (onset, pitch), (when, heights) = tune(rng, 200), tune(rng, 120)
    gaps = np.diff(when)
    gaps[29 : 30 + length] = 48  # no such gap elsewhere: neither the note before nor the one after agrees
    gaps[30 : 29 + length] = np.diff(onset[50 : 50 + length])
    heights[30 : 30 + length] = pitch[50 : 50 + length] + shift
    mine = tokens(np.append(0, np.cumsum(gaps)), heights)
    found = longest_shared([mine], [tokens(onset, pitch)])[0]
    assert length <= found <= max(length, 7), "up to 7 notes agree by chance"


def test_runs_do_not_cross_from_one_piece_to_the_next():
    rng = np.random.default_rng(0)
    onset, pitch = tune(rng, 40)
    whole = tokens(onset, pitch)
    assert longest_shared([whole], [whole[:12], whole[12:]])[0] == 28, "27 steps are 28 notes"
    assert longest_shared([whole, whole[:5]], [whole]).tolist() == [40, 6]
    longer = tokens(*tune(rng, 200))
    assert longest_shared([longer], [longer])[0] == LONGEST
    assert longest_shared([whole, np.zeros(0, np.uint64)], [])[1] == 0


def test_lines_of_a_passage():
    p = Passage(
        np.array([0, 0, 24, 24, 48]),
        np.full(5, 24),
        np.array([60, 72, 48, 74, 71]),
        np.array([3, 0, 3, 0, 0]),
        2.0,
        np.array([0, 96]),
    )
    assert len(melody(p)) == 2 and len(texture(p)) == 4
    higher = replace(p, pitch=p.pitch + 3)
    assert np.array_equal(melody(p), melody(higher)) and np.array_equal(texture(p), texture(higher))
    assert summary(np.array([4, 20]))["16 or more"] == 0.5
