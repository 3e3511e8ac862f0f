"""The two sets of music with emotion labels, as feature rows: EMOPIA and VGMIDI; and tables of labels of one's own.

EMOPIA (Hung et al. 2021, CC BY-NC-SA 4.0): piano clips of about 40 s with a quadrant each. VGMIDI (Ferreira &
Whitehead 2019): game music for piano, mean valence and arousal of some 30 annotators for every measure.
Both train taggers and judges only, never the composer.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.errors import NotFound
from videoscore.music.features import NoteArrays, extract
from videoscore.research.composer.labelled import Table
from videoscore.research.composer.sets import OWN

CLIP_PART = 16.0  # seconds: EMOPIA clips are also shown in parts of about this length
MEASURES, HOP = 8, 4  # VGMIDI windows
STRONG = 0.35  # a VGMIDI mean this far from neutral counts as a full +-1, like EMOPIA's signs
FEWEST = 8  # notes in a window


@dataclass(frozen=True)
class Rows:
    """Labelled passages, one array element each.

    set : "emopia", "vgmidi" or "labelled"; group : song or series, never split; whole : a whole clip or piece
    rather than a part of one; label, target : (n, 2) valence and arousal as annotated and as trained on; x :
    (n, len(FULL)).
    """

    set: np.ndarray
    group: np.ndarray
    whole: np.ndarray
    label: np.ndarray
    target: np.ndarray
    x: np.ndarray

    def __len__(self) -> int:
        return len(self.set)

    def where(self, keep: np.ndarray) -> Rows:
        """The rows of a mask."""
        return Rows(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))

    @property
    def half(self) -> np.ndarray:
        """0 for the songs that train the tagger, 1 for those that train the judges."""
        return np.array([half_of(group) for group in self.group])


def half_of(group: str) -> int:
    """Which half a song or series belongs to, by a hash of its name."""
    return int(hashlib.sha1(group.encode()).hexdigest(), 16) % 2


_Row = tuple[str, str, bool, tuple[float, float], tuple[float, float], np.ndarray]


def read(music: Path, table: Table | None = None, say: Callable[[str], None] = lambda line: None) -> Rows:
    """Both sets from `music`/emopia_dev and `music`/vgmidi_dev, and the files that `table` labels.

    Raises NotFound without the sets.
    """
    rows = _emopia(music / "emopia_dev") + _vgmidi(music / "vgmidi_dev")
    rows += _labelled(table, say) if table else []
    columns = list(zip(*rows))
    return Rows(*(np.array(column) for column in columns))


def _labelled(table: Table, say: Callable[[str], None]) -> list[_Row]:
    """Whole pieces of a table of labels, each its own group."""
    rows: list[_Row] = []
    for path, label in table.labels.items():
        name = path.relative_to(table.folder).as_posix()
        try:
            notes, _ = _notes(path)
        except (RuntimeError, ValueError) as why:  # symusic's errors; no notes but drums
            say(f"dropped {name}: {why}")
            continue
        if len(notes) < FEWEST:
            say(f"dropped {name}: too few notes")
            continue
        strong = np.clip(np.array(label.point) / STRONG, -1.0, 1.0)
        rows.append((OWN, f"own:{name}", True, label.point, tuple(strong), extract(notes)))
    return rows


def _emopia(folder: Path) -> list[_Row]:
    rows: list[_Row] = []
    for entry in _table(folder / "labels.csv"):
        notes, _ = _notes(folder / entry["file"])
        signs = float(entry["valence"]), float(entry["arousal"])
        end = float((notes.onset + notes.duration).max())
        parts = max(1, round(end / CLIP_PART))
        passages = [(True, notes)]
        passages += [(False, notes.window(end * k / parts, end * (k + 1) / parts)) for k in range(parts)]
        rows += [
            ("emopia", entry["song"], whole, signs, signs, extract(passage))
            for whole, passage in passages
            if whole or len(passage) >= FEWEST
        ]
    return rows


def _vgmidi(folder: Path) -> list[_Row]:
    signs = {entry["file"]: entry for entry in _table(folder / "labels.csv")}
    curves: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for entry in _table(folder / "measures.csv"):
        curves[entry["file"]].append(
            (int(entry["measure"]), float(entry["valence"]), float(entry["arousal"]))
        )
    rows: list[_Row] = []
    for file, curve in curves.items():
        group = "vg:" + signs[file]["series"]
        sign = float(signs[file]["valence"]), float(signs[file]["arousal"])
        notes, starts = _notes(folder / file)
        rows.append(("vgmidi", group, True, sign, sign, extract(notes)))
        labels = np.array(sorted(curve))[:, 1:]
        count = min(len(starts) - 1, len(labels))
        for first in range(0, max(count - HOP + 1, 1), HOP):
            last = min(first + MEASURES, count)
            passage = notes.window(starts[first], starts[last])
            if len(passage) >= FEWEST:
                mean = labels[first:last].mean(0)
                strong = np.clip(mean / STRONG, -1.0, 1.0)
                rows.append(("vgmidi", group, False, tuple(mean), tuple(strong), extract(passage)))
    return rows


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise NotFound(
            "there is no such table",
            path=path,
            remedy="Give --music the folder that holds emopia_dev and vgmidi_dev.",
        ) from error


def _notes(path: Path) -> tuple[NoteArrays, np.ndarray]:
    """Pitched notes in seconds, and where each measure of the file starts, with the end of the last."""
    import symusic

    midi: Any = symusic.Score(path)
    quarter, end = midi.ticks_per_quarter, midi.end()
    metres = [(t.time, t.numerator * 4 * quarter / t.denominator) for t in midi.time_signatures]
    if not metres or metres[0][0] > 0:
        metres.insert(0, (0, 4 * quarter))
    stops = [start for start, _ in metres[1:]] + [end]
    lines = np.concatenate([np.arange(start, stop, length) for (start, length), stop in zip(metres, stops)])
    lines = np.append(lines, max(end, lines[-1] + 1))
    tempos = [(float(t.time), t.qpm) for t in midi.tempos] or [(0.0, 120.0)]
    at, speed = np.array([t for t, _ in tempos]), np.array([q for _, q in tempos])
    at[0] = 0.0
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(at) / quarter * 60 / speed[:-1])])
    k = np.searchsorted(at, lines, side="right") - 1
    starts = seconds[k] + (lines - at[k]) / quarter * 60 / speed[k]
    tracks = [t.notes.numpy() for t in midi.to("second").tracks if len(t.notes) and not t.is_drum]
    onset, duration, pitch, velocity = (
        np.concatenate([t[name] for t in tracks]) for name in ("time", "duration", "pitch", "velocity")
    )
    return NoteArrays(
        onset.astype(float), duration.astype(float), pitch.astype(int), velocity.astype(int)
    ), starts
