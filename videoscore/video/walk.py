"""Which packets of a film are decoded: everything in long GOPs, key frames alone in short ones.

The film is read once, front to back. Going on decoding costs less than a seek, and a seek can give
garbage (H.264 4:4:4 files exist that do). Where key frames lie closer together than the wanted
interval, the pictures between two that look alike are left out; where those two differ, the
stretch between them is decoded, so that a cut in it gets its exact time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from videoscore.video.container import open_media, packets
from videoscore.video.cuts import HEIGHT, WIDTH, Look, alike
from videoscore.video.media import Media
from videoscore.workers.capacity import machine_cores

# Key frames further apart than this are never compared: a whole shot could hide between them.
_LONGEST_SKIP = Fraction(1)
THREADS = 4  # more keep more pictures in memory for little


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture.

    blind : pictures between the one before and this one were left out.
    aspect : width of a pixel over its height.
    """

    frame: VideoFrame
    look: Look
    blind: bool
    aspect: Fraction


def walk(media: Media, every: Fraction) -> Iterator[Picture]:
    """Decoded pictures in order of time, times strictly increasing, the first at 0 or later.

    every : seconds; the left-out stretches are never longer than this (nor than one second).

    Damaged packets and pictures are passed over. Raises NotFound or BrokenVideo when the file is
    gone or has changed since it was probed.
    """
    span = min(every, _LONGEST_SKIP)
    # with frame threads an error can take good pictures along: where that left nothing, go without
    for threads in (ThreadType.AUTO, ThreadType.SLICE):
        with open_media(media.path) as container, open_media(media.path) as twin:
            walker = _Walker(media, container, twin, span, threads)
            yield from walker.pictures()
            if walker.count:
                return


def pixel_aspect(context: VideoCodecContext) -> Fraction:
    """Width of a pixel over its height; 1 where what is stated can't be."""
    stated = context.sample_aspect_ratio
    return stated if stated and Fraction(1, 8) <= stated <= 8 else Fraction(1)


def shape_of(width: int, height: int, aspect: Fraction, size: int) -> tuple[int, int]:
    """(width, height) of a picture with square pixels whose longest side is at most `size`."""
    wide, high = width * aspect, Fraction(height)
    scale = min(Fraction(1), size / max(wide, high))
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _context(container: InputContainer, index: int) -> VideoCodecContext:
    context = container.streams[index].codec_context
    assert isinstance(context, VideoCodecContext)
    return context


