"""What is in a file, without decoding more than its first picture: path -> Media."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.audio import AudioStream as AvAudio
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video import VideoStream as AvVideo
from av.video.frame import VideoFrame

from videoscore.errors import BrokenVideo, NotAVideo
from videoscore.video.bounds import check_duration, check_picture
from videoscore.video.container import decoded, open_media, packets
from videoscore.video.media import AudioStream, Media, VideoStream

# Codecs of single pictures. Such a stream counts as film only when it holds more than one.
_STILL_CODECS = {"png", "apng", "bmp", "tiff", "webp", "gif", "mjpeg", "jpeg2000", "jpegxl", "svg", "targa"}
_STILL_BRANDS = {"avif", "heic", "heix", "mif1"}  # photographs in an MP4 box

# Files up to this size are demuxed whole for their times; of larger ones only both ends are read.
_WHOLE_BYTES = 48 << 20
_HEAD_PACKETS = 64  # more than any codec reorders (H.264 and HEVC: at most 16 pictures)


def probe(path: Path) -> Media:
    """Describe the film in `path`: streams, exact duration of the picture, rotation, start.

    The duration runs from the PTS of the first picture to the end of the last one that is really
    in the file, read from the packets and not from the header, which may be absent or wrong.

    Raises
    ------
    NotFound, NotAVideo, BrokenVideo, TooLarge : one line each, with the remedy.
    """
    path = Path(path)
    with open_media(path) as container:
        stream = _picture_stream(path, container)
        video = _describe(path, container, stream)
        audio = tuple(_sound(s) for s in container.streams.audio if s.codec_context and s.sample_rate)
        return Media(path, container.format.name, video, audio)


def _picture_stream(path: Path, container: InputContainer) -> AvVideo:
    """The first stream of moving pictures."""
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    shown = [s for s in container.streams.video if not s.disposition & hidden]
    coded = [s for s in shown if s.codec_context is not None]
    if container.metadata.get("major_brand", "").strip() in _STILL_BRANDS:
        coded = shown = []
    for stream in coded:
        if stream.codec_context.name not in _STILL_CODECS or _has_many_packets(path, stream.index):
            return stream
    if shown and not coded:
        raise BrokenVideo(
            "its picture is in a format that can't be decoded here",
            path=path,
            remedy="Convert it to H.264 first",
        )
    if container.streams.video:
        what = "sound with a cover picture" if container.streams.audio else "a single picture"
    elif container.streams.audio:
        what = "only sound"
    else:
        what = "no picture stream"
    raise NotAVideo(f"{what}, not a film", path=path, remedy="Give a file with moving pictures")


def _has_many_packets(path: Path, index: int) -> bool:
    with open_media(path) as container:
        return sum(1 for _ in islice(packets(container, index), 2)) > 1


def _sound(stream: AvAudio) -> AudioStream:
    base = stream.time_base or Fraction(1, stream.sample_rate)
    return AudioStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        channels=stream.channels,
        sample_rate=stream.sample_rate,
        start=(stream.start_time or 0) * base,
        default=bool(stream.disposition & Disposition.default),
    )


# ---------------------------------------------------------------- times


@dataclass
class Span:
    """Folds packets into the PTS of the first picture and the end of the last one.

    nominal : PTS units that a packet without a duration lasts.
    """

    nominal: int
    first: int | None = None
    end: int | None = None
    count: int = 0
    untimed: int = 0
    _key: int | None = None
    _delay: int | None = None

    def add(self, packet: Packet) -> None:
        pts = self._pts(packet)
        self.untimed += pts is None
        if pts is None or packet.is_corrupt:
            return
        if self._key is None:
            if not packet.is_keyframe:  # nothing before the first key frame can be shown
                return
            self._key = pts
        # Discarded packets (an edit list's lead-in) are decoded, not shown; pictures before the
        # first key frame's refer to what was cut away (open GOP).
        if packet.is_discard or pts < self._key:
            return
        self.count += 1
        end = pts + (packet.duration or self.nominal)
        self.first = pts if self.first is None else min(self.first, pts)
        self.end = end if self.end is None else max(self.end, end)

    def _pts(self, packet: Packet) -> int | None:
        """PTS, or DTS plus the stream's reordering delay where the container stores no PTS."""
        if packet.pts is not None:
            if self._delay is None and packet.dts is not None:
                self._delay = packet.pts - packet.dts
            return packet.pts
        return None if packet.dts is None else packet.dts + (self._delay or 0)


def _fold(span: Span, stream: Iterable[Packet], limit: int | None = None) -> Span:
    for packet in stream:
        span.add(packet)
        if limit is not None and span.count >= limit:
            break
    return span


def _measure(path: Path, container: InputContainer, stream: AvVideo, nominal: int) -> Span:
    """First PTS and end of the pictures that are really there."""
    if container.size > _WHOLE_BYTES:
        head = _fold(Span(nominal), packets(container, stream.index), _HEAD_PACKETS)
        tail = _tail(container, stream, nominal)
        if head.first is not None and tail.end is not None and head.end is not None and tail.end > head.end:
            return Span(nominal, head.first, tail.end, head.count)
    with open_media(path) as fresh:
        return _fold(Span(nominal), packets(fresh, stream.index))


def _tail(container: InputContainer, stream: AvVideo, nominal: int) -> Span:
    """The last GOP; nothing when the container can't seek or lacks the data there."""
    try:
        container.seek(2**61, stream=stream, backward=True)
    except (av.FFmpegError, OverflowError):
        return Span(nominal)
    return _fold(Span(nominal), packets(container, stream.index))


def _describe(path: Path, container: InputContainer, stream: AvVideo) -> VideoStream:
    base = stream.time_base
    check_picture(stream.codec_context.width, stream.codec_context.height, path)
    if base is None:
        raise BrokenVideo("its picture has no time base", path=path, remedy="Remux it first, e.g. to MKV")
    rate = next((r for r in (stream.average_rate, stream.guessed_rate) if r and r <= 1000), Fraction(25))
    span = _measure(path, container, stream, max(1, round(1 / rate / base)))
    if span.first is None or span.end is None:
        if span.untimed:
            problem, remedy = "its pictures carry no times", "Put it into a container first, e.g. MKV"
        else:
            problem, remedy = "no picture in it can be shown", "Copy or download the file again"
        raise BrokenVideo(problem, path=path, remedy=remedy)
    context, duration = stream.codec_context, (span.end - span.first) * base
    check_duration(duration, path)
    return VideoStream(
        index=stream.index,
        codec=context.codec.canonical_name,
        width=context.width,
        height=context.height,
        rotation=_rotation(path, stream.index),
        time_base=base,
        first_pts=span.first,
        duration=duration,
        frame_duration=1 / rate,
    )


def _rotation(path: Path, index: int) -> int:
    """Degrees clockwise that turn the picture upright; proves that something can be decoded."""
    with open_media(path) as container:
        for frame in decoded(container, index):
            assert isinstance(frame, VideoFrame)
            return round(-frame.rotation / 90) % 4 * 90  # the display matrix counts counter-clockwise
    raise BrokenVideo(
        "nothing of its picture can be decoded",
        path=path,
        remedy="Copy or download the file again, or convert it with the program that made it",
    )
