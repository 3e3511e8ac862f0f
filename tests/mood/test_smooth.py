"""Smoothing: what it must never do to a curve, and what it must do."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.mood.curve import MoodCurve
from videoscore.mood.smooth import smooth
from videoscore.settings.fields import SmoothOptions
from videoscore.video.frames import Cut


def make(t, valence, arousal=None, confidence=None, moods=None) -> MoodCurve:
    t = np.asarray(t, float)
    valence = np.broadcast_to(np.asarray(valence, float), t.shape).copy()
    arousal = -valence if arousal is None else np.broadcast_to(np.asarray(arousal, float), t.shape).copy()
    confidence = np.ones(len(t)) if confidence is None else np.asarray(confidence, float)
    moods = np.full((len(t), 8), 1 / 8) if moods is None else moods
    return MoodCurve(t, valence, arousal, moods, confidence)


@st.composite
def curves(draw) -> MoodCurve:
    gaps = draw(st.lists(st.floats(0.01, 5.0), min_size=0, max_size=40))
    t = np.concatenate([[0.0], np.cumsum(gaps)])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    moods = rng.dirichlet(np.full(8, 0.3), len(t))
    confidence = rng.uniform(0, 1, len(t)) * (rng.uniform(size=len(t)) < 0.9)
    return make(t, rng.uniform(-1, 1, len(t)), rng.uniform(-1, 1, len(t)), confidence, moods)


cut_lists = st.lists(st.builds(Cut, st.fractions(0, 60, max_denominator=997), st.floats(0, 1)), max_size=12)
windows = st.floats(0.05, 40.0).map(lambda w: SmoothOptions(window=w))


@given(curves(), cut_lists, windows)
@settings(max_examples=150, deadline=None)
def test_stays_in_range_and_rows_sum_to_one(curve, cuts, options):
    out = smooth(curve, cuts, options)
    assert np.array_equal(out.t, curve.t)
    for name in ("valence", "arousal", "confidence"):
        before, after = getattr(curve, name), getattr(out, name)
        assert before.min() <= after.min() <= after.max() <= before.max(), name
    assert out.moods.min() >= 0
    assert np.allclose(out.moods.sum(axis=1), 1, atol=1e-12)


@given(curves(), cut_lists, windows, st.floats(-1, 1))
@settings(max_examples=60, deadline=None)
def test_constant_curve_is_unchanged(curve, cuts, options, value):
    flat = make(curve.t, value, confidence=curve.confidence)
    out = smooth(flat, cuts, options)
    assert np.array_equal(out.valence, flat.valence)
    assert np.array_equal(out.arousal, flat.arousal)


@given(curves(), cut_lists, windows)
@settings(max_examples=100, deadline=None)
def test_runs_the_same_backwards(curve, cuts, options):
    end = curve.t[-1]
    # a sample at the very time of a cut belongs to the new shot, which has no mirror image
    cuts = [c for c in cuts if 0 < c.t < end and np.abs(curve.t - float(c.t)).min() > 1e-6]
    mirrored = make(
        (end - curve.t)[::-1],
        curve.valence[::-1],
        curve.arousal[::-1],
        curve.confidence[::-1],
        curve.moods[::-1],
    )
    back = [Cut(Fraction(float(end)) - c.t, c.strength) for c in cuts]
    forth, mirror = smooth(curve, cuts, options), smooth(mirrored, back, options)
    assert np.allclose(forth.valence, mirror.valence[::-1], atol=1e-9)
    assert np.allclose(forth.moods, mirror.moods[::-1], atol=1e-9)
    assert np.allclose(forth.confidence, mirror.confidence[::-1], atol=1e-9)


@given(curves(), windows, st.data())
@settings(max_examples=60, deadline=None)
def test_sampling_a_stretch_twice_as_densely_changes_nothing(curve, options, data):
    """Every sample of a stretch is given a twin just beside it: twice the samples, the same film.

    Of the kernel mean that is exact; the median that finds lasting changes may jump where two values tie."""
    options = replace(options, edge=0.0)
    n = len(curve)
    first = data.draw(st.integers(0, n - 1))
    twins = np.arange(first, data.draw(st.integers(first, n - 1)) + 1)
    order = np.sort(np.concatenate([np.arange(n), twins]))
    second = np.concatenate([[False], order[1:] == order[:-1]])
    dense = make(
        curve.t[order] + 1e-7 * second,
        curve.valence[order],
        curve.arousal[order],
        curve.confidence[order],
        curve.moods[order],
    )
    plain, twice = smooth(curve, (), options), smooth(dense, (), options)
    assert np.allclose(plain.valence, twice.valence[~second], atol=1e-4)


def test_window_zero_and_a_single_sample_give_the_curve_back():
    curve = make([0, 1, 2], [0.1, -0.9, 0.4])
    assert smooth(curve, (), SmoothOptions(window=0)) is curve
    one = make([0.0], [0.3])
    assert smooth(one, (), SmoothOptions(window=6)) is one


def test_spike_of_one_sample_does_not_survive_and_does_not_move():
    t = np.arange(0, 60, 0.5)
    spike = np.where(t == 30, 1.0, 0.0)
    out = smooth(make(t, spike), (), SmoothOptions(window=6))
    assert 0.05 < out.valence.max() < 0.15
    assert t[out.valence.argmax()] == 30
    assert (out.valence * t).sum() / out.valence.sum() == pytest.approx(30, abs=1e-6)  # zero phase


def test_flash_shot_of_one_sample_does_not_survive_between_two_hard_cuts():
    t = np.arange(0, 60, 0.5)
    cuts = [Cut(Fraction(119, 4), 1.0), Cut(Fraction(121, 4), 1.0)]
    out = smooth(make(t, np.where(t == 30, 1.0, 0.0)), cuts, SmoothOptions(window=6))
    assert out.valence.max() < 0.2


def test_step_at_a_cut_stays_sharper_the_stronger_the_cut_and_still_carries_over():
    t = np.arange(0, 40, 0.5)
    step = make(t, np.where(t < 20, -0.5, 0.5))

    def jump(strength):
        out = smooth(step, [Cut(Fraction(79, 4), strength)], SmoothOptions(window=8, edge=0))
        return out.valence[40] - out.valence[39]

    assert jump(0.0) < jump(0.5) < jump(1.0) < 1.0
    assert jump(1.0) > 0.6 > 0.15 > jump(0.0)


def test_hard_cut_beside_a_flash_still_separates_two_long_shots():
    t = np.arange(0, 40, 0.5)
    step = make(t, np.where(t < 20, -0.5, 0.5))
    cuts = [Cut(Fraction(79, 4), 1.0), Cut(Fraction(81, 4), 1.0)]
    out = smooth(step, cuts, SmoothOptions(window=8))
    assert out.valence[42] - out.valence[38] > 0.6


def test_doubtful_samples_take_their_mood_from_sure_neighbours():
    t = np.arange(0, 30, 0.5)
    doubtful = (t > 10) & (t < 13)
    curve = make(t, np.where(doubtful, -1.0, 0.5), confidence=np.where(doubtful, 0.0, 0.9))
    out = smooth(curve, (), SmoothOptions(window=6))
    assert out.valence.min() > 0.45
    assert out.confidence[t == 11.5] < 0.6


def test_uneven_samples_give_the_mean_over_time_not_over_samples():
    """A second sampled a hundred times does not outvote the nine sampled once a second."""
    t = np.concatenate([np.arange(0, 5), np.arange(5, 6, 0.01), np.arange(6, 11)])
    curve = make(t, np.where((t >= 5) & (t < 6), 1.0, 0.0))
    fine = np.arange(0, 10.05, 0.1)
    # the first bright sample stands for the time from 4.5, halfway to its neighbour
    even = make(fine, np.where((fine >= 4.5) & (fine < 6), 1.0, 0.0))
    options = SmoothOptions(window=12)
    wanted, _ = smooth(even, (), options).at(5.5)
    assert smooth(curve, (), options).at(5.5)[0] == pytest.approx(wanted, abs=0.01)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        smooth(make([0, 1, 2], [0.1, np.nan, 0.4]), (), SmoothOptions(window=6))


def test_an_hour_takes_under_a_second():
    t = np.arange(0, 3600, 0.5)
    rng = np.random.default_rng(0)
    curve = make(t, rng.uniform(-1, 1, len(t)), moods=rng.dirichlet(np.ones(8), len(t)))
    cuts = [Cut(Fraction(4 * k + 1, 3), float(rng.uniform())) for k in range(900)]
    begin = time.process_time()
    smooth(curve, cuts, SmoothOptions(window=6))
    assert time.process_time() - begin < 1.0


def test_a_lasting_change_stays_in_its_place_and_sharp_without_a_cut():
    t = np.arange(0, 40, 0.5)
    step = make(t, np.where(t < 20, -0.1, 0.8))

    def crossing(edge):
        out = smooth(step, [], SmoothOptions(window=8, edge=edge)).valence
        k = int(np.argmax(out > 0))
        return float(np.interp(0, out[k - 1 : k + 1], t[k - 1 : k + 1]))

    assert crossing(0.0) < 18.2  # a plain mean turns too early: the larger side pulls
    assert crossing(0.4) == pytest.approx(19.75, abs=1.0)
    small = make(t, np.where(t < 20, 0.1, 0.2))
    plain, edged = (smooth(small, [], SmoothOptions(window=8, edge=e)).valence for e in (0.0, 0.4))
    assert edged == pytest.approx(plain, abs=0.01)  # a change smaller than the edge is smoothed as ever


def test_an_even_median_does_not_depend_on_the_direction():
    """Two halves of the guide's window that are equal but for rounding (found by hypothesis)."""
    t = np.array([0.0, 1.80296907, 2.80296907, 5.80296907])
    valence = np.array([-0.25932823, -0.00138287, -0.329035, 0.26817305])
    arousal = np.array([0.13652187, 0.23422951, -0.87324076, -0.5497168])
    trust = np.array([0.23750482, 0.50589319, 0.07141822, 0.70008732])
    curve = make(t, valence, arousal, trust)
    mirrored = make((t[-1] - t)[::-1], valence[::-1], arousal[::-1], trust[::-1])
    forth, back = (smooth(c, [], SmoothOptions(window=12.0)) for c in (curve, mirrored))
    assert np.allclose(forth.valence, back.valence[::-1], atol=1e-9)
