"""Presets, and scores given to their instruments."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from handscore import dense_score, hand_score
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.errors import PresetError
from videoscore.mood.circle import MOODS
from videoscore.music.score import PPQ, Note, Role, Score
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement
from videoscore.settings.fields import Options
from videoscore.settings.preset_file import list_presets, preset_options

PRESETS = ("8-bit", "ambient", "band", "chamber", "cinematic", "electronic", "piano", "trailer")

SMALL = """
title = "Small"
[instruments.flute]
program = 73
range = [60, 90]
[instruments.piano]
program = 0
[instruments.kit]
program = 0
drums = true
keys = { "42" = 44, "38" = false }
[moods.default]
melody = ["flute"]
accompaniment = ["piano"]
[moods.Angry]
melody = [{ instrument = "flute", octave = 1, level = -6 }, "piano"]
drums = ["kit"]
"""


def preset_at(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def part(arrangement: Arrangement, name: str):
    return next(p for p in arrangement.parts if p.name == name)


# ---------------------------------------------------------------- presets


def test_all_packaged_presets_load_and_serve_every_mood():
    assert list_presets() == PRESETS
    for name in PRESETS:
        preset = load_preset(name)
        assert preset.title and preset.description
        for mood in MOODS:
            palette = preset.palette(mood)
            assert Role.MELODY in palette.roles and Role.BASS in palette.roles
            assert all(palette.players(role) for role in Role if role is not Role.DRUMS)
        # a MIDI file has 15 channels for pitched instruments
        assert sum(not i.drums for i in preset.instruments.values()) <= 15


def test_only_some_moods_have_drums():
    assert Role.DRUMS in load_preset("cinematic").palette("Angry").roles
    assert Role.DRUMS not in load_preset("cinematic").palette("Peaceful").roles
    assert not any(load_preset("piano").palette(mood).players(Role.DRUMS) for mood in MOODS)


def test_preset_replaces_options_and_leaves_the_others():
    before = Options(seed=7)
    after = preset_options(load_preset("ambient").path, before)
    assert after.spot.min_cue == 12 and isinstance(after.spot.min_cue, Fraction)
    assert (after.preset, after.seed, after.sample) == ("ambient", 7, before.sample)


def test_a_preset_of_ones_own_by_path(tmp_path):
    preset = load_preset(preset_at(tmp_path, SMALL))
    assert (preset.name, preset.title) == ("mine", "Small")
    assert preset.palette("Tired").voices[Role.MELODY][0].instrument == "flute"
    assert preset.palette("Angry").roles == (Role.MELODY, Role.DRUMS)


def test_presets_of_an_installed_wheel_lie_in_the_package(tmp_path, monkeypatch):
    from videoscore import resources

    shutil.copytree(resources.presets(), tmp_path / "videoscore" / "presets")
    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "videoscore")
    assert resources.presets() == tmp_path / "videoscore" / "presets"
    assert load_preset("piano").path.parent == resources.presets()


@pytest.mark.parametrize(
    "change, key, hint",
    [
        (("[instruments.flute]", "[instruments.flute]\nvolum = 3"), "instruments.flute.volum", "volume"),
        (('melody = ["flute"]', 'melodi = ["flute"]'), "moods.default.melodi", "melody"),
        (("[moods.Angry]", "[moods.Angy]"), "moods.Angy", "Angry"),
        (('melody = ["flute"]', 'melody = ["flut"]'), "flut", "flute"),
        (("program = 73", "program = 128"), "instruments.flute.program", "0 to 127"),
        (("program = 73", "program = true"), "instruments.flute.program", "0 to 127"),
        (("program = 73", "volume = 3"), "instruments.flute.program", "General MIDI"),
        (("range = [60, 90]", "range = [60, 65]"), "instruments.flute.range", "12"),
        (("range = [60, 90]", "range = 60"), "instruments.flute.range", "["),
        (('accompaniment = ["piano"]', 'accompaniment = ["kit"]'), "accompaniment", "Drums"),
        (("level = -6", "level = 99"), "level", "Change"),
        (("octave = 1", "octave = 9"), "octave", "Change"),
        (("[moods.default]", "[moods.Happy]"), "moods.Dynamic", "default"),
        (('"38" = false', '"x" = 1'), "instruments.kit.keys.x", "0 to 127"),
        (('title = "Small"', "title = 3"), "title", "quotes"),
        (("[moods.default]", '[moods.default]\nroles = ["drums"]'), "moods.default.roles", "drums"),
        (("[moods.default]", '[moods.default]\nroles = ["melodie"]'), "roles", "melody"),
        (("[instruments.flute]", "[mix]\nloudness = -3\n[instruments.flute]"), "mix.loudness", "-5"),
        (("[instruments.flute]", "[mix]\nloudness = nan\n[instruments.flute]"), "mix.loudness", "-5"),
        (("[instruments.flute]", "[mix]\nloudnes = -9\n[instruments.flute]"), "mix.loudnes", "loudness"),
        (("[instruments.flute]", '[mix]\naudio = "duk"\n[instruments.flute]'), "mix.audio", "duck"),
        (("[instruments.flute]", "[compose]\ntakes = 1.5\n[instruments.flute]"), "compose.takes", "like 1"),
        (("[instruments.flute]", '[instruments."../x"]'), "instruments.../x", "a-z"),
        (("title = ", "title == "), "TOML", "Correct"),
    ],
)
def test_a_wrong_preset_names_file_key_and_remedy(tmp_path, change, key, hint):
    assert change[0] in SMALL
    path = preset_at(tmp_path, SMALL.replace(*change, 1))
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    assert caught.value.path == path and "\n" not in str(caught.value)
    assert key in caught.value.problem and hint in caught.value.remedy + caught.value.problem


def test_an_unknown_preset_is_guessed():
    with pytest.raises(PresetError, match="Did you mean cinematic"):
        load_preset("cinematc")
    with pytest.raises(PresetError, match="can't be read"):
        load_preset("nowhere/mine.toml")


# ---------------------------------------------------------------- orchestrate


def test_roles_go_to_the_instruments_of_the_section_s_mood():
    score = hand_score(("Peaceful", "Angry"))
    arrangement = orchestrate(score, load_preset("cinematic"))
    boundary = score.sections[1].start
    assert all(note.start < boundary for note in part(arrangement, "oboe").notes)
    assert all(note.start >= boundary for note in part(arrangement, "brass").notes)
    assert all(note.start >= boundary for note in part(arrangement, "percussion").notes)
    assert {note.start < boundary for note in part(arrangement, "basses").notes} == {True, False}
    assert arrangement.duration == score.duration and arrangement.tempo == score.tempo


def test_every_written_note_sounds_and_doublings_double():
    score = hand_score(("Happy",), roles=(Role.MELODY,))
    arrangement = orchestrate(score, load_preset("cinematic"))
    assert {p.name: len(p.notes) for p in arrangement.parts} == {
        "flute": len(score.notes),
        "violins": len(score.notes),
    }
    names = [[note.pitch % 12 for note in p.notes] for p in arrangement.parts]
    assert names[0] == names[1] == [note.pitch % 12 for note in score.notes]


def test_downbeats_stay_to_the_tick_and_others_within_8_ms():
    score = hand_score(("Happy", "Angry", "Tired"), bars=8, bpms=(97, 151, 63))
    arrangement = orchestrate(score, load_preset("chamber"), seed=3)
    bar = 4 * PPQ
    written = {note.start for note in score.notes}
    downbeats, others = 0, 0
    for note in (note for p in arrangement.parts for note in p.notes):
        nearest = min(written, key=lambda tick: abs(tick - note.start))
        late = abs(arrangement.tempo.seconds(note.start) - arrangement.tempo.seconds(nearest))
        assert late <= Fraction(9, 1000)
        downbeats += nearest % bar == 0
        others += late > 0
        assert late == 0 or nearest % bar
    assert downbeats >= 3 * 8 and others > 100


def test_velocity_follows_arousal_metre_and_role():
    preset = load_preset("piano")
    quiet, loud = (
        orchestrate(hand_score((mood,), roles=(Role.MELODY,)), preset).parts[0].notes
        for mood in ("Tired", "Dynamic")
    )
    mean = [sum(n.velocity for n in notes) / len(notes) for notes in (quiet, loud)]
    assert mean[1] - mean[0] > 25
    # an even score: what is left is the accent
    even = tuple(Note(i * PPQ, Role.MELODY, 72, PPQ, 80) for i in range(64))
    score = dataclasses.replace(hand_score(("Happy",), bars=16), notes=even)
    accents = orchestrate(score, preset).parts[0].notes
    down = [n.velocity for n in accents if n.start % (4 * PPQ) == 0]
    off = [n.velocity for n in accents if round(n.start / PPQ) % 2]
    assert sum(down) / len(down) > sum(off) / len(off) + 3
    roles = [
        orchestrate(hand_score(("Happy",), roles=(role,)), load_preset("piano")).parts[0].notes
        for role in (Role.MELODY, Role.ACCOMPANIMENT)
    ]
    assert (
        sum(n.velocity for n in roles[0]) / len(roles[0])
        > sum(n.velocity for n in roles[1]) / len(roles[1]) + 5
    )


def test_the_composer_s_own_accents_come_through():
    notes = tuple(Note(i * PPQ, Role.MELODY, 72, PPQ, 110 if i % 16 == 7 else 70) for i in range(64))
    played = orchestrate(
        dataclasses.replace(hand_score(("Happy",), bars=16), notes=notes), load_preset("piano")
    )
    loud = [n.velocity for i, n in enumerate(played.parts[0].notes) if i % 16 == 7]
    plain = [n.velocity for i, n in enumerate(played.parts[0].notes) if i % 16 == 5]
    assert min(loud) > max(plain)


def test_lines_move_by_octaves_into_the_range(tmp_path):
    preset = load_preset(preset_at(tmp_path, SMALL))
    notes = tuple(
        Note(i * PPQ, Role.MELODY, pitch, PPQ, 80) for i, pitch in enumerate((36, 40, 43, 48, 84, 30))
    )
    score = dataclasses.replace(hand_score(("Happy",)), notes=notes)
    played = [n.pitch for n in orchestrate(score, preset).parts[0].notes]
    assert all(60 <= pitch <= 90 for pitch in played)
    assert [p % 12 for p in played] == [n.pitch % 12 for n in notes]
    assert [b - a for a, b in zip(played[:4], played[1:4])] == [4, 3, 5]  # the line keeps its shape


def test_drums_only_where_wanted_and_with_the_preset_s_keys(tmp_path):
    preset = load_preset(preset_at(tmp_path, SMALL))
    assert not any(p.drums for p in orchestrate(hand_score(("Happy",)), preset).parts)
    kit = part(orchestrate(hand_score(("Angry",)), preset), "kit")
    assert Counter(n.pitch for n in kit.notes).keys() == {36, 44}


def test_an_instrument_that_leaves_rings_over_the_boundary():
    score = hand_score(("Peaceful", "Angry"))
    arrangement = orchestrate(score, load_preset("cinematic"))
    tempo, boundary = score.tempo, score.sections[1].start
    ((down, last),) = part(arrangement, "oboe").pedal
    assert down < boundary and max(n.start + n.duration for n in part(arrangement, "oboe").notes) > down
    assert abs(tempo.seconds(last) - tempo.seconds(boundary) - Fraction(4, 5)) < Fraction(1, 100)
    # one that stays doesn't: its next note is there
    before = [n for n in part(arrangement, "basses").notes if n.start < boundary]
    assert max(n.start + n.duration for n in before) <= boundary
    assert max(n.start + n.duration for p in arrangement.parts for n in p.notes) <= score.sections[-1].end


def test_same_seed_same_arrangement_other_seed_other_velocities():
    score, preset = hand_score(), load_preset("band")
    assert orchestrate(score, preset, 5) == orchestrate(score, preset, 5)
    other = orchestrate(score, preset, 6)
    assert other != orchestrate(score, preset, 5)
    assert [len(p.notes) for p in other.parts] == [len(p.notes) for p in orchestrate(score, preset, 5).parts]


def test_a_score_without_notes_has_no_parts():
    assert orchestrate(dataclasses.replace(hand_score(), notes=()), load_preset("piano")).parts == ()


ANY_NOTE = st.builds(
    Note,
    st.integers(0, 8 * 4 * PPQ - 1),
    st.sampled_from(list(Role)),
    st.integers(0, 127),
    st.integers(1, 3000),
    st.integers(1, 127),
)


@settings(max_examples=60, deadline=None)
@given(notes=st.lists(ANY_NOTE, max_size=60), name=st.sampled_from(PRESETS), seed=st.integers(0, 9))
def test_any_score_gives_playable_parts(notes, name, seed):
    score: Score = dataclasses.replace(
        hand_score(("Withered", "Dynamic"), bars=4), notes=tuple(sorted(notes))
    )
    preset, end = load_preset(name), score.sections[-1].end
    for p in orchestrate(score, preset, seed).parts:
        instrument = preset.instruments[p.name]
        ends: dict[int, int] = {}
        assert p.notes and list(p.notes) == sorted(p.notes)
        for note in p.notes:
            assert note.duration >= 1 and note.start >= 0 and note.start + note.duration <= end
            assert 1 <= note.velocity <= 127 and 0 <= note.pitch <= 127
            assert p.drums or instrument.low <= note.pitch <= instrument.high
            assert note.start >= ends.get(note.pitch, 0)
            ends[note.pitch] = note.start + note.duration


def test_nothing_of_a_long_score_is_lost():
    score = dense_score(900)
    assert sum(len(p.notes) for p in orchestrate(score, load_preset("chamber")).parts) >= 0.95 * len(
        score.notes
    )


def test_doublings_are_left_out_where_a_section_would_be_too_crowded():
    preset = load_preset("cinematic")
    for seconds, mood in ((10, "Angry"), (10, "Dynamic")):
        score = dense_score(seconds, 16, mood)
        music = orchestrate(score, preset)
        written = len(score.notes)
        played = sum(len(p.notes) for p in music.parts)
        assert written / float(score.duration) < 20
        assert played / float(score.duration) <= 20
        thin = orchestrate(dense_score(seconds, 3, mood), preset)
        assert sum(len(p.notes) for p in thin.parts) > len(dense_score(seconds, 3, mood).notes), (
            "room for doublings"
        )


@pytest.mark.parametrize("bpm", [60, 180])
def test_notes_are_held_by_their_seconds(bpm):
    score = hand_score(("Depressed",), bars=4, bpms=(bpm,))
    for part in orchestrate(score, load_preset("cinematic")).parts:
        for note in part.notes:
            seconds = float(score.tempo.seconds(note.start + note.duration) - score.tempo.seconds(note.start))
            assert note.held == (seconds >= 0.9) or abs(seconds - 0.9) < 0.02
