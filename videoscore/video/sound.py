"""The original sound on the picture's timeline: Media -> blocks of float samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from videoscore.video.container import decoded, open_media
from videoscore.video.media import AudioStream, Media
from videoscore.video.sound_clock import SPARSE, RunMap, TimedFrame, timed
from videoscore.video.stretch import REACH, between

Block = NDArray[np.float32]

_HEARD = -50.0  # dB RMS below full scale: an open input's noise stays under it
_CLEARLY = 20.0  # dB that another track has to be louder


def read_sound(
    media: Media, sample_rate: int, channels: int = 2, stream: AudioStream | None = None, block: int = 48000
) -> Iterator[Block]:
    """The sound of a film, sample-exact on videoscore's timeline.

    Parameters
    ----------
    sample_rate : wanted rate in Hz. channels : 1 or 2; others are mixed down by FFmpeg's resampler.
    stream : which sound; by default the container's default one, else the first.
    block : samples a block (the last may be shorter).

    Yields float32 (n, channels) with full scale at 1. Sample 0 belongs to the first picture, and all
    blocks together are exactly ``round(media.duration * sample_rate)`` samples: a late start, gaps
    and a short end are silence, what lies outside the picture is cut. Packets that can't be decoded
    count as gaps. A film without sound yields nothing.

    Raises
    ------
    NotFound, BrokenVideo : the file is gone or has changed since it was probed.
    """
    if channels not in (1, 2):
        raise ValueError("channels must be 1 or 2")
    stream = stream or pick_sound(media)
    if stream is None:
        return
    total = round(media.duration * sample_rate)
    done = 0
    waiting: list[Block] = []
    held = 0
    for piece in _aligned(media, stream, sample_rate, channels, total):
        waiting.append(piece)
        held += len(piece)
        while held >= block:
            joined = np.concatenate(waiting)
            yield joined[:block]
            done += block
            waiting, held = [joined[block:]], held - block
    rest = np.concatenate([*waiting, _silence(min(block - held, total - done - held), channels)])
    if len(rest):
        yield rest
    yield from _silences(total - done - len(rest), channels, block)


def pick_sound(media: Media) -> AudioStream | None:
    """The default sound stream, else the first, else None; where that is nearly silent and another one is not (a
    camera's two microphones, one of them plugged in), the loudest."""
    if len(media.audio) < 2:
        return media.audio[0] if media.audio else None
    return _loud_enough(media)


def _default(media: Media) -> AudioStream:
    return next((a for a in media.audio if a.default), media.audio[0])


@lru_cache(maxsize=16)
def _loud_enough(media: Media) -> AudioStream:
    first = _default(media)
    level = _loudest(media, first, _HEARD)
    if level >= _HEARD:
        return first
    others = [a for a in media.audio if a != first and not a.aside and a.language in ("", first.language)]
    levels = {a: _loudest(media, a, math.inf) for a in others}
    best = max(levels, key=lambda a: levels[a], default=first)
    return best if levels.get(best, -math.inf) > level + _CLEARLY else first


def _loudest(media: Media, stream: AudioStream, enough: float) -> float:
    """Level of the loudest half second, dB below full scale (RMS); what is above `enough` ends the search."""
    loudest = -math.inf
    for block in read_sound(media, 16000, 1, stream, block=8000):
        power = float(np.mean(np.square(block, dtype=np.float64)))
        loudest = max(loudest, 10 * math.log10(power) if power > 0 else -math.inf)
        if loudest >= enough:
            break
    return loudest


def sound_remark(media: Media) -> str:
    """Which of several sound tracks is heard as the film's own, as a sentence; "" where there is only one."""
    stream = pick_sound(media)
    if stream is None or len(media.audio) < 2:
        return ""
    label = f"stream {stream.index}" + (f" ({stream.language})" if stream.language else "")
    first = _default(media)
    why = "" if stream == first else f", since stream {first.index} is nearly silent"
    return f"of {len(media.audio)} sound tracks {label} is taken as the film's own{why}"


def _silence(samples: int, channels: int) -> Block:
    return np.zeros((max(0, samples), channels), np.float32)


def _silences(samples: int, channels: int, block: int = 48000) -> Iterator[Block]:
    """Silence in blocks: a file may claim hours of it."""
    for start in range(0, samples, block):
        yield _silence(min(block, samples - start), channels)


def _aligned(media: Media, stream: AudioStream, rate: int, channels: int, total: int) -> Iterator[Block]:
    """Pieces without holes or overlaps, from sample 0 to at most `total`."""
    written, run = 0, None
    sparse = media.container in SPARSE
    for item in timed(_frames(media, stream), float(media.video.start), sparse):
        if item.fresh:
            if run is not None:
                yield from run.finish()
                written = run.written
            run = _Run(item.own, rate, channels, written, total, sparse)
        assert run is not None
        yield from run.add(item)
        if run.written >= total:
            return
    if run is not None:
        yield from run.finish()


class _Run:
    """Sound without a gap, laid on the timeline as its time stamps say.

    own : seconds of sound before the run. written : samples of the timeline that are filled.
    """

    def __init__(self, own: float, rate: int, channels: int, written: int, total: int, sparse: bool) -> None:
        self.own, self.rate, self.channels = own, rate, channels
        self.written, self.total = written, total
        self.map = RunMap(sparse)
        self._resampler = _resampler(rate, channels)
        self._parts: list[Block] = []  # resampled samples, from number `_base` of the run on
        self._base = 0
        self._done = 0  # points of the map up to which all is written
        self._begun = False

    def add(self, item: TimedFrame) -> Iterator[Block]:
        self._parts.append(_drain(self._resampler, item.frame, self.channels))
        if self.map.add(item):
            yield from self._write()

    def finish(self) -> Iterator[Block]:
        """What is left, to the run's end."""
        self._parts.append(_drain(self._resampler, None, self.channels))
        self.map.close()
        yield from self._write()
        yield from self._piece(self._line(len(self.map.knots) - 2), None)

    def _write(self) -> Iterator[Block]:
        """All between the points that are settled."""
        last = len(self.map.knots) - 1
        for k in range(self._done, last):
            yield from self._piece(self._line(k), (self.map.knots[k + 1][0] - self.own) * self.rate)
        self._done = max(0, last)

    def _line(self, k: int) -> tuple[float, float]:
        """Behind point k (before it for the first): place on the timeline = shift + stretch * number in the run."""
        knots = self.map.knots
        if len(knots) < 2 or k < 0:
            return (self.own + knots[0][1]) * self.rate, 1.0
        (a, late_a), (b, late_b) = knots[k], knots[k + 1]
        if late_a == late_b:
            return (self.own + late_a) * self.rate, 1.0
        stretch = 1 + (late_b - late_a) / (b - a)
        return (a + late_a - stretch * (a - self.own)) * self.rate, stretch

    def _piece(self, line: tuple[float, float], end: float | None) -> Iterator[Block]:
        """Up to sample number `end` of the run, or all that is there."""
        shift, stretch = line
        if stretch == 1:
            shift = round(shift)
        if not self._begun:  # the run may begin later than the one before has ended
            begin = min(max(self.written, round(shift)), self.total)
            yield from _silences(begin - self.written, self.channels)
            self.written, self._begun = begin, True
        held = np.concatenate(self._parts)
        there = self._base + len(held)
        # the interpolation reaches for samples beyond, which may still have to come
        stop = math.ceil(shift + stretch * (there if end is None else min(end, there - REACH)))
        stop = max(self.written, min(self.total, stop))
        if stretch == 1:
            ready = held[self.written - int(shift) - self._base : stop - int(shift) - self._base]
        else:
            ready = between(
                held, (np.arange(self.written, stop, dtype=np.float64) - shift) / stretch - self._base
            )
        yield ready
        self.written += len(ready)
        consumed = max(0, int((self.written - shift) / stretch) - self._base - 2 * REACH)
        self._parts, self._base = [held[consumed:]], self._base + min(consumed, len(held))


def _frames(media: Media, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decoded frames of one sound stream; damaged packets are passed over."""
    with open_media(media.path) as container:
        for frame in decoded(container, stream.index, media.joins):
            if isinstance(frame, AudioFrame) and frame.samples:
                yield frame


def _resampler(rate: int, channels: int) -> AudioResampler:
    return AudioResampler(format="fltp", layout="mono" if channels == 1 else "stereo", rate=rate)


def _drain(resampler: AudioResampler, frame: AudioFrame | None, channels: int) -> Block:
    """What the resampler gives for `frame`, or its remains for None: float32 (n, channels)."""
    try:
        # a damaged packet can decode to NaN
        parts = [np.nan_to_num(f.to_ndarray().T, posinf=0, neginf=0) for f in resampler.resample(frame)]
    except (av.FFmpegError, ValueError):
        # ValueError: the layout or rate changed inside the stream, or nothing was ever fed
        return _silence(0, channels)
    return np.concatenate([_silence(0, channels), *parts]).astype(np.float32, copy=False)
