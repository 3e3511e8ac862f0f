"""Spotting, meters and keys."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.cues.check import check
from videoscore.cues.contour import mean, moods_at, thin
from videoscore.cues.keys import distance, key_of_signature, signature_and_mode, with_mode_of
from videoscore.cues.meter import TEMPO, choose_meter, meter_for
from videoscore.cues.sheet import CueSheet, HitPoint
from videoscore.cues.spot.segment import longest
from videoscore.cues.spot.spot import plan_keys, spot
from videoscore.errors import CueSheetError
from videoscore.mood.circle import MOODS, centre, mood_of
from videoscore.mood.curve import MoodCurve
from videoscore.mood.smooth import smooth
from videoscore.settings.fields import SmoothOptions, SpotOptions
from videoscore.video.frames import Cut

CLIPS = Path(__file__).parents[3] / "shared/data/video/clips"


def film(plan, every=0.5, noise=0.0, seed=0):
    """A curve from stretches (seconds, mood or (valence, arousal)), its duration and its stretch boundaries."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum([s for s, _ in plan])
    t = np.arange(0, ends[-1], every)
    points = np.array([centre(m) if isinstance(m, str) else m for _, m in plan])
    va = points[np.searchsorted(ends, t, side="right").clip(max=len(plan) - 1)]
    va = np.clip(va + rng.normal(0, noise, va.shape) if noise else va, -1, 1)
    moods = np.full((len(t), 8), 0.01)
    moods[np.arange(len(t)), [MOODS.index(mood_of(*p)) for p in va]] = 0.93
    curve = MoodCurve(t, va[:, 0], va[:, 1], moods, np.ones(len(t)))
    return curve, Fraction(float(ends[-1])), [Fraction(float(e)) for e in ends[:-1]]


def spotted(curve, cuts, duration, window=6.0, **limits) -> CueSheet:
    options = SpotOptions(**limits)
    return spot(smooth(curve, cuts, SmoothOptions(window=window)), cuts, duration, options, source="film.mp4")


def sound(sheet: CueSheet, cuts, options: SpotOptions | None = None) -> None:
    """What every spotted sheet owes."""
    options = options or SpotOptions()
    check(sheet)
    times = {c.t for c in cuts}
    for cue in sheet.cues:
        assert cue.duration >= options.min_cue or len(sheet.cues) == 1
        assert cue.duration <= longest(options)
        assert cue.start_on != "cut" or cue.start in times
        assert (cue.start_on == "start") == (cue.start == 0)
        assert cue.bpm * cue.duration == 60 * cue.meter.bars * cue.meter.beats
        assert cue.mood in moods_at(*mean(cue.curve, cue.start, cue.end))
        marks = [h.t for h in cue.hits]
        assert all(b - a >= 4 for a, b in zip(marks, marks[1:]))
        assert all(cue.start + 2 <= t <= cue.end - 2 for t in marks)


@st.composite
def films(draw):
    duration = draw(st.fractions(Fraction(1, 33), 400, max_denominator=1001))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 200))
    t = np.unique(np.concatenate([[0.0], rng.uniform(0, float(duration), n - 1)]))
    va = np.clip(np.cumsum(rng.normal(0, 0.2, (len(t), 2)), axis=0), -1, 1) * draw(st.floats(0, 1))
    curve = MoodCurve(t, va[:, 0], va[:, 1], rng.dirichlet(np.ones(8), len(t)), rng.uniform(0, 1, len(t)))
    cuts = draw(
        st.lists(st.builds(Cut, st.fractions(-1, 410, max_denominator=30000), st.floats(0, 1)), max_size=40)
    )
    return curve, cuts, duration


@given(films(), st.integers(1, 30), st.integers(10, 120))
@settings(max_examples=60, deadline=None)
def test_any_film_gets_a_sound_sheet(film, shortest, most):
    curve, cuts, duration = film
    options = SpotOptions(min_cue=Fraction(shortest), max_cue=Fraction(most))
    sheet = spot(curve, cuts, duration, options, source="x")
    sound(sheet, cuts, options)
    assert sheet.cuts == tuple(sorted({c.t for c in cuts if 0 < c.t < duration}))
    assert sheet == spot(curve, cuts, duration, options, source="x")


