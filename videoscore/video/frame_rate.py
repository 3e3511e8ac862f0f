"""How an editing program counts a film's pictures: their nominal rate, and the time code of the first one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from av.container import InputContainer

from videoscore.video.container import open_media, packets
from videoscore.video.media import Media
from videoscore.video.timecode_track import timecode_rate

NTSC = Fraction(1000, 1001)
# what editing programs and cameras know, in pictures a second
WHOLE = tuple(map(Fraction, (24, 25, 30, 48, 50, 60, 100, 120, 240)))
BROADCAST = (*WHOLE, *(NTSC * rate for rate in (24, 30, 48, 60, 120, 240)))
NEAR = 0.004  # a clock that is so far off is a clock that is off, not another rate
LOOKED_AT = 20_000  # pictures, from the beginning
ALIKE = (0.8, 1.25)  # of the usual time between two pictures: further apart, some were left out


@dataclass(frozen=True)
class PictureCount:
    """rate : nominal pictures a second. steady : the pictures come at about that rate, else it is only the nearest that
    editing programs know. timecode : of the first picture as the file says it, with ``;`` where numbers are
    dropped; None where it says nothing. timecode_rate : at which that is counted, where the file says so."""

    rate: Fraction
    steady: bool
    timecode: str | None
    timecode_rate: Fraction | None = None


def picture_count(media: Media) -> PictureCount:
    """Read the times of the pictures, and the time code track. Raises NotFound or BrokenVideo."""
    with open_media(media.path) as container:
        stamps = [
            p.pts for p in islice(packets(container, media.video.index), LOOKED_AT) if p.pts is not None
        ]
        has_timecode = _timecode(container)
    rate, steady = nominal_rate(stamps, media.video.time_base, 1 / media.video.frame_duration)
    return PictureCount(rate, steady, has_timecode, timecode_rate(media.path) if has_timecode else None)


def nominal_rate(stamps: list[int], base: Fraction, average: Fraction) -> tuple[Fraction, bool]:
    """Rate from the PTS of pictures in any order, and whether they come at it.

    A phone's pictures come at 30.02 or, with some left out, at 28.2 a second on average, and its film is one of 30. So
    the usual distance of two pictures counts, and the rate nearest to it, if one is near. average : for a film of too
    few pictures.
    """
    times = sorted(set(stamps))
    steps = np.array([after - before for before, after in zip(times, times[1:])], np.int64)
    average_rate = float(average)
    if len(steps):
        usual = float(np.median(steps))
        alike = steps[(steps > ALIKE[0] * usual) & (steps < ALIKE[1] * usual)]
        average_rate = 1 / (float(alike.mean()) * float(base))
    whole = Fraction(max(1, round(average_rate)))  # animations and security cameras count 4, 10 or 15
    nearest = min((*BROADCAST, whole), key=lambda rate: abs(float(rate) / average_rate - 1))
    if abs(float(nearest) / average_rate - 1) <= NEAR:
        return nearest, True
    return min(BROADCAST, key=lambda rate: abs(math.log(float(rate) / average_rate))), False


def _timecode(container: InputContainer) -> str | None:
    """Of the time code track or, where it is a tag, of the picture or the file."""
    for tags in (*(stream.metadata for stream in container.streams), container.metadata):
        for name, value in tags.items():
            if name.lower() == "timecode" and value.strip():
                return str(value).strip()
    return None
