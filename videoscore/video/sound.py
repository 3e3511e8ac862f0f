"""The original sound on the picture's timeline: Media -> blocks of float samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from videoscore.video.container import decoded, open_media
from videoscore.video.media import AudioStream, Media

Block = NDArray[np.float32]

# Time stamps of whole milliseconds (Matroska, FLV) and encoders' jitter stay below this; a larger
# step is a real gap or overlap.
_TOLERANCE = Fraction(1, 20)


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
    rest = np.concatenate([*waiting, _silence(total - done - held, channels)])
    for start in range(0, len(rest), block):
        yield rest[start : start + block]


def pick_sound(media: Media) -> AudioStream | None:
    """The default sound stream, else the first, else None."""
    return next((a for a in media.audio if a.default), media.audio[0] if media.audio else None)


def _silence(samples: int, channels: int) -> Block:
    return np.zeros((max(0, samples), channels), np.float32)


def _aligned(media: Media, stream: AudioStream, rate: int, channels: int, total: int) -> Iterator[Block]:
    """Pieces without holes or overlaps, from sample 0 to at most `total`."""
    written = 0  # samples already on the timeline
    position: int | None = None  # where the next resampled sample belongs
    resampler = _resampler(rate, channels)
    slack = int(_TOLERANCE * rate)

    def place(piece: Block, at: int) -> Block:
        """`piece`, which starts at sample `at`, as what follows sample `written`."""
        piece = piece[max(0, written - at) :]
        lead = _silence(min(at, total) - written, channels)
        return np.concatenate([lead, piece])[: total - written]

    for frame in _frames(media, stream):
        at = _sample_of(frame, media, rate)
        if position is None:
            position = at if at is not None else 0
        elif at is not None and abs(at - position) > slack:
            rest = place(_drain(resampler, None, channels), position)
            written += len(rest)
            yield rest
            resampler, position = _resampler(rate, channels), at
        piece = _drain(resampler, frame, channels)
        ready = place(piece, position)
        position += len(piece)
        if len(piece):
            written += len(ready)
            yield ready
        if written >= total:
            return
    if position is not None:
        yield place(_drain(resampler, None, channels), position)


def _sample_of(frame: AudioFrame, media: Media, rate: int) -> int | None:
    """The sample number on the timeline at which a decoded frame starts."""
    if frame.pts is None or frame.time_base is None:
        return None
    return round((frame.pts * frame.time_base - media.video.start) * rate)


def _frames(media: Media, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decoded frames of one sound stream; damaged packets are passed over."""
    with open_media(media.path) as container:
        for frame in decoded(container, stream.index):
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
