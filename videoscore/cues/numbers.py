"""Exact numbers in JSON text: times as decimals or fractions, and limits against hostile ones."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from videoscore.errors import CueSheetError

# Longer numerals than this come from no clock; a billion digits would stall any parser.
MOST_DIGITS = 40
LEAST_EXPONENT = -400  # the least double is 5e-324
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2}(?:\.\d{1,12})?)")
_RATIO = re.compile(r"(\d{1,40})/(\d{1,40})")
_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
FORMS = 'Write seconds as 12.5, a fraction as "1001/24" or a clock time as "1:02.5".'


def seconds(value: object, what: str) -> Fraction:
    """Exact seconds from a JSON number, or a string "p/q", "12.5", "m:ss.s" or "h:mm:ss.s".

    Raises CueSheetError, naming `what`, when it isn't a time or is negative.
    """
    if isinstance(value, str):
        return _from_text(value.strip(), what)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise CueSheetError(f"{what} is not a time", remedy=FORMS)
    if value < 0:
        raise CueSheetError(
            f"{what} is negative ({value})", remedy="Times count from the first picture, at 0."
        )
    return Fraction(value)


def _from_text(text: str, what: str) -> Fraction:
    if ratio := _RATIO.fullmatch(text):
        if int(ratio[2]) == 0:
            raise CueSheetError(f"{what} divides by zero", remedy=FORMS)
        return Fraction(int(ratio[1]), int(ratio[2]))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = int(clock[1] or 0), int(clock[2]), Fraction(clock[3])
        if rest < 60 and (clock[1] is None or minutes < 60):
            return 3600 * hours + 60 * minutes + rest
    if _DECIMAL.fullmatch(text):
        return Fraction(text)
    raise CueSheetError(f"{what} is not a time ({text[:40]!r})", remedy=FORMS)


def literal(t: Fraction) -> str:
    """JSON text of exact seconds: a decimal number when nine places suffice, else a string "p/q"."""
    nanoseconds = t * 10**9
    if nanoseconds.denominator != 1:
        return f'"{t.numerator}/{t.denominator}"'
    whole, part = divmod(abs(int(nanoseconds)), 10**9)
    sign = "-" if t < 0 else ""
    return f"{sign}{whole}.{part:09d}".rstrip("0").rstrip(".")


def parse_float(text: str) -> Decimal:
    """For `json.loads`: exact, with bounded digits and exponent."""
    value = Decimal(text) if len(text) <= MOST_DIGITS else None
    if value is None or (value and not LEAST_EXPONENT <= value.adjusted() <= MOST_DIGITS):
        raise CueSheetError(f"the number {text[:20]}... has too many digits", remedy="Write it with fewer.")
    return value


def parse_int(text: str) -> int:
    """For `json.loads`: with bounded digits."""
    if len(text) > MOST_DIGITS:
        raise CueSheetError(f"the number {text[:20]}... has too many digits", remedy="Write it with fewer.")
    return int(text)


def parse_constant(text: str) -> NoReturn:
    """For `json.loads`: NaN and Infinity aren't JSON."""
    raise CueSheetError(f"{text} is not a number", remedy="Write a number there.")
