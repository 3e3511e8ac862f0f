"""Chords as composers name them: Roman numerals to pitch classes.

A numeral is a degree of the key (upper case major, lower case minor), with an accidental before it where it is borrowed
("bII", "bVI", "#iv") and a figure after it: 6, 64, 7, 65, 43, 42 (inversions in figured bass), maj7, add9, sus4, 9, 5
(no third), o (diminished), o7, ø7. "V7/V" is the dominant of a degree, "IV@1" a chord over another degree in the bass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAJOR_DEGREES = (0, 2, 4, 5, 7, 9, 11)  # semitones of the degrees above the tonic
MINOR_DEGREES = (0, 2, 3, 5, 7, 8, 10)
DEGREES = {"i": 0, "ii": 1, "iii": 2, "iv": 3, "v": 4, "vi": 5, "vii": 6}
TONIC = (0, 9)  # pitch classes of the normalised keys, C major and A minor
# figure -> (intervals above the root beside the fifth, which of them is in the bass)
_INVERSIONS = {"": 0, "6": 1, "64": 2, "7": 0, "65": 1, "43": 2, "42": 3}
_NUMERAL = re.compile(
    r"([b#]?)([IViv]+)(o|ø|\+)?(maj7|add9|sus4|65|64|43|42|9|7|6|5)?(?:/([b#]?[IViv]+))?(?:@(\d))?"
)


@dataclass(frozen=True)
class Chord:
    """tones : pitch classes from the root up. bass : pitch class of the lowest note. function : "T", "S" or "D".

    leading : pitch class that must rise by a semitone, if there is one. seventh : the one that must fall by a step.
    """

    numeral: str
    root: int
    tones: tuple[int, ...]
    bass: int
    function: str
    leading: int | None = None
    seventh: int | None = None

    @property
    def label(self) -> int:
        """Number of its triad in `videoscore.music.theory`."""
        third = {(t - self.root) % 12 for t in self.tones}
        fifth = 7 in third
        quality = 0 if 4 in third and fifth else 1 if 3 in third and fifth else 0 if fifth else 2
        return 1 + 3 * self.root + quality


@lru_cache(maxsize=4096)
def chord(numeral: str, minor: bool) -> Chord:
    """The chord in C major or, if `minor`, A minor. Raises ValueError for what isn't a numeral."""
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise ValueError(f"{numeral!r} is no Roman numeral")
    accidental, degree, mark, figure, target, pedal = match.groups()
    figure = figure or ""
    tonic, scale = TONIC[minor], MINOR_DEGREES if minor else MAJOR_DEGREES
    if target:
        of = _root(target, scale)
        root = (of + _root(accidental + degree, MAJOR_DEGREES)) % 12
        if degree == "vii":
            root = (of + 11) % 12
    else:
        root = _root(accidental + degree, scale)
        if degree == "vii" and minor:
            root = 11  # of the raised seventh
    intervals, leading, seventh = _intervals(
        degree, mark or "", figure, bool(target) or degree in ("V", "vii")
    )
    pcs = tuple((tonic + root + step) % 12 for step in intervals)
    inversion = _INVERSIONS.get(figure, 0)
    bass = pcs[min(inversion, len(pcs) - 1)] if figure in _INVERSIONS else pcs[0]
    if pedal:
        bass = (tonic + scale[int(pedal) - 1]) % 12
    function = _function(degree, bool(target), figure)
    return Chord(
        numeral,
        (tonic + root) % 12,
        pcs,
        bass,
        function,
        (tonic + root + leading) % 12 if leading is not None else None,
        (tonic + root + seventh) % 12 if seventh is not None else None,
    )


def _root(numeral: str, scale: tuple[int, ...]) -> int:
    shift = {"b": -1, "#": 1}.get(numeral[0], 0)
    plain = numeral[1:] if shift else numeral
    # borrowed degrees are counted from the major scale, as "bVI" is in either mode
    degrees = MAJOR_DEGREES if shift else scale
    return (degrees[DEGREES[plain.lower()]] + shift) % 12


def _intervals(
    degree: str, mark: str, figure: str, dominant: bool
) -> tuple[tuple[int, ...], int | None, int | None]:
    """Semitones above the root, and which of them leads up and which falls."""
    upper = degree.isupper()
    third, fifth = (4 if upper else 3), 7
    if mark in ("o", "ø"):
        third, fifth = 3, 6
    elif mark == "+":
        fifth = 8
    leading = (0 if degree == "vii" else 4) if dominant and (upper or degree == "vii") else None
    if figure == "5":
        return (0, 7), None, None
    if figure == "sus4":
        return (0, 5, 7), None, None
    if figure == "add9":
        return (0, third, 7, 14), None, None
    if figure == "maj7":
        return (0, third, 7, 11), None, None
    if figure in ("7", "65", "43", "42", "9"):
        seventh = 9 if mark == "o" else 10
        if not dominant and upper and mark == "":
            seventh = 11 if degree in ("I", "IV") else 10
        tones = (0, third, fifth, seventh)
        return (*tones, 14) if figure == "9" else tones, leading, seventh if leading is not None else None
    return (0, third, fifth), leading, None


def _function(degree: str, secondary: bool, figure: str) -> str:
    if secondary or degree in ("V", "vii") or (degree.lower() == "i" and figure == "64"):
        return "D"
    return "S" if degree.lower() in ("ii", "iv") else "T"
