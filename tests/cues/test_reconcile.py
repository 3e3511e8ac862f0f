"""A user changes one thing in a cue sheet: it is obeyed, and what depends on it follows."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from cue_sheets import DELETED, VALIDATOR, cue, edited, three_cues
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.cues.check import check
from videoscore.cues.contour import mean
from videoscore.cues.file.sheet_file import dumps, loads
from videoscore.cues.sheet import CueSheet, HitPoint, Meter
from videoscore.errors import CueSheetError
from videoscore.mood.circle import MOODS, centre, mood_of, octant


@pytest.fixture
def sheet() -> CueSheet:
    return three_cues()


def test_nothing_changed_means_nothing_changes(sheet):
    assert edited(sheet) == sheet


@pytest.mark.parametrize("mood", MOODS)
def test_mood_word_moves_the_curve_the_key_the_tempo_and_the_name(sheet, mood):
    word = mood.upper() if mood == "Happy" else mood
    out = edited(sheet, (1, "mood", word))
    cue, old = out.cues[1], sheet.cues[1]
    assert cue.mood == mood
    valence, arousal = mean(cue.curve, cue.start, cue.end)
    assert octant(valence, arousal) == MOODS.index(mood)
    assert valence**2 + arousal**2 >= 0.399**2
    assert (cue.key.endswith("minor")) == (centre(mood)[0] < 0)
    assert cue.name == f"1m1 {mood}"
    assert (cue.start, cue.end, cue.hits) == (old.start, old.end, old.hits)
    if mood != "Angry":
        assert [p.valence - valence for p in cue.curve] == pytest.approx(
            [p.valence - centre("Angry")[0] for p in old.curve], abs=0.02
        )
    assert out.cues[0] == sheet.cues[0]
    assert out.cues[2] == sheet.cues[2]


def test_tempo_goes_to_the_new_moods_range(sheet):
    assert sheet.cues[1].bpm > 120
    assert 56 <= edited(sheet, (1, "mood", "Tired")).cues[1].bpm <= 80


def test_a_pale_mood_is_made_clear_when_asked_for_by_word(sheet):
    pale = tuple(replace(p, valence=0.02, arousal=-0.05) for p in sheet.cues[0].curve)
    sheet = replace(sheet, cues=(replace(sheet.cues[0], curve=pale), *sheet.cues[1:]))
    cue = edited(sheet, (0, "mood", "Happy")).cues[0]
    assert mean(cue.curve, cue.start, cue.end) == pytest.approx(centre("Happy", 0.4), abs=1e-3)


def test_key_edited_beside_the_mood_is_kept(sheet):
    out = edited(sheet, (1, "mood", "Happy"), (1, "key", "C# minor"))
    assert out.cues[1].key == "C# minor"
    assert edited(sheet, (1, "key", "Bb minor")).cues[1] == replace(sheet.cues[1], key="Bb minor")


def test_numbers_lead_the_mood_word(sheet):
    out = edited(sheet, (2, "valence", 0.3), (2, "arousal", 0.1))
    cue = out.cues[2]
    assert mean(cue.curve, cue.start, cue.end) == pytest.approx((0.3, 0.1), abs=1e-3)
    assert cue.mood == "Happy"
    assert cue.key == "C major"
    assert cue.seed == 7
    slightly = edited(sheet, (2, "valence", -0.5)).cues[2]
    assert slightly.mood == "Depressed"
    assert slightly.meter == sheet.cues[2].meter
    assert slightly.key == sheet.cues[2].key


def test_curve_points_lead_numbers_and_word(sheet):
    curve = [{"t": 22, "valence": 0.5, "arousal": 0.2}, {"t": 40, "valence": 0.7, "arousal": 0.2}]
    cue = edited(sheet, (1, "curve", curve)).cues[1]
    assert [(p.t, p.valence) for p in cue.curve] == [(22, 0.5), (40, 0.7)]
    assert cue.mood == "Happy"


def test_values_at_the_rim_keep_their_mean(sheet):
    cue = edited(sheet, (2, "valence", -1), (2, "arousal", 1)).cues[2]
    assert mean(cue.curve, cue.start, cue.end) == pytest.approx((-1, 1), abs=1e-3)


@pytest.mark.parametrize("change", [(0, "end", 18), (1, "start", 18), (1, "start", "0:18")])
def test_boundary_moved_on_either_side_takes_the_neighbour_along(sheet, change):
    out = edited(sheet, change)
    assert [c.start for c in out.cues] == [0, 18, Fraction(1001, 24)]
    before, after = out.cues[:2]
    assert after.start_on == "edit"
    for new, old in zip(out.cues, sheet.cues):
        assert abs(new.bpm / old.bpm - 1) < Fraction(1, 8)  # the nearest whole bars
        assert new.bpm * new.duration == 60 * new.meter.bars * new.meter.beats
        assert new.mood == old.mood
    assert (before.curve[-1].t, after.curve[0].t) == (18, 18)
    # moods stay with the pictures: inside, the curve is as it was
    assert before.at(Fraction(10)) == pytest.approx(sheet.cues[0].at(Fraction(10)))
    assert out.cues[2] == sheet.cues[2]


def test_boundary_moved_near_a_cut_is_on_the_cut(sheet):
    out = edited(sheet, (0, "end", 33.37))
    assert out.cues[1].start == Fraction(1001, 30)
    assert out.cues[1].start_on == "cut"
    # the hit at 30 s lies in the first cue now
    assert [len(c.hits) for c in out.cues] == [1, 0, 0]


def test_both_sides_moved_alike_or_contradicting(sheet):
    assert edited(sheet, (0, "end", 18), (1, "start", 18)).cues[1].start == 18
    with pytest.raises(CueSheetError, match=r"cue 1 .* ends at 18 s and cue 2 .* starts at 19 s.*only one"):
        edited(sheet, (0, "end", 18), (1, "start", 19))


def test_bpm_bars_and_beats(sheet):
    first = sheet.cues[0]
    assert edited(sheet, (0, "bpm", 95.5)).cues[0] == replace(first, meter=Meter(8, 4))
    assert edited(sheet, (0, "bars", 6)).cues[0] == replace(first, meter=Meter(6, 4))
    assert edited(sheet, (0, "bars", 6), (0, "bpm", 72)).cues[0].meter == Meter(6, 4)
    assert edited(sheet, (0, "beats", 3)).cues[0].meter == Meter(9, 3)
    assert edited(sheet, (0, "bars", 10), (0, "beats", 3)).cues[0].meter == Meter(10, 3)
    with pytest.raises(CueSheetError, match=r"6 bars of 4 are 72\.0 .* not 90"):
        edited(sheet, (0, "bars", 6), (0, "bpm", 90))
    with pytest.raises(CueSheetError, match="can't be played"):
        edited(sheet, (0, "bpm", 2000))


def test_seed_name_preset_and_hits_are_taken_as_they_are(sheet):
    out = edited(
        sheet,
        (0, "seed", 99),
        (1, "name", "The Duel"),
        (None, "preset", "chamber"),
        (2, "hits", [{"t": 50}]),
        (None, "seed", 5),
    )
    assert out.cues[0] == replace(sheet.cues[0], seed=99)
    assert out.cues[1] == replace(sheet.cues[1], name="The Duel")
    assert out.cues[2].hits == (HitPoint(Fraction(50), "hit", 1.0),)
    assert (out.preset, out.seed) == ("chamber", 5)


def test_a_deleted_line_is_chosen_anew(sheet):
    out = edited(sheet, *((0, f, DELETED) for f in ("key", "bars", "bpm", "mood", "curve")))
    first = out.cues[0]
    assert first.mood == "Peaceful"
    assert first.key.endswith("major")
    assert 70 <= first.bpm <= 96


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_time_of_a_deleted_cue_goes_to_the_one_before(sheet, gone):
    document = json.loads(dumps(sheet))
    del document["cues"][gone]
    out = loads(json.dumps(document))
    check(out)
    wanted = {0: [0, Fraction(1001, 24)], 1: [0, Fraction(1001, 24)], 2: [0, 20]}[gone]
    assert [c.start for c in out.cues] == wanted
    assert out.cues[-1].end == sheet.duration
    assert out.cues[0].start_on == "start"


def test_an_inserted_cue_takes_its_time_from_its_neighbour(sheet):
    document = json.loads(dumps(sheet))
    document["cues"].insert(1, {"start": 12, "end": 20, "mood": "Happy"})
    out = loads(json.dumps(document))
    assert [(c.start, c.mood) for c in out.cues][:3] == [(0, "Peaceful"), (12, "Happy"), (20, "Angry")]


def test_a_sheet_may_be_written_by_hand():
    text = """{"format": "videoscore-cues", "version": 1, "duration": 60, "cues": [
        {"end": 20, "mood": "peaceful"}, {"end": "0:41.5", "mood": "Angry"}, {"valence": -0.4, "arousal": -0.2}]}"""
    VALIDATOR.validate(json.loads(text))
    out = loads(text)
    assert [c.mood for c in out.cues] == ["Peaceful", "Angry", "Depressed"]
    assert [c.end for c in out.cues] == [20, Fraction(83, 2), 60]
    assert [mood_of(*mean(c.curve, c.start, c.end)) for c in out.cues] == [c.mood for c in out.cues]
    assert loads(dumps(out)) == out


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_single_edit_is_obeyed_or_refused(data):
    third, last = Fraction(1001, 24), Fraction(145, 2)
    sheet = CueSheet(
        "f",
        last,
        (
            cue(0, 20, "Peaceful", "G major", 7, on="start"),
            cue(20, third, "Angry", "E minor", 12),
            cue(third, last, "Tired", "A minor", 8),
        ),
    )
    field = data.draw(st.sampled_from(["start", "end", "mood", "valence", "arousal", "bars", "beats", "bpm"]))
    value = data.draw(
        {
            "mood": st.sampled_from(MOODS),
            "bars": st.integers(1, 90),
            "beats": st.integers(1, 12),
            "valence": st.floats(-1, 1),
            "arousal": st.floats(-1, 1),
            "bpm": st.floats(20, 300),
        }.get(field, st.floats(0, 80))
    )
    index = data.draw(st.integers(0, 2))
    try:
        out = edited(sheet, (index, field, value))
    except CueSheetError:
        assert field in ("start", "end")  # of which some lie outside the neighbours
        return
    check(out)
    got = out.cues[index]
    if field in ("valence", "arousal"):
        at = mean(got.curve, got.start, got.end)
        assert at[field == "arousal"] == pytest.approx(value, abs=2e-4)
        assert got.mood == mood_of(*at) or got.mood == sheet.cues[index].mood
    elif field in ("start", "end"):
        assert abs(float(getattr(got, field)) - value) <= 0.021
    elif field in ("bars", "beats"):
        assert getattr(got.meter, field) == value
    elif field == "mood":
        assert got.mood == value