@dataclass
class _Walker:
    media: Media
    container: InputContainer
    twin: InputContainer  # the same file, for a second decoder that sees key frames only
    span: Fraction
    threads: ThreadType

    count: int = 0
    _held: list[Packet] = field(default_factory=list)  # from a key frame on
    _fed: int = 0  # how many of them the main decoder has had
    _key: Picture | None = None  # the first held packet, decoded by the second decoder
    _straight: bool = False  # inside a long GOP: nothing is held
    _skipped: bool = False  # the main decoder has to start afresh
    _floor: Fraction | None = None  # pictures before this refer to skipped ones
    _blind: bool = False  # the next picture comes after skipped ones
    _last: Fraction = Fraction(-1)

    def __post_init__(self) -> None:
        self.main = _context(self.container, self.media.video.index)
        self.keys = _context(self.twin, self.media.video.index)
        self.main.thread_type = self.threads
        self.main.thread_count = min(THREADS, machine_cores())
        self.keys.thread_type = ThreadType.SLICE  # frame threads would hold the picture back
        self.shrink = VideoReformatter()
        self.aspect = pixel_aspect(self.main)
        # 4:4:4 H.264: its decoder must have seen the film's first packet; flushing makes it forget
        self.skipping = not (self.media.video.codec == "h264" and "444" in (self.main.pix_fmt or ""))

    # ------------------------------------------------------------ packets

    def pictures(self) -> Iterator[Picture]:
        for packet in self._packets():
            if not self.skipping:
                yield from self._give_up_holding()
                yield from self._decode(packet)
            elif packet.is_keyframe:
                while self._held and self._too_far(packet) and self._other_key():
                    yield from self._resolve()
                if self._held and self._too_far(packet):
                    yield from self._give_up_holding()
                self._held.append(packet)
                self._straight = False
            elif self._straight:
                yield from self._decode(packet)
            else:
                while self._held and self._too_far(packet) and self._other_key():
                    yield from self._resolve()
                self._held.append(packet)
                if self._too_far(packet):
                    yield from self._give_up_holding()
        yield from self._give_up_holding()
        yield from self._drain()

    def _packets(self) -> Iterator[Packet]:
        """The film's packets from its first key frame on."""
        started = False
        for packet in packets(self.container, self.media.video.index, self.media.joins):
            started = started or packet.is_keyframe
            if started:
                yield packet

    def _time(self, packet: Packet) -> Fraction | None:
        pts = packet.pts if packet.pts is not None else packet.dts
        return None if pts is None else self._seconds(pts)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self.media.video.first_pts) * self.media.video.time_base

    def _too_far(self, packet: Packet) -> bool:
        """Whether a packet lies further from the held key frame than may be skipped."""
        here, there = self._time(self._held[0]), self._time(packet)
        return here is None or there is None or there - here > self.span

    def _other_key(self) -> int | None:
        """Position of the last key frame among the held packets but the first."""
        return next((n for n in range(len(self._held) - 1, 0, -1) if self._held[n].is_keyframe), None)

    # ------------------------------------------------------------ choices

    def _resolve(self) -> Iterator[Picture]:
        """Skip from the held key frame to the next one, or decode what lies between."""
        position = self._other_key()
        assert position is not None
        here = self._key or self._decode_key(self._held[0])
        there = self._decode_key(self._held[position])
        if here and there and alike(here.look, there.look):
            yield from self._drain()
            yield from self._accept(here.frame, here.look)
            self._skipped = self._blind = True
            self._fed = position
        else:
            end = self._end_of_leading(position)
            for packet in self._held[self._fed : end]:
                yield from self._decode(packet)
            self._fed = end
        self._held, self._key = self._held[position:], there
        self._fed -= position

    def _end_of_leading(self, position: int) -> int:
        """After a key frame and the pictures stored behind but shown before it (open GOP)."""
        key = self._time(self._held[position])
        end = position + 1
        while end < len(self._held) and key is not None:
            t = self._time(self._held[end])
            if t is None or t > key:
                break
            end += 1
        return end

    def _give_up_holding(self) -> Iterator[Picture]:
        """A long GOP, or the end: decode all that is held."""
        held, self._held, self._key, self._straight = self._held[self._fed :], [], None, True
        self._fed = 0
        for packet in held:
            yield from self._decode(packet)

    # ------------------------------------------------------------ decoders

    def _decode_key(self, packet: Packet) -> Picture | None:
        """One key frame by the second decoder; None when it gives no whole picture by itself."""
        try:
            frames = [*self.keys.decode(packet), *self.keys.decode(None)]
        except av.FFmpegError:
            frames = []
        self.keys.flush_buffers()
        if len(frames) != 1 or frames[0].interlaced_frame or frames[0].is_corrupt:
            self.skipping = self.skipping and not any(f.interlaced_frame for f in frames)
            return None
        frame = frames[0]
        t = self._time(packet) if frame.pts is None else self._seconds(frame.pts)
        return None if t is None else Picture(frame, self._look(frame, t), False, self.aspect)

    def _decode(self, packet: Packet | None) -> Iterator[Picture]:
        """Feed the main decoder."""
        if self._skipped and packet is not None:
            self.main.flush_buffers()
            self._skipped, self._floor = False, self._time(packet)
        try:
            frames = self.main.decode(packet)
        except av.FFmpegError:
            return  # a damaged packet: the decoder goes on with the next it understands
        for frame in frames:
            # a film of nothing but damaged pictures still shows its first
            if not frame.is_corrupt or not self.count:
                t = self._last + self._step() if frame.pts is None else self._seconds(frame.pts)
                if self._floor is None or t >= self._floor:
                    yield from self._accept(frame, None, t)

    def _drain(self) -> Iterator[Picture]:
        """What the main decoder still holds back."""
        if not self._skipped:
            yield from self._decode(None)
            self._skipped = True

    def _step(self) -> Fraction:
        return self.media.video.frame_duration if self.count else Fraction(1)

    def _accept(self, frame: VideoFrame, look: Look | None, t: Fraction | None = None) -> Iterator[Picture]:
        t = look.t if look is not None else t
        assert t is not None
        if t < 0 or t <= self._last:  # before the first picture, or a repeated time stamp
            return
        blind, self._blind = self._blind, False
        self._last = t
        self.count += 1
        yield Picture(frame, look or self._look(frame, t), blind, self.aspect)

    def _look(self, frame: VideoFrame, t: Fraction) -> Look:
        tiny = self.shrink.reformat(frame, WIDTH, HEIGHT, "yuv444p", interpolation="AREA")
        return Look(t, np.asarray(tiny.to_ndarray(), np.uint8))
