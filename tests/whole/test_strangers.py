"""Cue sheets, presets and MIDI files of strangers: read, or refused in one line; nothing executed or exhausted."""

from __future__ import annotations

import os
import random
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.cues.file.sheet_file import load, loads
from videoscore.errors import CueSheetError, InputError, NotFound, PresetError, UsageError, VideoscoreError
from videoscore.library.read.read import Unusable, read
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.pipeline.settle import load_sheet
from videoscore.settings.build import build

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "examples" / "bikes.cues.json").read_text()
PRESETS = sorted((ROOT / "presets").glob("*.toml"))
MIDI = sorted((ROOT / "videoscore" / "library" / "pieces").glob("*.mid"))
NASTY = (
    "9" * 5000,
    "1e999999999",
    "-1e-999999999",
    '"1/0"',
    '"9/0.0"',
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "{}",
    '"\\u0000"',
    "[" * 3000,
    '{"a":' * 3000,
    '"' + "x" * 70_000 + '"',
    "1e400",
    "-0.0",
    '"1:99:99"',
    "0x10",
    "1979-05-27",
    "'''",
    "\ufeff",
    "\x00",
)


def mangled(text: str, seed: int) -> str:
    """`text` with a few values, lines or stretches of it changed for worse ones."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        kind = rng.randrange(5)
        if kind == 0:  # a value
            colon = max(text.find(":", at), text.find("=", at))
            stop = min((k for k in (text.find(c, colon) for c in ",\n}") if k > 0), default=len(text))
            text = text[: colon + 1] + rng.choice(NASTY) + text[stop:]
        elif kind == 1:
            text = text[:at] + rng.choice(NASTY) + text[at:]
        elif kind == 2:
            text = text[:at] + text[min(end, at + 50) :]
        elif kind == 3:
            text = text[:at] + text[at:end][:500] + text[at:]
        else:
            text = text[:at]
    return text


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_cue_sheet_is_read_or_refused_in_one_line(seed):
    try:
        sheet = loads(mangled(SHEET, seed), path="theirs.json")
    except CueSheetError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000 and error.remedy
    else:
        assert sheet.cues[-1].end == sheet.duration


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(PRESETS))
def test_a_preset_is_read_or_refused_in_one_line(tmp_path_factory, seed, preset):
    path = tmp_path_factory.mktemp("preset", numbered=True) / "theirs.toml"
    path.write_text(mangled(preset.read_text(), seed), encoding="utf-8")
    try:
        assert load_preset(path).palettes
    except PresetError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000 and error.remedy


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_midi_file_is_read_or_refused(seed):
    rng = random.Random(seed)
    data = bytearray(rng.choice(MIDI).read_bytes())
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(min(len(data), rng.choice((40, 400, 100_000))))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.choice((0, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 1:
            data[at : at + 4] = rng.randbytes(4)
        elif kind == 2:
            data[at:at] = b"\xff" * rng.choice((1, 4, 64))
        else:
            del data[max(8, at) :]
    try:
        music = read(bytes(data))
    except Unusable:
        return
    assert len(music.onset) and (music.duration > 0).all() and (music.pitch < 128).all()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": "videoscore-cues", "version": ' + "9" * 100_000 + "}",
        '{"format": "videoscore-cues", "version": 1, "duration": 1e9999999, "cues": []}',
        '{"format": "videoscore-cues", "version": 1, "duration": "1' + "0" * 50_000 + '/3", "cues": [{}]}',
    ],
    ids=["lists", "objects", "digits", "exponent", "fraction"],
)
def test_a_cue_sheet_can_exhaust_nothing(text):
    begin = time.process_time()
    with pytest.raises(CueSheetError):
        loads(text)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "a" + ".a" * 50_000 + " = 1",
        "a = " + "9" * 50_000,
        "a = 1e999999999",
        "[" + ".".join("abcdefgh") + "]\n" * 2,
    ],
    ids=["lists", "dots", "digits", "exponent", "twice"],
)
def test_a_preset_can_exhaust_nothing(tmp_path, text):
    path = tmp_path / "theirs.toml"
    path.write_text(text)
    begin = time.process_time()
    with pytest.raises(PresetError):
        load_preset(path)
    assert time.process_time() - begin < 5


def test_an_exponent_can_exhaust_nothing(tmp_path):
    bomb = tmp_path / "theirs.toml"
    bomb.write_text(PRESETS[0].read_text() + '\n[spot]\nmin_cue = "1e999999999"\n')
    for preset, settings_ in (
        (str(bomb), {}),
        (None, {"max_cue": "1e999999999"}),
        (None, {"min_cue": "9" * 70}),
    ):
        with pytest.raises(UsageError, match="is not a number of seconds|is of the wrong kind"):
            build(preset, **settings_)
    assert build(min_cue="12.5").spot.min_cue == 12.5 and build(sample_every="1/3").sample.every == Fraction(
        1, 3
    )


def test_a_preset_s_file_is_found_beside_the_cue_sheet_that_names_it(tmp_path):
    (tmp_path / "mine.toml").write_text(PRESETS[0].read_text())
    sheet = tmp_path / "a.cues.json"
    sheet.write_text(
        '{"format": "videoscore-cues", "version": 1, "duration": 4, "preset": "elsewhere/mine.toml", '
        '"cues": [{"mood": "Happy"}]}'
    )
    assert load_sheet(sheet).preset == str(tmp_path / "mine.toml")
    (tmp_path / "mine.toml").unlink()
    assert load_sheet(sheet).preset == "elsewhere/mine.toml"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("reader", [load, load_preset], ids=["cue sheet", "preset"])
def test_a_pipe_or_a_device_is_never_waited_for(tmp_path, reader):
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    devices = [Path("/dev/zero")] if Path("/dev/zero").exists() else []
    for path in (pipe, *devices, tmp_path):
        with pytest.raises((CueSheetError, PresetError, NotFound, InputError)) as caught:
            reader(str(path))
        assert isinstance(caught.value, VideoscoreError)
