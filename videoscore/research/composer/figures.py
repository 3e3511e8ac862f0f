"""Mine accompaniment figures, melodic cells and drum grooves from the composer's corpus.

- figures: what accompaniment does in a bar or half a bar, in chord-relative form, where real music keeps its rhythm:
  (onset, duration, rank). rank counts the distinct pitches from below, so that a figure fits any chord that is laid
  out in close position;
- cells: what a tune does in a bar: (onset, duration, steps of the scale from the first note);
- grooves: see grooves.py.

Figures and cells are counted over pieces; what stands in one piece alone is left out, so that nothing is anybody's.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.files import write_text
from videoscore.music.score import Role
from videoscore.research.composer.corpus import load_arrays
from videoscore.research.composer.grooves import mine_grooves

UNITS = 24  # a quarter
GRID = 2  # units: the finest onset that is told apart, a twelfth of a quarter
BARS = (
    72,
    96,
)  # lengths of bars that are read: 3/4 and 6/8, 4/4 (2/4 and 2/2 are paired or taken as they are)
MOST_RANKS = 6
MOST_NOTES = 24
FEWEST_PIECES = 2
MOST_FIGURES = 700  # a metre
MOST_CELLS = 900
SCALES = {
    0: (0, 2, 4, 5, 7, 9, 11),
    1: (0, 2, 3, 5, 7, 8, 10),
}  # major on C; natural minor on A, from its tonic


def mine(corpus: Path, out: Path, drums: Path | None = None) -> dict[str, int]:
    """Write the figures and cells of a corpus; their numbers. Pieces kept for validation aren't read."""
    data = load_arrays(corpus)
    figures: dict[str, Figures] = {}
    cells: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    for bar in _bars(data):
        key = f"{bar.length}{'c' if bar.compound else ''}"
        for start, length, figure in _figures(bar):
            name = key if length == bar.length else f"{length}{'c' if bar.compound else ''}"
            figures.setdefault(name, Figures()).add(bar, start, figure)
        cell = _cell(bar)
        if cell is not None:
            cells[key, cell].add(bar.piece)
    document: dict[str, Any] = {"figures": {}, "cells": {}}
    for key, entry in sorted(figures.items()):
        document["figures"][key] = entry.best()
    for key in sorted({key for key, _ in cells}):
        ranked = Counter({cell: len(pieces) for (k, cell), pieces in cells.items() if k == key})
        document["cells"][key] = [
            [count, [list(note) for note in cell]]
            for cell, count in sorted(ranked.items(), key=lambda item: (-item[1], item[0]))
            if count >= FEWEST_PIECES
        ][:MOST_CELLS]
    document["grooves"] = mine_grooves(drums) if drums else {}
    write_text(out, json.dumps(document, separators=(",", ":")) + "\n")
    return {
        "figures": sum(map(len, document["figures"].values())),
        "cells": sum(map(len, document["cells"].values())),
        "grooves": sum(map(len, document["grooves"].values())),
    }


class Bar:
    """One bar of the corpus: its notes by role, chord-relative facts and where it stands."""

    def __init__(self, data: dict[str, np.ndarray], number: int, rows: np.ndarray) -> None:
        self.number, self.piece = number, int(data["bar_piece"][number])
        self.length = int(data["bar_len"][number])
        self.compound = bool(data["bar_den"][number] == 8 and self.length % 36 == 0)
        self.minor = bool(data["bar_minor"][number])
        self.chord = int(data["bar_chord"][number])
        self.segment = int(data["bar_segment"][number])
        self.valence, self.arousal = float(data["bar_valence"][number]), float(data["bar_arousal"][number])
        self.rows = rows  # (n, 4): onset, duration, pitch, role

    def role(self, *roles: Role) -> np.ndarray:
        return self.rows[np.isin(self.rows[:, 3], roles)]


def _bars(data: dict[str, np.ndarray]) -> Iterator[Bar]:
    valid = data["piece_split"]
    table = np.stack([data["note_pos"], data["note_dur"], data["note_pitch"], data["note_role"]], 1).astype(
        int
    )
    edges = np.searchsorted(data["note_bar"], np.arange(len(data["bar_len"]) + 1))
    for number in range(len(data["bar_len"])):
        if valid[data["bar_piece"][number]] or data["bar_len"][number] not in BARS:
            continue
        yield Bar(data, number, table[edges[number] : edges[number + 1]])


def _snapped(value: int) -> int:
    return round(value / GRID) * GRID


Accompaniment = tuple[tuple[int, int, int], ...]


def _figures(bar: Bar) -> Iterator[tuple[int, int, Accompaniment]]:
    """(place in the bar, length, accompaniment) of the whole bar and of its halves, in chord-relative form, where
    each is one chord's."""
    inner = bar.role(Role.ACCOMPANIMENT, Role.PAD, Role.COUNTER)
    low = bar.role(Role.BASS)
    half = bar.length // 2
    spans = [(0, bar.length)]
    if bar.length == 96 or bar.compound:
        spans += [(0, half), (half, half)]
    for start, length in spans:
        figure = _relative(_within(inner, start, length), _within(low, start, length), length)
        if figure is not None:
            yield start, length, figure


