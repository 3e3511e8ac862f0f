"""Faults from the field: files that other tools lost something of, and what has to come out of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media import DATA, make_clip, run_ffmpeg, sound, write_wav

from videoscore.errors import ContainerError, NotAVideo
from videoscore.perform.mix.mix import mix
from videoscore.perform.mux.mux import Muxed, check_container, default_suffix, mux
from videoscore.perform.parts import Stem
from videoscore.settings.fields import MixOptions
from videoscore.video.probe import probe
from videoscore.video.sound import pick_sound, read_sound, sound_remark

FAULTS = DATA / "faults"
needs_faults = pytest.mark.skipif(not FAULTS.exists(), reason="needs ../shared/data/faults")


def scored(path: Path, output: Path, **options: object) -> Muxed:
    media = probe(path)
    music = write_wav(output.with_name("music.wav"), sound("clicks", float(media.duration)))
    check_container(media, output)
    return mux(media, music, output, **options)  # type: ignore[arg-type]


def pictures(path: Path) -> int:
    with av.open(f"file:{path}") as container:
        return sum(1 for _ in container.decode(container.streams[probe(path).video.index]))


def clicks(path: Path, number: int, level: float = 0.25) -> list[float]:
    media = probe(path)
    samples = np.concatenate(list(read_sound(media, 48000, stream=media.audio[number])))
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > level)
    return [float(n) / 48000 for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > 4800]


# ---------------------------------------------------------------- how long a film is


@pytest.mark.data
@needs_faults
@pytest.mark.parametrize(
    ("name", "seconds"), [("slide.webm", 12.007), ("slides.mkv", 15), ("onefr.mp4", 12), ("reset.ts", 8.032)]
)
def test_nothing_of_a_film_is_lost(tmp_path: Path, name: str, seconds: float) -> None:
    path = FAULTS / name
    media = probe(path)
    assert float(media.duration) == pytest.approx(seconds, abs=0.001)
    assert len(media.remarks) == 1  # how that was found is told
    written = scored(path, tmp_path / f"out{path.suffix}").path
    assert abs(probe(written).duration - media.duration) < Fraction(1, 10)
    assert pictures(written) == pictures(path)
    beats = clicks(written, 0)
    assert beats[-1] > seconds - 1.1  # music to the end


@pytest.mark.data
@needs_faults
def test_two_recordings_in_one_file_keep_step(tmp_path: Path) -> None:
    """reset.ts: flash and click together at 1, 2 and 3 s of both recordings, in the mix and in the copy."""
    written = scored(FAULTS / "reset.ts", tmp_path / "out.ts").path
    media = probe(written)
    with av.open(f"file:{written}") as container:
        frames = [(f.pts * f.time_base - media.video.start, f.to_ndarray(format="gray").mean())
                  for f in container.decode(video=0)]  # fmt: skip
    assert all(a[0] < b[0] for a, b in zip(frames, frames[1:], strict=False))
    flashes = [float(t) for n, (t, light) in enumerate(frames) if light > 120 and frames[n - 1][1] <= 120]
    assert len(flashes) == 6
    assert clicks(written, 1) == pytest.approx(flashes, abs=0.001)
    assert clicks(FAULTS / "reset.ts", 0) == pytest.approx(flashes, abs=0.001)


def test_a_clock_that_starts_again_three_times(tmp_path: Path) -> None:
    """`cat` of four recordings, as a DVR's or a dash camera's."""
    make_clip(tmp_path / "one.ts", seconds=2, gop=10, audio="clicks")
    joined = tmp_path / "four.ts"
    joined.write_bytes((tmp_path / "one.ts").read_bytes() * 4)
    media = probe(joined)
    assert float(media.duration) == pytest.approx(8, abs=0.2)
    assert len({j.shift for j in media.joins}) == 3
    written = scored(joined, tmp_path / "out.mkv").path
    assert pictures(written) == 200
    assert len(clicks(written, 1)) == 8


def test_sound_that_outlasts_the_picture_is_kept(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=2)
    tone = write_wav(tmp_path / "t.wav", sound("clicks", 5))
    for name in ("a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv"):
        path = tmp_path / name
        coder = "mp3" if name.endswith("avi") else "aac"
        run_ffmpeg("-i", picture.path, "-i", tone, "-c:v", "copy", "-c:a", coder, path)
        media = probe(path)
        assert float(media.duration) == pytest.approx(5, abs=0.06), name
        written = scored(path, tmp_path / f"out{path.suffix}")
        assert not [r for r in written.remarks if "shorter" in r]
        assert clicks(written.path, 1) == pytest.approx(clicks(path, 0), abs=0.002)
        assert clicks(written.path, 0)[:5] == pytest.approx([0, 1, 2, 3, 4], abs=0.002)


def test_large_pcm_packets_are_copied_whole(tmp_path: Path) -> None:
    """Packets of three quarters of a second: the last one reaches beyond the picture, and was left out."""
    picture = make_clip(tmp_path / "p.mkv", seconds=4)
    tone = write_wav(tmp_path / "t.wav", sound("tone", 4.2))
    path = tmp_path / "a.mkv"
    run_ffmpeg("-i", picture.path, "-i", tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy",
               "-af", "asetnsamples=n=36000:p=0", "-c:a", "pcm_s16le", path)  # fmt: skip
    written = scored(path, tmp_path / "out.mkv").path
    before, after = probe(path).audio[0], probe(written).audio[1]
    assert before.end == after.end


# ---------------------------------------------------------------- edit lists into other containers


@pytest.mark.data
@needs_faults
@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".flv"])
def test_what_was_cut_never_comes_back(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ContainerError, match="10 pictures") as caught:
        scored(FAULTS / "qttrim.mp4", tmp_path / f"out{suffix}")
    assert caught.value.remedy == "Name the output .mp4"
    assert pictures(scored(FAULTS / "qttrim.mp4", tmp_path / "out.mov").path) == 38  # has edit lists, too


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_cut_at_a_key_frame_is_converted(tmp_path: Path, suffix: str) -> None:
    """Hidden pictures that no shown one needs are left out: what is shown is the same, without an edit list."""
    clip = make_clip(
        tmp_path / "a.mp4", seconds=4, gop=25, audio="tone", extra=["-bf", "0", "-sc_threshold", "0"]
    )
    trimmed = tmp_path / "trimmed.mp4"
    _hide(clip.path, trimmed, Fraction(1))
    assert pictures(trimmed) == 75
    written = scored(trimmed, tmp_path / f"out{suffix}")
    assert pictures(written.path) == 75
    assert float(probe(written.path).duration) == pytest.approx(3, abs=0.05)


def _hide(path: Path, output: Path, seconds: Fraction) -> None:
    """Let the edit lists of all tracks begin `seconds` later."""
    import struct

    from videoscore.perform.mux.mp4 import boxes

    place = next(p for p in boxes.top(path) if p.kind == b"moov")
    with open(path, "rb") as file:
        moov = boxes.read_moov(file, place)
    for trak in moov.all(b"trak"):
        edits = trak.need(b"edts", b"elst")
        length, at = struct.unpack_from(">Ii", edits.data, 8)
        length -= int(seconds * boxes.movie_header(moov)["timescale"])
        at += int(seconds * boxes.media_header(trak)["timescale"])
        edits.data = edits.data[:8] + struct.pack(">Ii", length, at) + edits.data[16:]
    data = path.read_bytes()
    output.write_bytes(data[: place.start] + moov.write() + data[place.end :])


# ---------------------------------------------------------------- before the work


@pytest.mark.data
@needs_faults
def test_a_stream_without_packets_is_left_out_and_told(tmp_path: Path) -> None:
    written = scored(FAULTS / "emptya.ts", tmp_path / "out.ts")
    assert written.remarks == ("stream 1 of the original holds nothing and is left out",)
    assert pictures(written.path) == pictures(FAULTS / "emptya.ts")


@pytest.mark.data
@needs_faults
def test_raw_dv_goes_where_it_can(tmp_path: Path) -> None:
    media = probe(FAULTS / "dv_two_frames.dv")
    for name in ("a.mkv", "a.mp4", "a.flv", "a.ts"):
        with pytest.raises(ContainerError) as caught:
            check_container(media, tmp_path / name)
        suffix = caught.value.remedy.removeprefix("Name the output ")
        assert pictures(scored(media.path, tmp_path / f"remedy{name}{suffix}").path) == 2  # the remedy works
    assert pictures(scored(media.path, tmp_path / f"out{default_suffix(media)}").path) == 2


def test_an_animated_webp_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:r=10:d=1", "-c:v", "libwebp_anim", path)
    with pytest.raises(NotAVideo, match="animated WebP"):
        probe(path)


# ---------------------------------------------------------------- sound tracks


@pytest.mark.data
@needs_faults
def test_the_microphone_that_was_plugged_in_is_heard(tmp_path: Path) -> None:
    media = probe(FAULTS / "dualmono.mov")
    stream = pick_sound(media)
    assert stream is not None
    assert stream.index == 2
    assert "stream 1 is nearly silent" in sound_remark(media)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_new_track_speaks_the_language_of_the_sound_in_it(tmp_path: Path, suffix: str) -> None:
    clip = make_clip(tmp_path / "p.mp4", seconds=2)
    tone = write_wav(tmp_path / "t.wav", sound("tone", 2))
    path = tmp_path / f"a{suffix}"
    run_ffmpeg("-i", clip.path, "-i", tone, "-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:v", "copy", "-c:a", "aac",
               "-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=eng",
               "-disposition:a:0", "0", "-disposition:a:1", "default", path)  # fmt: skip
    written = scored(path, tmp_path / f"out{suffix}", title="Night music").path
    with av.open(f"file:{written}") as container:
        tracks = [(s.language, bool(s.disposition & 1)) for s in container.streams.audio]
        first = container.streams.audio[0].metadata
        assert "Night music" in (first.get("title"), first.get("name"))
    assert [(t.replace("fre", "fra"), d) for t, d in tracks] == [
        ("eng", True),
        ("fra", False),
        ("eng", False),
    ]


def test_loudness_that_was_not_reached_is_told(tmp_path: Path) -> None:
    """A film of clicks: the limiter holds what it is asked to, and the user learns what that cost."""
    clip = make_clip(tmp_path / "a.mkv", seconds=4, audio="clicks")
    clap = np.zeros((4 * 48000, 2))
    clap[::4800] = 0.9
    stem = Stem("clap", write_wav(tmp_path / "clap.wav", clap), 48000, len(clap))
    loud = mix([stem], probe(clip.path), MixOptions(audio="replace", loudness=-5.0), tmp_path / "mix.wav")
    assert loud.loudness.best is not None
    assert loud.loudness.best < -5.5
    assert any("-5.0" in remark for remark in loud.remarks)
    stem = Stem("tone", write_wav(tmp_path / "tone.wav", sound("tone", 4)), 48000, len(clap))
    fine = mix([stem], probe(clip.path), MixOptions(audio="replace", loudness=-30.0), tmp_path / "mix.wav")
    assert fine.remarks == ()


# ---------------------------------------------------------------- a second round of public reports


def test_sound_that_comes_late_into_matroska(tmp_path: Path) -> None:
    """GyanD/codexffmpeg #203, gpac #2283: seconds of silence before the sound of an MP4 were lost in Matroska."""
    clip = make_clip(tmp_path / "a.mp4", seconds=4, audio="clicks", audio_offset=2.5)
    written = scored(clip.path, tmp_path / "out.mkv").path
    assert clicks(written, 1) == pytest.approx([2.5, 3.5, 4.5, 5.5], abs=0.002)
    assert float(probe(written).duration) == pytest.approx(6.5, abs=0.03)


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_date_and_place_of_a_telephone_film(tmp_path: Path, suffix: str) -> None:
    """osxphotos #282, photoprism #727: recording date and place gone after copying."""
    place, day = "+48.8789+002.3376+048.928/", "2023-12-26T15:22:56+0100"
    tags = {"com.apple.quicktime.location.ISO6709": place, "com.apple.quicktime.creationdate": day,
            "creation_time": "2023-12-26T14:22:56Z"}  # fmt: skip
    words = [a for k, v in tags.items() for a in ("-metadata", f"{k}={v}")]
    clip = make_clip(tmp_path / "a.mov", audio="tone", extra=["-movflags", "use_metadata_tags", *words])
    written = scored(clip.path, tmp_path / f"out{suffix}")
    with av.open(f"file:{written.path}") as container:
        read = {k.lower(): v for k, v in container.metadata.items()}
    assert read["com.apple.quicktime.location.iso6709"] == place
    assert read["com.apple.quicktime.creationdate"] == day
    assert read.get("creation_time", "2023-12-26T14:22:56").startswith("2023-12-26T14:22:56")
    assert written.remarks == ()
    back = scored(written.path, tmp_path / "back.mp4")  # from Matroska, which has keys in capitals only
    with av.open(f"file:{back.path}") as container:
        assert container.metadata["com.apple.quicktime.location.ISO6709"] == place


