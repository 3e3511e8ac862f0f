"""Where decoded sound belongs in time: gaps kept, drifting clocks followed, rounded time stamps not taken literally.

Each decoded frame says when it begins (its PTS), and how long it lasts (its samples). Where the two agree, samples
simply follow each other. Where they part, one of three things has happened:

- The stamps are rounded (Matroska and FLV count milliseconds) or jitter (live encoders): the difference comes and goes.
- Packets are missing, or two recordings overlap: it jumps and stays. A new *run* begins there.
- The recorder's clock ran fast or slow: it grows steadily. The sound is to be stretched as much, as a player does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from statistics import median

from av.audio.frame import AudioFrame

# seconds that a difference may jump from frame to frame within a run, beside the stamps' own grain
_JUMP = 0.002
# ... and that share of the frame's length: no clock is further off
_FASTEST = 0.02
# frames on either side that have to agree on a jump: jitter takes itself back
_WITNESSES = 8
# a run is mapped by one point in so many seconds
_KNOT = 0.5
# seconds that the map may be off before it is corrected, beside half the stamps' grain. Below it samples are passed on
# as they are.
_TOLERANCE = 0.00035
# Transport and program streams stamp a packet of many frames, at least every 0.7 s (ISO/IEC 13818-1, 2.7.4); the stamps
# between are made up from the frames' lengths, so that a drifting clock looks like stairs.
SPARSE = ("mpegts", "mpeg")
_STAMPED = 0.7
_SAME = 0.00005  # seconds by which made-up stamps may differ by rounding
_COARSEST = 0.001  # seconds of grain; what counts coarser than Matroska isn't believed to be a clock


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame. own : seconds of sound decoded before it. late : seconds by which its stamp lies after that.
    fresh : a run begins with it. grain : seconds of its stamps' unit."""

    frame: AudioFrame
    own: float
    late: float
    fresh: bool
    grain: float

    @property
    def seconds(self) -> float:
        return self.frame.samples / self.frame.sample_rate


def timed(frames: Iterable[AudioFrame], start: float, sparse: bool = False) -> Iterator[TimedFrame]:
    """Frames with their place on the timeline that begins at `start` seconds of their clock.

    sparse : only some frames bring a stamp of their own (`SPARSE`).
    """
    before: deque[float] = deque(maxlen=_WITNESSES)  # differences of the run so far
    ahead: deque[TimedFrame] = deque()
    shape: object = None
    steady = 0.0  # seconds since the difference has changed
    for item in chain(_stamped(frames, start), (None,)):
        if item is not None:
            ahead.append(item)
        while len(ahead) > (_WITNESSES if item is not None else 0):
            first = ahead.popleft()
            frame = first.frame
            now = (frame.sample_rate, frame.format.name, frame.layout.name)
            since = first.seconds if not sparse else min(_STAMPED, steady + first.seconds)
            fresh = now != shape or _jumps(first, ahead, before, since)
            steady = 0.0 if not before or abs(first.late - before[-1]) > _SAME else steady + first.seconds
            if fresh:
                before.clear()
            before.append(first.late)
            shape = now
            yield TimedFrame(frame, first.own, first.late, fresh, first.grain)


def _stamped(frames: Iterable[AudioFrame], start: float) -> Iterator[TimedFrame]:
    own, late = 0.0, 0.0
    for frame in frames:
        grain = 0.0
        if frame.pts is not None and frame.time_base is not None:
            late = float(frame.pts * frame.time_base) - start - own
            grain = min(float(frame.time_base), _COARSEST)
        item = TimedFrame(frame, own, late, False, grain)
        yield item
        own += item.seconds


def _jumps(item: TimedFrame, ahead: Iterable[TimedFrame], before: Iterable[float], since: float) -> bool:
    """Whether the difference between stamps and samples changes for good with this frame.

    since : seconds in which a drifting clock may have gone on unseen.
    """
    old = list(before)
    if not old:
        return True
    step = item.late - old[-1]
    least = _JUMP + item.grain + _FASTEST * since
    if abs(step) <= least:
        return False
    change = median([item.late, *(a.late for a in ahead)]) - median(old)
    return abs(change) > least and abs(change) > 0.6 * abs(step) and (change > 0) == (step > 0)


class RunMap:
    """Where the sound of one run belongs: points (own, late) between which it is stretched evenly.

    Points come one by one; `knots` holds those that are settled.
    """

    def __init__(self, sparse: bool = False) -> None:
        self.knots: list[tuple[float, float]] = []
        self._sparse = sparse
        self._group: list[TimedFrame] = []
        self._first: TimedFrame | None = None
        self._last: TimedFrame | None = None  # the last that brought a stamp of its own

    def add(self, item: TimedFrame) -> bool:
        """Take a frame; whether a point was settled."""
        self._first = self._first or item
        last = self._last
        made_up = self._sparse and last is not None and abs(item.late - last.late) < _SAME
        if made_up and last is not None and item.own - last.own < _STAMPED:
            return False
        self._last = item
        self._group.append(item)
        if item.own + item.seconds - self._group[0].own < _KNOT:
            return False
        self.close()
        return True

    def close(self) -> None:
        """Settle a point from the frames since the last one, if there are any."""
        group, self._group = self._group, []
        if not group:
            return
        own = sum(item.own for item in group) / len(group)
        late = median(item.late for item in group)
        assert self._first is not None
        held = self.knots[-1][1] if self.knots else self._first.late
        near = abs(late - held) <= _TOLERANCE + group[0].grain / 2
        self.knots.append((own, held if near else late))
