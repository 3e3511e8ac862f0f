"""The stock of passages that the composer sets: accompaniments of real pieces with tunes of our own, see
docs/models/composer.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import SetupError
from videoscore.resources import PASSAGES

Whole = NDArray[np.int64]

# Intervals above the root of the chords that a passage's beats are read as, and their names; their order is the file's.
QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "o": (0, 3, 6),
    "o7": (0, 3, 6, 9),
    "ø": (0, 3, 6, 10),
    "maj7": (0, 4, 7, 11),
    "+": (0, 4, 8),
    "sus4": (0, 5, 7),
}
NAMES = tuple(QUALITIES)

PACES = (60.0, 85.0, 120.0, 150.0)  # quarters a minute at which a passage was heard

# column -> type, of the table of passages
COLUMNS = {
    "bar": np.int16,
    "bars": np.int16,
    "minor": np.bool_,
    "compound": np.bool_,
    "tempo": np.float32,
    "tunes": np.int16,
}


# array -> what one entry of it holds
WIDTH: dict[str, tuple[int, ...]] = {
    "closes": (),
    "notes": (5,),
    "rhythm": (2,),
    "tunes": (),
    "chords": (2,),
    "points": (2,),
}


@dataclass(frozen=True, eq=False)
class Passage:
    """Some bars of a piece in C major or A minor, without its tune.

    bar : units (1/24 quarter) in one. bars : how many. closes : numbers of bars after which it may end, on the
    tonic. compound : the beats are parted into three. tempo : quarters a minute in its piece. points : (4, 2)
    valence and arousal as the tagger hears it at `PACES`. piece : set and name. notes : (n, 5) onset,
    duration, pitch, role, velocity. rhythm : (m, 2) onset and duration of a tune's notes. tunes : (k, m) pitches of
    tunes that fit. chords : of every beat (or bar, where it has no whole number of quarters), root and place in
    `QUALITIES`.
    """

    bar: int
    bars: int
    closes: tuple[int, ...]
    minor: bool
    compound: bool
    tempo: float
    points: NDArray[np.float64]
    piece: str
    notes: Whole
    rhythm: Whole
    tunes: Whole
    chords: Whole


@dataclass(frozen=True, eq=False)
class Stock:
    """All passages as arrays: those of one passage lie in a row, `at` says where they begin.

    table : column -> (n,). pieces : (n,). closes, notes, rhythm, tunes, chords : arrays of all passages, one after
    another. at : name -> (n + 1,).
    """

    table: Mapping[str, NDArray[Any]]
    pieces: NDArray[np.str_]
    arrays: Mapping[str, NDArray[Any]]
    at: Mapping[str, Whole]

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, k: int) -> Passage:
        part = {name: rows[self.at[name][k] : self.at[name][k + 1]] for name, rows in self.arrays.items()}
        row = {name: column[k].item() for name, column in self.table.items()}
        rhythm = part["rhythm"].astype(np.int64)
        return Passage(
            row["bar"],
            row["bars"],
            tuple(part["closes"].tolist()),
            row["minor"],
            row["compound"],
            row["tempo"],
            part["points"].astype(float),
            str(self.pieces[k]),
            part["notes"].astype(np.int64),
            rhythm,
            part["tunes"].astype(np.int64).reshape(row["tunes"], len(rhythm)),
            part["chords"].astype(np.int64),
        )

    def points_at(self, pace: float) -> NDArray[np.float64]:
        """(n, 2) valence and arousal of every passage at a tempo, quarters a minute."""
        points = self.arrays["points"].reshape(-1, len(PACES), 2).astype(float)
        at = np.interp(np.log(pace), np.log(PACES), np.arange(len(PACES)))
        low = min(int(at), len(PACES) - 2)
        return points[:, low] + (at - low) * (points[:, low + 1] - points[:, low])

    def save(self, path: Path) -> None:
        """Write it as one file. The same stock gives the same bytes."""
        columns = {f"table.{name}": column for name, column in self.table.items()}
        ends = {f"at.{name}": rows for name, rows in self.at.items()}
        everything: dict[str, Any] = {"pieces": self.pieces, **columns, **ends, **self.arrays}
        np.savez_compressed(path, **everything)


def pack(rows: Sequence[Mapping[str, Any]]) -> Stock:
    """Passages, as `videoscore.research.composer.passages` mines them, as one stock."""
    table: dict[str, NDArray[Any]] = {
        name: np.array([len(row["tunes"]) if name == "tunes" else row[name] for row in rows], kind)
        for name, kind in COLUMNS.items()
    }
    parts: dict[str, list[NDArray[Any]]] = {
        "closes": [np.array(row["closes"], np.uint8) for row in rows],
        "notes": [np.array(row["notes"], np.uint16).reshape(-1, 5) for row in rows],
        "rhythm": [np.array(row["rhythm"], np.uint16).reshape(-1, 2) for row in rows],
        "tunes": [np.array(row["tunes"], np.uint8).ravel() for row in rows],
        "points": [np.array(row["points"], np.float16) for row in rows],
        "chords": [
            np.array([(root, NAMES.index(quality)) for root, quality in row["chords"]], np.uint8)
            for row in rows
        ],
    }
    at = {name: np.cumsum([0, *map(len, each)]).astype(np.int64) for name, each in parts.items()}
    arrays = {
        name: np.concatenate(each) if each else np.zeros((0, *WIDTH[name]), np.uint16)
        for name, each in parts.items()
    }
    return Stock(table, np.array([row["piece"] for row in rows], np.str_), arrays, at)


@lru_cache(maxsize=1)
def load_passages(path: Path = PASSAGES) -> Stock:
    """The stock that ships. Raises SetupError when it is missing or damaged."""
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        table = {name: arrays.pop(f"table.{name}") for name in COLUMNS}
        pieces = arrays.pop("pieces")
        at = {name.removeprefix("at."): arrays.pop(name) for name in list(arrays) if name.startswith("at.")}
        return Stock(table, pieces, arrays, at)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SetupError(
            f"the composer's passages can't be read ({type(error).__name__})",
            path=path,
            remedy="Install videoscore again.",
        ) from error
