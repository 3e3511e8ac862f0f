"""Notes of a cue that are kept as they were heard, and what their playing depended on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

TICKS_A_QUARTER = 480  # of MIDI, in which notes are counted


class LockedNote(NamedTuple):
    """A note of a locked cue; whole numbers, so that nothing is ever rounded.

    start, duration : ticks, `TICKS_A_QUARTER` to a quarter note, from the cue's first downbeat. A duration of 0 is a
        note that was written, twice the same, and isn't heard.
    role : number of a `videoscore.music.score.Role`, 0 melody to 5 drums. pitch : 0..127. velocity : 1..127.
    held : ticks for which it was written, where the next note of its line ends it sooner; 0: as long as it sounds.
        Only the composer's ear needs it, for what comes after the cue.
    """

    start: int
    role: int
    pitch: int
    duration: int
    velocity: int
    held: int = 0


def in_order(notes: Iterable[LockedNote]) -> tuple[LockedNote, ...]:
    """Notes by start, role and pitch; of the same written more than once those that aren't heard first, in the order in
    which they come."""
    return tuple(sorted(notes, key=lambda n: (*n[:3], n.duration > 0)))


@dataclass(frozen=True)
class Performance:
    """What the playing of a cue depended on when it was locked: it goes on being played so, whatever changes around it.

    seed, number : the sheet's seed and the cue's number from 0, which vary touch and timing by a little.
    quarter : length of a quarter note in microseconds.
    following : arousal with which the next cue began, to which the last bar leaned; None at the end of the film.
    chords : of every bar, as `videoscore.music.theory` numbers them in C major or A minor; empty where unknown.
    """

    seed: int
    number: int
    quarter: int
    following: float | None = None
    chords: tuple[int, ...] = ()
