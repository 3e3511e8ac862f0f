"""What the user decided about a film, at one moment; and what was composed from it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoscore.cues.sheet import CueSheet
from videoscore.music.score import Score
from videoscore.perform.parts import Arrangement


@dataclass(frozen=True)
class Mark:
    """What the user did to a cue, by which re-segmenting leaves it alone.

    edited : its mood, key, tempo, name or seed was set: the cue stays as it is.
    fixed : where it starts was set: the boundary stays.
    """

    edited: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class State:
    """window : smoothing in seconds. min_cue : shortest cue in seconds. sheet : the cues as shown; those the user
    locked hold their notes. marks : one a cue. take : number of the take that is heard; None before the first."""

    window: float
    min_cue: Fraction
    sheet: CueSheet
    marks: tuple[Mark, ...]
    take: int | None = None


@dataclass(frozen=True)
class Composition:
    """What composing left on disk, in a folder of the take's own.

    mix : the sound under the picture (WAV). music : the music alone, as loud as in the mix (WAV). midi : the file
    that `videoscore score --keep midi` writes. loudness : of the mix in LUFS, None for silence.
    peaks : heights 0..1 of the music's wave, `PEAKS` a second.
    """

    folder: Path
    score: Score
    arrangement: Arrangement
    mix: Path
    music: Path
    midi: Path
    loudness: float | None
    peaks: tuple[float, ...]


@dataclass(frozen=True)
class Take:
    """One composed score.

    number : from 1, never used twice. state : what was shown when it was asked for, with its own number as `take`.
    sheet : what was composed from, with the notes of all cues that were kept: the command line makes the same of it.
    what : in words, how it came about.
    """

    number: int
    state: State
    sheet: CueSheet
    composition: Composition
    what: str


@dataclass(frozen=True)
class Request:
    """What is to be composed: `sheet`, and the `state` that shows it; `before` is the state it was asked in."""

    before: State
    state: State
    sheet: CueSheet
    what: str
