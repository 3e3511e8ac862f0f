"""Locked cues: their notes put into the cue sheet, taken out of it, and laid before the composer and the players."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from videoscore.cues.check import label
from videoscore.cues.grid import quarter_of, sections, tempo_map
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import CueSheetError
from videoscore.music.performance import LockedNote, Performance, in_order
from videoscore.music.score import Note, Role, Score, Section


def lock(sheet: CueSheet, score: Score, numbers: Iterable[int]) -> CueSheet:
    """The sheet with the notes that these cues have in `score` locked into them.

    score : composed from this sheet (of music from the library: from the selection's sheet). numbers : of cues, from
    1. A cue that is locked already stays as it is.

    Raises CueSheetError when there is no such cue, or the score isn't one of this sheet.
    """
    numbers = _known(sheet, numbers)
    _check_same(sheet, score)
    cues = list(sheet.cues)
    for number in numbers:
        cue, section = cues[number - 1], score.sections[number - 1]
        if cue.locked:
            continue
        after = score.sections[number] if number < len(cues) else None
        performance = Performance(
            sheet.seed,
            number - 1,
            quarter_of(cue),
            None if after is None else after.arousal_in(0),
            section.chords,
        )
        notes = notes_in(score, section)
        cues[number - 1] = replace(
            cue, notes=in_order((*section.silent, *notes)), performance=performance, heard=fingerprint(notes)
        )
    return replace(sheet, cues=tuple(cues))


def unlock(sheet: CueSheet, numbers: Iterable[int]) -> CueSheet:
    """The sheet with these cues (numbers from 1) free to be written anew. Raises CueSheetError: no such cue."""
    numbers = _known(sheet, numbers)
    return replace(
        sheet,
        cues=tuple(
            replace(cue, notes=None, performance=None) if number in numbers else cue
            for number, cue in enumerate(sheet.cues, 1)
        ),
    )


def notes_in(score: Score, section: Section) -> tuple[LockedNote, ...]:
    """The notes of a section, counted from its start."""
    return tuple(
        LockedNote(
            n.start - section.start,
            int(n.role),
            n.pitch,
            n.duration,
            n.velocity,
            n.held if n.held != n.duration else 0,
        )
        for n in score.notes
        if section.start <= n.start < section.end
    )


def fingerprint(notes: Iterable[LockedNote]) -> str:
    """Short hash of what is heard of notes."""
    text = ";".join(",".join(map(str, note[:5])) for note in notes if note.duration)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def heard(sheet: CueSheet, score: Score, composed: Mapping[str, str | int | float | bool]) -> CueSheet:
    """The sheet with a mark in every cue of what was written for it, and the settings with which it was."""
    _check_same(sheet, score)
    cues = tuple(
        replace(cue, heard=fingerprint(notes_in(score, section)))
        for cue, section in zip(sheet.cues, score.sections)
    )
    return replace(sheet, cues=cues, composed=dict(composed))


def standing(cue: Cue, start: int) -> list[Note]:
    """The notes that are heard of a locked cue that starts at tick `start`; none of one that isn't locked."""
    return [
        Note(start + n.start, Role(n.role), n.pitch, n.duration, n.velocity, n.held)
        for n in cue.notes or ()
        if n.duration
    ]


def assembled(sheet: CueSheet) -> Score:
    """The score of a sheet all of whose cues are locked."""
    places = sections(sheet)
    notes = [note for cue, place in zip(sheet.cues, places) for note in standing(cue, place.start)]
    return Score(tuple(sorted(notes)), places, tempo_map(sheet), sheet.duration)


def _known(sheet: CueSheet, numbers: Iterable[int]) -> Collection[int]:
    chosen = set(numbers)
    for number in chosen:
        if not 1 <= number <= len(sheet.cues):
            raise CueSheetError(
                f"there is no cue {number}", remedy=f"The cues are numbered 1 to {len(sheet.cues)}."
            )
    return chosen


def _check_same(sheet: CueSheet, score: Score) -> None:
    for number, (cue, section) in enumerate(zip(sheet.cues, score.sections), 1):
        if (cue.meter.bars, cue.meter.beats, cue.key) != (section.bars, section.beats, section.key):
            raise CueSheetError(
                f"{label(number, cue.name)} has other bars or another key than the score",
                remedy="Compose this sheet, and lock from what comes of it.",
            )
    if len(sheet.cues) != len(score.sections):
        raise CueSheetError(
            f"the score has {len(score.sections)} cues and the sheet {len(sheet.cues)}",
            remedy="Compose this sheet, and lock from what comes of it.",
        )