def test_cues_start_at_the_cuts_where_the_mood_changes():
    curve, duration, changes = film(
        [(20, "Peaceful"), (25, "Angry"), (18, "Depressed"), (22, "Happy")], noise=0.1
    )
    cuts = [Cut(t + Fraction(1, 7), 0.8) for t in changes]
    decoys = [Cut(t + d, 0.3) for t in changes for d in (-5, -1, 2, 6)]
    sheet = spotted(curve, cuts + decoys, duration)
    assert [c.start for c in sheet.cues] == [0, *(c.t for c in cuts)]
    assert [c.mood for c in sheet.cues] == ["Peaceful", "Angry", "Depressed", "Happy"]
    assert [c.start_on for c in sheet.cues] == ["start", "cut", "cut", "cut"]
    assert [c.name for c in sheet.cues] == ["1m1 Peaceful", "1m2 Angry", "1m3 Depressed", "1m4 Happy"]
    assert all(
        distance(signature_and_mode(a.key)[0], signature_and_mode(b.key)[0]) <= 2
        for a, b in zip(sheet.cues, sheet.cues[1:])
    )
    assert [c.key.split()[1] for c in sheet.cues] == ["major", "minor", "minor", "major"]


def test_a_change_with_no_cut_near_starts_a_cue_on_the_mood():
    curve, duration, changes = film([(30, "Peaceful"), (30, "Angry")])
    sheet = spotted(curve, [Cut(Fraction(10), 1.0)], duration)
    assert [c.start_on for c in sheet.cues] == ["start", "mood"]
    assert float(sheet.cues[1].start) == pytest.approx(float(changes[0]), abs=0.6)


def test_a_cut_near_the_change_takes_the_boundary():
    curve, duration, changes = film([(30, "Peaceful"), (30, "Angry")])
    cut = Cut(changes[0] + Fraction(7, 5), 0.7)
    sheet = spotted(curve, [cut], duration)
    assert [(c.start, c.start_on) for c in sheet.cues[1:]] == [(cut.t, "cut")]


def test_of_two_cuts_the_strong_one_is_chosen():
    curve, duration, changes = film([(30, "Peaceful"), (30, "Angry")])
    weak, strong = Cut(changes[0] - Fraction(3, 4), 0.1), Cut(changes[0] + Fraction(3, 4), 0.9)
    assert spotted(curve, [weak, strong], duration).cues[1].start == strong.t


def test_a_short_film_is_one_cue_and_a_flicker_is_none():
    curve, duration, _ = film([(5, "Happy"), (5, "Angry")])
    assert len(spotted(curve, [Cut(Fraction(5), 1.0)], duration).cues) == 1
    curve, duration, _ = film([(25, "Peaceful"), (1, "Angry"), (25, "Peaceful")])
    assert len(spotted(curve, [Cut(Fraction(25), 1.0), Cut(Fraction(26), 1.0)], duration).cues) == 1


@pytest.mark.parametrize("seconds", [0.03, 0.5, 1, 3.9])
def test_a_clip_of_a_few_frames_is_one_cue_of_one_bar(seconds):
    curve = MoodCurve(np.array([0.0]), np.array([0.2]), np.array([0.5]), np.full((1, 8), 1 / 8), np.ones(1))
    sheet = spotted(curve, [], Fraction(str(seconds)))
    sound(sheet, [])
    assert sheet.cues[0].meter.bars == 1


def test_ten_minutes_get_a_dozen_cues_or_two():
    rng = np.random.default_rng(3)
    for scale in (0.15, 0.3, 0.6):
        plan = [(float(rng.uniform(10, 60)), tuple(rng.uniform(-scale, scale, 2))) for _ in range(17)]
        curve, duration, changes = film(plan, noise=scale / 3)
        cuts = [Cut(t, float(rng.uniform(0.4, 1))) for t in changes]
        others = rng.uniform(0, float(duration), 120)
        cuts += [Cut(Fraction(int(t * 24), 24), float(rng.uniform(0.2, 1))) for t in others]
        sheet = spotted(curve, cuts, duration)
        assert 12 <= len(sheet.cues) * 600 / float(duration) <= 30, scale


