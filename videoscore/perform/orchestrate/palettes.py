"""Presets: which instrument plays which role in which mood.

A preset is a TOML file of data (`presets/*.toml`, see docs/sound.md); nothing in
it is ever executed. This module holds the types; reading and checking the file is
`videoscore.perform.orchestrate.palette_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videoscore.music.score import Role

# Who plays a role that a palette gives to nobody. Drums are only ever played where a palette has them.
STAND_INS: Mapping[Role, tuple[Role, ...]] = {
    Role.MELODY: (Role.COUNTER, Role.ACCOMPANIMENT),
    Role.COUNTER: (Role.MELODY, Role.ACCOMPANIMENT),
    Role.ACCOMPANIMENT: (Role.PAD, Role.COUNTER, Role.MELODY),
    Role.BASS: (Role.ACCOMPANIMENT, Role.PAD, Role.MELODY),
    Role.PAD: (Role.ACCOMPANIMENT, Role.COUNTER, Role.MELODY),
    Role.DRUMS: (),
}

# Where a symphony orchestra has its players, from the front of the stage (0) to its back (1), by the first program of
# General MIDI's families; a preset may say otherwise for each instrument.
DEPTHS = (
    *((0, 0.3), (8, 0.7), (16, 0.6), (24, 0.25), (32, 0.3), (40, 0.15), (47, 0.9), (48, 0.2), (52, 0.95)),
    *((56, 0.75), (64, 0.45), (80, 0.3), (88, 0.5), (96, 0.6), (104, 0.3), (112, 0.9), (120, 0.5)),
)
DRUM_DEPTH = 0.85


def seat_depth(program: int, drums: bool) -> float:
    """How far behind an instrument sits by custom: 0 the front of the stage, 1 its back."""
    return DRUM_DEPTH if drums else next(depth for first, depth in reversed(DEPTHS) if program >= first)


@dataclass(frozen=True)
class Instrument:
    """One player of the preset's orchestra.

    program : General MIDI program 0..127 (kit number when `drums`).
    low, high : lowest and highest MIDI pitch that sounds well, at least an octave apart.
    volume : MIDI channel volume 0..127. pan : 0 left .. 64 centre .. 127 right.
    depth : of the seat, 0 the front of the stage to 1 its back.
    quietest, loudest : the velocities 1..127 onto which pianissimo and fortissimo are mapped.
    bank : of the font, beyond General MIDI's 0, which stands in where the font has no such bank.
    swell : dB by which long notes grow.
    held : bank and program of the font that play held notes, such as strings with a slow attack; None: those of all
        notes.
    keys : drums only: General MIDI key -> key to play instead, or None to leave it out.
    """

    name: str
    program: int
    drums: bool = False
    low: int = 21
    high: int = 108
    volume: int = 100
    pan: int = 64
    quietest: int = 25
    loudest: int = 120
    keys: Mapping[int, int | None] = field(default_factory=dict)
    depth: float = 0.3
    bank: int = 0
    swell: float = 0.0
    held: tuple[int, int] | None = None


@dataclass(frozen=True)
class Voice:
    """An instrument in a role: `octave` shifts it, `level` changes its velocity in dB."""

    instrument: str
    octave: int = 0
    level: float = 0.0


@dataclass(frozen=True)
class Palette:
    """The orchestra of one mood.

    voices : for every role the instruments that double it, the leading one first.
    roles : the roles that the composer should write in this mood.
    """

    mood: str
    voices: Mapping[Role, tuple[Voice, ...]]
    roles: tuple[Role, ...]

    def players(self, role: Role) -> tuple[Voice, ...]:
        """Voices of a role, or of the role that stands in for it; empty only for drums."""
        for candidate in (role, *STAND_INS[role]):
            if candidate in self.voices:
                return self.voices[candidate]
        return ()


ACCENTS = ("impact", "swell", "riser")


@dataclass(frozen=True)
class Accent:
    """A gesture that marks hit points and boundaries.

    keys : MIDI keys, struck together by an impact and a held riser, in turn by a roll.
    seconds : how long it leads to what it marks. rate : strokes a second; 0: held, growing by expression.
    level : dB, by way of velocity.
    """

    instrument: str
    keys: tuple[int, ...]
    seconds: float = 2.0
    rate: float = 14.0
    level: float = 0.0


@dataclass(frozen=True)
class Preset:
    """A checked preset.

    path : the file it came from (the source that `presets show` names).
    palettes : one for each of the eight moods.
    options : option group -> field -> value, of the fields that the preset replaces.
    accents : kind of `ACCENTS` -> the gesture that marks hit points and boundaries; none where it is missing.
    """

    name: str
    title: str
    description: str
    path: Path
    instruments: Mapping[str, Instrument]
    palettes: Mapping[str, Palette]
    options: Mapping[str, Mapping[str, Any]]
    accents: Mapping[str, Accent] = field(default_factory=dict)

    def palette(self, mood: str) -> Palette:
        """The palette of a mood by its exact name. Raises KeyError when there is no such mood."""
        return self.palettes[mood]
