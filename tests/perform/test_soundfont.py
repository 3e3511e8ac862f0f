"""Which SoundFont is taken, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from stems import CLAVES, DRY, EVEN, arrange, decibels, one_stem, sound, sound_is_installed  # noqa: F401 (a fixture)

from videoscore.audio.loudness import measure
from videoscore.errors import SetupError
from videoscore.music.score import PPQ
from videoscore.perform.parts import Played
from videoscore.perform.render import soundfont
from videoscore.perform.render.render import render
from videoscore.resources import IMPORT_ROOT
from videoscore.settings.fields import RenderOptions


def test_search_order(tmp_path, monkeypatch):
    best = soundfont.find_soundfont()
    other = tmp_path / "fonts" / "Other.sf2"
    other.parent.mkdir()
    other.symlink_to(best.path.resolve())
    monkeypatch.setenv(soundfont.VARIABLE, str(other))
    assert soundfont.find_soundfont().path == other
    monkeypatch.setenv(soundfont.VARIABLE, str(other.parent))
    assert soundfont.find_soundfont().path == other
    assert soundfont.find_soundfont(best.path).path == best.path
    monkeypatch.delenv(soundfont.VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "soundfonts").symlink_to(other.parent)
    assert soundfont.find_soundfont().path == tmp_path / "soundfonts" / "Other.sf2"


def test_the_known_fonts_come_first_and_carry_their_licence(tmp_path):
    head = b"RIFF\x10\x00\x00\x00sfbk"
    for name in ("Aardvark.sf2", "TimGM6mb.sf2", "FluidR3_GM.sf2", "notes.txt"):
        (tmp_path / name).write_bytes(head)
    (tmp_path / "MuseScore_General.sf3").write_bytes(b"not a font")
    font = soundfont.find_soundfont(tmp_path)
    assert (font.path.name, font.title, font.licence) == ("FluidR3_GM.sf2", "Fluid R3 GM", "MIT")
    (tmp_path / "FluidR3_GM.sf2").unlink()
    assert soundfont.find_soundfont(tmp_path).path.name == "TimGM6mb.sf2"


def test_the_last_resort_says_so_and_works(tmp_path, monkeypatch):
    monkeypatch.setattr(soundfont, "_folders", lambda: iter(()))
    monkeypatch.delenv(soundfont.VARIABLE, raising=False)
    font = soundfont.find_soundfont()
    assert font.last_resort and font.path.name == "TimGM6mb.sf2" and font.licence == "GPL 2"
    arrangement = arrange((Played(0, PPQ, 60, 100),), Fraction(1), program=48)
    stem = render(arrangement, tmp_path, RenderOptions(soundfont=str(font.path)))[0]
    assert measure(stem.path).integrated is not None


def test_missing_parts_name_the_one_command(tmp_path, monkeypatch):
    with pytest.raises(SetupError, match="isn't there"):
        soundfont.find_soundfont(tmp_path / "none.sf2")
    (tmp_path / "text.sf2").write_text("hello")
    with pytest.raises(SetupError, match="no SoundFont"):
        soundfont.find_soundfont(tmp_path / "text.sf2")
    monkeypatch.setattr(soundfont, "_folders", lambda: iter(()))
    monkeypatch.setattr(soundfont.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv(soundfont.VARIABLE, raising=False)
    with pytest.raises(SetupError) as caught:
        soundfont.find_soundfont()
    assert soundfont.install_command() in caught.value.remedy


def test_nothing_is_printed_where_ci_is_set():
    done = subprocess.run(
        [sys.executable, "-c", "from videoscore.perform.render import soundfont as s; s.fluidsynth()"],
        env={**os.environ, "CI": "true"},
        capture_output=True,
        check=True,
        cwd=IMPORT_ROOT,
    )
    assert done.stdout == b""
    assert soundfont.fluidsynth_version().split(".")[0] in ("2", "3")


def test_debian_s_fonts_are_known_by_name(tmp_path):
    for name in ("MuseScore_General_Full.sf3", "MuseScore_General_Lite.sf3", "other.sf3"):
        (tmp_path / name).write_bytes(b"RIFF\0\0\0\0sfbk")
    font = soundfont.find_soundfont(tmp_path)
    assert (font.path.name, font.title, font.licence) == (
        "MuseScore_General_Full.sf3",
        "MuseScore General HQ",
        "MIT",
    )
    assert soundfont.find_soundfont(tmp_path / "MuseScore_General_Lite.sf3").title == "MuseScore General"


def test_the_small_font_says_what_the_larger_has_and_how_to_get_it(tmp_path, monkeypatch):
    from videoscore import system

    for name in ("MuseScore_General_Lite.sf3", "MuseScore_General_Full.sf3"):
        (tmp_path / name).write_bytes(b"RIFF\0\0\0\0sfbk")
    small = soundfont.find_soundfont(tmp_path / "MuseScore_General_Lite.sf3")
    assert "2,202 samples" in small.larger
    assert soundfont.find_soundfont(tmp_path).larger == "", "the larger one is preferred and says nothing"
    monkeypatch.setattr(soundfont, "_family", lambda: "debian")
    monkeypatch.setenv(soundfont.VARIABLE, str(small.path))
    told = system._soundfont()
    assert told.ok and "2,202 samples" in told.fact
    assert told.fact.endswith("sudo apt-get install musescore-general-soundfont")
    monkeypatch.setattr(soundfont, "_family", lambda: "arch")
    assert "apt-get" not in system._soundfont().fact


def test_a_bank_is_played_and_bank_0_stands_in_for_one_that_is_missing(tmp_path):
    notes = (Played(0, 2 * PPQ, 60, 100),)
    plain, sine, missing = (
        sound(one_stem(arrange(notes, Fraction(2), program=80, bank=bank), tmp_path, DRY))
        for bank in (0, 8, 99)
    )
    assert np.array_equal(plain, missing)
    if "MuseScore" in soundfont.find_soundfont().title:
        assert not np.allclose(plain, sine, atol=1e-3)
