"""The ffmpeg commands that copy every stream and add the music. Runs nothing, writes no output."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition, Stream

from videoscore.errors import SetupError
from videoscore.perform.mux.containers import Container, Track
from videoscore.perform.mux.edits import Hidden
from videoscore.video.container import FORMATS, open_media, packets
from videoscore.video.media import AudioStream, Media

RATE = 48000  # of the new track
# Ticks a second of an MP4's own clock: exact for 24, 25, 30 and 60 pictures a second and for milliseconds, and 24 hours
# of it, the longest film, fit into the 31 bits of a chapter's time.
MOVIE_TIMESCALE = 24000
_DISCARD_ALL = 48  # AVDISCARD_ALL: the demuxer reads the stream itself
# before each input: the very file is read, and no playlist that names others (a file may have changed since its probe)
ONE_FILE = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)
_BOXED = ("mp4", "mov", "3gp")
_BRANDS = (
    "major_brand",
    "minor_version",
    "compatible_brands",
)  # what the original's container was; not the new one


@dataclass(frozen=True)
class Cover:
    """A cover picture taken out of the original, to be attached to a Matroska file."""

    file: Path
    mime: str
    name: str


@dataclass(frozen=True)
class NewTrack:
    """How the music's track is named. language : of the sound that is mixed into it, ISO 639-2, or ""."""

    title: str
    language: str = ""


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
        return [
            _track(container, s)
            for s in container.streams
            if not (s.type == "data" and s.discard >= _DISCARD_ALL)
        ]


def _track(container: InputContainer, stream: Stream) -> Track:
    context = getattr(stream, "codec_context", None)
    kind = stream.type or "data"
    return Track(
        index=stream.index,
        kind=kind,
        codec="unknown" if context is None else str(context.codec.canonical_name),
        cover=bool(stream.disposition & Disposition.attached_pic),
        reordered=container.format.name != "avi" and bool(getattr(context, "has_b_frames", False)),
        # announced by the container, but never seen: nothing to copy, and no muxer takes it
        empty=(kind == "audio" and context is not None and not context.sample_rate)
        or (kind == "video" and context is not None and not context.width),
    )


def trial(path: Path, track: Track, container: Container) -> list[str]:
    """A command that succeeds when FFmpeg can write this stream to this container."""
    source = [*ONE_FILE, "-i", url(path), "-map", f"0:{track.index}", "-c", "copy", "-t", "0.1"]
    return [ffmpeg_path(), "-nostdin", "-v", "quiet", *source, "-f", container.muxer, "-y", os.devnull]


def _ffmpeg() -> tuple[str, ...]:
    """How ffmpeg is called to write: warnings with their level on stderr, progress on stdout, no questions."""
    quiet = ("-hide_banner", "-nostdin", "-v", "level+warning", "-nostats")
    return (ffmpeg_path(), *quiet, "-progress", "pipe:1", "-y")


def music_command(media: Media, audio: Path, container: Container, track: NewTrack) -> list[str]:
    """All arguments but the output's name: the music alone, coded for this container."""
    return [
        *_ffmpeg(),
        *(*ONE_FILE, "-f", "wav", "-i", url(audio), "-map", "0:a:0"),
        *_music(media, container, track),
        *("-f", container.muxer),
    ]


def command(
    media: Media,
    audio: Path,
    tracks: Sequence[Track],
    covers: Sequence[Cover],
    container: Container,
    track: NewTrack,
    hidden: Mapping[int, Hidden] | None = None,
    tags: Mapping[str, str] | None = None,
    timecode: str = "",
) -> list[str]:
    """All arguments but the output's name.

    hidden : by stream, the packets that the original's edit list hides; they are left out.
    tags : of the original file, to carry over those that the container would double. timecode : of its first picture.
    """
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
        *_ffmpeg(),
        *("-copyts", *ONE_FILE, *guess, "-i", url(media.path), *ONE_FILE, *start, "-i", url(audio)),
        *(*maps, "-map_metadata", "0", "-map_chapters", "0", "-c", "copy", "-copyinkf"),
        *_music(media, container, track),
        *[a for n in range(len(firsts)) for a in (f"-disposition:a:{n + 1}", "-default")],
        *_filters(media, tracks, hidden or {}),
        *_boxed(media, tracks, container, tags or {}),
        # elsewhere FFmpeg makes a track of it; Matroska has a tag
        *(["-metadata", f"timecode={timecode}"] if timecode and container.muxer == "matroska" else []),
        *_attach(covers, sum(t.kind == "attachment" for t in tracks)),
        *("-max_muxing_queue_size", "9999", *container.arguments, "-f", container.muxer),
    ]


