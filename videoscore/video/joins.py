"""Recordings joined behind each other, in which the clock starts again: where, and by how much each is to be moved.

Transport streams and their like carry the recorder's clock. Two of them put into one file (`cat a.ts b.ts`, a camera
that was switched off and on) are one film to everybody who looks at it, but their times overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from av.packet import Packet

from videoscore.video.media import Join

FORMATS = ("mpegts", "mpeg", "flv")  # containers in which a clock can start again
_BACK = Fraction(1, 2)  # seconds: decoding times never go back, but damaged ones do by less
_AHEAD = 10  # seconds that no stream has anything in: another recording, not a pause


@dataclass
class _Stretch:
    """What one stream has of one recording."""

    first_packet: int
    last_packet: int
    start: Fraction | None = None
    end: Fraction | None = None

    def add(self, number: int, start: Fraction, end: Fraction) -> None:
        self.last_packet = number
        self.start = start if self.start is None else min(self.start, start)
        self.end = end if self.end is None else max(self.end, end)


@dataclass
class _Stream:
    recording: int
    last: Fraction
    stretches: dict[int, _Stretch] = field(default_factory=dict)


def find_joins(packets: Iterable[Packet]) -> tuple[Join, ...]:
    """Where the clock starts again in a film's packets of picture and sound, as they lie in the file."""
    streams: dict[int, _Stream] = {}
    counts: dict[int, int] = {}
    newest = 0
    for packet in packets:
        index = packet.stream_index
        number = counts[index] = counts.get(index, -1) + 1
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or packet.is_corrupt:
            continue
        now = stamp * packet.time_base
        stream = streams.get(index)
        if stream is None:
            stream = streams[index] = _Stream(newest, now)
        # what is ahead of all streams, not only of its own, isn't a pause in one of them
        elif now < stream.last - _BACK or now > max(s.last for s in streams.values()) + _AHEAD:
            newest += stream.recording == newest
            stream.recording = newest
        stream.last = now
        time = now if packet.pts is None else packet.pts * packet.time_base
        stretch = stream.stretches.setdefault(stream.recording, _Stretch(number, number))
        stretch.add(number, time, time + (packet.duration or 0) * packet.time_base)
    return tuple(_joins(streams, newest)) if newest else ()


def _joins(streams: dict[int, _Stream], newest: int) -> Iterable[Join]:
    """Each recording begins where the one before has ended in every stream."""
    shift = Fraction(0)
    for number in range(1, newest + 1):
        gaps = [
            before.end - after.start
            for s in streams.values()
            if (before := s.stretches.get(number - 1)) and (after := s.stretches.get(number))
            if before.end is not None and after.start is not None
        ]
        if not gaps:  # no stream goes through both
            ends = [
                t.end for s in streams.values() if (t := s.stretches.get(number - 1)) and t.end is not None
            ]
            starts = [
                t.start for s in streams.values() if (t := s.stretches.get(number)) and t.start is not None
            ]
            gaps = [max(ends) - min(starts)] if ends and starts else [Fraction(0)]
        shift += max(gaps)
        for index, stream in streams.items():
            stretch = stream.stretches.get(number)
            if stretch is not None:
                yield Join(index, stretch.first_packet, stretch.last_packet, shift)
