"""The ffmpeg command that copies every stream and adds the music. Runs nothing, writes no output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.stream import Disposition

from videoscore.errors import SetupError
from videoscore.perform.mux.containers import Container, Track
from videoscore.video.container import FORMATS, open_media, packets
from videoscore.video.media import Media

RATE = 48000  # of the new track
_DISCARD_ALL = 48  # AVDISCARD_ALL: the demuxer reads the stream itself
# before each input: the very file is read, and no playlist that names others (a file may have changed since its probe)
ONE_FILE = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)


@dataclass(frozen=True)
class Cover:
    """A cover picture taken out of the original, to be attached to a Matroska file."""

    file: Path
    mime: str
    name: str


def ffmpeg_path() -> str:
    """The ffmpeg binary. Raises SetupError when imageio-ffmpeg has none for this platform."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        remedy = "Install ffmpeg, or set IMAGEIO_FFMPEG_EXE to one"
        raise SetupError("no ffmpeg binary", remedy=remedy) from error


def read_tracks(path: Path) -> list[Track]:
    """Every stream of a file, in its order, but an MP4's list of chapters (written anew with them)."""
    with open_media(path) as container:
        avi = container.format.name == "avi"
        return [
            Track(
                index=s.index,
                kind=s.type or "data",
                codec=_codec(s),
                cover=bool(s.disposition & Disposition.attached_pic),
                reordered=not avi and bool(getattr(s.codec_context, "has_b_frames", False)),
            )
            for s in container.streams
            if not (s.type == "data" and s.discard >= _DISCARD_ALL)
        ]


def _codec(stream: object) -> str:
    context = getattr(stream, "codec_context", None)
    return "unknown" if context is None else str(context.codec.canonical_name)


def trial(path: Path, track: Track, container: Container) -> list[str]:
    """A command that succeeds when FFmpeg can write this stream to this container."""
    source = [*ONE_FILE, "-i", url(path), "-map", f"0:{track.index}", "-c", "copy", "-t", "0.1"]
    return [ffmpeg_path(), "-nostdin", "-v", "quiet", *source, "-f", container.muxer, "-y", os.devnull]


def command(
    media: Media,
    audio: Path,
    tracks: Sequence[Track],
    covers: Sequence[Cover],
    container: Container,
    title: str,
) -> list[str]:
    """All arguments but the output's name."""
    order: list[Track | None] = list(tracks)
    firsts = [n for n, t in enumerate(tracks) if t.kind == "audio"]
    after = [n + 1 for n, t in enumerate(tracks) if t.kind == "video" and not t.cover]
    order.insert(firsts[0] if firsts else after[-1], None)  # the music is the first sound track
    maps = [a for t in order for a in ("-map", "1:a:0" if t is None else f"0:{t.index}")]
    # AVI and program streams store no PTS for reordered pictures; the other muxers insist on them
    guess = ["-fflags", "+genpts"] if media.container in ("avi", "mpeg", "mpegts") else []
    # with -copyts all times stay as they are, so the music has to start where the picture does
    start = ["-f", "wav", "-itsoffset", _decimal(media.video.start)]
    return [
        *(ffmpeg_path(), "-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1", "-y"),
        *("-copyts", *ONE_FILE, *guess, "-i", url(media.path), *ONE_FILE, *start, "-i", url(audio)),
        *(*maps, "-map_metadata", "0", "-map_chapters", "0", "-c", "copy", "-copyinkf"),
        *_music(media, container, title),
        *_originals(media, len(firsts)),
        *_attach(covers, sum(t.kind == "attachment" for t in tracks)),
        *("-max_muxing_queue_size", "9999", *container.arguments, "-f", container.muxer),
    ]


def take_covers(path: Path, tracks: Sequence[Track], folder: Path) -> list[Cover]:
    """Write the cover pictures among `tracks` to files in `folder`.

    FFmpeg reads a Matroska picture attachment as a video stream and would write it back as one.
    """
    found = []
    for track in (t for t in tracks if t.cover):
        kind = "jpeg" if track.codec == "mjpeg" else track.codec
        with open_media(path) as container:
            packet = next(packets(container, track.index), None)
            if packet is not None:
                file = folder / f"cover{track.index}.{kind}"
                file.write_bytes(bytes(packet))
                tags = container.streams[track.index].metadata
                found.append(Cover(file, f"image/{kind}", tags.get("filename", f"cover.{kind}")))
    return found


def url(path: Path) -> str:
    """A name that ffmpeg takes for a plain file, whatever is in it."""
    return f"file:{os.path.abspath(path)}"


def _music(media: Media, container: Container, title: str) -> list[str]:
    """The new track: exactly as long as the picture, default, titled."""
    samples = round(media.duration * RATE)
    shape = f"aresample={RATE},apad=whole_len={samples},atrim=end_sample={samples}"
    late: list[str] = []
    if container.cut_start:
        # the track has to begin at 0 with what the encoder adds in front; music moves to make room
        lead = round(media.video.start * RATE) - container.cut_start
        shape += f",adelay={lead}S:all=1" if lead > 0 else f",atrim=start_sample={-lead}"
        shape += ",asetpts=PTS-STARTPTS"
        late = ["-bsf:a:0", f"setts=ts=TS+{container.cut_start}"]
    codec = [a.replace(":a", ":a:0") for a in container.music]
    names = [a for key in ("title", "handler_name") for a in ("-metadata:s:a:0", f"{key}={title}")]
    return ["-filter:a:0", shape, "-c:a:0", *codec, *late, "-disposition:a:0", "default", *names]


def _originals(media: Media, count: int) -> list[str]:
    """The original sound: no longer default, not longer than the picture."""
    video = media.video
    end = _decimal(video.start + video.duration + video.frame_duration)
    drop = f"noise=drop=gt((pts+duration)*tb\\,{end})"
    numbers = range(1, count + 1)
    return [a for n in numbers for a in (f"-disposition:a:{n}", "-default", f"-bsf:a:{n}", drop)]


def _attach(covers: Sequence[Cover], first: int) -> list[str]:
    """Attach covers; `first` is the number of the first of them among the attachments."""
    out = []
    for n, cover in enumerate(covers, first):
        out += ["-attach", str(cover.file)]
        out += [
            a
            for tag in (f"mimetype={cover.mime}", f"filename={cover.name}")
            for a in (f"-metadata:s:t:{n}", tag)
        ]
    return out


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.9f}"