def test_an_avi_whose_first_chunk_of_sound_is_long(tmp_path: Path) -> None:
    """AlexAltea/curator #10: the sound ran ahead by the length of the first chunk after copying."""
    clip = make_clip(tmp_path / "p.avi", seconds=4, audio=None)
    tone = write_wav(tmp_path / "t.wav", sound("clicks", 4))
    path = tmp_path / "a.avi"
    run_ffmpeg(
        "-i",
        clip.path,
        "-i",
        tone,
        "-c:v",
        "copy",
        "-af",
        "asetnsamples=n=96000:p=0",
        "-c:a",
        "pcm_s16le",
        path,
    )
    for suffix in (".avi", ".mkv"):
        written = scored(path, tmp_path / f"out{suffix}").path
        assert clicks(written, 1) == pytest.approx([0, 1, 2, 3], abs=0.002)


@pytest.mark.parametrize("suffix", [".flv", ".mp4"])
def test_a_recording_that_waited_for_its_picture(tmp_path: Path, suffix: str) -> None:
    """livestreamer #559: sound from the first second, picture later; copied to MP4 they parted."""
    picture = make_clip(tmp_path / "p.mp4", seconds=3, gop=25)
    tone = write_wav(tmp_path / "t.wav", sound("clicks", 5))
    path = tmp_path / "a.flv"
    run_ffmpeg("-itsoffset", "1.5", "-i", picture.path, "-i", tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy",
               "-c:a", "aac", path)  # fmt: skip
    written = scored(path, tmp_path / f"out{suffix}").path
    assert clicks(written, 1) == pytest.approx([0.5, 1.5, 2.5], abs=0.0025)
    assert clicks(written, 0)[1:] == pytest.approx([1, 2, 3], abs=0.002)
