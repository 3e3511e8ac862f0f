"""Gaps and drifting clocks: what is heard lies where the time stamps say, in every container."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media import make_clip, run_ffmpeg, write_wav

from videoscore.video.probe import probe
from videoscore.video.sound import read_sound
from videoscore.video.stretch import between

RATE = 48000
CLICKS = (1, 3, 5)  # seconds


def bursts(seconds: float, places: list[float]) -> np.ndarray:
    """A burst of a 2 kHz cosine, 20 ms long, full from its first sample, at each place."""
    samples = np.zeros((round(seconds * RATE), 2))
    burst = 0.7 * np.cos(2 * np.pi * 2000 * np.arange(RATE // 50) / RATE)
    for place in places:
        n = round(place * RATE)
        samples[n : n + len(burst)] = burst[:, None]
    return samples


def film(folder: Path, name: str, places: list[float], codec: str, bitstream: str) -> Path:
    """Six seconds of picture; sound with a burst at each of `places` by its own clock, its packets changed."""
    picture = make_clip(folder / "picture.mkv", seconds=6, gop=25)
    wav = write_wav(folder / "clicks.wav", bursts(6.3, places))
    whole, path = folder / "whole.nut", folder / name
    run_ffmpeg(
        *("-i", picture.path, "-i", wav, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", codec),
        *(["-b:a", "256k"] if codec == "aac" else []),
        whole,
    )
    # by way of NUT, so that the codec's own lead-in is time-stamped as it is anywhere
    run_ffmpeg(
        "-i", whole, "-map", "0", "-c", "copy", "-bsf:a", bitstream, "-max_interleave_delta", "0", path
    )
    return path


def heard(path: Path, rate: int = RATE) -> list[float]:
    """Seconds on the picture's timeline at which bursts begin, as `read_sound` gives them."""
    media = probe(path)
    samples = np.concatenate(list(read_sound(media, rate)))
    assert len(samples) == round(media.duration * rate)
    level = np.abs(samples).max(axis=1)
    loud = np.flatnonzero(level > 0.5 * level.max())
    return [float(n) / rate for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > rate // 5]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.ts", "aac"), ("a.mkv", "aac"), ("b.mkv", "flac")]
)
@pytest.mark.parametrize("gaps", [[(60, 60)], [(60, 61)], [(60, 60), (180, 181)]])
def test_missing_packets_stay_missing(
    tmp_path: Path, name: str, codec: str, gaps: list[tuple[int, int]]
) -> None:
    """One or two packets (21 or 43 ms of AAC) left out: what comes after stays in its place."""
    drop = "+".join(f"between(n\\,{a}\\,{b})" for a, b in gaps)
    path = film(tmp_path, name, list(CLICKS), codec, f"noise=drop={drop}")
    assert heard(path) == pytest.approx(CLICKS, abs=0.001)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.ts", "aac"), ("a.mkv", "flac")])
@pytest.mark.parametrize("off", [0.001, 0.006, -0.01, -0.00002])
@pytest.mark.parametrize("rate", [48000, 16000])
def test_a_clock_that_is_off_is_followed(
    tmp_path: Path, name: str, codec: str, off: float, rate: int
) -> None:
    """A recorder that took (1 + off) * 48000 samples a second, stamped by a right clock, as a player plays it."""
    path = film(tmp_path, name, [t * (1 + off) for t in CLICKS], codec, f"setts=ts=round(TS/{1 + off})")
    assert heard(path, rate) == pytest.approx(CLICKS, abs=0.001)


def test_a_gap_in_a_drifting_clock(tmp_path: Path) -> None:
    chain = "noise=drop=between(n\\,70\\,72),setts=ts=round(TS/1.006)"
    path = film(tmp_path, "a.mkv", [t * 1.006 for t in CLICKS], "aac", chain)
    assert heard(path) == pytest.approx(CLICKS, abs=0.001)


