"""Loudness, limiter, ducking, speech and the mix of them."""

from __future__ import annotations

import math
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from media import ffmpeg, make_clip, run_ffmpeg, write_wav

from videoscore.audio.loudness import Loudness, Meter, measure
from videoscore.audio.wav import wav_writer
from videoscore.errors import Cancelled, OutputError
from videoscore.perform.mix.ducking import AHEAD, HOLD, Ducking, merged
from videoscore.perform.mix.limiter import Limiter
from videoscore.perform.mix.mix import Mix, balance, mix
from videoscore.perform.mix.speech import speech_regions
from videoscore.perform.mix.speech_network import speech_chances
from videoscore.perform.parts import Stem
from videoscore.settings.fields import MixOptions
from videoscore.video.media import Media, VideoStream
from videoscore.video.probe import probe

RATE = 48000


def tone(hertz: float, seconds: float, level: float = 0.1, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.repeat(level * np.sin(2 * np.pi * hertz * t)[:, None], 2, axis=1).astype(np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0, rate: int = RATE) -> np.ndarray:
    shape = (round(seconds * rate), 2)
    return (level * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def metered(samples: np.ndarray, rate: int = RATE, size: int = 5000) -> Loudness:
    meter = Meter(rate, samples.shape[1])
    for start in range(0, len(samples), size):
        meter.add(samples[start : start + size])
    return meter.result()


# ---------------------------------------------------------------- loudness


@pytest.mark.parametrize("rate", [44100, 48000])
def test_integrated_loudness_agrees_with_pyloudnorm_and_ffmpeg(tmp_path, rate):
    samples = noise(12, rate=rate)
    samples[3 * rate : 6 * rate] *= 0.02  # below the relative gate
    path = tmp_path / "noise.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    ours = measure(path)
    assert ours.integrated == pytest.approx(
        pyloudnorm.Meter(rate).integrated_loudness(samples.astype(float)), abs=0.1
    )
    report = subprocess.run(
        [ffmpeg(), "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr.split("Summary:")[1]
    theirs = [float(report.split(word)[1].split()[0]) for word in ("I:", "Peak:")]
    assert ours.integrated == pytest.approx(theirs[0], abs=0.1)
    assert ours.true_peak == pytest.approx(theirs[1], abs=0.4)
    again = metered(samples, rate, size=777)
    assert (again.integrated, again.true_peak) == (
        pytest.approx(ours.integrated),
        pytest.approx(ours.true_peak),
    )


def test_the_reference_tone_of_the_standard():
    # BS.1770-4: a 997 Hz sine of 0 dBFS in one channel has -3.01 LKFS
    one = tone(997, 5, 1.0)
    one[:, 1] = 0
    assert metered(one).integrated == pytest.approx(-3.01, abs=0.02)


def test_true_peak_lies_between_the_samples():
    t = np.arange(RATE)
    wave = np.sin(2 * np.pi * t / 4 + np.pi / 4) * np.hanning(RATE)  # samples at 0.707 only
    assert metered(wave[:, None].astype(np.float32)).true_peak == pytest.approx(0.0, abs=0.1)


def test_silence_and_scraps_have_no_loudness_and_no_nan():
    assert metered(np.zeros((RATE, 2), np.float32)) == Loudness(None, None, None)
    assert Meter(RATE).result() == Loudness(None, None, None)
    scrap = metered(noise(0.3))
    assert scrap.integrated is None and scrap.best == scrap.overall == pytest.approx(-14, abs=3)
    hiss = metered(noise(3, 1e-5))
    assert hiss.integrated is None and hiss.best is None and hiss.true_peak < -80


# ---------------------------------------------------------------- limiter and ducking


def limited(samples: np.ndarray, ceiling: float, size: int) -> tuple[np.ndarray, Limiter]:
    limiter = Limiter(ceiling, RATE)
    blocks = (samples[start : start + size] for start in range(0, len(samples), size))
    return np.concatenate(list(limiter.run(blocks))), limiter


@settings(max_examples=25, deadline=None)
@given(
    level=st.floats(0.01, 3),
    ceiling=st.floats(-12, 0),
    size=st.sampled_from([100, 999, 8192, 50000]),
    seed=st.integers(0, 5),
    length=st.integers(1, 30000),
    spikes=st.lists(st.integers(0, 29999), max_size=4),
)
def test_nothing_passes_the_limiter(level, ceiling, size, seed, length, spikes):
    samples = noise(length / RATE, level, seed)
    for at in spikes:
        samples[at % len(samples)] = 5.0
    out, limiter = limited(samples, ceiling, size)
    assert out.shape == samples.shape and np.isfinite(out).all()
    assert metered(out).true_peak <= ceiling + 0.1
    assert np.array_equal(out, limited(samples, ceiling, 4096)[0]) or np.allclose(
        out, limited(samples, ceiling, 4096)[0], atol=1e-6
    )
    assert (limiter.reduction == 0) == np.array_equal(out, samples)


@pytest.mark.parametrize("length", [8, 16, 5000])
def test_a_loud_first_sample_rings_before_itself(length):
    samples = noise(length / RATE, 2.0, 2)
    samples[0] = 5.0
    assert metered(limited(samples, 0.0, 4096)[0]).true_peak <= 0.1


def test_what_is_quiet_enough_is_untouched():
    samples = noise(1, 0.05)
    samples[30000] = 0.9
    out, limiter = limited(samples, -6, 4096)
    assert np.array_equal(out[:29000], samples[:29000]) and limiter.reduction == pytest.approx(5.1, abs=0.5)
    assert np.array_equal(limited(samples, 0, 4096)[0], samples)


def test_the_limiter_bends_gently():
    out, _ = limited(tone(100, 2, 0.9), -6, 4096)
    spectrum = np.abs(np.fft.rfft(out[RATE // 2 : RATE // 2 + RATE, 0] * np.hanning(RATE)))
    assert 20 * np.log10(spectrum[150:].max() / spectrum[100]) < -45  # harmonics of the 100 Hz tone


def test_ducking_is_down_before_the_word_and_comes_back_smoothly():
    options = MixOptions(duck=-9, duck_band=-6)
    duck = Ducking([(Fraction(3), Fraction(4))], options, RATE)
    gain = 20 * np.log10(duck.gain(0, 10 * RATE))
    assert gain[: int(2.8 * RATE)] == pytest.approx(0) and gain[7 * RATE :] == pytest.approx(0)
    assert gain[3 * RATE : 4 * RATE] == pytest.approx(-9, abs=0.01)
    assert gain[int((4.25 + options.duck_release / 2) * RATE)] == pytest.approx(-4.5, abs=0.1)
    assert np.abs(np.diff(gain)).max() * RATE < 100  # dB a second
    parts = [duck.gain(start, 12345) for start in range(0, 10 * RATE, 12345)]
    assert np.array_equal(np.concatenate(parts)[: 10 * RATE], duck.gain(0, 10 * RATE))


def test_short_pauses_are_bridged():
    assert merged(
        [(Fraction(5), Fraction(6)), (Fraction(1), Fraction(2)), (Fraction(3), Fraction(4))], 1.5
    ) == [(1, 6)]
    assert merged([(Fraction(1), Fraction(2)), (Fraction(9), Fraction(10))], 1.5) == [(1, 2), (9, 10)]


def test_balance():
    music, film = Loudness(-20.0, -20.0, -3.0), Loudness(-26.0, -27.0, -6.0)
    assert balance(music, film, -4) == -10
    assert balance(music, None, -4) == balance(Loudness(None, None, None), film, -4) == 0
    # noise of -65 LUFS isn't blown up with the music that would have to be as quiet
    assert balance(music, Loudness(-65.0, -65.0, -50.0), -4) == -24


# ---------------------------------------------------------------- speech


def test_no_speech_in_a_film_without_any(film, tmp_path):
    assert speech_regions(probe(film.path)) == ()
    assert speech_regions(silent_film(tmp_path, 3)) == ()


def test_speech_chances_are_the_package_s_own():
    import silero_vad
    import torch

    spoken = np.random.default_rng(3).normal(0, 0.1, 600 * 512).astype(np.float32)
    spoken *= np.sin(np.arange(len(spoken)) / 2000) ** 2  # rises and falls, so that the probabilities do
    model = silero_vad.load_silero_vad()  # its reference, frame by frame
    with torch.inference_mode():
        reference = model.audio_forward(torch.from_numpy(spoken)[None], 16_000)[0].numpy()
    assert np.ptp(reference) > 0.02
    assert np.abs(np.array(list(speech_chances([spoken]))) - reference).max() < 1e-4


def test_speech_chances_do_not_depend_on_the_blocks():
    samples = noise(20, 0.05, rate=16000)[:, 0]
    whole = list(speech_chances([samples]))
    pieces = list(speech_chances(samples[start : start + 1234] for start in range(0, len(samples), 1234)))
    assert len(whole) == math.ceil(len(samples) / 512)
    assert whole == pytest.approx(pieces, abs=1e-5)


@pytest.mark.data
def test_real_speech_is_found_and_torch_keeps_its_threads(data):
    import torch

    threads, told = torch.get_num_threads(), []
    friday = probe(data / "video" / "clips" / "friday_speech_bw.mp4")
    regions = speech_regions(friday, lambda *word: told.append(word))
    assert sum(end - start for start, end in regions) > 0.7 * friday.duration
    assert all(0 <= start < end <= friday.duration for start, end in regions)
    assert torch.get_num_threads() == threads
    assert told[-1][0] == "speech" and told[-1][1] == pytest.approx(float(friday.duration), abs=1e-3)
    # Sintel's trailer: a man asks, a girl answers, between 12 s and 21 s
    sintel = speech_regions(probe(data / "video" / "clips" / "sintel_trailer_480.mp4"))
    assert sintel and all(start > 11 and end < 32 for start, end in sintel)
    assert speech_regions(probe(data / "video" / "clips" / "bbb_first30s_480p.mp4")) == ()


# ---------------------------------------------------------------- mix


def silent_film(tmp_path: Path, seconds: float | Fraction) -> Media:
    """A film of which only the length matters: it has no sound, so its file is never opened."""
    video = VideoStream(0, "h264", 64, 64, 0, Fraction(1, 90000), 0, Fraction(seconds), Fraction(1, 25))
    return Media(tmp_path / "film.mp4", "mp4", video, ())


def stems_of(tmp_path: Path, *sounds: np.ndarray, rate: int = RATE) -> list[Stem]:
    stems = []
    for k, samples in enumerate(sounds):
        path = tmp_path / f"stem{k}.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        stems.append(Stem(f"stem{k}", path, rate, len(samples)))
    return stems


def film_with(tmp_path: Path, samples: np.ndarray, name: str = "spoken.mkv") -> Media:
    """A film with exactly this sound, uncompressed."""
    plain = make_clip(tmp_path / "plain.mkv", seconds=len(samples) / RATE, fps=10).path
    wav = write_wav(tmp_path / "spoken.wav", samples)
    run_ffmpeg(
        "-i",
        plain,
        "-i",
        wav,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "copy",
        "-c:a",
        "pcm_s16le",
        tmp_path / name,
    )
    return probe(tmp_path / name)


def heard(mixed: Mix) -> np.ndarray:
    samples, rate = soundfile.read(mixed.path, dtype="float32", always_2d=True)
    assert rate == mixed.sample_rate and samples.shape == (mixed.samples, 2) and np.isfinite(samples).all()
    return samples


def level(samples: np.ndarray, hertz: float, start: float, stop: float) -> float:
    """dB of one tone between two times."""
    part = samples[round(start * RATE) : round(stop * RATE), 0]
    t = np.arange(len(part)) / RATE
    window = np.hanning(len(part))
    return 20 * math.log10(
        abs(np.sum(part * window * np.exp(-2j * np.pi * hertz * t))) / window.sum() * 2 + 1e-9
    )


@pytest.mark.parametrize(
    "sound, seconds",
    [
        (noise(5, 0.02), 5),
        (noise(5, 0.5), 5),
        (tone(220, 4, 0.01), 4),
        (np.concatenate((noise(3, 0.001), noise(1, 0.9), noise(3, 0.01))), 7),
    ],
)
def test_music_alone_meets_the_target_and_the_peak(tmp_path, sound, seconds):
    mixed = mix(
        stems_of(tmp_path, sound / 2, sound / 2),
        silent_film(tmp_path, seconds),
        MixOptions(),
        tmp_path / "out.wav",
    )
    again = measure(mixed.path)
    assert again.integrated == pytest.approx(-14, abs=0.5) and again.true_peak <= -1.9
    assert (mixed.music_gain, mixed.ducked) == (0.0, ())
    heard(mixed)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.wav", "stem0.wav", "stem1.wav"]


def test_peaky_music_meets_the_target_through_the_limiter(tmp_path):
    clicks = noise(8, 0.01)
    clicks[:: RATE // 3] = 1.0
    mixed = mix(stems_of(tmp_path, clicks), silent_film(tmp_path, 8), MixOptions(), tmp_path / "out.wav")
    assert mixed.reduction > 6
    assert mixed.loudness.integrated == pytest.approx(-14, abs=1) and mixed.loudness.true_peak <= -1.9


def test_duck_keep_and_replace(tmp_path):
    music, speech = tone(1000, 12), tone(300, 12, 0.05)
    media, stems = film_with(tmp_path, speech), stems_of(tmp_path, music)
    spoken = ((Fraction(4), Fraction(7)),)
    made = {
        way: mix(stems, media, MixOptions(audio=way, duck=-9, duck_band=0), tmp_path / f"{way}.wav", spoken)
        for way in ("duck", "keep", "replace")
    }
    out = {way: heard(m) for way, m in made.items()}
    assert level(out["duck"], 1000, 4.5, 6.5) - level(out["duck"], 1000, 1, 3) == pytest.approx(-9, abs=0.2)
    assert level(out["keep"], 1000, 4.5, 6.5) - level(out["keep"], 1000, 1, 3) == pytest.approx(0, abs=0.2)
    assert level(out["duck"], 300, 4.5, 6.5) == pytest.approx(level(out["duck"], 300, 1, 3), abs=0.2)
    assert level(out["replace"], 300, 1, 11) < -60 < -20 < level(out["keep"], 300, 1, 11)
    assert made["duck"].ducked == spoken and made["keep"].ducked == made["replace"].ducked == ()
    for m in made.values():
        assert m.loudness.integrated == pytest.approx(-14, abs=0.5)


def test_the_speech_band_goes_down_first_and_further(tmp_path):
    options = MixOptions(duck=-6, duck_band=-8)
    duck = Ducking([(Fraction(4), Fraction(6))], options, RATE)
    at = int((4 - options.duck_attack) * RATE)
    assert duck.gain(at, 1)[0] == pytest.approx(1) and duck.band_gain(at, 1)[0] < 0.41  # -7.7 dB already
    back = int((6 + HOLD + AHEAD / 2) * RATE)
    assert duck.gain(back, 1)[0] > duck.gain(5 * RATE, 1)[0] and duck.band_gain(back, 1)[0] < 0.41
    tones = tone(250, 10) + tone(2000, 10)
    blocks = [tones[start : start + 50_000].astype(np.float32) for start in range(0, len(tones), 50_000)]
    out = np.concatenate(list(duck.run(blocks)))
    assert out.shape == tones.shape
    low, speech = (level(out, f, 4.5, 5.5) - level(out, f, 1, 3) for f in (250, 2000))
    assert low == pytest.approx(-6, abs=0.5) and speech == pytest.approx(-14, abs=0.3)


def test_the_music_stands_as_far_under_the_original_as_asked(tmp_path):
    media, stems = film_with(tmp_path, noise(6, 0.05, 1)), stems_of(tmp_path, noise(6, 0.3, 2))
    for wanted in (-12.0, 3.0):
        mixed = mix(stems, media, MixOptions(audio="keep", balance=wanted), tmp_path / "out.wav")
        # noise of level .3 is 15.6 dB over noise of level .05
        assert mixed.music_gain == pytest.approx(wanted - 15.6, abs=0.3)


@pytest.mark.parametrize("audio", ["duck", "keep", "replace"])
def test_a_silent_original_counts_as_none(tmp_path, audio):
    media = film_with(tmp_path, np.zeros((4 * RATE, 2)))
    mixed = mix(
        stems_of(tmp_path, noise(4, 0.02)),
        media,
        MixOptions(audio=audio),
        tmp_path / "out.wav",
        ((Fraction(1), Fraction(2)),),
    )
    assert mixed.loudness.integrated == pytest.approx(-14, abs=0.5) and mixed.ducked == ()
    assert level(heard(mixed), 1000, 0, 4) > -100


def test_mono_originals_sit_in_the_middle(tmp_path):
    media = film_with(tmp_path, tone(300, 4)[:, :1])
    out = heard(mix([], media, MixOptions(), tmp_path / "out.wav"))
    assert np.array_equal(out[:, 0], out[:, 1])
    assert measure(tmp_path / "out.wav").integrated == pytest.approx(-14, abs=1)


def test_no_music_and_no_sound_is_silence_of_the_right_length(tmp_path):
    mixed = mix(
        [], silent_film(tmp_path, Fraction(1001, 300)), MixOptions(), tmp_path / "out.wav", sample_rate=44100
    )
    assert mixed.samples == round(Fraction(1001, 300) * 44100) and not heard(mixed).any()
    assert mixed.loudness == Loudness(None, None, None)


def test_no_music_over_background_noise_is_not_blown_up(tmp_path):
    media = film_with(tmp_path, noise(4, 0.0005))
    assert mix([], media, MixOptions(), tmp_path / "out.wav").gain == 30


@pytest.mark.parametrize("samples", [1, 10, 4800])
def test_clips_of_a_blink(tmp_path, samples):
    sound = noise(1, 0.02)[:samples]
    mixed = mix(
        stems_of(tmp_path, sound),
        silent_film(tmp_path, Fraction(samples, RATE)),
        MixOptions(),
        tmp_path / "out.wav",
    )
    assert len(heard(mixed)) == samples and mixed.loudness.integrated is None
    assert mixed.loudness.true_peak is None or mixed.loudness.true_peak <= -1.9


def test_stems_of_another_length_are_cut_or_filled(tmp_path):
    stems = stems_of(tmp_path, noise(3, 0.1))
    for seconds in (2, 5):
        mixed = mix(stems, silent_film(tmp_path, seconds), MixOptions(), tmp_path / "out.wav")
        assert mixed.samples == seconds * RATE and abs(heard(mixed)[: 2 * RATE]).mean() > 0.01


def test_progress_covers_all_passes(film, tmp_path):
    told: list[tuple[str, float, float]] = []
    mix(
        stems_of(tmp_path, noise(4)),
        probe(film.path),
        MixOptions(),
        tmp_path / "out.wav",
        progress=lambda *word: told.append(word),
    )
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1] == ("mix", pytest.approx(16), pytest.approx(16))


def test_nothing_is_left_after_cancelling_or_an_error(film, tmp_path):
    def cancel(stage: str, done: float, total: float) -> None:
        if done > 9:
            raise Cancelled("stopped")

    stems = stems_of(tmp_path, noise(4))
    with pytest.raises(Cancelled):
        mix(stems, probe(film.path), MixOptions(), tmp_path / "out.wav", progress=cancel)
    with pytest.raises(OutputError, match="nowhere"):
        mix(stems, probe(film.path), MixOptions(), tmp_path / "nowhere" / "out.wav")
    assert [p.name for p in tmp_path.iterdir()] == ["stem0.wav"]


def write_a_second(path: Path) -> None:
    with wav_writer(path, RATE, RATE) as wav:
        for _ in range(10):
            wav.write(noise(0.1))


def test_a_write_that_fails_half_way_is_an_output_error(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"out\.wav"):
            write_a_second(tmp_path / "out.wav")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_beyond_four_gigabytes_the_file_is_rf64(tmp_path):
    with wav_writer(tmp_path / "long.wav", RATE, 600_000_000) as wav:
        wav.write(noise(0.1))
    assert soundfile.info(tmp_path / "long.wav").format == "RF64"


@pytest.mark.slow
def test_after_aac_the_peak_still_holds(tmp_path):
    loud = noise(20, 0.3) * (1 + np.sin(np.arange(20 * RATE) / 3000)[:, None].astype(np.float32))
    mixed = mix(stems_of(tmp_path, loud), silent_film(tmp_path, 20), MixOptions(), tmp_path / "out.wav")
    run_ffmpeg("-i", mixed.path, "-c:a", "aac", "-b:a", "256k", tmp_path / "out.m4a")
    run_ffmpeg("-i", tmp_path / "out.m4a", "-c:a", "pcm_f32le", tmp_path / "back.wav")
    back = measure(tmp_path / "back.wav")
    assert back.true_peak <= -1 and back.integrated == pytest.approx(-14, abs=1)
