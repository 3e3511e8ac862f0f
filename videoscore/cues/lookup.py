"""Cues by number or name, as people say which they mean."""

from __future__ import annotations

from collections.abc import Iterable

from videoscore.cues.sheet import CueSheet
from videoscore.errors import CueSheetError
from videoscore.words import did_you_mean

ALL = "all"


def cue_numbers(sheet: CueSheet, which: Iterable[str]) -> list[int]:
    """Numbers from 1 of the cues that are meant, in order. Raises CueSheetError."""
    names = [cue.name for cue in sheet.cues]
    numbers: set[int] = set()
    for word in which:
        if word.lower() == ALL and ALL not in names:
            numbers |= set(range(1, len(names) + 1))
            continue
        exact = [k for k, name in enumerate(names, 1) if name == word]
        matches = exact or [k for k, name in enumerate(names, 1) if name.split(" ")[0] == word]
        matches = matches or [
            k for k, name in enumerate(names, 1) if word and name.startswith(word) and not word.isdigit()
        ]
        if not matches and word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= len(names):
            matches = [int(word)]
        if len(matches) != 1:
            what = (
                f"there is no cue {word[:60]!r}"
                if not matches
                else f"{word[:60]!r} is the name of {len(matches)} cues"
            )
            raise CueSheetError(
                what,
                remedy=f"{did_you_mean(word, names)}Give a number from 1 to {len(names)}, or a "
                "name as it stands in the sheet.",
            )
        numbers.add(matches[0])
    return sorted(numbers)