def test_jitter_of_a_live_encoder_tears_no_hole(tmp_path: Path) -> None:
    """Stamps that are 6 ms early or late by chance: no click lies worse than they do, and nothing is cut or doubled."""
    path = film(tmp_path, "a.mkv", list(CLICKS), "flac", "setts=ts=TS+round(0.006*(2*random(0)-1)/TB)")
    assert heard(path) == pytest.approx(CLICKS, abs=0.006)
    tone = write_wav(tmp_path / "tone.wav", 0.3 * np.ones((RATE * 3, 2)))
    still = make_clip(tmp_path / "still.mkv", seconds=3)
    run_ffmpeg("-i", still.path, "-i", tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "flac",
               "-bsf:a", "setts=ts=TS+round(0.006*(2*random(0)-1)/TB)", tmp_path / "tone.mkv")  # fmt: skip
    samples = np.concatenate(list(read_sound(probe(tmp_path / "tone.mkv"), RATE)))
    inner = samples[RATE // 10 : 2 * RATE]
    assert np.abs(inner - 0.3).max() < 0.01


def test_what_needs_no_correction_is_passed_on_bit_by_bit(tmp_path: Path) -> None:
    """Whole milliseconds of Matroska are no drift."""
    rng = np.random.default_rng(5)
    noise = np.round(rng.uniform(-0.5, 0.5, (RATE * 4, 2)) * 32767) / 32767
    picture = make_clip(tmp_path / "picture.mkv", seconds=4)
    wav = write_wav(tmp_path / "noise.wav", noise)
    path = tmp_path / "a.mkv"
    run_ffmpeg(
        "-i", picture.path, "-i", wav, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "flac", path
    )
    samples = np.concatenate(list(read_sound(probe(path), RATE)))
    np.testing.assert_allclose(samples, noise[: len(samples)], atol=1e-4)


def test_sound_between_samples() -> None:
    """Interpolated sines lie within -80 dB of the true ones up to 16 kHz."""
    places = np.linspace(100, 900, 1234)
    for hertz in (50, 997, 8000, 16000):
        wave = np.sin(2 * np.pi * hertz * np.arange(1000) / RATE)[:, None].astype(np.float32)
        truth = np.sin(2 * np.pi * hertz * places / RATE)[:, None]
        assert np.abs(between(wave, places) - truth).max() < 1e-3, hertz


def test_a_second_run_may_overlap_the_first(tmp_path: Path) -> None:
    """Stamps that go back: what is heard twice is heard once, and all after it lies where it says."""
    path = film(tmp_path, "a.mkv", [1, 3.1, 5.1], "flac", "setts=ts=TS-if(gt(N\\,30)\\,round(0.1/TB)\\,0)")
    assert heard(path) == pytest.approx([1, 3, 5], abs=0.001)
    assert probe(path).duration == Fraction(probe(path).duration)


def by_stamps(path: Path, number: int) -> list[float]:
    """Where bursts begin in a sound track by the stamps of its frames alone, seconds after the first picture."""
    with av.open(f"file:{path}") as container:
        start = next(container.decode(video=0))
        begin = float(start.pts * start.time_base)
    found: list[float] = []
    with av.open(f"file:{path}") as container:
        for frame in container.decode(container.streams.audio[number]):
            samples = frame.to_ndarray()
            full = 32768 if samples.dtype == np.int16 else 1
            apart = samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T
            level = np.abs(apart.astype(float) / full).max(axis=0)
            for n in np.flatnonzero(level > 0.2):
                t = float(frame.pts * frame.time_base) - begin + n / frame.sample_rate
                if not found or t - found[-1] > 0.2:
                    found.append(t)
    return found


CASES = {
    "one packet missing": (0.0, "noise=drop=between(n\\,60\\,60)"),
    "two packets missing": (0.0, "noise=drop=between(n\\,60\\,61)"),
    "clock +0.1 %": (0.001, "setts=ts=round(TS/1.001)"),
    "clock +0.6 %": (0.006, "setts=ts=round(TS/1.006)"),
    "clock -1 %": (-0.01, "setts=ts=round(TS/0.99)"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_click_and_flash_meet_in_the_mix_and_in_the_original(tmp_path: Path, case: str, suffix: str) -> None:
    """The whole way: mixed under (silent) music and written; bursts lie at 1, 3 and 5 s in both tracks."""
    from videoscore.pipeline.own_music import mix_files

    off, chain = CASES[case]
    path = film(tmp_path, f"a{suffix}", [t * (1 + off) for t in CLICKS], "aac", chain)
    music = write_wav(tmp_path / "music.wav", np.zeros((RATE, 2)))
    output = tmp_path / f"out{suffix}"
    mix_files(path, [music], output, audio="keep")
    assert by_stamps(output, 0) == pytest.approx(CLICKS, abs=0.001), "mix"
    assert by_stamps(output, 1) == pytest.approx(CLICKS, abs=0.001), "original"
