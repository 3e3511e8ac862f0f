"""The cue-sheet file: exact there and back, sound or refused in one clear line."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from cue_sheets import SCHEMA_TEXT, VALIDATOR, three_cues
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.cues.check import check
from videoscore.cues.conform import conform
from videoscore.cues.file.sheet_file import dumps, load, loads, save
from videoscore.cues.numbers import literal, seconds
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, HitPoint, Meter
from videoscore.errors import CueSheetError, NotFound, OutputError
from videoscore.mood.circle import MOODS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sheet() -> CueSheet:
    return three_cues()


# ---------------------------------------------------------------- there and back

units = st.floats(-1, 1)
texts = st.text(max_size=30)


@st.composite
def sheets(draw) -> CueSheet:
    lengths = draw(
        st.lists(st.fractions(Fraction(1, 500), 300, max_denominator=30000), min_size=1, max_size=6)
    )
    cues, at = [], Fraction(0)
    for n, length in enumerate(lengths):
        end = at + length
        inside = st.fractions(0, 1, max_denominator=999).map(lambda x, at=at, length=length: at + x * length)
        times = sorted(draw(st.sets(inside, min_size=1, max_size=6)))
        curve = tuple(CurvePoint(t, draw(units), draw(units)) for t in times)
        marks = sorted(draw(st.sets(inside, max_size=3)))
        hits = tuple(HitPoint(t, draw(texts), draw(st.floats(0, 1))) for t in marks)
        key = (
            f"{draw(st.sampled_from('CDEFGAB'))}{draw(st.sampled_from(['', '#', 'b']))} "
            f"{draw(st.sampled_from(['major', 'minor']))}"
        )
        start_on = draw(st.sampled_from(["cut", "mood", "length", "edit"])) if n else "start"
        cues.append(
            Cue(
                draw(texts),
                at,
                end,
                start_on,
                draw(st.sampled_from(MOODS)),
                curve,
                key,
                Meter(draw(st.integers(1, 5000)), draw(st.integers(1, 12))),
                hits,
                draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
            )
        )
        at = end
    cuts = draw(st.sets(st.fractions(0, 1, max_denominator=10007), max_size=8))
    return CueSheet(
        draw(texts),
        at,
        tuple(cues),
        tuple(sorted(c * at for c in cuts if 0 < c < 1)),
        draw(st.integers(0, 2**63 - 1)),
        draw(st.text(min_size=1, max_size=20)),
        draw(st.dictionaries(texts, texts, max_size=3)),
    )


@given(sheets())
@settings(max_examples=100, deadline=None)
def test_round_trip_is_exact_and_valid(sheet):
    text = dumps(sheet)
    assert loads(text) == sheet
    assert dumps(loads(text)) == text
    VALIDATOR.validate(json.loads(text))


@given(st.fractions(min_value=0, max_value=10**6))
def test_times_are_exact(t):
    text = literal(t)
    value = json.loads(text, parse_float=Decimal)
    assert seconds(value, "t") == t


def test_times_are_decimals_where_nine_places_suffice():
    assert literal(Fraction(25, 2)) == "12.5"
    assert literal(Fraction(100)) == "100"
    assert literal(Fraction(1, 10**9)) == "0.000000001"
    assert literal(Fraction(1001, 24)) == '"1001/24"'
    assert seconds("1:02.5", "t") == Fraction(125, 2)
    assert seconds("1:00:00", "t") == 3600


def test_schema_in_the_package_is_the_published_one():
    assert (ROOT / "docs/cue-sheet.schema.json").read_text(encoding="utf-8") == SCHEMA_TEXT
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_TEXT))


def test_save_and_load(sheet, tmp_path):
    path = tmp_path / "film.cues.json"
    save(sheet, path)
    save(replace(sheet, seed=4), path)
    assert load(path) == replace(sheet, seed=4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # an editor's byte order mark
    assert load(path) == replace(sheet, seed=4)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(sheet, tmp_path, monkeypatch):
    path = tmp_path / "film.cues.json"
    save(sheet, path)
    with pytest.raises(OutputError):
        save(sheet, tmp_path / "no such folder" / "x.json")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OutputError, match="no space"):
        save(replace(sheet, seed=9), path)
    assert load(path) == sheet
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- refused, in one clear line


def broken(sheet, index=None, **fields) -> str:
    document = json.loads(dumps(sheet))
    (document if index is None else document["cues"][index]).update(fields)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("index", "fields", "message"),
    [
        (1, {"mood": "Hapy"}, r"cue 2 \(1m1 Angry\): there is no mood 'Hapy'. Did you mean Happy\?"),
        (1, {"mood": "xyzzy"}, r"The moods are Happy, Dynamic"),
        (1, {"mod": "Happy"}, r"unknown field 'mod'. Did you mean 'mood'"),
        (0, {"bpm": "120"}, r'bpm of cue 1 .* is "120". Write a number from 0 to 1e\+12, without quotes'),
        (0, {"bars": "4"}, r'bars of cue 1 .* is "4". Write a whole number .*, without quotes'),
        (0, {"bpm": True}, r"bpm of cue 1 .* is true. Write a number from 0 to 1e\+12\."),
        (0, {"valence": [1]}, r"valence of cue 1 .* is \[1\]. Write a number"),
        (1, {"valence": 1.5}, r"valence of cue 2 .* is 1.5. Write a number from -1 to 1"),
        (1, {"valence": "high"}, r"valence of cue 2"),
        (1, {"valence": True}, r"valence of cue 2"),
        (1, {"key": "H minor"}, r"cue 2 .*'H minor' is not a key"),
        (1, {"bars": 0}, r"bars of cue 2 .* whole number"),
        (1, {"bars": 2.5}, r"bars of cue 2 .* whole number"),
        (1, {"end": -3}, r"end of cue 2 .* is negative"),
        (1, {"end": 10}, r"cue 2 .* would last from 20 to 10 s"),
        (1, {"end": "soon"}, r"end of cue 2 .* is not a time"),
        (1, {"end": "1/0"}, r"divides by zero"),
        (2, {"end": 99}, r"cue 3 .* ends at 99 s, not with the film at 72.5 s"),
        (0, {"start": 1}, r"cue 1 .* starts at 1 s"),
        (1, {"curve": [{"t": 5, "valence": 0, "arousal": 0}]}, r"curve point lies outside"),
        (1, {"curve": [{"t": 30, "valence": 0, "arousal": 0}] * 2}, r"times don't increase"),
        (1, {"curve": [{"t": 30, "valence": 0}]}, r"curve point 1 of cue 2 .* not complete"),
        (1, {"hits": [{"t": 999}]}, r"hit at 999 s .* beyond"),
        (1, {"hits": [{"strength": 1}]}, r"hit 1 of cue 2 .* no time"),
        (1, {"mood": "Happy", "valence": -0.5}, r"cue 2 .* is to be Happy, but its valence -0.50"),
        (1, {"start_on": "whim"}, r"start_on can't be 'whim'"),
        (None, {"version": 2}, r"version 2 can't be read.*Update videoscore"),
        (None, {"format": "x"}, r"not a cue sheet of videoscore"),
        (None, {"duration": 0}, r"a film of 0 s"),
        (None, {"cues": []}, r"no cues"),
        (None, {"cues": {}}, r"not a list"),
        (None, {"cues": [3]}, r"cue 1 is not a JSON object"),
        (None, {"cues": [{}] * 10_001}, r"not a list of up to 10000"),
        (None, {"cuts": [1, 1]}, r"cut at 1 s is out of order"),
        (None, {"notes": {"a": 1}}, r"notes"),
        (None, {"seed": 2**80}, r"seed of the sheet"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(sheet, index, fields, message):
    with pytest.raises(CueSheetError, match=message) as caught:
        loads(broken(sheet, index, **fields), path="film.cues.json")
    assert str(caught.value).startswith("film.cues.json: ")
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("end", "start", "message"), [(18, 20, "leave a gap"), (22, 20, "overlap")])
def test_gaps_and_overlaps_of_a_sheet_by_hand(end, start, message):
    cues = [{"end": end, "mood": "Peaceful"}, {"start": start, "mood": "Angry"}]
    text = json.dumps({"format": "videoscore-cues", "version": 1, "duration": 60, "cues": cues})
    with pytest.raises(
        CueSheetError, match=rf"cue 1 ends at {end} s and cue 2 starts at {start} s: they {message}"
    ):
        loads(text)


def test_reordered_cues_are_refused(sheet):
    document = json.loads(dumps(sheet))
    document["cues"].append(document["cues"][0])
    with pytest.raises(CueSheetError, match="overlaps"):
        loads(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1, 2",
        "null",
        "3",
        '"x"',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": "videoscore-cues"}',
        '{"format": "videoscore-cues", "version": 1, "duration": NaN, "cues": [{}]}',
        '{"format": "videoscore-cues", "version": 1, "duration": 1e999999999, "cues": [{}]}',
        '{"format": "videoscore-cues", "version": 1, "duration": ' + "9" * 100_000 + ', "cues": [{}]}',
        '{"format": "videoscore-cues", "version": 1, "duration": 9, "duration": 9, "cues": [{}]}',
        '{"format": "videoscore-cues", "version": 1, "duration": 9, "cues": [{}]}',
    ],
)
def test_hostile_text_is_refused(text):
    with pytest.raises(CueSheetError) as caught:
        loads(text)
    assert caught.value.remedy


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(NotFound, match=r"nothing\.json"):
        load(tmp_path / "nothing.json")
    with pytest.raises(NotFound):
        load(tmp_path)
    (tmp_path / "bin").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CueSheetError, match="UTF-8"):
        load(tmp_path / "bin")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(CueSheetError, match="64 MB"):
        load(tmp_path / "huge")


def test_an_unsound_sheet_is_not_written(sheet, tmp_path):
    first = sheet.cues[0]
    for wrong in (
        replace(first, end=Fraction(21)),
        replace(first, mood="Jolly"),
        replace(first, curve=()),
        replace(first, curve=(CurvePoint(Fraction(1), float("nan"), 0.0),)),
        replace(first, hits=(HitPoint(Fraction(40), "cut", 1.0),)),
        replace(first, meter=Meter(0, 4)),
    ):
        with pytest.raises(CueSheetError):
            save(replace(sheet, cues=(wrong, *sheet.cues[1:])), tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- another length


def test_conform_fits_the_last_cue(sheet):
    assert conform(sheet, sheet.duration) is sheet
    for duration in (Fraction(72), Fraction(2201, 30)):
        out = conform(sheet, duration)
        check(out)
        assert out.duration == out.cues[-1].end == duration
        assert out.cues[:-1] == sheet.cues[:-1]
        assert abs(out.cues[-1].bpm / sheet.cues[-1].bpm - 1) < Fraction(1, 10)
    with pytest.raises(CueSheetError, match=r"film of 72.5 s and this one lasts 70 s"):
        conform(sheet, Fraction(70))


def test_conform_drops_cues_that_would_start_beyond_the_end(sheet):
    short = replace(sheet.cues[-1], end=sheet.cues[-1].start + Fraction(1, 2))
    short = replace(short, curve=(CurvePoint(short.start, 0.1, 0.1),))
    sheet = replace(sheet, cues=(*sheet.cues[:-1], short), duration=short.end)
    out = conform(sheet, short.start - Fraction(1, 4))
    check(out)
    assert len(out.cues) == 2


# ---------------------------------------------------------------- what we ship


def test_the_example_sheet_is_obeyed():
    path = ROOT / "examples/bikes.cues.json"
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))
    first, second = load(path).cues
    assert (first.mood, second.mood) == ("Happy", "Dynamic")
    assert first.end == second.start == Fraction(76, 25)
    assert second.start_on == "cut"
    assert first.key.endswith("major")


def test_the_example_program_edits_a_sheet(sheet, tmp_path):
    save(sheet, tmp_path / "in.json")
    program = [sys.executable, str(ROOT / "examples/edit_cues.py")]
    run = subprocess.run(
        [*program, str(tmp_path / "in.json"), "2", "Tired", str(tmp_path / "out.json")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    assert [c.mood for c in load(tmp_path / "out.json").cues] == ["Peaceful", "Tired", "Depressed"]
    run = subprocess.run(
        [*program, str(tmp_path / "in.json"), "2", "Tird", str(tmp_path / "no.json")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 2
    assert "Did you mean Tired?" in run.stderr
    assert "Traceback" not in run.stderr


def test_sheets_in_the_guide_are_sound():
    guide = (ROOT / "docs/cue-sheet.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", guide, re.S)
    assert len(blocks) == 2
    by_hand = loads(blocks[1])
    assert len(by_hand.cues) == 3
