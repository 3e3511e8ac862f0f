"""All sections of the library, and of the music that comes with videoscore, as arrays to search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoscore.library.store.builtin import Builtin, load_builtin
from videoscore.library.store.database import Library
from videoscore.library.store.entry import SectionEntry

_COLUMNS = (
    "first_bar",
    "last_bar",
    "start",
    "end",
    "valence",
    "arousal",
    "key",
    "bpm",
    "beats",
    "density",
    "loop_first",
    "loop_last",
    "loop",
)


@dataclass(frozen=True)
class Piece:
    """A piece to choose from. id : in the user's library; None for one that came with videoscore. pulse : as in
    `videoscore.library.store.entry.PieceEntry`."""

    content: str
    title: str
    path: Path
    id: int | None
    seconds: float
    bars: int
    pulse: float = 1.0


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Sections in the order of their pieces, one array element each.

    piece : index into `pieces`. run : the bar, one past, to which sections of the same bar length follow without a gap.
    signature : of the key, -6..5 (sharps over 0, see `videoscore.cues.keys`). ago : how many films ago the piece was
    last played, 0 for never. pulse : of the piece. salt : 64 bits of the piece's content and the section's number.
    Others as in `SectionEntry`; the user's word for a piece is in `valence` and `arousal`.
    """

    pieces: tuple[Piece, ...]
    piece: np.ndarray
    first_bar: np.ndarray
    last_bar: np.ndarray
    start: np.ndarray
    end: np.ndarray
    valence: np.ndarray
    arousal: np.ndarray
    key: np.ndarray
    signature: np.ndarray
    bpm: np.ndarray
    beats: np.ndarray
    density: np.ndarray
    loop_first: np.ndarray
    loop_last: np.ndarray
    loop: np.ndarray
    run: np.ndarray
    ago: np.ndarray
    pulse: np.ndarray
    salt: np.ndarray

    def __len__(self) -> int:
        return len(self.piece)


def signature_of(key: np.ndarray) -> np.ndarray:
    """Signatures -6..5 of keys 0..23 (majors, then minors, on C..B)."""
    tonic = np.where(key >= 12, key - 12 + 3, key)  # of the relative major
    return (7 * tonic + 6) % 12 - 6


def load(library: Library | None, film: str = "", builtin: bool = True) -> Catalogue:
    """Everything there is to choose from.

    Parameters
    ----------
    library : the user's; None for none.
    film : whose own uses don't count as recent, so that scoring it again chooses the same.
    builtin : also the music that comes with videoscore, unless the user's library holds the same piece.
    """
    pieces: list[Piece] = []
    blocks: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    if library is not None:
        arrays, rows = _user_pieces(library)
        pieces += arrays
        blocks.append(rows[:, 1:])
        owners.append(rows[:, 0].astype(np.int64))
    contents = {piece.content for piece in pieces}
    for one in load_builtin() if builtin else ():
        if one.entry.content not in contents:
            owners.append(np.full(len(one.entry.sections), len(pieces)))
            blocks.append(section_rows(one.entry.sections))
            pieces.append(_came_along(one))
    rows = np.concatenate(blocks) if blocks else np.zeros((0, len(_COLUMNS)))
    owner = np.concatenate(owners) if owners else np.zeros(0, np.int64)
    return assemble(pieces, owner, rows, library.recent(film) if library is not None else {})


def assemble(
    pieces: Sequence[Piece], owner: np.ndarray, rows: np.ndarray, recent: Mapping[str, int]
) -> Catalogue:
    """A catalogue of `section_rows` with the index of each one's piece. recent : films ago, by content."""
    c = dict(zip(_COLUMNS, rows.T))
    for name in ("first_bar", "last_bar", "key", "loop_first", "loop_last"):
        c[name] = c[name].astype(np.int64)
    ago = np.array([recent.get(p.content, 0) for p in pieces], np.int64)
    salt = np.array([int(p.content[:16], 16) for p in pieces], np.uint64)
    return Catalogue(
        pieces=tuple(pieces),
        piece=owner,
        signature=signature_of(c["key"]),
        run=_runs(owner, c),
        ago=ago[owner],
        pulse=np.array([p.pulse for p in pieces], float)[owner],
        salt=salt[owner] + c["first_bar"].astype(np.uint64),
        **c,
    )


def section_rows(sections: Sequence[SectionEntry]) -> np.ndarray:
    """(n, 13) of sections, as `assemble` takes them."""
    return np.array([[getattr(s, name) for name in _COLUMNS] for s in sections], float).reshape(
        -1, len(_COLUMNS)
    )


def user_shift(mood: float, piece: float, user: float | None) -> float:
    """A section's valence (or arousal) when the user gave the whole piece another than the tagger."""
    return mood if user is None else min(1.0, max(-1.0, mood + user - piece))


def _user_pieces(library: Library) -> tuple[list[Piece], np.ndarray]:
    """The user's pieces, and (n, 1 + 13) rows of their sections, the index of the piece first."""
    facts = library.db.execute(
        "SELECT id, content, title, path, seconds, bars, pulse, user_valence - "
        "valence, user_arousal - arousal FROM pieces ORDER BY id"
    ).fetchall()
    pieces = [
        Piece(content, title, Path(path), number, seconds, bars, pulse)
        for number, content, title, path, seconds, bars, pulse, _, _ in facts
    ]
    columns = ", ".join(f"s.{name}" if name not in ("start", "end") else f's."{name}"' for name in _COLUMNS)
    raw = library.db.execute(
        f"SELECT s.piece, {columns} FROM sections s ORDER BY s.piece, s.number"
    ).fetchall()
    rows = np.array(raw, float).reshape(-1, 1 + len(_COLUMNS))
    ids = np.array([fact[0] for fact in facts], float)
    rows[:, 0] = np.searchsorted(ids, rows[:, 0])
    owner = rows[:, 0].astype(np.int64)
    for k, name in ((7, "valence"), (8, "arousal")):
        offsets = np.array([fact[k] or 0.0 for fact in facts])
        column = 1 + _COLUMNS.index(name)
        rows[:, column] = np.clip(rows[:, column] + offsets[owner], -1.0, 1.0)
    return pieces, rows


def _came_along(one: Builtin) -> Piece:
    return Piece(
        one.entry.content, one.entry.title, one.path, None, one.entry.seconds, one.entry.bars, one.entry.pulse
    )


def _runs(owner: np.ndarray, c: Mapping[str, np.ndarray]) -> np.ndarray:
    """The end of the run of sections that each belongs to."""
    if len(owner) == 0:
        return np.zeros(0, np.int64)
    same = (np.diff(owner) == 0) & (c["first_bar"][1:] == c["last_bar"][:-1]) & (np.diff(c["beats"]) == 0)
    lasts = np.flatnonzero(np.append(~same, True))  # the last section of each run
    return c["last_bar"][lasts][np.searchsorted(lasts, np.arange(len(owner)))]
