"""What becomes of what a film carries, container by container: kept, told, or refused with a line.

    python scripts/matrix.py            # two tables: each container into itself, and MP4 (WebM: Matroska) into each

Every film is made here, given music by `videoscore.perform.mux`, and read back with PyAV alone, not with the product's
own inventory. A feature that is neither kept nor told is printed as LOST, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from media import make_clip, run_ffmpeg, write_wav  # noqa: E402

from videoscore.errors import ContainerError  # noqa: E402
from videoscore.perform.mux.mp4 import boxes  # noqa: E402
from videoscore.perform.mux.mux import check_container, mux  # noqa: E402
from videoscore.video.probe import probe  # noqa: E402

CONTAINERS = ("mp4", "mov", "mkv", "webm", "ts", "avi", "flv")
RATE = 48000
SUBTITLES = {"mp4": "mov_text", "mov": "mov_text", "mkv": "srt", "webm": "webvtt"}
MARKERS = "1\n00:00:00,500 --> 00:00:01,500\nHello\n"
CHAPTERS = (
    ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=3000\ntitle=Two\n"
)
TAGS = {"title": "My film", "artist": "Me", "comment": "hello"}


# ---------------------------------------------------------------- films


def base(folder: Path, suffix: str, *more: str, sound: float = 3.0, delay: float = 0.0) -> list[str | Path]:
    """Arguments of ffmpeg for three seconds of picture and sound, up to the output's own options."""
    vp8 = suffix == "webm" or folder.name.endswith("-webm")
    picture = folder / ("picture.webm" if vp8 else "picture.mp4")
    if not picture.exists():
        codec = {"codec": "libvpx"} if vp8 else {"extra": ["-bf", "0"]}
        make_clip(picture, seconds=3, gop=25, **codec)  # type: ignore[arg-type]
    wav = folder / f"sound{sound}.wav"
    if not wav.exists():
        samples = 0.05 * np.random.default_rng(1).standard_normal((round(sound * RATE), 2))
        samples[RATE : RATE + 960] = 0.9 * np.cos(2 * np.pi * 2000 * np.arange(960) / RATE)[:, None]
        write_wav(wav, samples)
    coder = "libopus" if vp8 else {"avi": "libmp3lame"}.get(suffix, "aac")
    return [
        "-i",
        picture,
        "-itsoffset",
        str(delay),
        "-i",
        wav,
        *more,
        "-c:v",
        "copy",
        "-c:a",
        coder,
        "-b:a",
        "192k",
    ]


def chapters(folder: Path, suffix: str) -> Path:
    meta = folder / "chapters.txt"
    meta.write_text(CHAPTERS)
    path = folder / f"chapters.{suffix}"
    run_ffmpeg(
        *base(folder, suffix, "-i", str(meta), "-map_chapters", "2", "-map", "0:v", "-map", "1:a"), path
    )
    return path


def cover(folder: Path, suffix: str) -> Path:
    picture, path = folder / "cover.png", folder / f"cover.{suffix}"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-frames:v", "1", picture)
    both = base(folder, suffix, "-map", "0:v", "-map", "1:a")
    if suffix == "mkv":
        run_ffmpeg(*both, "-attach", picture, "-metadata:s:t", "mimetype=image/png", path)
    else:
        maps = [*base(folder, suffix, "-i", str(picture), "-map", "0:v", "-map", "1:a", "-map", "2:v")]
        run_ffmpeg(*maps, "-c:v:1", "png", "-disposition:v:1", "attached_pic", path)
    return path


def tags(folder: Path, suffix: str) -> Path:
    path = folder / f"tags.{suffix}"
    words = [a for key, value in TAGS.items() for a in ("-metadata", f"{key}={value}")]
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a"), *words, path)
    return path


def languages(folder: Path, suffix: str) -> Path:
    path = folder / f"languages.{suffix}"
    marks = ["-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=eng"]
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a", "-map", "1:a"), *marks, path)
    return path


def forced(folder: Path, suffix: str) -> Path:
    lines, path = folder / "lines.srt", folder / f"forced.{suffix}"
    lines.write_text(MARKERS)
    text = "webvtt" if folder.name.endswith("-webm") else SUBTITLES[suffix]
    marks = ["-c:s", text, "-disposition:s:0", "forced", "-metadata:s:s:0", "language=spa"]
    run_ffmpeg(
        *base(folder, suffix, "-i", str(lines), "-map", "0:v", "-map", "1:a", "-map", "2:s"), *marks, path
    )
    return path


