"""Arrangements of a few notes, and what is heard of their stems; for tests of the renderer."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from handscore import hand_score

from videoscore.errors import SetupError
from videoscore.music.score import TempoMap
from videoscore.perform.parts import Arrangement, Part, Played, Stem
from videoscore.perform.render import soundfont
from videoscore.perform.render.render import job
from videoscore.perform.render.stem import play
from videoscore.settings.fields import RenderOptions

DRY = RenderOptions(reverb=0.0)
EVEN = TempoMap(((0, 500_000),))
CLAVES = 75  # a click of a few milliseconds in every General MIDI kit


@pytest.fixture(scope="module", autouse=True)
def sound_is_installed() -> soundfont.Font:
    try:
        soundfont.fluidsynth()
        return soundfont.find_soundfont()
    except SetupError as error:
        pytest.skip(f"needs FluidSynth and a SoundFont: {error}")


def arrange(
    notes: tuple[Played, ...],
    seconds: Fraction,
    program: int = 0,
    drums: bool = False,
    tempo: TempoMap = EVEN,
    **controls: int,
) -> Arrangement:
    part = Part("part", program, drums, notes, **controls)
    return Arrangement((part,), hand_score(("Happy",)).sections, tempo, seconds)


def one_stem(arrangement: Arrangement, folder: Path, options: RenderOptions) -> Stem:
    """The first part, rendered in this process: what a worker does, without starting one."""
    part, path = arrangement.parts[0], folder / "stem.wav"
    work = job(part, arrangement, path, options, soundfont.find_soundfont())
    play(work)
    return Stem(part.name, path, options.sample_rate, work.samples)


def sound(stem: Stem) -> np.ndarray:
    samples, rate = soundfile.read(stem.path, dtype="float32", always_2d=True)
    assert rate == stem.sample_rate and samples.shape == (stem.samples, 2)
    return samples


def decibels(samples: np.ndarray) -> float:
    return 20 * math.log10(max(float(np.abs(samples).max()), 1e-9))
