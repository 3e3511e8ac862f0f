"""Mux: the original's packets stay, the music is in place, and nothing half-written is left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from media import DATA, Clip, make_clip, packet_hash, run_ffmpeg, sound, write_wav

from videoscore.errors import ContainerError, DiskFull, NotFound, OutputError, OutputExists
from videoscore.perform.mux import ffmpeg_process
from videoscore.perform.mux.containers import CONTAINERS, Track, container_for, lacks, suffix_for
from videoscore.perform.mux.mux import default_suffix, mux, read_tracks
from videoscore.video.media import AudioStream, Media
from videoscore.video.probe import probe
from videoscore.video.sound import read_sound


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("mux") / "film.mp4", audio="tone", subtitles=True, chapters=True)


def score(media: Media, folder: Path, seconds: float | None = None) -> Path:
    return write_wav(folder / "music.wav", sound("clicks", float(seconds or media.duration)))


def onsets(media: Media, stream: AudioStream) -> list[float]:
    """Seconds on the picture's timeline at which the clicks are heard."""
    samples = np.concatenate(list(read_sound(media, 48000, stream=stream)))
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > 0.25)
    return [float(n) / 48000 for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > 4800]


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if ".part" in p.name]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"audio": "tone"}),
        ("silent.mp4", {}),
        ("late.mp4", {"start": 1.5, "audio": "tone"}),
        ("turned.mp4", {"rotate": 90}),
        ("bframes.mov", {"audio": "tone", "extra": ["-preset", "medium", "-bf", "3"]}),
        ("vfr.mkv", {"vfr": True, "audio": "tone"}),
        ("bframes.mkv", {"extra": ["-preset", "medium", "-bf", "3"]}),
        ("a.webm", {"audio": "tone"}),
        ("a.ogv", {"audio": "tone"}),
        ("a.avi", {"audio": "tone"}),
        ("bframes.avi", {"audio": "tone", "extra": ["-bf", "2"]}),
        ("a.flv", {"audio": "tone"}),
        ("late.ts", {"start": 1.5, "audio": "tone"}),
        ("bframes.ts", {"extra": ["-preset", "medium", "-bf", "3"]}),
        ("a.mpg", {"audio": "tone"}),
        ("a.gif", {}),
        ("deep.mp4", {"codec": "libx265", "pixel": "yuv420p10le"}),
    ],
)
def test_picture_untouched_music_in_place(tmp_path: Path, name: str, options: dict) -> None:
    clip = make_clip(tmp_path / name, seconds=3, **options)
    media = probe(clip.path)
    output = tmp_path / f"out{default_suffix(media)}"
    assert output.suffix == (clip.path.suffix if name != "a.gif" else ".mov")
    assert mux(media, score(media, tmp_path), output).path == output

    scored = probe(output)
    frame = media.video.frame_duration
    assert packet_hash(output) == packet_hash(clip.path)
    assert abs(scored.duration - media.duration) <= frame
    assert scored.video.rotation == media.video.rotation
    if output.suffix not in (".mpg", ".flv"):  # their muxers begin where they like; only the sync counts
        assert scored.video.start == media.video.start
    assert len(scored.audio) == len(media.audio) + 1
    heard = onsets(scored, scored.audio[0])
    # the AVI encoder's start is cut off, so the very first click is lost there
    expected = [float(n) for n in range(1 if name == "a.avi" else 0, ceil(media.duration))]
    assert heard == pytest.approx(expected, abs=0.001)
    with av.open(str(output)) as container:
        ends = [(s.start_time + s.duration) * s.time_base for s in container.streams if s.duration]
        begin = min((s.start_time or 0) * s.time_base for s in container.streams)
        assert all(e <= scored.video.start + media.duration + frame + Fraction(1, 40) for e in ends)
        assert begin >= scored.video.start - Fraction(1, 20)
    assert leftovers(tmp_path) == []