def late(folder: Path, suffix: str) -> Path:
    path = folder / f"late.{suffix}"
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a", delay=0.4), path)
    return path


def longer(folder: Path, suffix: str) -> Path:
    path = folder / f"longer.{suffix}"
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a", sound=5.0), path)
    return path


def edits(folder: Path, suffix: str) -> Path:
    whole, path = folder / f"whole.{suffix}", folder / f"edits.{suffix}"
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a"), whole)
    run_ffmpeg("-ss", "0.62", "-i", whole, "-c", "copy", path)  # in the middle of a group of pictures
    return path


def turned(folder: Path, suffix: str) -> Path:
    whole, path = folder / f"upright.{suffix}", folder / f"turned.{suffix}"
    run_ffmpeg(*base(folder, suffix, "-map", "0:v", "-map", "1:a"), whole)
    run_ffmpeg("-display_rotation", "90", "-i", whole, "-c", "copy", path)
    return path


def sphere(folder: Path, suffix: str) -> Path:
    """An equirectangular film (Spherical Video V2): the box put into a plain MP4, then copied where it is kept."""
    plain = folder / "h264"
    plain.mkdir(exist_ok=True)
    whole, path = folder / "flat.mp4", folder / f"sphere.{suffix}"
    run_ffmpeg(*base(plain, "mp4", "-map", "0:v", "-map", "1:a"), whole)
    data = whole.read_bytes()
    full = bytes(4)
    equi = boxes.Box(b"equi", full + bytes(16)).write()
    proj = boxes.Box(b"proj", boxes.Box(b"prhd", full + bytes(12)).write() + equi).write()
    sv3d = boxes.Box(b"sv3d", boxes.Box(b"svhd", full + b"matrix\0").write() + proj).write()
    place = next(p for p in boxes.top(whole) if p.kind == b"moov")
    with open(whole, "rb") as file:
        moov = boxes.read_moov(file, place)
    video = next(t for t in moov.all(b"trak") if boxes.handler(t) == b"vide")
    stsd = video.need(b"mdia", b"minf", b"stbl", b"stsd")
    entry = stsd.data[8:] + sv3d
    stsd.data = stsd.data[:8] + struct.pack(">I", len(entry)) + entry[4:]
    boxed = folder / "sphere.mp4"
    boxed.write_bytes(
        data[: place.start] + moov.write() + data[place.end :]
    )  # the index is last: nothing moves
    if suffix != "mp4":
        run_ffmpeg("-i", boxed, "-c", "copy", "-strict", "unofficial", path)
    return path


# ---------------------------------------------------------------- what is in them


