"""Edits of a cue sheet, each by the rules of editing its file (docs/cue-sheet.md). Sheet in, sheet out."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from videoscore.cues.contour import clip
from videoscore.cues.file.entries import read_entries
from videoscore.cues.file.reconcile import reconcile
from videoscore.cues.file.sheet_file import dumps
from videoscore.cues.numbers import parse_float, parse_int
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.cues.spot.spot import REEL
from videoscore.errors import UsageError

SHORTEST = Fraction(1, 2)  # seconds: a cue that a pointer makes is never shorter


def change(sheet: CueSheet, number: int, **fields: Any) -> CueSheet:
    """The sheet with fields of one cue (counted from 0) changed, as if by hand in its file.

    fields : as JSON has them, but for times, which are Fractions; None has the field chosen anew. Raises
    CueSheetError.
    """
    document = _document(sheet)
    document["cues"][_check_number(sheet, number)].update(_plain(fields))
    return reconcile(read_entries(document))


def move(sheet: CueSheet, number: int, t: Fraction, snap: Fraction = Fraction(0)) -> CueSheet:
    """The sheet with the start of cue `number` at `t` seconds, or on the nearest cut within `snap` seconds of it.

    Raises UsageError when it is no boundary between two cues or would leave either under `SHORTEST` seconds, and
    CueSheetError where a locked cue can't follow.
    """
    if _check_number(sheet, number) == 0:
        raise UsageError("the first cue starts with the film", remedy="Move where it ends.")
    low, high = sheet.cues[number - 1].start + SHORTEST, sheet.cues[number].end - SHORTEST
    if low > high:
        raise UsageError("there is no room to move this boundary", remedy="Merge the two cues.")
    t = min(max(t, low), high)
    t = next((c for c in _nearest(sheet.cuts, t) if abs(c - t) <= snap and low <= c <= high), t)
    return change(sheet, number - 1, end=t)


def split(sheet: CueSheet, t: Fraction, snap: Fraction = Fraction(0)) -> CueSheet:
    """The sheet with the cue around `t` parted there, or at the nearest cut within `snap` seconds.

    The new cue has the curve of its pictures; its mood is that of their mean. Raises UsageError.
    """
    number = at(sheet, t)
    cue = sheet.cues[number]
    if cue.locked:
        raise UsageError(f"{cue.name} is locked", remedy="Unlock it, then split it.")
    low, high = cue.start + SHORTEST, cue.end - SHORTEST
    t = next((c for c in _nearest(sheet.cuts, t) if abs(c - t) <= snap and low <= c <= high), t)
    if not low <= t <= high:
        raise UsageError(
            "a cue can't be split so near to its start or end",
            remedy=f"Go {float(SHORTEST):g} s or more into it.",
        )
    document = _document(sheet)
    curve = [
        _plain({"t": p.t, "valence": p.valence, "arousal": p.arousal}) for p in clip(cue.curve, t, cue.end)
    ]
    new = _plain(
        {"start": t, "key": cue.key, "start_on": "cut" if t in sheet.cuts else "edit", "curve": curve}
    )
    document["cues"].insert(number + 1, new)
    return renumber(reconcile(read_entries(document)))


def merge(sheet: CueSheet, number: int) -> CueSheet:
    """The sheet without cue `number`: the one before takes its time, or the next if it was the first."""
    if len(sheet.cues) == 1:
        raise UsageError("there is only one cue", remedy="Change its mood instead.")
    other = number - 1 if _check_number(sheet, number) else 1
    for cue in (sheet.cues[number], sheet.cues[other]):
        if cue.locked:
            raise UsageError(f"{cue.name} is locked", remedy="Unlock it, then merge it.")
    document = _document(sheet)
    del document["cues"][number]
    return renumber(reconcile(read_entries(document)))


def at(sheet: CueSheet, t: Fraction) -> int:
    """Number of the cue in which `t` lies; the first or last beyond the ends."""
    return max(0, bisect_left([c.start for c in sheet.cues], t + Fraction(1, 10**9)) - 1)


def renumber(sheet: CueSheet) -> CueSheet:
    """The sheet with cues numbered in order ("1m1 Happy", "1m2 Angry"), but for those that the user named."""
    return replace(sheet, cues=number_cues(sheet.cues))


def number_cues(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """The same for cues alone."""
    return tuple(
        replace(cue, name=f"{1 + cue.start // REEL}m{n} {cue.mood}")
        if re.fullmatch(r"\d+m\d+ [A-Z]\w+", cue.name)
        else cue
        for n, cue in enumerate(cues, 1)
    )


def bare(cue: Cue) -> Cue:
    """A cue without what says nothing of how it is to sound, and without its lock."""
    return replace(cue, name="", start_on="cut", notes=None, performance=None, heard=None)


def unlock(cue: Cue) -> Cue:
    """The same cue, to be written anew."""
    return replace(cue, notes=None, performance=None)


def _document(sheet: CueSheet) -> dict[str, Any]:
    """What would stand in the sheet's file."""
    document: dict[str, Any] = json.loads(dumps(sheet), parse_float=parse_float, parse_int=parse_int)
    return document


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Times as text, exactly."""
    return {name: str(value) if isinstance(value, Fraction) else value for name, value in fields.items()}


def _check_number(sheet: CueSheet, number: int) -> int:
    if not 0 <= number < len(sheet.cues):
        raise UsageError(f"there is no cue {number + 1}", remedy=f"There are {len(sheet.cues)}.")
    return number


def _nearest(cuts: Sequence[Fraction], t: Fraction) -> list[Fraction]:
    """The cuts around `t`, the nearer first."""
    k = bisect_left(cuts, t)
    return sorted(cuts[max(0, k - 1) : k + 1], key=lambda c: abs(c - t))
