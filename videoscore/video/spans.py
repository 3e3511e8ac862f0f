"""From when to when a film's streams last, from their packets: exact, in one pass or from both ends of the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video import VideoStream

from videoscore.video import joins
from videoscore.video.container import all_packets, open_media, unfolded
from videoscore.video.media import Join

# Files up to this size are demuxed whole for their times; of larger ones only both ends are read.
_WHOLE_BYTES = 48 << 20
_HEAD_PACKETS = 64  # more than any codec reorders (H.264 and HEVC: at most 16 pictures)


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


def measure(
    path: Path, container: InputContainer, picture: VideoStream, sounds: Sequence[int], usual: Fraction
) -> tuple[dict[int, Span], tuple[Join, ...]]:
    """The span of the picture and of each sound, by stream, and where the clock starts again.

    usual : seconds of a picture that doesn't say how long it lasts.
    """
    indices = [picture.index, *sounds]
    base = picture.time_base or Fraction(1)
    nominal = {picture.index: max(1, round(usual / base)), **dict.fromkeys(sounds, 0)}
    joins_there: tuple[Join, ...] = ()
    if container.format.name in joins.FORMATS:  # only the whole file tells
        with open_media(path) as fresh:
            joins_there = joins.find_joins(all_packets(fresh, indices))
    elif container.size > _WHOLE_BYTES:
        head = _fold(nominal, all_packets(container, indices), picture.index, _HEAD_PACKETS)
        tail = _tail(container, picture, indices, nominal)
        first, last = head[picture.index], tail[picture.index]
        if (
            first.first is not None
            and first.end is not None
            and last.end is not None
            and last.end > first.end
        ):
            # what ends before the picture's last GOP doesn't outlast it
            return {i: Span(nominal[i], head[i].first, tail[i].end, head[i].count) for i in indices}, ()
    with open_media(path) as fresh:
        return _fold(nominal, unfolded(all_packets(fresh, indices), joins_there)), joins_there


def _fold(
    nominal: dict[int, int], stream: Iterable[Packet], picture: int = -1, limit: int | None = None
) -> dict[int, Span]:
    spans = {index: Span(length) for index, length in nominal.items()}
    for packet in stream:
        spans[packet.stream_index].add(packet)
        if limit is not None and spans[picture].count >= limit:
            break
    return spans


def _tail(
    container: InputContainer, picture: VideoStream, wanted: Sequence[int], nominal: dict[int, int]
) -> dict[int, Span]:
    """From the picture's last GOP on; nothing when the container can't seek or lacks the data there."""
    try:
        container.seek(2**61, stream=picture, backward=True)
    except (av.FFmpegError, OverflowError):
        return {index: Span(length) for index, length in nominal.items()}
    return _fold(nominal, all_packets(container, wanted))
