"""The cue sheet: what is spotted, what can be edited, what is composed from.

Reading and writing the JSON form is `videoscore.cues.file.sheet_file`; this module only
says what a cue sheet is. Times are exact rational seconds from the first picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

TICKS_A_QUARTER = 480  # of MIDI, in which notes are counted


@dataclass(frozen=True)
class CurvePoint:
    """Valence and arousal, each in [-1, 1], wanted at `t` (seconds from the first picture)."""

    t: Fraction
    valence: float
    arousal: float


def on_line(points: Sequence[CurvePoint], t: Fraction) -> tuple[float, float]:
    """Linearly interpolated (valence, arousal) at `t` on one or more points; held beyond the ends."""
    if t <= points[0].t:
        return points[0].valence, points[0].arousal
    for a, b in zip(points, points[1:]):
        if t <= b.t:
            w = float((t - a.t) / (b.t - a.t))
            return a.valence + w * (b.valence - a.valence), a.arousal + w * (b.arousal - a.arousal)
    return points[-1].valence, points[-1].arousal


@dataclass(frozen=True)
class HitPoint:
    """A moment inside a cue that the music should mark. `strength` is 0..1.

    `kind` : "cut" (a strong shot change), "rise" (arousal rises sharply) or a word of the user's.
    """

    t: Fraction
    kind: str
    strength: float


@dataclass(frozen=True)
class Meter:
    """Bars that fill a cue exactly: `bars` bars of `beats` quarter notes.

    A cue's tempo is derived, never stored: 60 * bars * beats / duration quarters a minute.
    """

    bars: int
    beats: int


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


@dataclass(frozen=True)
class Cue:
    """One stretch of music with one mood word, a V/A curve inside it and a meter of its own.

    start_on : why the cue starts here: "start" (of the film), "cut", "mood" (the mood changes and no cut
        is near), "length" (the cue before would last too long) or "edit" (the user's choice).
    key : tonic and mode, e.g. "D minor".
    seed : replaces the sheet's seed for this cue when not None.
    notes : those of a locked cue, which is not written anew; None: it isn't locked.
    performance : goes with `notes`; None where these came from elsewhere.
    heard : fingerprint of the notes that were last written for it (`videoscore.compose.locked_notes`), so that
        locking can tell whether it gets what was heard; None: nothing was.
    """

    name: str
    start: Fraction
    end: Fraction
    start_on: str
    mood: str
    curve: tuple[CurvePoint, ...]
    key: str
    meter: Meter
    hits: tuple[HitPoint, ...] = ()
    seed: int | None = None
    notes: tuple[LockedNote, ...] | None = None
    performance: Performance | None = None
    heard: str | None = None

    @property
    def locked(self) -> bool:
        return self.notes is not None

    @property
    def ticks(self) -> int:
        """Length in ticks: its bars."""
        return self.meter.bars * self.meter.beats * TICKS_A_QUARTER

    @property
    def duration(self) -> Fraction:
        return self.end - self.start

    @property
    def bpm(self) -> Fraction:
        """Quarter notes a minute such that the bars fill the cue exactly."""
        return 60 * self.meter.bars * self.meter.beats / self.duration

    def at(self, t: Fraction) -> tuple[float, float]:
        """Linearly interpolated (valence, arousal) at `t`; held beyond the curve's ends."""
        return on_line(self.curve, t)


@dataclass(frozen=True)
class CueSheet:
    """Contiguous cues from 0 to `duration`, the length of the picture in seconds.

    composed : settings of the composer, by name, with which the music was last written, as far as they weren't the
        preset's; for locking.
    """

    source: str
    duration: Fraction
    cues: tuple[Cue, ...]
    cuts: tuple[Fraction, ...] = ()
    seed: int = 0
    preset: str = "cinematic"
    notes: dict[str, str] = field(default_factory=dict)
    composed: dict[str, str | int | float | bool] = field(default_factory=dict)
