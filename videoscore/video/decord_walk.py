"""Pictures by decord (decord2) instead of PyAV: every picture of a film, already shrunk when it comes.

Decord tells times as rounded floats, and gives its pictures by number; the exact times are those of the film's packets,
read by PyAV. It is used where picture n is the n-th packet shown, and `unfit` says where that doesn't hold, or where
decord is known to be wrong (docs/video.md has the figures).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from videoscore.errors import InputError, SetupError
from videoscore.video.container import open_media, packets
from videoscore.video.cuts import HEIGHT, WIDTH, Look
from videoscore.video.media import Media
from videoscore.video.walk import THREADS, Picture, pixel_aspect, shape_of
from videoscore.workers.capacity import machine_cores

# An error in any picture is one: decord would give another picture in its place.
_NO_TOLERANCE = 1e-9
_STREAMED = ("mpegts", "mpeg", "flv", "avi")  # containers whose packets carry no index, or no PTS


class Stopped(Exception):
    """Decord gave up in the middle of the film; what it gave before is right."""


def library() -> Any:
    """Raises SetupError without the extra."""
    try:
        import decord
    except ImportError as error:
        raise SetupError(
            "decord2 is missing", remedy='Run: pip install "videoscore[decord]", or leave out --decoder.'
        ) from error
    decord.logging.set_level(decord.logging.QUIET)
    return decord


def unfit(media: Media) -> str:
    """Why decord may be wrong about a film, in a few words; "" where it isn't."""
    if media.video.rotation:
        return "its picture is stored turned"
    if media.joins:
        return "its clock starts again"
    if media.container in _STREAMED:
        return f"it is a file without an index ({media.container})"
    with open_media(media.path) as container:
        stream = container.streams[media.video.index]
        assert isinstance(stream, VideoStream)
        if container.streams.video[0].index != stream.index:
            return "its film isn't the first picture stream"
        if container.duration is None and stream.duration is None:
            return "its header tells no duration"
        if "444" in (stream.codec_context.pix_fmt or ""):
            return "its picture is coded in 4:4:4"
        if any(entry.is_discard for entry in stream.index_entries):
            return "an edit list hides pictures of it"
    return ""


def times_of(media: Media) -> Sequence[Fraction]:
    """Exact times of all pictures, in order. Raises InputError where its packets don't tell them."""
    with open_media(media.path) as container:
        shown = [(packet.pts, packet.is_keyframe) for packet in packets(container, media.video.index)]
    times = sorted(pts for pts, _ in shown if pts is not None)
    if len(set(times)) != len(shown) or not shown[0][1] or shown[0][0] != times[0]:
        raise _refusal(media, "can't be told the times of its pictures")
    base, first = media.video.time_base, media.video.first_pts
    return [(pts - first) * base for pts in times]


def walk(media: Media, size: int) -> Iterator[Picture]:
    """Every picture of the film, its longest side at most `size` pixels; see `videoscore.video.walk.walk`.

    Raises `Stopped`, and InputError where decord can't read it.
    """
    decord, times = library(), times_of(media)
    with open_media(media.path) as container:
        stream = container.streams[media.video.index]
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        width, height = shape_of(context.width, context.height, pixel_aspect(context), size)
    try:
        reader = decord.VideoReader(
            str(media.path.absolute()),
            width=width,
            height=height,
            num_threads=min(THREADS, machine_cores()),
            fault_tol=_NO_TOLERANCE,
        )
    except Exception as error:  # decord raises errors of several kinds of its own
        raise _refusal(media, "can't open it") from error
    if len(reader) != len(times):
        raise _refusal(media, f"counts {len(reader)} pictures where there are {len(times)}")
    shrink = VideoReformatter()
    for t in times:
        try:
            rgb = reader.next().asnumpy()
        except Exception as error:
            raise Stopped from error
        frame = VideoFrame.from_ndarray(rgb, "rgb24")
        tiny = shrink.reformat(frame, WIDTH, HEIGHT, "yuv444p", interpolation="AREA")
        yield Picture(frame, Look(t, np.asarray(tiny.to_ndarray(), np.uint8)), False, Fraction(1))


def _refusal(media: Media, why: str) -> InputError:
    return InputError(f"decord {why}", path=media.path, remedy="Use --decoder auto or pyav.")
