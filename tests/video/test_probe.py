"""Probe: what is said of a file is what is in it, and what can't be scored is refused in one line."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from media import DATA, make_clip, run_ffmpeg, sound, write_wav

from videoscore.errors import BrokenVideo, InputError, NotAVideo, NotFound
from videoscore.video import spans as spans_module
from videoscore.video.probe import probe

MS = Fraction(1, 1000)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("probe") / "plain.mp4", seconds=1, audio="tone").path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cfr.mp4", {}),
        ("ntsc.mov", {"fps": Fraction(30000, 1001)}),
        ("vfr.mp4", {"vfr": True}),
        ("vfr.mkv", {"vfr": True}),
        ("late.mp4", {"start": 1.5, "audio": "tone"}),
        ("late.ts", {"start": 1.5, "audio": "tone"}),
        ("program.mpg", {"audio": "tone"}),
        ("old.avi", {"audio": "tone"}),
        ("web.webm", {"audio": "tone"}),
        ("free.ogv", {"audio": "tone"}),
        ("flash.flv", {"audio": "tone"}),
        ("anim.gif", {}),
        ("deep.mp4", {"codec": "libx265", "pixel": "yuv420p10le"}),
        ("bframes.mp4", {"extra": ["-preset", "medium", "-bf", "3"]}),
        ("one.mp4", {"seconds": 0.04}),
        ("odd.webm", {"size": (101, 57)}),
    ],
)
def test_duration_is_the_pictures(tmp_path: Path, name: str, options: dict) -> None:
    clip = make_clip(tmp_path / name, **options)
    media = probe(clip.path)
    assert abs(media.duration - clip.duration) <= MS
    assert len(media.audio) == (1 if "audio" in options else 0)
    assert media.video.rotation == 0
    assert (media.video.width, media.video.height) == options.get("size", (160, 96))


def test_start_is_kept_apart_from_duration(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "late.mp4", start=1.5, audio="tone", audio_offset=0.25)
    media = probe(clip.path)
    assert media.video.start == Fraction(3, 2)
    assert media.video.duration == 2
    assert media.duration == Fraction(9, 4)  # the sound that came late is heard to its end
    # an AAC encoder's lead-in of 1024 samples lies before the sound proper
    assert abs(media.audio[0].start - Fraction("1.75")) < Fraction(1024, 48000) + MS


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_clockwise(tmp_path: Path, turn: int) -> None:
    clip = make_clip(tmp_path / "turned.mp4", seconds=0.2, rotate=turn)
    assert probe(clip.path).video.rotation == 360 - turn


def test_both_ends_tell_what_the_whole_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large films are read at their ends only; that must not change the result."""
    for name in ("a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv", "a.mpg"):
        clip = make_clip(tmp_path / name, seconds=6, gop=20, audio="tone")
        whole = probe(clip.path).video
        monkeypatch.setattr(spans_module, "_WHOLE_BYTES", 0)
        assert probe(clip.path).video == whole
        monkeypatch.undo()


def test_both_ends_tell_how_long_the_sound_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=4, gop=20)
    wav = write_wav(tmp_path / "s.wav", sound("tone", 9))
    for name in ("a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv"):
        coder = "mp3" if name.endswith("avi") else "aac"
        run_ffmpeg("-i", picture.path, "-i", wav, "-c:v", "copy", "-c:a", coder, tmp_path / name)
        whole = probe(tmp_path / name).duration
        assert abs(whole - 9) < Fraction(1, 15), name
        monkeypatch.setattr(spans_module, "_WHOLE_BYTES", 0)
        assert probe(tmp_path / name).duration == whole, name
        monkeypatch.undo()


def test_mkv_without_duration(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "live.mkv", extra=["-live", "1"])
    assert abs(probe(clip.path).duration - clip.duration) <= MS


def test_truncated_film_lasts_as_long_as_what_is_there(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "whole.mkv", seconds=4, gop=10)
    cut = tmp_path / "cut.mkv"
    data = clip.path.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    assert 1 < probe(cut).duration < 3


def test_cover_art_is_no_film(tmp_path: Path, plain: Path) -> None:
    cover = tmp_path / "cover.png"
    run_ffmpeg("-i", plain, "-frames:v", "1", cover)
    wav = write_wav(tmp_path / "s.wav", sound("tone", 1))
    song = tmp_path / "song.m4a"
    run_ffmpeg(
        "-i",
        wav,
        "-i",
        cover,
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "copy",
        "-disposition:v",
        "attached_pic",
        song,
    )
    with pytest.raises(NotAVideo, match="cover"):
        probe(song)
    both = tmp_path / "both.mp4"
    maps = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"]
    run_ffmpeg("-i", cover, "-i", plain, *maps, both)
    assert probe(both).video.codec == "h264"


