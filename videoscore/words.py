"""Words and numbers that people type: what a misspelt name was meant to be, and exact numbers from text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from fractions import Fraction

LONGEST_WORD = 40  # characters of a word that are compared; a longer one is no misspelt name
LONGEST_NUMBER = 60
_NUMBER = re.compile(r"[+-]?(?:\d+/\d+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?)")


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that is most like `word`, whatever its case, if any is like it by `cutoff` (0 to 1, the ratio of
    `difflib.SequenceMatcher`)."""
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.strip().lower()[:LONGEST_WORD], list(by_lower), 1, cutoff)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """ "Did you mean X? " when a name is near, else ""; to stand before the rest of a remedy."""
    name = nearest(word, names, cutoff)
    return f"Did you mean {name}? " if name is not None else ""


def exact(text: str) -> Fraction:
    """A number from text: "12.5", "1/3", "2e-3". Raises ValueError or ZeroDivisionError.

    Of few digits, and a small exponent: `Fraction("1e999999999")` would work for hours.
    """
    if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text[:LONGEST_NUMBER])
    return Fraction(text)
