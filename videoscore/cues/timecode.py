"""SMPTE time code (SMPTE ST 12-1): pictures counted in hours, minutes, seconds and pictures, with or without drops."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from videoscore.errors import UsageError
from videoscore.video.frame_rate import BROADCAST, PictureCount
from videoscore.words import exact

FASTEST = 1000  # pictures a second that can be counted
_FORM = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")


def read_rate(text: str) -> Fraction:
    """A rate as people write it: 25, 24000/1001, and 23.98, 23.976, 29.97 or 59.94 for what broadcasters mean by them.

    Raises UsageError.
    """
    try:
        rate = exact(text)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"--rate: {text!r} is no number", remedy="Write 25 or 24000/1001.") from error
    for standard in BROADCAST:
        if standard.denominator != 1 and rate in (round(standard, 2), round(standard, 3)):
            return standard
    return rate


@dataclass(frozen=True)
class Timecode:
    """A way of counting pictures.

    rate : pictures a second, exact (24000/1001, not 23.976). drop : leave out numbers, so that at 29.97 and its
    multiples the code keeps to the clock. start : number of the film's first picture.

    Raises UsageError when such a rate can't be counted so.
    """

    rate: Fraction
    drop: bool = False
    start: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.rate <= FASTEST:
            raise UsageError(
                f"--rate: {self.rate} pictures a second can't be counted",
                remedy=f"Give more than 0 and at most {FASTEST}, such as 25 or 24000/1001.",
            )
        if self.drop and (self.rate.denominator != 1001 or self.base % 30):
            raise UsageError(
                f"--drop-frame: at {float(self.rate):.6g} pictures a second no numbers are dropped",
                remedy="Leave it out, or count 30000/1001 or 60000/1001 with --rate.",
            )

    @property
    def base(self) -> int:
        """Pictures that a second of the code counts: the next whole number."""
        return -(-self.rate.numerator // self.rate.denominator)

    @property
    def dropped_numbers(self) -> int:
        """Numbers that are left out at the begin of a minute, but every tenth: 2 at 29.97, 4 at 59.94."""
        return self.base // 15 if self.drop else 0

    def frame(self, t: Fraction) -> int:
        """Number of the picture shown at `t` seconds of the film, or nearest to it; the film's first is `start`."""
        return self.start + round(t * self.rate)

    def frames(self, start: Fraction, end: Fraction) -> int:
        """Pictures between two times of the film, at least one."""
        return max(1, self.frame(end) - self.frame(start))

    def text(self, frame: int) -> str:
        """``hh:mm:ss:ff`` of a picture, ``hh:mm:ss;ff`` with drops; after 24 hours it begins anew."""
        minute, ten = 60 * self.base - self.dropped_numbers, 600 * self.base - 9 * self.dropped_numbers
        frame %= 144 * ten
        tens, rest = divmod(frame, ten)
        frame += 9 * self.dropped_numbers * tens + self.dropped_numbers * max(
            0, (rest - self.dropped_numbers) // minute
        )
        seconds, pictures = divmod(frame, self.base)
        width = max(2, len(str(self.base - 1)))
        return (
            f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            f"{';' if self.drop else ':'}{pictures:0{width}d}"
        )

    def number(self, text: str) -> int:
        """The picture that a time code names; whether with ``:`` or ``;`` doesn't matter. Raises UsageError."""
        match = _FORM.fullmatch(text.strip())
        hours, minutes, seconds, pictures = map(int, match.group(1, 2, 3, 5)) if match else (99, 0, 0, 0)
        missing = self.dropped_numbers and seconds == 0 and minutes % 10 and pictures < self.dropped_numbers
        if hours > 23 or minutes > 59 or seconds > 59 or pictures >= self.base or missing:
            raise UsageError(
                f"{text[:40]!r} is no time code at {float(self.rate):.6g} pictures a second"
                f"{' with dropped numbers' if self.drop else ''}",
                remedy="Write it as 01:00:00:00 with --start.",
            )
        whole = 60 * hours + minutes
        return (60 * whole + seconds) * self.base + pictures - self.dropped_numbers * (whole - whole // 10)

    def starting(self, text: str) -> Timecode:
        """The same count for a film whose first picture has this time code. Raises UsageError."""
        return replace(self, start=self.number(text))


def film_timecode(
    film: PictureCount | None,
    *,
    rate: Fraction | None = None,
    drop: bool | None = None,
    start: str | None = None,
    usual: str = "00:00:00:00",
) -> Timecode:
    """How to count a film's pictures: as asked for, else as the film itself says.

    usual : the time code of the first picture where neither says one. Raises UsageError.
    """
    if rate is None:
        if film is None:
            raise ValueError("neither a film nor a rate")
        rate = film.rate
    own = film.timecode if film is not None and film.rate == rate else None
    if drop is None:
        drop = own is not None and ";" in own and rate.denominator == 1001 and Timecode(rate).base % 30 == 0
    count = Timecode(rate, drop)
    if start is None and film is not None and own is not None:
        timecode = _own_start(own, film.timecode_rate or rate, rate)
        if timecode is not None:
            return replace(count, start=timecode)
    return count.starting(usual if start is None else start)


def _own_start(text: str, count_rate: Fraction, rate: Fraction) -> int | None:
    """Number of the first picture of a film whose time code is counted at a rate of its own, as 29.97 with 59.94
    pictures a second; None where it names no picture."""
    if (rate / count_rate).denominator != 1:
        return None
    try:
        return Timecode(count_rate, ";" in text).number(text) * int(rate / count_rate)
    except UsageError:
        return None
