"""The music in an MP4's own index: everything that was in the file is still there, whoever knows it."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media import DATA, make_clip, packet_hash, run_ffmpeg, sound, write_wav

from videoscore.perform.mux.mp4 import boxes
from videoscore.perform.mux.mp4 import sample_tables as tables
from videoscore.perform.mux.mp4.graft import can_graft
from videoscore.perform.mux.mux import Muxed, mux
from videoscore.video.probe import probe
from videoscore.video.sound import read_sound

FAULTS = DATA / "faults"
needs_faults = pytest.mark.skipif(not FAULTS.exists(), reason="needs ../shared/data/faults")


def scored(path: Path, output: Path, **options: object) -> Muxed:
    media = probe(path)
    music = write_wav(output.with_name("music.wav"), sound("clicks", float(media.duration)))
    return mux(media, music, output, **options)  # type: ignore[arg-type]


def index(path: Path) -> boxes.Box:
    place = next(p for p in boxes.top(path) if p.kind == b"moov")
    with open(path, "rb") as file:
        return boxes.read_moov(file, place)


def shown(path: Path) -> list[tuple[Fraction, int]]:
    """Time and content of every picture that a decoder shows."""
    with av.open(f"file:{path}") as container:
        stream = container.streams[probe(path).video.index]
        return [(f.pts * f.time_base, hash(f.to_ndarray().tobytes())) for f in container.decode(stream)]


def heard(path: Path, number: int) -> np.ndarray:
    media = probe(path)
    return np.concatenate(list(read_sound(media, 48000, stream=media.audio[number])))


@pytest.mark.data
@needs_faults
@pytest.mark.parametrize("name", ["twoedits.mp4", "qttrim.mp4", "edit.mp4"])
def test_what_was_cut_stays_cut(tmp_path: Path, name: str) -> None:
    written = scored(FAULTS / name, tmp_path / "out.mp4")
    assert shown(written.path) == shown(FAULTS / name)
    np.testing.assert_array_equal(heard(written.path, 1), heard(FAULTS / name, 0))
    assert written.remarks == ()


@pytest.mark.data
@needs_faults
@pytest.mark.parametrize(
    "name",
    ["cover.mp4", "s360v1.mp4", "s360v2.mp4", "tmcd.mp4", "chap_small.mp4", "dualmono.mov", "phone.mp4"],
)
def test_every_box_stays_as_it_is(tmp_path: Path, name: str) -> None:
    """Byte by byte, but for what says where samples lie, which track is played, and how long the whole is."""
    path = FAULTS / name
    before, after = index(path), index(scored(path, tmp_path / f"out{path.suffix}").path)

    def leaves(box: boxes.Box, above: bytes = b"") -> list[tuple[bytes, bytes]]:
        if box.children:
            return [leaf for c in box.children for leaf in leaves(c, above + b"/" + box.kind)]
        free = box.kind in (b"stco", b"co64", b"mvhd", b"tkhd")
        return [(above + b"/" + box.kind, b"" if free else box.data)]

    tracks = after.all(b"trak")
    old = before.all(b"trak")
    assert len(tracks) == len(old) + 1
    music = next(
        t for t in tracks if boxes.track_header(t)["id"] == 1 + max(boxes.track_header(o)["id"] for o in old)
    )
    after.children.remove(music)
    wanted = [(kind.replace(b"co64", b"stco"), data) for kind, data in leaves(before)]
    assert [(kind.replace(b"co64", b"stco"), data) for kind, data in leaves(after)] == wanted
    sounds = [t for t in after.all(b"trak") if boxes.handler(t) == b"soun"]
    assert boxes.flags(music.need(b"tkhd")) & 1
    assert not any(boxes.flags(t.need(b"tkhd")) & 1 for t in sounds)
    assert len({boxes.group(t) for t in (music, *sounds)} - {0}) == 1 or not sounds


@pytest.mark.data
@needs_faults
def test_a_film_scored_twice_is_not_worn_out(tmp_path: Path) -> None:
    path = FAULTS / "scored_once_creation_time.mp4"
    twice = scored(scored(path, tmp_path / "a.mp4").path, tmp_path / "b.mp4").path
    for file in (path, twice):
        with av.open(f"file:{file}") as container:
            tags = container.metadata
            assert tags["creation_time"].startswith("2020-01-02T03:04:05")
            assert ";" not in "".join(tags.values())
            assert tags["compatible_brands"] == "isomiso2avc1mp41"
    with av.open(f"file:{twice}") as container:
        assert all(s.metadata["creation_time"].startswith("2020-01-02") for s in container.streams)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "late.mp4", "front.mp4", "plain.mp4"])
@pytest.mark.parametrize("keep", [True, False])
def test_pictures_and_sounds_are_where_they_were(tmp_path: Path, name: str, keep: bool) -> None:
    extra = {"front.mp4": ["-movflags", "+faststart"], "plain.mp4": ["-use_editlist", "0", "-bf", "2"]}.get(
        name, []
    )
    start = 1.5 if name == "late.mp4" else 0.0
    clip = make_clip(tmp_path / name, seconds=3, gop=20, audio="tone", start=start, extra=extra)
    assert can_graft(clip.path)
    output = scored(clip.path, tmp_path / f"out{clip.path.suffix}", keep_original=keep).path
    assert shown(output) == shown(clip.path)
    assert packet_hash(output) == packet_hash(clip.path)
    media = probe(output)
    assert media.video == probe(clip.path).video
    assert [a.default for a in media.audio] == [True, False][: 1 + keep]
    clicks = np.flatnonzero(np.abs(heard(output, 0)).max(axis=1) > 0.3)
    assert clicks[0] < 48
    assert min(abs(n - 48000) for n in clicks) < 48
    if keep:
        np.testing.assert_array_equal(heard(output, 1), heard(clip.path, 0))
    else:
        assert output.stat().st_size < clip.path.stat().st_size + 3 * 48000  # the old sound's bytes are gone


def test_music_lies_between_the_pictures(tmp_path: Path) -> None:
    """So that it plays while it loads: no chunk of the music lies further off than a second of film."""
    clip = make_clip(tmp_path / "a.mp4", seconds=12, gop=10, audio="tone")
    moov = index(scored(clip.path, tmp_path / "out.mp4").path)
    picture, music = (t for t in moov.all(b"trak") if boxes.track_header(t)["id"] in (1, 3))
    places = tables.chunk_offsets(picture)
    times = tables.chunk_times(picture, boxes.media_header(picture)["timescale"])
    for n, place in enumerate(tables.chunk_offsets(music)):
        passed = times[places < place]
        assert len(passed) == 0 or n * 24 * 1024 / 48000 > passed[-1] - 1


def test_the_new_track_asks_for_the_same_forced_subtitles(tmp_path: Path) -> None:
    """Apple's players look for them where the sound track points (gpac #1868)."""
    clip = make_clip(tmp_path / "a.mp4", audio="tone", subtitles=True)
    moov = index(clip.path)
    place = next(p for p in boxes.top(clip.path) if p.kind == b"moov")
    voice = next(t for t in moov.all(b"trak") if boxes.handler(t) == b"soun")
    voice.children.insert(1, boxes.Box(b"tref", boxes.Box(b"folw", struct.pack(">I", 3)).write()))
    data = clip.path.read_bytes()
    clip.path.write_bytes(data[: place.start] + moov.write() + data[place.end :])
    written = index(scored(clip.path, tmp_path / "out.mp4").path)
    sounds = [t for t in written.all(b"trak") if boxes.handler(t) == b"soun"]
    assert [t.need(b"tref").data for t in sounds] == [voice.need(b"tref").data] * 2


