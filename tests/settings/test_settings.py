"""Settings: one table, the limits, presets under the command line."""

from __future__ import annotations

import dataclasses
import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoscore.errors import PresetError, UsageError
from videoscore.settings.build import build, settings
from videoscore.settings.fields import Options
from videoscore.words import did_you_mean


def test_every_field_is_a_setting_with_help_and_a_default_that_passes():
    fields = {
        (g.name, f.name)
        for g in dataclasses.fields(Options)
        if g.name not in ("preset", "seed")
        for f in dataclasses.fields(getattr(Options(), g.name))
    }
    assert {(s.group, s.field) for s in settings().values()} == fields
    for setting in settings().values():
        assert setting.help and not setting.help.endswith(".")
        assert setting.check(setting.default) == setting.default


def test_nothing_said_gives_the_defaults_of_the_default_preset():
    from videoscore.perform.orchestrate.palette_file import load_preset
    from videoscore.settings.preset_file import preset_options

    assert build() == preset_options(load_preset("cinematic").path, Options())


def test_what_is_said_beats_the_preset_which_beats_the_default(tmp_path):
    source = load_text("piano") + "\n[smooth]\nwindow = 3.0\n[mix]\nloudness = -20.0\n"
    preset = tmp_path / "mine.toml"
    preset.write_text(source)
    options = build(preset=str(preset), loudness=-16)
    assert options.smooth.window == 3.0
    assert options.mix.loudness == -16
    assert options.preset == str(preset)
    assert options.spot == Options().spot


def load_text(name: str) -> str:
    from videoscore.perform.orchestrate.palette_file import load_preset

    text = load_preset(name).path.read_text(encoding="utf-8")
    text = re.sub(r"\[mix\]\n(?:\w.*\n)*", "", text)  # the test adds tables of its own
    assert "[smooth]" not in text and "[mix]" not in text
    return text


def test_options_given_whole_are_taken_as_they_are():
    mine = dataclasses.replace(Options(), seed=9, smooth=dataclasses.replace(Options().smooth, window=1.0))
    assert build(base=mine) == mine
    assert build(base=mine, seed=4, smooth=2).smooth.window == 2.0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"audio": "dukc"}, "Did you mean duck?"),
        ({"smoth": 1}, "Did you mean smooth?"),
        ({"takes": "two"}, "not a whole number"),
        ({"takes": 1.5}, "not a whole number"),
        ({"takes": True}, "not a whole number"),
        ({"takes": 0}, "out of range"),
        ({"loudness": "nan"}, "out of range"),
        ({"loudness": math.inf}, "out of range"),
        ({"sample_every": "1/0"}, "not a number of seconds"),
        ({"min_cue": -1}, "Stay within"),
        ({"seed": -1}, "out of range"),
        ({"seed": 2**64}, "out of range"),
    ],
)
def test_wrong_values_are_refused_with_a_remedy(said, words):
    with pytest.raises(UsageError, match=words) as caught:
        build(**said)
    assert caught.value.remedy


def test_an_unknown_preset_is_guessed_at():
    with pytest.raises(PresetError, match="Did you mean piano"):
        build(preset="pianno")


@given(st.fractions(Fraction(1, 30), 60, max_denominator=10**12))
def test_times_stay_exact(every):
    assert build(sample_every=str(every)).sample.every == every


@given(st.sampled_from(sorted(settings())), st.text(max_size=8) | st.integers() | st.floats())
def test_any_value_is_taken_or_refused_in_one_way(name, value):
    setting = settings()[name]
    try:
        taken = setting.check(value)
    except UsageError as error:
        assert setting.flag in str(error)
    else:
        assert isinstance(taken, setting.kind)
        assert setting.check(taken) == taken


def test_guesses_only_near_words():
    assert did_you_mean("analyse", ["analyze", "probe"]) == "Did you mean analyze? "
    assert did_you_mean("xyz", ["analyze", "probe"]) == ""
