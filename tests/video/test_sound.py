"""The original sound: sample 0 is the first picture, and the length is the picture's."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from media import make_clip, run_ffmpeg, sound, write_wav

from videoscore.video.media import Media
from videoscore.video.probe import probe
from videoscore.video.sound import pick_sound, read_sound


def read(media: Media, rate: int = 48000, **options) -> np.ndarray:
    """All samples, after the checks that every film has to pass."""
    blocks = list(read_sound(media, rate, **options))
    assert all(b.dtype == np.float32 for b in blocks)
    samples = np.concatenate(blocks)
    assert len(samples) == round(media.duration * rate)
    return samples


def onsets(samples: np.ndarray, rate: int = 48000) -> list[float]:
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > 0.25)
    return [float(n) / rate for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > rate // 10]


@pytest.mark.parametrize("offset", [0.0, 0.5, -0.25])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.ts", "a.mov"])
def test_clicks_are_where_they_belong(tmp_path: Path, name: str, offset: float) -> None:
    clip = make_clip(tmp_path / name, seconds=3, audio="clicks", audio_offset=offset)
    heard = onsets(read(probe(clip.path)))
    expected = [t for t in (offset, offset + 1, offset + 2) if t >= 0]
    assert [t for t in heard if t > 0.01] == pytest.approx([t for t in expected if t > 0.01], abs=0.002)
    assert (offset != 0) or heard[0] < 0.002


def test_late_picture_is_time_zero(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2, audio="clicks", start=1.5)
    assert onsets(read(probe(clip.path))) == pytest.approx([0, 1], abs=0.002)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rate_and_channels(tmp_path: Path, rate: int, channels: int) -> None:
    clip = make_clip(tmp_path / "a.mkv", seconds=1.3, audio="tone", channels=6)
    samples = read(probe(clip.path), rate, channels=channels)
    assert samples.shape[1] == channels
    spectrum = np.abs(np.fft.rfft(samples[:, 0]))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(440, abs=2)


def test_blocks(tmp_path: Path) -> None:
    media = probe(make_clip(tmp_path / "a.mkv", seconds=1, audio="tone").path)
    whole = read(media)
    for block in (1000, 7777, 48000, 10**6):
        pieces = list(read_sound(media, 48000, block=block))
        assert all(len(p) == block for p in pieces[:-1])
        assert 0 < len(pieces[-1]) <= block
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_silent_film_yields_nothing(tmp_path: Path) -> None:
    media = probe(make_clip(tmp_path / "a.mp4", seconds=0.5).path)
    assert list(read_sound(media, 48000)) == []
    assert pick_sound(media) is None


def test_short_and_long_sound(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2)
    for seconds in (0.7, 4.0):
        wav = write_wav(tmp_path / "s.wav", sound("tone", seconds))
        both = tmp_path / "both.mkv"
        run_ffmpeg(
            "-i", clip.path, "-i", wav, "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "pcm_s16le", both
        )
        samples = read(probe(both))
        n = min(
            len(samples), round(seconds * 48000)
        )  # a longer sound is heard to its end, under the last picture
        np.testing.assert_allclose(samples[:n], sound("tone", seconds)[:n], atol=1e-4)
        assert not samples[n:].any()


def test_hours_of_claimed_silence_take_no_memory(tmp_path: Path) -> None:
    """A damaged header may claim half a day of sound after the last packet."""
    media = probe(make_clip(tmp_path / "a.mp4", seconds=1, audio="tone").path)
    claimed = replace(media, audio=(replace(media.audio[0], end=Fraction(45_000)),))
    assert claimed.duration == 45_000
    tracemalloc.start()
    blocks = list(islice(read_sound(claimed, 48000), 50))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(b) for b in blocks] == [48000] * 50
    assert blocks[0].any() and not blocks[10].any()
    assert peak < 64 << 20


def test_gap_is_silence(tmp_path: Path) -> None:
    """Packets between 1 and 2 s are taken out: what follows stays at its time."""
    clip = make_clip(tmp_path / "a.mkv", seconds=4, audio="clicks", extra=["-c:a", "pcm_s16le"])
    holed = tmp_path / "b.mkv"
    drop = "noise=drop=between(pts*tb\\,0.9\\,1.9)"
    run_ffmpeg("-i", clip.path, "-map", "0", "-c", "copy", "-bsf:a", drop, holed)
    samples = read(probe(holed))
    assert onsets(samples) == pytest.approx([0, 2, 3], abs=0.002)
    assert not samples[47000:90000].any()


def test_damaged_packets_are_passed_over(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", seconds=4, audio="tone", size=(32, 32), extra=["-c:a", "mp3"])
    data = bytearray(clip.path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    clip.path.write_bytes(data)
    samples = read(probe(clip.path))
    assert np.abs(samples[:40000]).max() > 0.1
    assert np.abs(samples[-40000:]).max() > 0.1


def test_the_default_stream_is_read(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1)
    quiet, loud = (
        write_wav(tmp_path / "q.wav", sound("silence", 1)),
        write_wav(tmp_path / "l.wav", sound("tone", 1)),
    )
    both = tmp_path / "both.mkv"
    tags = ["-disposition:a:0", "0", "-disposition:a:1", "default"]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", *tags]
    run_ffmpeg("-i", clip.path, "-i", quiet, "-i", loud, *maps, both)
    media = probe(both)
    assert read(media).any()
    assert not read(media, stream=media.audio[0]).any()


def test_wrong_channels(tmp_path: Path) -> None:
    media = probe(make_clip(tmp_path / "a.mp4", seconds=0.2, audio="tone").path)
    with pytest.raises(ValueError, match="channels"):
        next(read_sound(media, 48000, channels=3))


def test_odd_duration(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1.1, fps=Fraction(30000, 1001), audio="tone")
    read(probe(clip.path), 44100)
