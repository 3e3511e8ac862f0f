"""Locked cues in a cue-sheet file: their form, and what holds for the notes of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from videoscore.cues.file.json_fields import Fields
from videoscore.cues.sheet import Cue
from videoscore.errors import CueSheetError
from videoscore.music.performance import LockedNote, Performance, in_order

MOST_NOTES = 1_000_000
MOST_TICKS = 2**31
LAST_ROLE, LAST_CHORD = 5, 36
LONGEST_QUARTER = (1 << 24) - 1  # microseconds: 24 bits in MIDI
MOST_NUMBER = 10_000
# start, role, pitch, duration, velocity, held: lowest and highest
_RANGES = ((0, MOST_TICKS), (0, LAST_ROLE), (0, 127), (0, MOST_TICKS), (1, 127), (0, MOST_TICKS))
_WHERE_FROM = "Delete `locked` of that cue, or lock it again with `videoscore lock`."


@dataclass(frozen=True)
class Lock:
    """What the field `locked` of a cue holds."""

    notes: tuple[LockedNote, ...]
    performance: Performance | None


def read_lock(raw: object, where: str) -> Lock | None:
    """The typed form of the field; None for none. Raises CueSheetError."""
    if raw is None:
        return None
    f = Fields(raw, f"`locked` of {where}", ("seed", "number", "quarter", "following", "chords", "notes"))
    rows = f.items("notes", MOST_NOTES)
    notes = in_order(_note(row, k + 1, where) for k, row in enumerate(rows))
    seed, number = f.count("seed", -(2**63), 2**63 - 1), f.count("number", 0, MOST_NUMBER)
    quarter, following = f.count("quarter", 1, LONGEST_QUARTER), f.number("following", -1, 1)
    chords = tuple(f.items("chords", MOST_NOTES))
    if not all(_whole(c, 0, LAST_CHORD) for c in chords):
        raise CueSheetError(
            f"chords of `locked` of {where} are not whole numbers from 0 to {LAST_CHORD}", remedy=_WHERE_FROM
        )
    if quarter is None:
        return Lock(notes, None)
    return Lock(notes, Performance(seed or 0, number or 0, quarter, following, chords))


def lock_fields(cue: Cue) -> dict[str, Any] | None:
    """The field `locked` of a cue, ready for JSON."""
    if cue.notes is None:
        return None
    out: dict[str, Any] = {}
    if cue.performance is not None:
        p = cue.performance
        out = {
            "seed": p.seed,
            "number": p.number,
            "quarter": p.quarter,
            "following": p.following,
            "chords": list(p.chords),
        }
    return out | {"notes": [list(n) if n.held else list(n[:5]) for n in cue.notes]}


def check_lock(cue: Cue, where: str) -> None:
    """Raise CueSheetError unless the notes of a cue, if it is locked, lie in it and can be played."""
    if cue.notes is None:
        return
    if len(cue.notes) > MOST_NOTES:
        raise CueSheetError(
            f"{where}: {len(cue.notes)} locked notes", remedy=f"At most {MOST_NOTES} are kept."
        )
    length, before = cue.ticks, None
    for number, note in enumerate(cue.notes, 1):
        what = f"locked note {number} of {where}"
        _check_ranges(note, what)
        if note.duration == 0 == note.held:
            raise CueSheetError(f"{what} has no duration", remedy=_WHERE_FROM)
        if note.start + max(1, note.duration) > length:
            raise CueSheetError(
                f"{what} sounds past the end of the cue, which has {cue.meter.bars} bars of "
                f"{cue.meter.beats} ({length} ticks)",
                remedy=_WHERE_FROM,
            )
        if before is not None and (note[:3] < before[:3] or note[:3] == before[:3] and before.duration > 0):
            raise CueSheetError(f"{what} is out of order or stands twice", remedy=_WHERE_FROM)
        before = note
    if cue.performance is not None and len(cue.performance.chords) not in (0, cue.meter.bars):
        raise CueSheetError(
            f"{where} has {cue.meter.bars} bars and {len(cue.performance.chords)} locked chords",
            remedy=_WHERE_FROM,
        )


def _note(row: object, number: int, where: str) -> LockedNote:
    what = f"locked note {number} of {where}"
    if isinstance(row, Mapping) or not isinstance(row, Sequence) or not 5 <= len(row) <= 6:
        raise CueSheetError(
            f"{what} is not a list of five or six whole numbers",
            remedy="Write [start, role, pitch, duration, velocity].",
        )
    note = LockedNote(*row)
    _check_ranges(note, what)
    return note


def _check_ranges(note: LockedNote, what: str) -> None:
    for name, value, (low, high) in zip(LockedNote._fields, note, _RANGES):
        if not _whole(value, low, high):
            raise CueSheetError(
                f"{name} of {what} is {str(value)[:40]}",
                remedy=f"Use a whole number from {low} to {high}. {_WHERE_FROM}",
            )


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
