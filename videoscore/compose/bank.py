"""The stock of figures, melodic cells and grooves that were mined from the corpus, see docs/models/composer.md."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import TypeVar

from videoscore.errors import SetupError
from videoscore.resources import FIGURES

Item = TypeVar("Item")

UNITS = 24  # a quarter
RUN = 4  # steps one way from which a cell is a run rather than an idea


@dataclass(frozen=True)
class Figure:
    """What an accompaniment does in a bar, or half of one.

    notes : (onset, duration, rank) in units; rank counts the tones of the chord as laid out, from below.
    pieces : in how many pieces it stands. valence, arousal : mean of the places where it stands.
    """

    length: int
    notes: tuple[tuple[int, int, int], ...]
    pieces: int = 1
    valence: float = 0.0
    arousal: float = 0.0

    @cached_property
    def onsets(self) -> int:
        """How many times something is struck."""
        return len({onset for onset, _, _ in self.notes})

    @cached_property
    def ranks(self) -> int:
        """How many tones of the chord it wants."""
        return 1 + max((rank for _, _, rank in self.notes), default=0)

    @cached_property
    def places(self) -> int:
        """How many different tones of the chord it strikes."""
        return len({rank for _, _, rank in self.notes})

    @cached_property
    def shapes(self) -> int:
        """How many different strokes it has: sets of tones struck at once."""
        strokes: dict[int, set[int]] = {}
        for onset, _, rank in self.notes:
            strokes.setdefault(onset, set()).add(rank)
        return len({frozenset(ranks) for ranks in strokes.values()})

    @cached_property
    def triplets(self) -> bool:
        """Whether it parts beats into three."""
        return any(onset % 8 == 0 and onset % 12 for onset, _, _ in self.notes)

    @cached_property
    def even(self) -> bool:
        """Whether it is struck at one pace throughout."""
        onsets = sorted({onset for onset, _, _ in self.notes} | {self.length})
        return len({b - a for a, b in zip(onsets, onsets[1:])}) == 1 and len(onsets) > 3

    @cached_property
    def ragged(self) -> bool:
        """Whether something lies off sixteenths and eighth triplets."""
        return any(onset % 6 and onset % 8 for onset, _, _ in self.notes)


@dataclass(frozen=True)
class Cell:
    """A bar of a tune: (onset, duration, steps of the scale from its first note)."""

    length: int
    notes: tuple[tuple[int, int, int], ...]
    pieces: int = 1

    @cached_property
    def onsets(self) -> tuple[int, ...]:
        """When its notes begin, in units."""
        return tuple(onset for onset, _, _ in self.notes)

    @cached_property
    def merit(self) -> float:
        """How likely it makes a tune, before anything is known of where: 0 to 1; 0 where it can't open a bar."""
        if self.onsets[0] != 0 or any(o % 6 and o % 8 for o in self.onsets):
            return 0.0
        moves = [b[2] - a[2] for a, b in zip(self.notes, self.notes[1:])]
        wide = any(abs(m) > 5 for m in moves)
        still = moves.count(0) > max(1, len(self.notes) // 3)
        leaps = 1.8 if sum(3 <= abs(m) <= 5 for m in moves) in (1, 2) else 1.0  # an interval to know it by
        runs = 0.1 if _longest_run(moves) >= RUN else 1.0
        kinds = len({duration for _, duration, _ in self.notes})
        plain = 0.4 if kinds == 1 and len(self.notes) > 2 else 1.4 if kinds > 2 else 1.0
        return (0.2 if wide else 1.0) * (0.15 if still else 1.0) * runs * leaps * plain

    @cached_property
    def moving(self) -> bool:
        """Whether it goes somewhere: three places, or as many as it has notes."""
        return len({step for _, _, step in self.notes}) >= min(3, len(self.notes))

    @cached_property
    def triplets(self) -> bool:
        return any(onset % 8 == 0 and onset % 12 for onset, _, _ in self.notes)


@dataclass(frozen=True)
class Groove:
    """A bar of drums, (onset, General MIDI key, accent 0 to 1), and its fill."""

    length: int
    style: str
    strokes: tuple[tuple[int, int, float], ...]
    fill: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Bank:
    """Everything that was mined, by length of bar; "72c" holds compound bars (6/8)."""

    figures: dict[str, tuple[Figure, ...]]
    cells: dict[str, tuple[Cell, ...]]
    grooves: dict[str, tuple[Groove, ...]]


@lru_cache(maxsize=1)
def load_bank() -> Bank:
    """The bank that ships. Raises SetupError when it is missing or damaged."""
    try:
        data = json.loads(FIGURES.read_text(encoding="utf-8"))
        figures = {
            key: tuple(
                Figure(
                    int(key.rstrip("c")),
                    tuple(map(tuple, row["notes"])),
                    row["pieces"],
                    row["valence"],
                    row["arousal"],
                )
                for row in rows
            )
            for key, rows in data["figures"].items()
        }
        cells = {
            key: tuple(Cell(int(key.rstrip("c")), tuple(map(tuple, notes)), count) for count, notes in rows)
            for key, rows in data["cells"].items()
        }
        grooves = {
            key: tuple(
                Groove(
                    int(key), row["style"], tuple(map(tuple, row["strokes"])), tuple(map(tuple, row["fill"]))
                )
                for row in rows
            )
            for key, rows in data["grooves"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the composer's figures can't be read ({type(error).__name__})",
            path=FIGURES,
            remedy="Install videoscore again.",
        ) from error
    return Bank(figures, cells, grooves)


def _longest_run(moves: Sequence[int]) -> int:
    """Steps that follow each other in one direction, at most."""
    longest = run = 0
    for before, move in zip((0, *moves), moves):
        run = (run + 1 if move * before > 0 else 1) if abs(move) == 1 else 0
        longest = max(longest, run)
    return longest


def chunks(beats: int) -> list[int]:
    """Lengths in units of the mined bars that a bar of so many quarters is made of."""
    out: list[int] = []
    rest = beats
    while rest > 0:
        take = 4 if rest == 4 or rest > 6 else 3 if rest in (3, 5, 6) else rest
        out.append(take * UNITS)
        rest -= take
    return out


def weighted(rng: Random, items: Sequence[Item], weights: Sequence[float]) -> Item:
    """One of `items` by weight; the likeliest where all weights are 0."""
    total = math.fsum(weights)
    if total <= 0:
        return items[0]
    at = rng.random() * total
    for item, weight in zip(items, weights):
        at -= weight
        if at <= 0:
            return item
    return items[-1]