def test_a_trailer_behind_the_last_box_stays_there(tmp_path: Path) -> None:
    """Cameras write their own at the very end, and look for it there."""
    clip = make_clip(tmp_path / "a.mp4")
    trailer = b"\0\0\0\0telemetry" * 40
    clip.path.write_bytes(clip.path.read_bytes() + trailer)
    assert scored(clip.path, tmp_path / "out.mp4").path.read_bytes().endswith(trailer)


def test_an_empty_box_of_data_is_no_trap(tmp_path: Path) -> None:
    """Some writers leave one before or behind the film's own."""
    clip = make_clip(tmp_path / "a.mp4", seconds=1, audio="tone").path
    empty = (8).to_bytes(4, "big") + b"mdat"
    film = clip.read_bytes()
    clip.write_bytes(film + empty)
    written = scored(clip, tmp_path / "out.mp4")
    assert shown(written.path) == shown(clip)
    np.testing.assert_array_equal(heard(written.path, 1), heard(clip, 0))


def test_other_builds_are_copied_by_ffmpeg(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "a.mp4", audio="tone", gop=10, extra=["-movflags", "+frag_keyframe+empty_moov"]
    )
    assert not can_graft(clip.path)
    output = scored(clip.path, tmp_path / "out.mp4").path
    assert [h for _, h in shown(output)] == [h for _, h in shown(clip.path)]


def test_damaged_indices_are_no_trap(tmp_path: Path) -> None:
    """Any byte of the index changed: an error of ours or a film, never another exception."""
    from videoscore.errors import VideoscoreError

    clip = make_clip(tmp_path / "a.mp4", seconds=0.4, size=(32, 32), audio="tone")
    data = clip.path.read_bytes()
    place = next(p for p in boxes.top(clip.path) if p.kind == b"moov")
    rng = np.random.default_rng(3)
    for n, at in enumerate(rng.integers(place.payload, place.end, 25)):
        bad = tmp_path / f"{n}.mp4"
        bad.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            scored(bad, tmp_path / "out.mp4", overwrite=True)
        except VideoscoreError as error:
            assert "\n" not in str(error)


def test_more_than_four_gigabytes_get_wide_places(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", audio="tone")
    trak = index(clip.path).all(b"trak")[0]
    offsets = tables.chunk_offsets(trak) + (5 << 30)
    tables.set_chunk_offsets(trak, offsets, wide=True)
    np.testing.assert_array_equal(tables.chunk_offsets(trak), offsets)


def test_scored_by_ffmpeg_from_elsewhere(tmp_path: Path) -> None:
    """HEVC from Matroska is named as QuickTime plays it, and chapters count in a clock that 24 hours fit into."""
    meta = tmp_path / "m.txt"
    meta.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=65\ntitle=One\n"
                    "[CHAPTER]\nTIMEBASE=1/1\nSTART=65\nEND=80\ntitle=Two\n")  # fmt: skip
    clip = make_clip(
        tmp_path / "a.mkv", seconds=80, fps=Fraction(30000, 1001), size=(32, 32), codec="libx265"
    )
    path = tmp_path / "b.mkv"
    tone = write_wav(tmp_path / "t.wav", sound("tone", 80, rate=44100), 44100)
    run_ffmpeg("-i", clip.path, "-i", tone, "-i", meta, "-map", "0:v", "-map", "1:a", "-map_chapters", "2",
               "-c:v", "copy", "-c:a", "aac", path)  # fmt: skip
    output = scored(path, tmp_path / "out.mp4").path
    with av.open(f"file:{output}") as container:
        edges = [float(c[k] * c["time_base"]) for c in container.chapters() for k in ("start", "end")]
    assert edges == pytest.approx([0, 65, 65, 80], abs=0.05)
    assert b"hvc1" in output.read_bytes()
    assert boxes.movie_header(index(output))["timescale"] * 24 * 3600 < 1 << 31