def take_covers(path: Path, tracks: Sequence[Track], folder: Path) -> list[Cover]:
    """Write the cover pictures among `tracks` to files in `folder`.

    FFmpeg reads a Matroska picture attachment as a video stream and would write it back as one.
    """
    covers = []
    for track in (t for t in tracks if t.cover):
        kind = "jpeg" if track.codec == "mjpeg" else track.codec
        with open_media(path) as container:
            packet = next(packets(container, track.index), None)
            if packet is not None:
                file = folder / f"cover{track.index}.{kind}"
                file.write_bytes(bytes(packet))
                tags = container.streams[track.index].metadata
                covers.append(Cover(file, f"image/{kind}", tags.get("filename", f"cover.{kind}")))
    return covers


def url(path: Path) -> str:
    """A name that ffmpeg takes for a plain file, whatever is in it."""
    return f"file:{os.path.abspath(path)}"


def new_track(title: str, mixed: AudioStream | None) -> NewTrack:
    """The name of the music's track; its language is that of the sound mixed into it."""
    return NewTrack(title, mixed.language if mixed is not None else "")


def _music(media: Media, container: Container, track: NewTrack) -> list[str]:
    """The new track: exactly as long as the film, default, titled."""
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
    words = {"title": track.title, "handler_name": track.title, "language": track.language}
    names = [a for key, word in words.items() if word for a in ("-metadata:s:a:0", f"{key}={word}")]
    return ["-filter:a:0", shape, "-c:a:0", *codec, *late, "-disposition:a:0", "default", *names]


def _filters(media: Media, tracks: Sequence[Track], hidden: Mapping[int, Hidden]) -> list[str]:
    """Bit stream filters of the copied streams: hidden packets dropped, a clock that starts again unfolded."""
    out: list[str] = []
    counts = {"audio": 1}  # the music is the first of its kind
    letters = {"video": "v", "audio": "a", "subtitle": "s", "data": "d", "attachment": "t"}
    for track in tracks:
        number = counts.get(track.kind, 0)
        counts[track.kind] = number + 1
        chain = []
        edit = hidden.get(track.index)
        if edit is not None and edit.ranges:
            where = "+".join(f"between(n\\,{a}\\,{b})" for a, b in edit.ranges)
            chain.append(f"noise=drop={where}")
        joins = [j for j in media.joins if j.stream == track.index]
        if joins:
            shift = "+".join(
                f"between(N\\,{j.packet}\\,{j.last})*round({j.shift.numerator}/{j.shift.denominator}/TB)"
                for j in joins
            )
            chain.append(f"setts=pts=PTS+{shift}:dts=DTS+{shift}")
        if chain:
            out += [f"-bsf:{letters.get(track.kind, 'd')}:{number}", ",".join(chain)]
    return out


def _boxed(media: Media, tracks: Sequence[Track], container: Container, tags: Mapping[str, str]) -> list[str]:
    """What MP4 and MOV need to be told of streams from elsewhere."""
    if container.muxer not in (*_BOXED, "matroska"):
        return []
    out = ["-strict", "unofficial"]  # 360 degree and stereoscopic layout
    out += [a for key in _BRANDS if key in tags for a in ("-metadata", f"{key}=")]
    creation_time = tags.get("creation_time", "")
    if creation_time:  # some files have it in two places, and readers then join both
        out += ["-metadata", f"creation_time={creation_time.partition(';')[0]}"]
    if container.muxer not in _BOXED:
        return out
    out += ["-movie_timescale", str(MOVIE_TIMESCALE)]
    pictures = [t for t in tracks if t.kind == "video"]
    for n, track in enumerate(pictures):
        if track.codec == "hevc":
            out += [f"-tag:v:{n}", "hvc1"]  # QuickTime and Safari play no hev1
    if not media.video.rate_stated:  # raw DV: a time code needs a rate
        rate = 1 / media.video.frame_duration
        number = next((n for n, t in enumerate(pictures) if t.index == media.video.index), 0)
        out += [f"-r:v:{number}", f"{rate.numerator}/{rate.denominator}"]
    # QuickTime's own keys go where QuickTime keeps them; all else where Finder, Explorer and players look
    keys = {key: value for key, value in tags.items() if key.startswith("com.")}
    for key, value in keys.items():  # Matroska has written them in capitals
        out += ["-metadata", f"{key.replace('iso6709', 'ISO6709')}={value}"]
    flags = "+faststart+use_metadata_tags" if keys and container.muxer != "3gp" else "+faststart"
    return [*out, "-movflags", flags]


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
