"""What is in a file, without decoding more than its first picture: path -> Media."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

from av.audio import AudioStream as AvAudio
from av.container import InputContainer
from av.stream import Disposition
from av.video import VideoStream as AvVideo
from av.video.frame import VideoFrame

from videoscore.errors import BrokenVideo, NotAVideo
from videoscore.video.bounds import check_duration, check_picture
from videoscore.video.container import decoded, open_media, packets
from videoscore.video.media import AudioStream, Media, VideoStream
from videoscore.video.spans import Span, measure

# Codecs of single pictures. Such a stream counts as film only when it holds more than one.
_STILL_CODECS = {"png", "apng", "bmp", "tiff", "webp", "gif", "mjpeg", "jpeg2000", "jpegxl", "svg", "targa"}
_USUAL_RATE = Fraction(25)
_ASIDE = Disposition.comment | Disposition.visual_impaired | Disposition.descriptions | Disposition.karaoke
_STILL_BRANDS = {"avif", "heic", "heix", "mif1"}  # photographs in an MP4 box


def probe(path: Path) -> Media:
    """Describe the film in `path`: streams, exact duration of the picture, rotation, start.

    The picture's duration runs from the PTS of the first picture to the end of the last one that is really
    in the file, read from the packets and not from the header, which may be absent or wrong; likewise where each
    sound ends. A clock that starts again is unfolded (`Media.joins`).

    Raises
    ------
    NotFound, NotAVideo, BrokenVideo, TooLarge : one line each, with the remedy.
    """
    path = Path(path)
    with open_media(path) as container:
        stream = _picture_stream(path, container)
        sounds = [s for s in container.streams.audio if s.codec_context and s.sample_rate]
        rate = _rate(stream)
        spans, joins = measure(path, container, stream, [s.index for s in sounds], 1 / (rate or _USUAL_RATE))
        video = _describe(path, stream, spans[stream.index], rate)
        audio = tuple(_sound(s, spans[s.index]) for s in sounds)
        brand = "qt" if container.metadata.get("major_brand", "").strip() == "qt" else ""
        media = Media(path, container.format.name, video, audio, joins, brand)
        check_duration(media.duration, path)
        return media


def _picture_stream(path: Path, container: InputContainer) -> AvVideo:
    """The first stream of moving pictures."""
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = [s for s in container.streams.video if not s.disposition & hidden]
    coded = [s for s in streams if s.codec_context is not None]
    if container.metadata.get("major_brand", "").strip() in _STILL_BRANDS:
        coded = streams = []
    for stream in coded:
        if stream.codec_context.name not in _STILL_CODECS or _has_many_packets(path, stream.index):
            return stream
    if streams and not coded:
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


def _sound(stream: AvAudio, span: Span) -> AudioStream:
    base = stream.time_base or Fraction(1, stream.sample_rate)
    return AudioStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        channels=stream.channels,
        sample_rate=stream.sample_rate,
        start=(stream.start_time or 0) * base,
        default=bool(stream.disposition & Disposition.default),
        aside=bool(stream.disposition & _ASIDE),
        end=None if span.end is None else span.end * base,
        language="" if (language := stream.metadata.get("language", "und")) in ("und", "unk") else language,
    )


# ---------------------------------------------------------------- times


def _rate(stream: AvVideo) -> Fraction | None:
    """Pictures a second as the container states it, where that is possible."""
    return next((r for r in (stream.average_rate, stream.guessed_rate) if r and r <= 1000), None)


def _describe(path: Path, stream: AvVideo, span: Span, rate: Fraction | None) -> VideoStream:
    check_picture(stream.codec_context.width, stream.codec_context.height, path)
    base = stream.time_base
    if base is None:
        raise BrokenVideo("its picture has no time base", path=path, remedy="Remux it first, e.g. to MKV")
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
        frame_duration=1 / (rate or _USUAL_RATE),
        rate_stated=rate is not None and rate == stream.average_rate,
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