def test_unchanging_film_is_still_parted_when_a_cue_gets_too_long():
    curve, duration, _ = film([(400, "Tired")])
    sheet = spotted(curve, [], duration)
    sound(sheet, [])
    assert {c.start_on for c in sheet.cues[1:]} == {"length"}
    assert 5 <= len(sheet.cues) <= 10


def test_strong_cuts_and_rises_of_arousal_become_hits():
    curve, duration, _ = film([(40, (0.3, -0.5)), (40, (0.3, 0.6))])
    cuts = [Cut(Fraction(40), 1.0), Cut(Fraction(20), 0.9), Cut(Fraction(21), 0.7), Cut(Fraction(10), 0.2)]
    one = spotted(curve, cuts, duration, min_cue=Fraction(60)).cues[0]
    assert [(h.t, h.kind) for h in one.hits] == [(20, "cut"), (40, "cut")]
    gentle = [Cut(Fraction(79, 2), 0.3)]
    assert [(h.t, h.kind) for h in spotted(curve, gentle, duration, min_cue=Fraction(60)).cues[0].hits] == [
        (Fraction(79, 2), "rise")
    ]


def test_an_hour_is_spotted_in_under_a_second():
    rng = np.random.default_rng(0)
    plan = [(float(rng.uniform(3, 40)), tuple(rng.uniform(-0.7, 0.7, 2))) for _ in range(170)]
    curve, duration, _ = film(plan, noise=0.15)
    cuts = [Cut(Fraction(float(t)), float(rng.uniform(0, 1))) for t in rng.uniform(0, float(duration), 1500)]
    curve = smooth(curve, cuts, SmoothOptions())
    begin = time.process_time()
    sheet = spot(curve, cuts, duration, SpotOptions(), source="x")
    assert time.process_time() - begin < 1.0
    sound(sheet, cuts)
    assert sheet.cues[-1].name.startswith(f"{1 + int(sheet.cues[-1].start // 1200)}m{len(sheet.cues)} ")


def test_polyline_stays_within_its_tolerance():
    rng = np.random.default_rng(1)
    t = np.cumsum(rng.uniform(0.1, 1, 300))
    va = np.cumsum(rng.normal(0, 0.02, (300, 2)), axis=0)
    kept = thin(t, va, 0.03)
    line = np.column_stack([np.interp(t, t[kept], va[kept, k]) for k in (0, 1)])
    assert np.linalg.norm(line - va, axis=1).max() <= 0.03 + 1e-12
    assert len(kept) < 150


# ---------------------------------------------------------------- meter