@pytest.mark.parametrize(
    "name",
    [
        "-x.mp4",
        "100%.mp4",
        "s%03d.mp4",
        "a b'c\"d[e]{f}*?.mp4",
        "line\nbreak.mp4",
        "видео_é.mp4",
        "http:x.mp4",
        "C:.mp4",
    ],
)
def test_odd_names_are_plain_files(
    tmp_path: Path, plain: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(plain.read_bytes())
    assert probe(tmp_path / name).duration == 1
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).duration == 1


def _refuse(path: Path, kind: type[InputError]) -> str:
    with pytest.raises(kind) as caught:
        probe(path)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.remedy
    return message


def test_refusals(tmp_path: Path, plain: Path) -> None:
    _refuse(tmp_path / "none.mp4", NotFound)
    _refuse(tmp_path / "nul\0.mp4", NotFound)
    assert "folder" in _refuse(tmp_path, NotAVideo)
    (tmp_path / "zero.mp4").touch()
    assert "empty" in _refuse(tmp_path / "zero.mp4", NotAVideo)
    (tmp_path / "text.mp4").write_text("This is text, in a file.\n" * 20)
    assert "text" in _refuse(tmp_path / "text.mp4", NotAVideo)
    (tmp_path / "noise.mp4").write_bytes(os.urandom(5000))
    _refuse(tmp_path / "noise.mp4", NotAVideo)
    (tmp_path / "half.mp4").write_bytes(plain.read_bytes()[:3000])
    _refuse(tmp_path / "half.mp4", BrokenVideo)
    wav = write_wav(tmp_path / "sound.mp4", sound("tone", 0.2))
    assert "sound" in _refuse(wav, NotAVideo)
    for suffix in ("png", "jpg", "gif"):
        run_ffmpeg("-i", plain, "-frames:v", "1", tmp_path / f"one.{suffix}")
        assert "single picture" in _refuse(tmp_path / f"one.{suffix}", NotAVideo)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    _refuse(tmp_path / "pipe.mp4", NotAVideo)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path: Path, plain: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(plain.read_bytes())
    secret.chmod(0)
    assert "permission" in _refuse(secret, NotFound)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    ],
)
def test_playlists_open_nothing_else(tmp_path: Path, plain: Path, playlist: str) -> None:
    for suffix in ("m3u8", "mp4", "ffconcat", "mpd"):
        crafted = tmp_path / f"list.{suffix}"
        crafted.write_text(playlist.format(target=plain))
        assert "playlist" in _refuse(crafted, NotAVideo)


def test_nothing_decodes(tmp_path: Path) -> None:
    """Intact container and packet sizes, rubbish inside."""
    clip = make_clip(tmp_path / "rubbish.mkv", seconds=0.4, codec="mpeg4")
    rubbish = tmp_path / "bad.mkv"
    drop = "noise=amount=1"
    run_ffmpeg("-i", clip.path, "-c", "copy", "-bsf:v", drop, rubbish)
    _refuse(rubbish, BrokenVideo)


def test_raw_stream_without_times(tmp_path: Path, plain: Path) -> None:
    run_ffmpeg("-i", plain, "-map", "0:v", "-c", "copy", "-f", "h264", tmp_path / "raw.h264")
    assert "times" in _refuse(tmp_path / "raw.h264", BrokenVideo)


def test_nothing_is_printed(tmp_path: Path) -> None:
    """FFmpeg's own log must not reach the user's terminal."""
    (tmp_path / "bad.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(40))
    code = (
        "import sys\nfrom pathlib import Path\nfrom videoscore.errors import VideoscoreError\n"
        "from videoscore.video.probe import probe\n"
        "try:\n    probe(Path(sys.argv[1]))\nexcept VideoscoreError:\n    pass\n"
    )
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "bad.mp4"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout == b""
    assert done.stderr == b""


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_real_odd_files() -> None:
    odd = DATA / "video" / "odd"
    portrait = probe(odd / "portrait.MOV")
    assert (portrait.video.rotation, portrait.video.index) == (90, 1)
    assert probe(odd / "delayed_start.mp4").video.start == Fraction(43, 40)
    assert probe(odd / "no_duration.webm").duration == Fraction(4938, 1000)
    assert probe(odd / "h264-png.mkv").video.codec == "h264"
    assert probe(odd / "playable_but_bad_container.mkv").container == "ogg"
    for name, kind in {
        "italia.mp4": NotAVideo,
        "zero_output.mp4": NotAVideo,
        "broken.mp4": BrokenVideo,
    }.items():
        _refuse(odd / name, kind)
