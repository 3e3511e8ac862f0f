"""Impacts, swells and risers: where they are, how loud, and that they stay inside their cue."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from handscore import hand_score

from videoscore.cues.sheet import Cue, CurvePoint, HitPoint, Meter
from videoscore.errors import PresetError
from videoscore.music.score import PPQ
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement, Part
from videoscore.settings.preset_file import list_presets

BAR = 4 * PPQ


def cues_of(score, hits: dict[int, list[tuple[int, float]]]) -> list[Cue]:
    """Cues of a score; hits : number of the section -> (tick, strength)."""
    out = []
    for k, s in enumerate(score.sections):
        start, end = score.tempo.seconds(s.start), score.tempo.seconds(s.end)
        points = tuple(HitPoint(score.tempo.seconds(tick), "cut", x) for tick, x in hits.get(k, []))
        curve = (CurvePoint(start, s.valence, s.arousal),)
        out.append(Cue(s.name, start, end, "cut", s.mood, curve, s.key, Meter(s.bars, s.beats), points))
    return out


def part(music: Arrangement, name: str) -> Part | None:
    return next((p for p in music.parts if p.name == name), None)


def even(moods: tuple[str, ...], bars: int = 8):
    return hand_score(moods, bars=bars, bpms=(120,))


@pytest.mark.parametrize("name", ["cinematic", "trailer", "band", "electronic"])
def test_a_hit_point_is_struck_to_the_tick_and_led_to(name):
    score, preset = even(("Dynamic",)), load_preset(name)
    at = 4 * BAR + PPQ
    music = orchestrate(score, preset, 0, cues_of(score, {0: [(at, 0.9)]}))
    impact, swell = preset.accents["impact"], preset.accents["swell"]
    struck = [n for n in part(music, impact.instrument).notes if n.start == at]
    assert {n.pitch for n in struck} >= set(impact.keys) and min(n.velocity for n in struck) > 90
    roll = [n for n in part(music, swell.instrument).notes if n.start < at and n.pitch in swell.keys]
    assert len(roll) > 10 and roll[0].start >= at - swell.seconds * 2 * PPQ - 1
    assert roll[-1].velocity > 2 * roll[0].velocity and roll[-1].start + roll[-1].duration == at


def test_a_calm_hit_point_is_left_to_the_composer():
    preset = load_preset("cinematic")
    calm, wild = (even((mood,)) for mood in ("Tired", "Angry"))
    music = orchestrate(calm, preset, 0, cues_of(calm, {0: [(4 * BAR, 0.9)]}))
    assert part(music, "impacts") is None and part(music, "cymbals") is None
    music = orchestrate(wild, preset, 0, cues_of(wild, {0: [(4 * BAR, 0.9)]}))
    assert part(music, "impacts") is not None and part(music, "cymbals") is not None


@pytest.mark.parametrize("bars", [3, 8, 40])
def test_a_calm_cue_stays_calm_until_shortly_before_a_wild_one(bars):
    score, preset = even(("Tired", "Angry"), bars=bars), load_preset("trailer")
    cymbals = part(orchestrate(score, preset, 0, cues_of(score, {})), "cymbals")
    first = min(n.start for n in cymbals.notes)
    end = score.sections[0].end
    assert 0.1 * end >= end - first and end - first <= 2 * 2 * PPQ + 1  # 2 s at most, at 120 bpm


def test_a_rise_over_a_boundary_is_led_to_and_a_fall_is_not():
    preset = load_preset("trailer")
    score = even(("Depressed", "Angry", "Depressed"))
    music = orchestrate(score, preset)
    first, second = score.sections[0].end, score.sections[1].end
    noise, swell = part(music, "noise"), part(music, "cymbals")
    assert [(n.start + n.duration) for n in noise.notes] == [first]
    values = [value for tick, value in noise.expression if noise.notes[0].start <= tick < first]
    assert values == sorted(values) and values[0] < 20 and values[-1] > 100
    assert all(n.start < first for n in swell.notes)
    assert min(n.start for n in part(music, "impacts").notes) == first
    assert not any(n.start >= second for n in part(music, "impacts").notes)


@pytest.mark.parametrize("name", list_presets())
def test_gestures_stay_inside_the_music_and_are_the_same_again(name):
    preset = load_preset(name)
    score = even(("Tired", "Angry", "Peaceful", "Dynamic"), bars=2)
    end = score.sections[-1].end
    hits = {1: [(score.sections[1].start + 30, 1.0)], 3: [(end - PPQ, 1.0), (end - 10, 0.5)]}
    music = orchestrate(score, preset, 3, cues_of(score, hits))
    assert music == orchestrate(score, preset, 3, cues_of(score, hits))
    for p in music.parts:
        assert all(0 <= n.start < n.start + n.duration <= end and 1 <= n.velocity <= 127 for n in p.notes)
        ticks = [tick for tick, _ in p.expression]
        assert ticks == sorted(ticks) and all(0 <= tick <= end for tick in ticks)


def test_a_first_cue_begins_without_a_blow_and_no_accents_leave_all_as_it_was():
    score, preset = even(("Angry", "Tired")), load_preset("cinematic")
    assert part(orchestrate(score, preset), "impacts") is None
    plain = dataclasses.replace(preset, accents={})
    with_hits = orchestrate(score, plain, 0, cues_of(score, {0: [(BAR, 1.0)]}))
    assert with_hits == orchestrate(score, plain, 0)


@pytest.mark.parametrize(
    "text, word",
    [
        ("[accents.boom]\ninstrument = 'a'\nkeys = [60]", "accents.boom"),
        ("[accents.swell]\nkeys = [60]", "needs an instrument"),
        ("[accents.swell]\ninstrument = 'b'\nkeys = [60]", "unknown key"),
        ("[accents.swell]\ninstrument = 'a'\nkeys = []", "list of MIDI keys"),
        ("[accents.swell]\ninstrument = 'a'\nkeys = [60]\nseconds = 90", "from 0.5 to 8"),
        ("[accents.riser]\ninstrument = 'a'\nkeys = [60]\nrate = 0", "of its own"),
    ],
)
def test_mistakes_in_accents_are_named(tmp_path, text, word):
    path = tmp_path / "own.toml"
    path.write_text(f"[instruments.a]\nprogram = 0\n{text}\n[moods.default]\nmelody = ['a']\n")
    with pytest.raises(PresetError, match=word):
        load_preset(path)


def test_other_keys_can_be_left_out(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        "[instruments.a]\nprogram = 0\n[instruments.k]\nprogram = 0\ndrums = true\n"
        'keys = { "36" = 35, others = false }\n[moods.default]\nmelody = ["a"]\ndrums = ["k"]\n'
    )
    keys = load_preset(path).instruments["k"].keys
    assert keys[36] == 35 and keys[42] is None and len(keys) == 128
    path.write_text(path.read_text().replace("others = false", "others = 3"))
    with pytest.raises(PresetError, match="must be false"):
        load_preset(path)


def test_seconds_are_those_of_the_tempo():
    score = hand_score(("Dynamic",), bars=8, bpms=(60,))
    preset = load_preset("trailer")
    music = orchestrate(score, preset, 0, cues_of(score, {0: [(5 * BAR, 1.0)]}))
    roll = [n for n in part(music, "cymbals").notes if n.start < 5 * BAR]
    length = score.tempo.seconds(5 * BAR) - score.tempo.seconds(roll[0].start)
    assert abs(length - Fraction(2)) < Fraction(1, 10)
