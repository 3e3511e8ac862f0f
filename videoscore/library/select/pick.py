"""What matching gives, and what it chooses from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videoscore.cues.sheet import Meter
from videoscore.library.store.catalogue import Piece


@dataclass(frozen=True)
class Other:
    """A candidate that wasn't taken: its cost by the terms of the cue alone."""

    piece: Piece
    first_bar: int
    distance: float
    cost: float


@dataclass(frozen=True)
class Pick:
    """What is to be played in a cue.

    bars : bars of the piece in the order in which they are heard; the last may be cut. meter : of the cue.
    stretch : how many times faster than written. semitones : that it is moved. key : as it then sounds.
    distance : mean distance on the plane of what is heard from what is wanted. terms : weighted, by name; they sum
    to the pick's cost. others : the next best ones.
    """

    piece: Piece
    bars: tuple[int, ...]
    meter: Meter
    stretch: float
    semitones: int
    key: str
    distance: float
    terms: Mapping[str, float]
    others: tuple[Other, ...] = ()

    @property
    def cost(self) -> float:
        return sum(self.terms.values())


@dataclass(frozen=True)
class Candidate:
    """A section as a start for a cue. row : in the catalogue, -1 for music that is written."""

    row: int
    piece: int
    signature: int
    bars: tuple[int, ...]
    meter: Meter
    stretch: float
    distance: float
    terms: Mapping[str, float]

    @property
    def cost(self) -> float:
        return sum(self.terms.values())
