"""Typed outputs of orchestrate, render and mix."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoscore.music.score import Section, TempoMap


@dataclass(frozen=True, order=True, slots=True)
class Played:
    """One note as an instrument plays it: seconds are not stored, ticks are (480 a quarter). held : it is played by the
    part's sound for held notes, where that has one."""

    start: int
    duration: int
    pitch: int
    velocity: int
    held: bool = False


@dataclass(frozen=True)
class Part:
    """One instrument.

    program : General MIDI program 0..127 (drum kit number when `drums`).
    volume : MIDI channel volume 0..127; pan : 0 left .. 64 centre .. 127 right.
    expression : (tick, value 0..127) of MIDI's expression controller, in order of time; 127 before the first.
    pedal : (tick down, tick up) of the sustain pedal, in order of time; it isn't down twice at once.
    depth : of the seat, 0 the front of the stage to 1 its back. bank : of the font; 0 where it has no such bank.
    held : bank and program by which held notes are played instead; None: none are.
    """

    name: str
    program: int
    drums: bool
    notes: tuple[Played, ...]
    volume: int = 100
    pan: int = 64
    expression: tuple[tuple[int, int], ...] = ()
    pedal: tuple[tuple[int, int], ...] = ()
    depth: float = 0.3
    bank: int = 0
    held: tuple[int, int] | None = None


@dataclass(frozen=True)
class Arrangement:
    """A score given to instruments."""

    parts: tuple[Part, ...]
    sections: tuple[Section, ...]
    tempo: TempoMap
    duration: Fraction


@dataclass(frozen=True)
class Stem:
    """One rendered part on disk: stereo float32 WAV, every stem of a render exactly as long."""

    name: str
    path: Path
    sample_rate: int
    samples: int