@given(st.fractions(4, 600, max_denominator=1001), st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_tempo_is_in_the_moods_range_wherever_whole_bars_allow(duration, valence, arousal, seed):
    meter = choose_meter(duration, valence, arousal, seed)
    low, high = TEMPO[mood_of(valence, arousal)]
    bpm = 60 * meter.bars * meter.beats / float(duration)
    possible = any(
        low <= 60 * n * b / float(duration) <= high
        for b in (3, 4)
        for n in range(1, math.ceil(high * float(duration) / 60 / b) + 1)
    )
    assert low * 0.93 <= bpm <= high * 1.07 or not possible
    assert meter == choose_meter(duration, valence, arousal, seed)


def test_phrases_of_four_bars_are_usual():
    fours = sum(
        choose_meter(Fraction(s), *centre(mood)).bars % 4 == 0 for s in range(20, 80) for mood in MOODS
    )
    assert fours / (60 * 8) > 0.6


def test_hits_pull_the_beats_towards_them():
    """Hits on the beats of four bars fewer than would be chosen without them."""
    duration = Fraction(120)
    plain = choose_meter(duration, *centre("Happy"))
    other = duration / ((plain.bars - 4) * plain.beats)
    hits = [HitPoint(100 + other * k, "cut", 1.0) for k in (32, 58, 84, 110, 136)]
    pulled = choose_meter(duration, *centre("Happy"), hits=hits, start=Fraction(100))

    def off(meter):
        quarter = duration / (meter.bars * meter.beats)
        return max(abs((h.t - 100) / quarter - round((h.t - 100) / quarter)) * quarter for h in hits)

    assert off(plain) > Fraction(1, 10)
    assert off(pulled) < Fraction(1, 25)


def test_neighbours_of_like_mood_keep_near_in_tempo():
    for seconds in range(20, 60, 7):
        fast = choose_meter(Fraction(seconds), 0.5, 0.3, near=Fraction(122))
        slow = choose_meter(Fraction(seconds), 0.5, 0.3, near=Fraction(98))
        assert fast.bars * fast.beats >= slow.bars * slow.beats


@given(
    st.fractions(Fraction(1, 33), 3600, max_denominator=30000),
    st.fractions(20, 300, max_denominator=100),
    st.sampled_from([1, 2, 3, 4, 5, 7]),
)
def test_meter_for_a_tempo_takes_the_nearest_whole_bars(duration, bpm, beats):
    meter = meter_for(duration, bpm, beats)

    def off(bars, per_bar=beats):
        return abs(math.log(60 * bars * per_bar / float(duration) / float(bpm)))

    got = off(meter.bars, meter.beats)
    near = int(bpm * duration / (60 * beats))
    assert got <= min(off(n) for n in range(max(1, near - 1), near + 3)) + 1e-9


# ---------------------------------------------------------------- keys


def test_keys_parse_and_print():
    for signature in range(-6, 6):
        for minor in (False, True):
            assert signature_and_mode(key_of_signature(signature, minor)) == (signature, minor)
    assert signature_and_mode("F# major") == signature_and_mode("Gb major")
    assert with_mode_of("D minor", "Happy") == "F major"
    assert with_mode_of("F# minor", "Angry") == "F# minor"
    for wrong in ("H minor", "D", "D dorian", "", "Dbb major"):
        with pytest.raises(CueSheetError):
            signature_and_mode(wrong)


def test_keys_are_related_return_with_their_mood_and_depend_on_the_seed():
    moods = ["Peaceful", "Angry", "Depressed", "Happy", "Angry", "Peaceful", "Depressed", "Peaceful"]
    curve, duration, changes = film([(20, m) for m in moods])
    cues = spotted(curve, [Cut(t, 1.0) for t in changes], duration).cues
    assert [c.mood for c in cues] == moods
    firsts, homecomings, chances = set(), 0, 0
    for seed in range(20):
        planned = plan_keys(cues, seed)
        assert planned == plan_keys(cues, seed)
        signatures = [signature_and_mode(c.key)[0] for c in planned]
        assert max(distance(a, b) for a, b in zip(signatures, signatures[1:])) <= 2
        firsts.add(signatures[0])
        home = {}
        for cue, signature in zip(planned, signatures):
            homecomings += home.get(cue.mood) == signature
            chances += cue.mood in home
            home.setdefault(cue.mood, signature)
    assert len(firsts) >= 3
    assert homecomings / chances > 0.7


# ---------------------------------------------------------------- real films


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs ../shared/data/video/clips")
def test_real_clips_get_sensible_cues_on_exact_cuts():
    from videoscore.mood.perceive import perceive
    from videoscore.settings.fields import PerceiveOptions, SampleOptions
    from videoscore.video.probe import probe
    from videoscore.video.sample import sample

    for clip in sorted(CLIPS.glob("*.mp4")):
        media = probe(clip)
        options = SampleOptions(
            every=Fraction(1 if media.duration < 100 else 4)
        )  # the default takes 5 minutes
        seen = perceive(sample(media, options.every, options.size), media, PerceiveOptions())
        sheet = spotted(seen.curve, seen.cuts, media.duration)
        sound(sheet, seen.cuts)
        minutes = float(media.duration) / 60
        low, high = (1, 1) if minutes < 0.25 else (max(1, math.floor(0.8 * minutes)), math.ceil(7 * minutes))
        assert low <= len(sheet.cues) <= high, clip.name
        if clip.name.startswith("bbb_full"):
            assert 12 <= len(sheet.cues) <= 30