def _tags(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        read = {k.lower(): v for k, v in container.metadata.items()}
        return {key: read.get(key) for key in TAGS}


def _chapters(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        return [
            (round(float(c["start"] * c["time_base"]), 2), c["metadata"].get("title"))
            for c in container.chapters()
        ]


def _cover(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        return [hashlib.sha256(bytes(next(container.demux(s)))).hexdigest() for s in covers]


def _sounds(path: Path) -> list[int]:
    """Numbers of the original's sound tracks: all but the music."""
    with av.open(f"file:{path}") as container:
        count = len(container.streams.audio)
    return list(range(1 if path.stem.startswith("scored") else 0, count))


def _languages(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        return [container.streams.audio[n].language or "und" for n in _sounds(path)]


def _forced(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        return [(s.language, bool(s.disposition & Disposition.forced)) for s in container.streams.subtitles]


def _first_picture(path: Path) -> float:
    with av.open(f"file:{path}") as container:
        frame = next(container.decode(next(s for s in container.streams.video if s.codec_context)))
        return float(frame.pts * frame.time_base)


def _heard(path: Path) -> tuple[float, float]:
    """When the click of the original's sound is heard and when that sound ends, seconds after the first picture."""
    start, click, end = _first_picture(path), None, 0.0
    with av.open(f"file:{path}") as container:
        for frame in container.decode(container.streams.audio[_sounds(path)[0]]):
            level = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            level = level.reshape(-1, 2).max(axis=1) if not frame.format.is_planar else level
            t = float(frame.pts * frame.time_base) - start
            loud = np.flatnonzero(level > 0.5 * (1 if frame.format.name.startswith("flt") else 32768))
            if click is None and len(loud):
                click = t + loud[0] / frame.sample_rate
            end = t + frame.samples / frame.sample_rate
    return click or -1.0, end


def _click(path: Path) -> object:
    return round(_heard(path)[0] / 0.0015)  # FLV and Matroska count whole milliseconds


def _end(path: Path) -> object:
    return round(_heard(path)[1] / 0.05)


def _pictures(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        frames = list(container.decode(video=0))
    first = frames[0].pts * frames[0].time_base
    return [
        (round(float(f.pts * f.time_base - first), 2), hashlib.sha256(f.to_ndarray().tobytes()).hexdigest())
        for f in frames
    ]


def _rotation(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        return round(next(container.decode(video=0)).rotation)


def _sphere(path: Path) -> object:
    with av.open(f"file:{path}") as container:
        return "SPHERICAL" in str([d.type for d in next(container.decode(video=0)).side_data])


@dataclass(frozen=True)
class Feature:
    """make : a film that has it. read : what of it is in a file, to be compared. holds : containers that have it."""

    make: Callable[[Path, str], Path]
    read: Callable[[Path], object]
    holds: tuple[str, ...]


FEATURES = {
    "chapters": Feature(chapters, _chapters, ("mp4", "mov", "mkv", "webm")),
    "cover": Feature(cover, _cover, ("mp4", "mkv")),
    "tags": Feature(tags, _tags, ("mp4", "mov", "mkv", "webm", "avi", "flv")),
    "two languages": Feature(languages, _languages, ("mp4", "mov", "mkv", "webm", "ts")),
    "forced subtitles": Feature(forced, _forced, ("mp4", "mov", "mkv", "webm")),
    "late sound": Feature(late, _click, ("mp4", "mov", "mkv", "webm", "ts", "avi", "flv")),
    "longer sound": Feature(longer, _end, ("mp4", "mov", "mkv", "webm", "ts", "avi", "flv")),
    "edit list": Feature(edits, _pictures, ("mp4", "mov")),
    "rotation": Feature(turned, _rotation, ("mp4", "mov", "mkv", "webm")),
    "360": Feature(sphere, _sphere, ("mp4", "mov", "mkv")),
}


def outcome(feature: Feature, folder: Path, source: str, target: str) -> str:
    """What becomes of a feature of a film in `source` that is written as `target`: "kept", "told: ...",
    "refused: ...", "-" (the source can't have it) or "LOST"."""
    if source not in feature.holds:
        return "-"
    original = feature.make(folder, source)
    media = probe(original)
    output = folder / f"scored.{target}"
    music = write_wav(folder / "music.wav", np.zeros((round(media.duration * RATE), 2)))
    try:
        check_container(media, output)
        written = mux(media, music, output, overwrite=True)
    except ContainerError as error:
        return f"refused: {error.problem}. {error.remedy}"
    if feature.read(original) == feature.read(output):
        return "kept"
    remarks = [r for r in written.remarks if not r.startswith("ffmpeg")]
    return (
        f"told: {'; '.join(remarks)}"
        if remarks
        else f"LOST: {feature.read(original)} -> {feature.read(output)}"
    )


def matrix(pairs: list[tuple[str, str]], folder: Path) -> dict[tuple[str, str], str]:
    """(source > target, feature) -> outcome."""
    outcomes = {}
    for source, target in pairs:
        inner = folder / f"{source}-{target}"
        inner.mkdir()
        for name, feature in FEATURES.items():
            outcomes[f"{source} > {target}", name] = outcome(feature, inner, source, target)
    return outcomes


SAME = [(c, c) for c in CONTAINERS]
INTO = [("mkv" if c == "webm" else "mp4", c) for c in CONTAINERS if c != "mp4"] + [("mkv", "mp4")]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", action="store_true", help="print what is told or refused, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = matrix(SAME + INTO, Path(folder))
    rows = list(dict.fromkeys(row for row, _ in outcomes))
    print("| |" + "|".join(FEATURES) + "|\n|" + "---|" * (len(FEATURES) + 1))
    for row in rows:
        print(f"| {row} | " + " | ".join(outcomes[row, f].partition(":")[0] for f in FEATURES) + " |")
    for (row, name), words in outcomes.items():
        if words.startswith("LOST") or (options.lines and ":" in words):
            print(f"{row}, {name}: {words}")
    return any(words.startswith("LOST") for words in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
