"""Fusion of stills with motion, cutting and loudness; what counts as visible; loudness over time."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import run_ffmpeg

from videoscore.audio.k_weighting import ABSOLUTE_GATE, k_weighting
from videoscore.mood.circle import mood_index
from videoscore.mood.evidence import Evidence, colourfulness
from videoscore.mood.fusion import fuse
from videoscore.mood.octants import Spread, octant_probabilities
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.sound_level import loudness_curve
from videoscore.mood.visible import content_box, visibility
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut
from videoscore.video.probe import probe

OFF = PerceiveOptions(motion=0.0, cutting=0.0, sound=0.0, brightness=0.0, colour=0.0)
BOTH = PerceiveOptions()


def reading(n: int, valence: float = 0.3, arousal: float = 0.1) -> Reading:
    v, a = np.full(n, valence), np.full(n, arousal)
    return Reading(v, a, octant_probabilities(v, a), np.full(n, 0.8), np.ones(n))


def fused(
    n: int = 21,
    *,
    motion=None,
    visible=None,
    cuts=(),
    loudness=None,
    options=BOTH,
    seen=None,
    brightness=None,
    colour=None,
):
    t = np.arange(n) * 0.5

    def given(values, usual: float):
        return np.full(n, usual) if values is None else values

    evidence = Evidence(
        given(visible, 1.0), given(motion, 0.05), given(brightness, 0.4), given(colour, 0.3), loudness
    )
    return fuse(t, seen or reading(n), evidence, cuts, n * 0.5, options)


# ---------------------------------------------------------------- the eight probabilities


def test_octant_probabilities_agree_with_drawing():
    spread = Spread(0.6, 0.7, 0.3, 0.25, -0.3)
    off = -0.3 * 0.3 * 0.25
    drawn = np.random.default_rng(0).multivariate_normal([0.3, -0.14], [[0.09, off], [off, 0.0625]], 200_000)
    octant = (np.degrees(np.arctan2(drawn[:, 1], drawn[:, 0])) % 360 // 45).astype(int)
    expected = np.bincount(octant, minlength=8) / len(drawn)
    found = octant_probabilities(np.array([0.5]), np.array([-0.2]), spread)[0]
    assert found == pytest.approx(expected, abs=0.005)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=5))
@settings(deadline=None)
def test_octant_probabilities_sum_to_one_everywhere(points):
    v, a = np.array(points).T
    p = octant_probabilities(v, a)
    assert np.isfinite(p).all() and (p >= 0).all()
    assert p.sum(1) == pytest.approx(np.ones(len(p)))


# ---------------------------------------------------------------- fusion


def test_weight_zero_switches_everything_off():
    n = 21
    cuts = [Cut(Fraction(k), 1.0) for k in range(1, 10)]
    curve = fused(
        n,
        motion=np.linspace(0, 1, n),
        cuts=cuts,
        loudness=np.linspace(-60, -5, n),
        options=OFF,
        brightness=np.linspace(0, 1, n),
        colour=np.linspace(1, 0, n),
    )
    seen = reading(n)
    assert curve.arousal == pytest.approx(seen.arousal)
    assert curve.valence == pytest.approx(seen.valence)
    assert curve.moods == pytest.approx(seen.moods)
    assert curve.confidence == pytest.approx(seen.confidence)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.9, 0.9))
@settings(deadline=None)
def test_more_motion_never_lowers_arousal(one, other, arousal):
    low, high = sorted((one, other))
    seen = reading(5, arousal=arousal)
    calm, wild = (fused(5, motion=np.full(5, m), seen=seen).arousal for m in (low, high))
    assert (wild >= calm - 1e-12).all()
    if high > low + 1e-3 and wild.max() < 1:
        assert (wild > calm).all()


def test_motion_moves_both_ways_around_the_ordinary():
    base = fused(options=OFF).arousal
    only_motion = PerceiveOptions(sound=0.0)
    still, ordinary = (
        fused(81, motion=np.full(81, m), options=only_motion, cuts=_every(7.5, 40)).arousal[40]
        for m in (0.0, 0.05)
    )
    wild = fused(81, motion=np.full(81, 0.5), options=only_motion, cuts=_every(7.5, 40)).arousal[40]
    assert still < ordinary - 0.1 < wild - 0.2
    assert ordinary == pytest.approx(base[0], abs=0.05)


def _every(seconds: float, end: float) -> list[Cut]:
    return [Cut(Fraction(t), 1.0) for t in np.arange(seconds, end, seconds)]


def test_faster_cutting_raises_arousal():
    slow, fast = (fused(81, cuts=_every(s, 40)).arousal for s in (20.0, 1.0))
    assert (fast[10:70] > slow[10:70] + 0.03).all()


def test_a_short_clip_without_cuts_is_hardly_called_slow():
    short = fused(5).arousal.mean()
    long = fused(121).arousal.mean()
    assert long < short - 0.01


def test_louder_is_more_aroused_and_silence_is_less():
    loudness = np.full(21, -30.0)
    loudness[8:12], loudness[15:] = -12.0, ABSOLUTE_GATE
    options = dataclasses.replace(OFF, sound=1.0)
    arousal = fused(loudness=loudness, options=options).arousal
    assert arousal[9] > arousal[2] + 0.05 > arousal[18] + 0.08
    doubled = fused(loudness=loudness, options=dataclasses.replace(OFF, sound=2.0)).arousal
    base = reading(21).arousal
    assert doubled - base == pytest.approx(2 * (arousal - base))


@pytest.mark.parametrize(
    ("field", "up", "down"), [("brightness", "valence", None), ("colour", "arousal", None)]
)
def test_light_moves_the_mood_only_by_what_changes_within_the_film(field, up, down):
    only = dataclasses.replace(OFF, **{field: 1.0})
    levels = np.full(21, 0.3)
    same = fused(options=only, **{field: levels})
    assert same.valence == pytest.approx(reading(21).valence) and same.arousal == pytest.approx(
        reading(21).arousal
    )
    levels[15:] = 0.9
    changed = fused(options=only, **{field: levels})
    assert (getattr(changed, up)[15:] > getattr(same, up)[15:] + 0.05).all()
    assert getattr(changed, up)[:15] == pytest.approx(getattr(same, up)[:15])
    if down:
        assert (getattr(changed, down)[15:] < getattr(same, down)[15:] - 0.02).all()


def test_a_perceiver_without_anything_to_read_holds_like_a_black_picture():
    seen = reading(41, valence=0.8)
    seen.seen[20:] = 0.0
    seen.valence[20:] = -0.9  # what it says there must not matter
    curve = fused(41, options=OFF, seen=seen)
    assert (curve.valence[20:] > 0).all() and (np.diff(curve.valence[20:]) < 0).all()
    assert (curve.confidence[20:] == 0).all()


def test_colourfulness_is_that_of_the_paper():
    grey = np.full((40, 60, 3), 128, np.uint8)
    assert colourfulness(grey) == 0
    halves = grey.copy()
    halves[:, :30] = (255, 0, 0)
    halves[:, 30:] = (0, 0, 255)
    # by hand: rg is 255 and 0, yb is 127.5 and -255
    assert colourfulness(halves) == pytest.approx(
        (np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75)) / 100
    )


def test_a_mute_sound_track_is_like_none():
    assert fused(loudness=np.full(21, ABSOLUTE_GATE)).arousal == pytest.approx(fused().arousal)


def test_moods_follow_arousal():
    wild = fused(motion=np.full(21, 1.0), options=PerceiveOptions(motion=3.0), cuts=_every(0.5, 10))
    assert wild.arousal.mean() > 0.6
    dynamic = mood_index("Dynamic")
    assert (wild.moods[:, dynamic] > reading(21).moods[:, dynamic] + 0.1).all()
    assert wild.moods.sum(1) == pytest.approx(np.ones(21))


def test_black_pictures_hold_the_mood_and_let_it_fade_without_confidence():
    visible = np.ones(81)
    visible[20:60] = 0.0
    curve = fused(81, visible=visible, options=OFF, seen=reading(81, valence=0.8, arousal=0.4))
    assert (curve.confidence[20:60] == 0).all() and (curve.confidence[:20] > 0.5).all()
    gap = curve.valence[19:60]
    assert gap[0] == pytest.approx(0.8) and (np.diff(gap) < 0).all() and 0 < gap[-1] < 0.15
    assert curve.valence[60] == pytest.approx(0.8)


def test_a_black_film_is_neutral():
    curve = fused(visible=np.zeros(21), options=OFF)
    assert curve.valence == pytest.approx(np.zeros(21)) and curve.confidence == pytest.approx(np.zeros(21))
    assert curve.moods.sum(1) == pytest.approx(np.ones(21))


@given(st.integers(1, 40), st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_any_input_gives_a_valid_curve(n, seed):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(0.01, 3, n))
    v, a = rng.uniform(-1, 1, (2, n))
    cuts = [Cut(Fraction(float(x)), 1.0) for x in np.sort(rng.uniform(0, t[-1], rng.integers(0, 50)))]
    evidence = Evidence(*rng.uniform(0, 1, (4, n)), loudness=rng.uniform(-70, 0, n))
    wild = PerceiveOptions(motion=3, cutting=3, sound=3, brightness=3, colour=3)
    seen = Reading(v, a, octant_probabilities(v, a), *rng.uniform(0, 1, (2, n)))
    curve = fuse(t, seen, evidence, cuts, float(t[-1]), wild)
    for values in (curve.valence, curve.arousal):
        assert np.isfinite(values).all() and (np.abs(values) <= 1).all()
    assert curve.moods.sum(1) == pytest.approx(np.ones(n)) and (curve.moods >= 0).all()
    assert ((curve.confidence >= 0) & (curve.confidence <= 1)).all()


# ---------------------------------------------------------------- visibility


def noise(h: int = 90, w: int = 160) -> np.ndarray:
    return np.random.default_rng(3).integers(30, 220, (h, w, 3)).astype(np.uint8)


def test_black_plain_and_title_cards_are_not_visible():
    card = np.zeros((90, 160, 3), np.uint8)
    card[40:48, 50:110:4] = 255
    assert visibility(np.zeros((90, 160, 3), np.uint8)) == 0
    assert visibility(np.full((90, 160, 3), 200, np.uint8)) == 0
    assert visibility(card) < 0.25
    assert visibility(noise()) == 1


def test_a_dim_picture_is_partly_visible():
    dim = (noise() * 0.2).astype(np.uint8)
    assert 0 < visibility(dim) < 1


def test_borders_are_cut_and_do_not_count_as_flat():
    framed = np.zeros((160, 160, 3), np.uint8)
    framed[35:125] = noise()
    assert content_box(framed) == (slice(35, 125), slice(0, 160))
    assert visibility(framed) == 1
    half = noise()
    half[:, :80] = 0  # a dark half is no border
    assert content_box(half) == (slice(0, 90), slice(0, 160))


# ---------------------------------------------------------------- loudness


def test_k_weighting_is_that_of_the_standard():
    # ITU-R BS.1770-4, tables 1 and 2 (48 kHz)
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    assert k_weighting(48000) == pytest.approx(np.array(table), abs=1e-7)


def test_loudness_follows_the_sound(tmp_path: Path):
    # 10 s of 997 Hz, of which the middle is 20 dB quieter. BS.1770: full scale reads -3.01 LUFS
    film = tmp_path / "film.mkv"
    sound = "sine=997:d=10:r=48000,volume='0.8*if(between(t,3.5,7.4),0.1,1)':eval=frame"
    run_ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=64x48:r=10:d=10",
        "-f",
        "lavfi",
        "-i",
        sound,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-c:a",
        "pcm_s16le",
        "-shortest",
        film,
    )
    curve = loudness_curve(probe(film), np.array([2.0, 5.5, 9.0]))
    level = 20 * np.log10(0.8 / 8) - 3.01  # lavfi's sine has an amplitude of 1/8
    assert curve[[0, 2]] == pytest.approx([level, level], abs=0.3)
    assert curve[1] == pytest.approx(level - 20, abs=0.3)


def test_a_silent_film_has_no_loudness(tmp_path: Path):
    film = tmp_path / "film.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-c:v", "libx264", film)
    assert loudness_curve(probe(film), np.array([0.0, 0.5])) is None
