"""The spaces in which music is heard, and the convolution with them."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from handscore import hand_score

from videoscore.errors import SetupError
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement, Part, Played
from videoscore.perform.render import soundfont
from videoscore.perform.render.render import render
from videoscore.perform.render.reverberation import Reverberation
from videoscore.perform.render.spaces import SPACES, impulse_response
from videoscore.settings.fields import RenderOptions

RATE = 48000


def decay(response: np.ndarray) -> float:
    """Seconds until -60 dB, from the slope between -5 and -25 dB of Schroeder's backward integral."""
    left = np.cumsum((response.astype(float) ** 2).sum(axis=1)[::-1])[::-1]
    level = 10 * np.log10(left / left[0] + 1e-12)
    return 3 * (int(np.argmax(level < -25)) - int(np.argmax(level < -5))) / RATE


def energy(response: np.ndarray) -> float:
    return float((response.astype(float) ** 2).sum())


@pytest.mark.parametrize("name", SPACES)
def test_a_space_decays_as_it_says(name):
    response = impulse_response(name, 64, 0.3, 1.0, RATE)
    assert decay(response) == pytest.approx(np.mean(SPACES[name].decay), rel=0.25)
    assert np.abs(response[-1]).max() < 1e-4 * np.abs(response).max()
    assert 10 * math.log10(energy(response) / 2) == pytest.approx(0.0, abs=1.0)  # as loud as the direct sound
    assert np.array_equal(response, impulse_response(name, 64, 0.3, 1.0, RATE))


@pytest.mark.parametrize("name", SPACES)
def test_who_sits_behind_has_more_reverberation_and_who_sits_left_sooner_on_the_left(name):
    front, back = (energy(impulse_response(name, 64, depth, 1.0, RATE)) for depth in (0.1, 0.9))
    assert 10 * math.log10(back / front) > 3
    early = slice(0, round(0.08 * RATE))
    left, right = (impulse_response(name, pan, 0.2, 1.0, RATE)[early] for pan in (30, 98))
    balance = [energy(r[:, :1]) / energy(r[:, 1:]) for r in (left, right)]
    assert balance[0] > 1.1 * balance[1]


def test_the_bigger_the_space_the_longer_it_rings():
    decays = [decay(impulse_response(name, 64, 0.3, 1.0, RATE)) for name in ("room", "hall", "church")]
    assert decays[0] < 0.6 and 1.3 < decays[1] < 2.3 and decays[2] > 2.5


@pytest.mark.parametrize("samples", [100, 40_000, 700_000])
@pytest.mark.parametrize("block", [4096, 32_768])
def test_reverberation_in_blocks_is_plain_convolution(samples, block):
    from scipy.signal import oaconvolve

    rng = np.random.default_rng(0)
    dry = rng.standard_normal((samples, 2)).astype(np.float32)
    dry[samples // 3 : samples // 2] = 0
    response = impulse_response("room", 40, 0.5, 0.5, RATE)
    blocks = (dry[start : start + block] for start in range(0, samples, block))
    wet = np.concatenate(list(Reverberation(response, samples).run(blocks)))
    plain = dry + oaconvolve(dry.mean(axis=1, keepdims=True), response, axes=0)[:samples]
    assert wet.shape == dry.shape
    assert np.abs(wet - plain).max() < 1e-4 * np.abs(plain).max()


def test_presets_seat_strings_in_front_and_drums_behind(tmp_path):
    orchestra = load_preset("cinematic").instruments
    assert orchestra["violins"].depth < orchestra["flute"].depth < orchestra["brass"].depth
    assert orchestra["percussion"].depth > 0.8
    own = tmp_path / "own.toml"
    own.write_text("[instruments.a]\nprogram = 0\ndepth = 0.95\n[moods.default]\nmelody = ['a']\n")
    assert load_preset(own).instruments["a"].depth == 0.95


def test_notes_sound_when_they_did_and_ring_in_the_space(tmp_path):
    try:
        soundfont.fluidsynth()
        soundfont.find_soundfont()
    except SetupError as error:
        pytest.skip(f"needs FluidSynth and a SoundFont: {error}")
    part = Part("part", 0, True, (Played(480, 100, 75, 127),), depth=0.9)
    music = Arrangement((part,), hand_score(("Happy",)).sections, hand_score(("Happy",)).tempo, Fraction(5))
    options = RenderOptions(reverb=0.6, space="dry")
    levels = {}
    for name in ("dry", *SPACES):
        (stem,) = render(music, tmp_path / name, dataclasses.replace(options, space=name))
        sound, _ = soundfile.read(stem.path, dtype="float32")
        levels[name] = np.abs(sound).max(axis=1)
    first = {name: int(np.argmax(level > 1e-4)) for name, level in levels.items()}
    assert len(set(first.values())) == 1
    rings = [
        float(np.abs(levels[name][first["dry"] + RATE : first["dry"] + 2 * RATE]).mean()) for name in levels
    ]
    assert rings == sorted(rings) and rings[2] > 10 * max(rings[1], 1e-7)
    assert levels["church"][-480:].max() < 1e-3