def test_everything_else_is_kept(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    output = mux(media, score(media, tmp_path), tmp_path / "out.mp4", title="Night music").path
    with av.open(str(film.path)) as a, av.open(str(output)) as b:
        # "data" is how an MP4 stores its chapters
        assert [s.type for s in a.streams] == ["video", "audio", "subtitle", "data"]
        assert [s.type for s in b.streams] == ["video", "audio", "audio", "subtitle", "data"]
        assert [bool(s.disposition & Disposition.default) for s in b.streams.audio] == [True, False]
        assert b.streams.audio[0].metadata["handler_name"] == "Night music"
        for c, d in zip(a.chapters(), b.chapters(), strict=True):
            assert c["metadata"] == d["metadata"]
            assert c["start"] * c["time_base"] == d["start"] * d["time_base"]
            assert c["end"] * c["time_base"] == d["end"] * d["time_base"]
        assert b.metadata["title"] == a.metadata["title"] == "A test film"
    for stream, there in (("0:a:0", "0:a:1"), ("0:s:0", "0:s:0")):
        assert packet_hash(film.path, stream) == packet_hash(output, there)
    head = output.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_original_sound_can_be_left_out(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    output = mux(media, score(media, tmp_path), tmp_path / "out.mp4", keep_original=False).path
    assert len(probe(output).audio) == 1


def test_mkv_keeps_fonts_and_cover(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", audio="tone", subtitles=True, chapters=True)
    font, cover, rich = tmp_path / "f.ttf", tmp_path / "c.png", tmp_path / "rich.mkv"
    font.write_bytes(b"not really a font")
    run_ffmpeg("-i", clip.path, "-frames:v", "1", cover)
    tags = [
        "-metadata:s:t:0",
        "mimetype=application/x-truetype-font",
        "-metadata:s:t:1",
        "mimetype=image/png",
    ]
    run_ffmpeg("-i", clip.path, "-map", "0", "-c", "copy", "-attach", font, "-attach", cover, *tags, rich)
    media = probe(rich)
    output = mux(media, score(media, tmp_path), tmp_path / "out.mkv").path

    def kinds(path: Path) -> list[tuple[str, str, bool]]:
        return sorted((t.kind, t.codec, t.cover) for t in read_tracks(path))

    assert kinds(output) == sorted([*kinds(rich), ("audio", "flac", False)])
    assert packet_hash(output) == packet_hash(rich)
    with av.open(str(output)) as container:
        names = {s.metadata.get("filename") for s in container.streams}
    assert {"f.ttf", "c.png"} <= names


@pytest.mark.parametrize("seconds", [0.3, 9.0])
def test_music_is_brought_to_the_pictures_length(film: Clip, tmp_path: Path, seconds: float) -> None:
    media = probe(film.path)
    output = mux(media, score(media, tmp_path, seconds), tmp_path / "out.mp4", keep_original=False).path
    with av.open(str(output)) as container:
        stream = container.streams.audio[0]
        assert abs(stream.duration * stream.time_base - media.duration) <= Fraction(1024, 48000)


def test_long_original_sound_does_not_outlast_the_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2)
    wav = write_wav(tmp_path / "long.wav", sound("tone", 5))
    long = tmp_path / "long.mp4"
    run_ffmpeg("-i", clip.path, "-i", wav, "-map", "0", "-map", "1", "-c:v", "copy", long)
    media = probe(long)
    output = mux(media, score(media, tmp_path), tmp_path / "out.mp4").path
    with av.open(str(output)) as container:
        assert abs(Fraction(container.duration, 10**6) - media.duration) <= media.video.frame_duration


@pytest.mark.parametrize(
    "name", ["-x.mp4", "s%03d.mp4", "a b'c\"[e]*?.mp4", "line\nbreak.mp4", "фильм.mp4", "電" * 80 + ".mp4"]
)
def test_odd_names(film: Clip, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(film.path.read_bytes())
    media = probe(Path(name))
    output = Path("o" + name)
    mux(media, score(media, tmp_path), output)
    assert packet_hash(output.absolute()) == packet_hash(film.path)


# ---------------------------------------------------------------- what can't be written


def test_containers_that_will_not_do(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    music = score(media, tmp_path)
    for name, words in {
        "a.webm": ["stream 0", "h264", ".m"],
        "a.gif": [".gif", ".mkv"],
        "a": ["suffix"],
        "a.txt": [".txt"],
        "a.avi": ["subtitle", "mov_text"],
        "a.mkv": ["mov_text", ".mov"],
    }.items():
        with pytest.raises(ContainerError) as caught:
            mux(media, music, tmp_path / name)
        assert all(w in str(caught.value) for w in words), str(caught.value)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / name).exists()


def test_avi_takes_no_reordered_pictures(tmp_path: Path) -> None:
    """It stores no PTS: picture and sound would part by the reordering delay."""
    clip = make_clip(tmp_path / "b.mp4", extra=["-preset", "medium", "-bf", "3"])
    with pytest.raises(ContainerError, match="stream 0"):
        mux(probe(clip.path), score(probe(clip.path), tmp_path), tmp_path / "out.avi")


def test_existing_output(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    music = score(media, tmp_path)
    there = tmp_path / "there.mp4"
    there.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        mux(media, music, there)
    assert there.read_bytes() == b"mine"
    mux(media, music, there, overwrite=True)
    assert probe(there).duration == media.duration


def test_never_over_the_original(film: Clip, tmp_path: Path) -> None:
    copy = tmp_path / "film.mp4"
    copy.write_bytes(film.path.read_bytes())
    (tmp_path / "link.mp4").symlink_to(copy)
    os.link(copy, tmp_path / "hard.mp4")
    media = probe(copy)
    for name in ("film.mp4", "link.mp4", "hard.mp4"):
        with pytest.raises(OutputExists, match="original"):
            mux(media, score(media, tmp_path), tmp_path / name, overwrite=True)
    assert copy.read_bytes() == film.path.read_bytes()


def test_output_through_a_link(film: Clip, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.mp4"
    target.write_bytes(b"old")
    (tmp_path / "link.mp4").symlink_to(target)
    media = probe(film.path)
    mux(media, score(media, tmp_path), tmp_path / "link.mp4", overwrite=True)
    assert (tmp_path / "link.mp4").is_symlink()
    assert probe(target).duration == media.duration


def test_places_that_will_not_do(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    music = score(media, tmp_path)
    (tmp_path / "folder.mp4").mkdir()
    impossible = (tmp_path / f"{'x' * 300}.mp4", tmp_path / "nul\0.mp4")
    for output in (tmp_path / "none" / "a.mp4", tmp_path / "folder.mp4", *impossible):
        with pytest.raises(OutputError) as caught:
            mux(media, music, output, overwrite=True)
        assert caught.value.remedy
    with pytest.raises(NotFound):
        mux(media, tmp_path / "no.wav", tmp_path / "a.mp4")
    if os.geteuid() != 0:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        with pytest.raises(OutputError, match="folder"):
            mux(media, music, closed / "a.mp4")


def test_full_disk(film: Clip, tmp_path: Path) -> None:
    """A file size limit stands for the disk's end; then what a real full disk makes ffmpeg say."""
    media = probe(film.path)
    music = score(media, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError):
            mux(media, music, tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "out.mp4").exists()
    said = "[out#0/mp4] Error writing trailer: No space left on device\nConversion failed!\n"
    assert isinstance(ffmpeg_process.write_error(tmp_path / "x.mp4", said), DiskFull)


def test_broken_music_leaves_nothing(film: Clip, tmp_path: Path) -> None:
    (tmp_path / "music.wav").write_bytes(b"RIFF....WAVE")
    with pytest.raises(OutputError) as caught:
        mux(probe(film.path), tmp_path / "music.wav", tmp_path / "out.mp4")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["music.wav"]


def test_interrupt_leaves_nothing_and_kills_the_child(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    children: list[subprocess.Popen] = []
    real = subprocess.Popen

    def remember(*args, **kwargs):
        children.append(real(*args, **kwargs))
        return children[-1]

    def stop(stage: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    ffmpeg_process.subprocess.Popen = remember  # type: ignore[misc, assignment]
    try:
        with pytest.raises(KeyboardInterrupt):
            mux(media, score(media, tmp_path), tmp_path / "out.mp4", progress=stop)
    finally:
        ffmpeg_process.subprocess.Popen = real  # type: ignore[misc]
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "out.mp4").exists()
    assert children
    assert all(c.poll() is not None for c in children)


def test_ctrl_c_in_a_real_process(tmp_path: Path) -> None:
    """SIGINT while ffmpeg works on four minutes of music."""
    make_clip(tmp_path / "in.mp4", seconds=240, fps=1, size=(32, 32))
    write_wav(tmp_path / "music.wav", sound("tone", 240))
    code = (
        "from pathlib import Path\nfrom videoscore.video.probe import probe\n"
        "from videoscore.perform.mux.mux import mux\n"
        "m = probe(Path('in.mp4'))\nprint('go', flush=True)\nmux(m, Path('music.wav'), Path('out.mp4'))\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    deadline = time.monotonic() + 60
    while not leftovers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert leftovers(tmp_path)
    child.send_signal(2)
    assert child.wait(60) != 0
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "out.mp4").exists()


def test_a_time_code_goes_where_the_container_keeps_it(tmp_path: Path) -> None:
    """QuickTime has a track for it, Matroska a tag; nothing is lost, so nothing is told."""
    clip = make_clip(tmp_path / "a.mov", extra=["-metadata:s:v", "timecode=01:00:00:00"])
    media = probe(clip.path)
    assert [t.kind for t in read_tracks(clip.path)] == ["video", "data"]
    for name, kinds in {"out.mp4": ["video", "audio", "data"], "out.mkv": ["video", "audio"]}.items():
        written = mux(media, score(media, tmp_path), tmp_path / name)
        assert written.remarks == ()
        assert [t.kind for t in read_tracks(written.path)] == kinds
        with av.open(str(written.path)) as container:
            tags = {k.lower(): v for s in (container, *container.streams) for k, v in s.metadata.items()}
        assert tags["timecode"] == "01:00:00:00"


def test_telemetry_is_kept_in_mp4_and_told_elsewhere(tmp_path: Path) -> None:
    """A camera's data track (GoPro's gpmd): FFmpeg has no writer for it, its bytes stay in an MP4 nevertheless."""
    clip = make_clip(tmp_path / "a.mp4", extra=["-metadata:s:v", "timecode=01:00:00:00"])
    named = clip.path.read_bytes().replace(b"tmcd", b"gpmd")
    clip.path.write_bytes(named)
    media = probe(clip.path)
    same = mux(media, score(media, tmp_path), tmp_path / "out.mp4")
    assert same.remarks == ()
    assert same.path.read_bytes().count(b"gpmd") == named.count(b"gpmd")
    other = mux(media, score(media, tmp_path), tmp_path / "out.mkv")
    assert any("gpmd" in remark for remark in other.remarks)


# ---------------------------------------------------------------- the table of containers


def test_suffixes() -> None:
    h264, aac, gif = Track(0, "video", "h264"), Track(1, "audio", "aac"), Track(0, "video", "gif")
    vp9, theora = Track(0, "video", "vp9"), Track(0, "video", "theora")
    text, font = Track(2, "subtitle", "mov_text"), Track(3, "attachment", "unknown")
    assert suffix_for([h264, aac], ".mp4") == ".mp4"
    assert suffix_for([h264, aac], ".MOV") == ".MOV"
    assert suffix_for([h264, aac], ".webm") == ".mkv"
    assert suffix_for([h264, aac, text], ".weird") == ".mov"
    assert suffix_for([gif], ".gif") == ".mov"
    assert suffix_for([vp9], ".webm") == ".webm"
    assert suffix_for([theora], ".mkv") == ".mkv"
    assert suffix_for([h264, font], ".mp4") == ".mkv"
    assert lacks(CONTAINERS[".avi"], [h264, text]) is text
    assert container_for(Path("X.M2TS")) is CONTAINERS[".mts"]


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    "name",
    [
        "nasa_13013.mp4",
        "portrait.MOV",
        "bbb_2500ms.ts",
        "weird_aspect.small.mpg",
        "transparent.webm",
        "h264-png.mkv",
        "webvtt.mkv",
        "no_duration.webm",
        "te[s]t_ video ' _ .flv",
        "sample_mdat_too_long.mp4",
    ],
)
def test_real_files(tmp_path: Path, name: str) -> None:
    path = DATA / "video" / "odd" / name
    media = probe(path)
    output = mux(media, score(media, tmp_path), tmp_path / f"out{default_suffix(media)}").path
    scored = probe(output)
    assert packet_hash(output) == packet_hash(path)
    assert abs(scored.duration - media.duration) <= media.video.frame_duration
    assert len(read_tracks(output)) == len(read_tracks(path)) + 1
    assert scored.video.rotation == media.video.rotation
    assert onsets(scored, scored.audio[0])[0] < 0.001
