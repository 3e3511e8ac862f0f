"""What the library knows of a piece and of its sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from videoscore.music.theory import key_name


@dataclass(frozen=True)
class SectionEntry:
    """About eight bars of one bar length.

    first_bar, last_bar : bars of the piece, from 0; `last_bar` is one past the last.
    start_tick, end_tick : at 480 a quarter. start, end : seconds.
    valence, arousal : in [-1, 1], as the tagger hears them. key : 0..11 major on C..B, 12..23 minor.
    bpm : quarters a minute. beats : quarters a bar, a multiple of 1/24. density : pitched notes a second.
    loop_first, loop_last : bars from which, when `loop_last` is reached, the music may go back to `loop_first`;
    loop : how well that joins, 0..1.
    """

    first_bar: int
    last_bar: int
    start_tick: int
    end_tick: int
    start: float
    end: float
    valence: float
    arousal: float
    key: int
    bpm: float
    beats: float
    density: float
    loop_first: int
    loop_last: int
    loop: float

    @property
    def key_name(self) -> str:
        return key_name(self.key % 12, self.key >= 12)


@dataclass(frozen=True)
class PieceEntry:
    """A piece as it was read and tagged.

    content : SHA-256 of the file, hexadecimal. programs : General MIDI programs, each once, -1 for drums.
    pulse : share of the onsets on sixteenths or triplets; about .25 where notes were played without a beat.
    Other units as in `SectionEntry`.
    """

    content: str
    title: str
    seconds: float
    key: int
    bpm: float
    beats: float
    bars: int
    notes: int
    programs: tuple[int, ...]
    pulse: float
    valence: float
    arousal: float
    sections: tuple[SectionEntry, ...]

    @property
    def key_name(self) -> str:
        return key_name(self.key % 12, self.key >= 12)

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it; `from_facts` is the way back."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> PieceEntry:
        """Raises KeyError or TypeError when they aren't those of a piece."""
        sections = tuple(SectionEntry(**section) for section in facts["sections"])
        return cls(**{**facts, "programs": tuple(facts["programs"]), "sections": sections})
