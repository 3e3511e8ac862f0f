"""The master: loudness of cues against each other, tone, compression, saturation, peaks, finished stems."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from videoscore.audio.loudness import Meter, measure
from videoscore.perform.master.gain import HOP, Passage, compression, over_time
from videoscore.perform.master.master import master
from videoscore.perform.mix.level import ENCODER_MARGIN
from videoscore.perform.mix.limiter import Limiter, expected
from videoscore.perform.mix.mix import mix
from videoscore.perform.parts import Stem
from videoscore.settings.fields import MasterOptions, MixOptions
from videoscore.video.media import Media, VideoStream

RATE = 48000
PLAIN = MasterOptions(dynamics=0, mud=0, compression=1, mono_below=0, low_cut=10)


def noise(seconds: float, level: float, seed: int) -> np.ndarray:
    """Pink-ish stereo noise with some life in it."""
    white = np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))
    soft = sosfilt(butter(1, 400, fs=RATE, output="sos"), white, axis=0)
    t = np.arange(len(soft)) / RATE
    return (level * soft * (1 + 0.5 * np.sin(2 * math.pi * t))[:, None]).astype(np.float32)


def written(folder: Path, *sounds: np.ndarray) -> list[Stem]:
    folder.mkdir(exist_ok=True)
    stems = []
    for k, sound in enumerate(sounds):
        path = folder / f"{k:02d}.wav"
        soundfile.write(path, sound, RATE, subtype="FLOAT")
        stems.append(Stem(str(k), path, RATE, len(sound)))
    return stems


def heard(stem: Stem) -> np.ndarray:
    return soundfile.read(stem.path, dtype="float32")[0]


def loudness(sound: np.ndarray) -> float:
    meter = Meter(RATE)
    meter.add(sound)
    level = meter.result().integrated
    assert level is not None
    return level


def cues(*arousals: float, seconds: float = 8.0) -> list[Passage]:
    return [Passage(k * seconds, (k + 1) * seconds, a) for k, a in enumerate(arousals)]


@pytest.mark.parametrize("dynamics", [4.0, 9.0])
def test_a_calm_cue_is_softer_than_a_wild_one_by_what_is_asked(tmp_path, dynamics):
    sound = np.concatenate([noise(8, level, k) for k, level in enumerate((0.2, 0.16, 0.25))])
    options = dataclasses.replace(PLAIN, dynamics=dynamics)
    target = MixOptions(loudness=-22)  # where the limiter has nothing to take
    stems = written(tmp_path / "s", sound)
    (music,) = master(stems, cues(-0.8, 0.8, 0.0), tmp_path / "m.wav", options, target)
    parts = [loudness(heard(music)[k * 8 * RATE : (k + 1) * 8 * RATE]) for k in range(3)]
    assert parts[1] - parts[0] == pytest.approx(0.8 * dynamics, abs=0.7)
    assert parts[0] < parts[2] < parts[1]
    result = measure(music.path)
    assert result.integrated == pytest.approx(-22, abs=0.3)
    assert result.true_peak <= -1 - ENCODER_MARGIN + 0.05


def test_a_cue_that_grows_is_there_on_its_downbeat_and_one_that_falls_rings_out():
    up = over_time(cues(-1, 1), [-3.0, 3.0], round(16 * RATE / HOP), RATE)
    down = over_time(cues(1, -1), [3.0, -3.0], round(16 * RATE / HOP), RATE)
    at = round(8 * RATE / HOP)
    assert up[at + 1] == pytest.approx(3) and up[round(7.5 * RATE / HOP)] == pytest.approx(-3)
    assert down[at - 1] == pytest.approx(3) and down[round(9.3 * RATE / HOP)] == pytest.approx(-3)


def test_one_cue_and_silence_are_left_as_they_are(tmp_path):
    sound = np.repeat((0.1 * np.sin(2 * math.pi * 1000 * np.arange(6 * RATE) / RATE))[:, None], 2, 1)
    stems = written(tmp_path / "s", sound.astype(np.float32))
    (music,) = master(stems, cues(0.9, seconds=6), tmp_path / "m.wav", PLAIN)
    peaks = np.abs(heard(music)[RATE:]).reshape(-1, RATE // 10, 2).max(axis=1)
    assert peaks.max() < 1.001 * peaks.min()
    nothing = np.zeros((RATE, 2), np.float32)
    (music,) = master(written(tmp_path / "n", nothing), cues(0, seconds=1), tmp_path / "n.wav", finish=True)
    assert not heard(music).any() and len(heard(music)) == RATE
    assert master([], cues(0), tmp_path / "none.wav") == ()


def test_compression_holds_what_stands_out_and_keeps_the_cues_apart():
    level = np.full(4000, 0.01)
    level[2000:] = 0.001  # a softer cue
    level[1000:1100] = level[3000:3100] = 0.0
    level[1000:1100] = 0.16
    level[3000:3100] = 0.016
    seconds = 2000 * HOP / RATE
    held = compression(level, cues(1, -1, seconds=seconds), 2.0, RATE)
    assert held.min() < -3 and held.max() <= 0
    assert held[1050] == pytest.approx(held[3050], abs=0.2)  # each against its own cue
    assert abs(held[500]) < 0.3 and abs(held[2500]) < 0.3
    assert not compression(level, cues(1, -1, seconds=seconds), 1.0, RATE).any()


def test_the_low_end_is_in_the_middle_and_mud_and_presence_are_cut(tmp_path):
    t = np.arange(6 * RATE) / RATE
    low = np.stack((np.sin(2 * math.pi * 50 * t), 0 * t), axis=1)
    high = np.stack((np.sin(2 * math.pi * 2000 * t), 0 * t), axis=1)
    sound = (0.1 * (low + high)).astype(np.float32)
    options = dataclasses.replace(PLAIN, mono_below=120.0)
    (music,) = master(written(tmp_path / "s", sound), cues(0, seconds=6), tmp_path / "m.wav", options)
    at = {
        f: np.abs(np.fft.rfft(heard(music)[RATE:] * np.hanning(5 * RATE)[:, None], axis=0)[5 * f])
        for f in (50, 2000)
    }
    assert 0.7 < at[50][1] / at[50][0] < 1.4 and at[2000][1] < 0.06 * at[2000][0]
    muddy = (
        0.1 * np.stack([np.sin(2 * math.pi * 180 * t) + np.sin(2 * math.pi * 2000 * t)] * 2, axis=1)
    ).astype(np.float32)
    for change, difference in (({"mud": -6.0}, -6.0), ({"presence": -6.0}, 6.0)):
        options = dataclasses.replace(PLAIN, **change)
        (music,) = master(written(tmp_path / "t", muddy), cues(0, seconds=6), tmp_path / "n.wav", options)
        spectrum = np.abs(np.fft.rfft(heard(music)[RATE:, 0] * np.hanning(5 * RATE)))
        assert 20 * math.log10(spectrum[900] / spectrum[10000]) == pytest.approx(difference, abs=0.3)


def test_saturation_adds_odd_harmonics_and_lowers_the_crest(tmp_path):
    sound = np.repeat((0.3 * np.sin(2 * math.pi * 200 * np.arange(5 * RATE) / RATE))[:, None], 2, 1).astype(
        np.float32
    )
    ratios = []
    for k, amount in enumerate((0.0, 0.8)):
        options = dataclasses.replace(PLAIN, saturation=amount)
        (music,) = master(
            written(tmp_path / f"{k}", sound), cues(0, seconds=5), tmp_path / f"{k}.wav", options
        )
        spectrum = np.abs(np.fft.rfft(heard(music)[RATE:, 0] * np.hanning(4 * RATE)))
        ratios.append(20 * math.log10(spectrum[2400] / spectrum[800]))
    assert ratios[0] < -80 < ratios[1] < -20


@pytest.mark.parametrize("saturation", [0.0, 0.5])
def test_finished_stems_add_up_to_the_music(tmp_path, saturation):
    sounds = [np.concatenate([noise(6, 0.05 * (k + 1), k), noise(6, 0.2, k + 9)]) for k in range(3)]
    sounds[0][3 * RATE :: RATE] += 2.0  # clicks, for the limiter
    stems = written(tmp_path / "s", *sounds)
    options = MasterOptions(dynamics=8, saturation=saturation, compression=2.0, air=2.0)
    told: list[float] = []
    (music,) = master(
        stems,
        cues(-0.5, 0.6, seconds=6),
        tmp_path / "m.wav",
        options,
        MixOptions(),
        True,
        lambda s, d, t: told.append(d / t),
    )
    whole, total = heard(music), np.sum([heard(stem) for stem in stems], axis=0)
    assert whole.shape == total.shape == sounds[0].shape
    residue = 10 * math.log10(float(((whole - total) ** 2).mean()) / float((whole**2).mean()))
    assert residue < -90
    assert any(not np.allclose(heard(stem), sound) for stem, sound in zip(stems, sounds))
    assert told == sorted(told) and told[-1] == 1.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.wav", "s"]


@pytest.mark.parametrize("loudness", [-14.0, -9.0])
def test_finished_stems_add_up_to_the_sound_track_of_music_alone(tmp_path, loudness):
    sounds = [noise(10, 0.05 * (k + 1), k) for k in range(3)]
    sounds[1][2 * RATE :: RATE] += 1.0
    stems, target = written(tmp_path / "s", *sounds), MixOptions(audio="replace", loudness=loudness)
    music = master(
        stems, cues(-0.5, 0.6, seconds=5), tmp_path / "m.wav", MasterOptions(), target, finish=True
    )
    video = VideoStream(0, "h264", 64, 64, 0, Fraction(1, 90000), 0, Fraction(10), Fraction(1, 25))
    mixed = mix(music, Media(tmp_path / "film.mp4", "mp4", video, ()), target, tmp_path / "out.wav")
    whole = soundfile.read(mixed.path)[0]
    total = np.sum([soundfile.read(stem.path)[0] for stem in stems], axis=0)
    assert measure(mixed.path).integrated == pytest.approx(loudness, abs=0.5)
    assert 10 * math.log10(float(((whole - total) ** 2).mean() / (whole**2).mean())) < -60


def test_a_meter_without_peaks_tells_the_same_loudness():
    sound = noise(3, 0.2, 4)
    meters = [Meter(RATE, peaks=peaks) for peaks in (True, False)]
    for meter in meters:
        meter.add(sound)
    with_peaks, without = (meter.result() for meter in meters)
    assert with_peaks.true_peak is not None and without == dataclasses.replace(with_peaks, true_peak=None)


@pytest.mark.parametrize("ceiling", [-3.0, -6.0, -9.0])
def test_what_the_limiter_takes_is_told_from_peaks_of_spans(ceiling):
    """Decaying strokes, some of them loud: the power that is left, told and measured."""
    rng, t = np.random.default_rng(3), np.arange(8 * RATE)
    course = np.zeros(len(t))
    for at, level in zip(range(0, len(t), RATE // 4), rng.random(32)):
        course[at:] += level * np.exp(-(t[at:] - at) / 6000)
    sound = (course * np.sin(0.05 * t)).astype(np.float32)[:, None].repeat(2, axis=1)
    limited = np.concatenate(list(Limiter(ceiling, RATE).run([sound])))
    peaks = np.abs(sound).max(axis=1).reshape(-1, HOP).max(axis=1).astype(float)
    power = (sound.astype(float) ** 2).sum(axis=1).reshape(-1, HOP).sum(axis=1)
    told = 10 * np.log10((power * 10 ** (-expected(peaks, ceiling, HOP / RATE) / 10)).sum() / power.sum())
    measured = 10 * np.log10((limited.astype(float) ** 2).sum() / power.sum())
    assert told == pytest.approx(measured, abs=0.3)
    assert measured < -0.1
