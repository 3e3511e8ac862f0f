"""How hard a bar is pushed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue, sheets

from videoscore.compose.compose import compose_many
from videoscore.compose.network.load import load_composer
from videoscore.compose.plan.guide import Push, push
from videoscore.compose.plan.plan import Planner
from videoscore.cues.sheet import CueSheet, CurvePoint
from videoscore.mood.circle import MOODS
from videoscore.settings.fields import ComposeOptions


def pushed(points: list[tuple[float, float]], **options: float) -> Push:
    """The push of 16 bars of 2 s whose curve goes through these points, evenly spaced."""
    base = cue("1M1", 0, 32, "Happy", 16)
    curve = tuple(
        CurvePoint(Fraction(32 * k, max(1, len(points) - 1)), v, a) for k, (v, a) in enumerate(points)
    )
    sheet = CueSheet("film.mp4", Fraction(32), (replace(base, curve=curve),))
    return push(Planner(load_composer()[1]).sheet(sheet), ComposeOptions(**options))


@pytest.mark.parametrize("mood", MOODS)
def test_a_mood_word_gets_the_guidance_that_is_asked_for(mood):
    sheet = CueSheet("film.mp4", Fraction(20), (cue("1M1", 0, 20, mood, 10),))
    p = push(Planner(load_composer()[1]).sheet(sheet), ComposeOptions(guidance=2.5))
    assert np.allclose(p.weight, 2.5)


def test_no_intensity_is_no_guidance_and_much_stretches_the_mood():
    off = pushed([(0.4, -0.8)], intensity=0.0)
    assert not off.guided and np.allclose(off.mood, [0.4, -0.8])
    plain, double = pushed([(0.4, -0.8)], intensity=1.0), pushed([(0.4, -0.8)], intensity=2.0)
    assert np.allclose(double.weight - 1, 2 * (plain.weight - 1))
    assert np.allclose(plain.mood, [0.4, -0.8]) and np.allclose(double.mood, [0.8, -1.0])


def test_a_change_is_pushed_harder_than_what_stays():
    step = pushed([(-0.6, 0.0)] * 8 + [(0.6, 0.0)] * 8).weight
    assert np.argmax(step) in (7, 8), "where it happens"
    assert (
        step.max() - 1 > 1.9 * (step[3] - 1)
        and np.allclose(step[:7], step[0])
        and np.allclose(step[11:], step[0])
    )


@given(sheets(most_cues=3), st.floats(0, 2), st.floats(0, 6))
@settings(max_examples=30, deadline=None)
def test_every_bar_is_pushed_within_limits(sheet, intensity, guidance):
    bars = Planner(load_composer()[1]).sheet(sheet)
    p = push(bars, ComposeOptions(intensity=intensity, guidance=guidance))
    assert len(p.weight) == len(p.mood) == len(bars)
    assert np.abs(p.mood).max() <= 1 and np.abs(p.weight - 1).max() <= 2 * 2 * 5 + 1e-9


def test_intensity_is_heard():
    """Twice the intensity parts aroused from calm music further."""

    def density(intensity: float) -> float:
        def film(a: float, seed: int) -> CueSheet:
            base = cue("1M1", 0, 8, "Happy", 4)
            curve = (CurvePoint(Fraction(4), 0.2, a),)
            return CueSheet("film.mp4", Fraction(8), (replace(base, curve=curve),), seed=seed)

        films = [film(a, seed) for a in (0.4, -0.4) for seed in range(4)]
        notes = [len(s.notes) for s in compose_many(films, ComposeOptions(intensity=intensity))]
        return float(np.log(sum(notes[:4]) / sum(notes[4:])))

    assert density(2.0) > density(0.0)