def _within(rows: np.ndarray, start: int, length: int) -> np.ndarray:
    rows = rows[(rows[:, 0] >= start) & (rows[:, 0] < start + length)]
    return rows - np.array([start, 0, 0, 0])


def _relative(inner: np.ndarray, low: np.ndarray, length: int) -> Accompaniment | None:
    if not 2 <= len(inner) <= MOST_NOTES or inner[:, 0].min() >= length // 2:
        return None
    pitches = sorted(set(inner[:, 2].tolist()))
    classes = {p % 12 for p in pitches} | {p % 12 for p in low[:, 2].tolist()}
    if len(pitches) > MOST_RANKS or len(pitches) < 2 or not _one_chord(classes):
        return None
    rank = {pitch: k for k, pitch in enumerate(pitches)}
    notes = sorted(
        {(_snapped(o), _snapped(d), rank[p]) for o, d, p, _ in inner.tolist() if _snapped(o) < length}
    )
    onsets = sorted({o for o, _, _ in notes})
    following = dict(zip(onsets, [*onsets[1:], length]))
    out = {}
    for onset, duration, k in notes:
        gap = following[onset] - onset
        # what nearly reaches the next onset is legato; what is much longer rings to the end; the rest is short
        if duration >= 2 * gap:
            duration = length - onset
        elif duration >= 0.8 * gap:
            duration = gap
        else:
            duration = max(6, gap // 2)
        out[onset, k] = duration
    return tuple((onset, duration, k) for (onset, k), duration in sorted(out.items()))


def _one_chord(classes: set[int]) -> bool:
    """Whether these pitch classes are one triad or seventh chord, or part of one."""
    if not 2 <= len(classes) <= 4:
        return False
    for root in classes:
        steps = {(c - root) % 12 for c in classes}
        if any(steps <= chord for chord in _CHORDS):
            return True
    return False


_CHORDS = tuple(map(frozenset, (
    (0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 9), (0, 3, 6, 10), (0, 5, 7), (0, 2, 4, 7), (0, 2, 3, 7),
)))  # fmt: skip


class Figures:
    """Figures of one length, counted where the same rhythm comes twice in a row."""

    def __init__(self) -> None:
        self.last: tuple[int, int, Any] = (-2, 0, None)
        self.pieces: dict[Any, set[int]] = defaultdict(set)
        self.moods: dict[Any, list[tuple[float, float]]] = defaultdict(list)

    def add(self, bar: Bar, start: int, figure: Accompaniment) -> None:
        number, place, before = self.last
        self.last = (bar.number, start, figure)
        near = number == bar.number or (number == bar.number - 1 and start <= place)
        if near and before is not None and [n[0] for n in before] == [n[0] for n in figure]:
            self.pieces[figure].add(bar.piece)
            self.moods[figure].append((bar.valence, bar.arousal))

    def best(self) -> list[Any]:
        rows: list[dict[str, Any]] = []
        for figure, pieces in self.pieces.items():
            if len(pieces) < FEWEST_PIECES:
                continue
            valence, arousal = np.mean(self.moods[figure], axis=0)
            rows.append(
                {
                    "pieces": len(pieces),
                    "valence": round(float(valence), 2),
                    "arousal": round(float(arousal), 2),
                    "notes": [list(n) for n in figure],
                }
            )
        rows.sort(key=lambda r: (-r["pieces"], json.dumps(r["notes"])))
        return rows[:MOST_FIGURES]


def _cell(bar: Bar) -> tuple[tuple[int, int, int], ...] | None:
    """The tune of a bar in steps of the scale from its first note; None where it has none, or leaves the scale."""
    tune = bar.role(Role.MELODY)
    if not 1 <= len(tune) <= 10 or len(set(tune[:, 0].tolist())) != len(tune):
        return None
    tune = tune[np.argsort(tune[:, 0])]
    tonic, scale = (9, SCALES[1]) if bar.minor else (0, SCALES[0])
    steps = []
    for pitch in tune[:, 2].tolist():
        octave, rest = divmod(pitch - tonic, 12)
        if rest not in scale:
            if bar.minor and rest == 11:  # the raised seventh
                rest = 10
            else:
                return None
        steps.append(7 * octave + scale.index(rest))
    if max(steps) - min(steps) > 9:
        return None
    notes = []
    for k, (onset, duration, _, _) in enumerate(tune.tolist()):
        following = int(tune[k + 1, 0]) if k + 1 < len(tune) else bar.length
        notes.append(
            (_snapped(onset), max(GRID, _snapped(min(duration, following - onset))), steps[k] - steps[0])
        )
    return tuple(notes)
