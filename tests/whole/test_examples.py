"""What lies in examples/ is what its page says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from media import packet_hash, run_ffmpeg

from videoscore.cues.file.sheet_file import load
from videoscore.mood.circle import MOODS
from videoscore.stages import load_preset, probe

EXAMPLES = ROOT / "examples"


def test_they_are_small():
    files = [f for f in EXAMPLES.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert sum(f.stat().st_size for f in files) < 3_000_000


@pytest.mark.parametrize("mood", MOODS)
def test_a_mood_is_heard(mood):
    samples, rate = soundfile.read(EXAMPLES / "moods" / f"{mood.lower()}.ogg", always_2d=True)
    assert samples.shape == (12 * rate, 2)
    assert 0.02 < np.sqrt((samples**2).mean()) < 0.5


def test_the_scored_film_has_the_films_picture_and_its_cues():
    film, scored = EXAMPLES / "day.mp4", EXAMPLES / "day.scored.mp4"
    assert packet_hash(film) == packet_hash(scored)
    sheet = load(EXAMPLES / "day.scored.cues.json")
    assert sheet.duration == probe(film).duration == Fraction(42)
    assert [(c.mood, c.start, c.start_on) for c in sheet.cues] == [
        ("Peaceful", 0, "start"),
        ("Happy", 11, "cut"),
        ("Angry", 22, "cut"),
        ("Tired", 31, "cut"),
    ]


def test_the_scene_has_music_and_its_words_stand_out(tmp_path):
    """What music adds to the scene: much where nobody speaks, little where somebody does."""
    sides = {}
    for name in ("before", "after"):
        run_ffmpeg("-i", EXAMPLES / f"scene.{name}.ogg", "-ac", "1", "-ar", "48000", tmp_path / f"{name}.wav")
        sides[name], rate = soundfile.read(tmp_path / f"{name}.wav")
    assert {len(x) for x in sides.values()} == {11 * rate}

    def added(start: float, end: float) -> float:
        """dB between the RMS of after and before, over these seconds."""
        rms = {k: np.sqrt((x[round(start * rate) : round(end * rate)] ** 2).mean()) for k, x in sides.items()}
        return float(20 * np.log10(rms["after"] / rms["before"]))

    assert added(7, 10) > added(1.8, 4.5) + 2


def test_the_preset_is_one():
    preset = load_preset(str(EXAMPLES / "late-night.toml"))
    assert preset.title == "Late night"
