"""Figures of music as music, the same for written scores and for the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.score import PPQ, Role, Score
from videoscore.compose.steps import GRID
from videoscore.compose.theory import MAJOR_SCALE, MINOR_SCALE, find_key


@dataclass(frozen=True, eq=False)
class Passage:
    """A stretch of music without drums as arrays (n,), sorted by onset.

    onset, duration : 1/24 quarters; pitch : MIDI; role : Role; seconds : length of the passage.
    """

    onset: NDArray[np.int64]
    duration: NDArray[np.int64]
    pitch: NDArray[np.int64]
    role: NDArray[np.int64]
    seconds: float


def passage(score: Score) -> Passage:
    """A score's pitched notes."""
    tick = PPQ // GRID
    notes = [n for n in score.notes if n.role != Role.DRUMS]
    columns = [(n.start // tick, max(1, n.duration // tick), n.pitch, int(n.role)) for n in notes]
    table = np.array(columns, np.int64).reshape(-1, 4)
    return Passage(table[:, 0], table[:, 1], table[:, 2], table[:, 3], float(score.duration))


def in_key_share(p: Passage) -> float:
    """Share of notes in the scale of the best-fitting key (harmonic and natural minor together)."""
    tonic, minor = find_key(np.bincount(p.pitch % 12, weights=p.duration, minlength=12))
    return float(np.isin((p.pitch - tonic) % 12, MINOR_SCALE if minor else MAJOR_SCALE).mean())


def pitch_class_entropy(p: Passage) -> float:
    """Entropy in bits of the pitch-class histogram, 0..3.58."""
    share = np.bincount(p.pitch % 12, minlength=12) / len(p.pitch)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def top_line(p: Passage) -> NDArray[np.int64]:
    """Indices of the melody: the highest note of every onset, of the melody role where there is one."""
    chosen = np.flatnonzero(p.role == Role.MELODY) if np.any(p.role == Role.MELODY) else np.arange(len(p.pitch))
    order = chosen[np.lexsort((-p.pitch[chosen], p.onset[chosen]))]
    first = np.r_[True, np.diff(p.onset[order]) > 0] if len(order) else np.zeros(0, bool)
    return order[first]


def repeated_patterns(p: Passage, length: int = 4) -> float:
    """Share of the melody's windows of `length` notes whose intervals and inter-onset times came before."""
    line = top_line(p)
    steps = np.diff(p.pitch[line]), np.diff(p.onset[line])
    seen: set[tuple[int, ...]] = set()
    hits = total = 0
    for i in range(len(line) - length + 1):
        pattern = (*steps[0][i : i + length - 1], *steps[1][i : i + length - 1])
        hits += pattern in seen
        total += 1
        seen.add(pattern)
    return hits / total if total else 0.0


def notes_a_second(p: Passage) -> float:
    return len(p.pitch) / p.seconds


def polyphony(p: Passage) -> float:
    """Mean number of notes that sound at once while anything sounds."""
    if not len(p.pitch):
        return 0.0
    delta = np.zeros(int((p.onset + p.duration).max()) + 1, np.int64)
    np.add.at(delta, p.onset, 1)
    np.add.at(delta, p.onset + p.duration, -1)
    voices = np.cumsum(delta)
    return float(voices[voices > 0].mean())


def longest_rest(p: Passage) -> float:
    """Longest time in seconds (at the passage's mean tempo) in which nothing sounds, inside the passage."""
    order = np.argsort(p.onset)
    ends = np.maximum.accumulate((p.onset + p.duration)[order])
    gaps = p.onset[order][1:] - ends[:-1]
    whole = max(1, int(ends[-1])) if len(ends) else 1
    return float(max(0, gaps.max(initial=0)) / whole * p.seconds)


FIGURES = {
    "notes/s": notes_a_second,
    "in key": in_key_share,
    "pitch-class entropy (bits)": pitch_class_entropy,
    "repeated 4-note patterns": repeated_patterns,
    "polyphony": polyphony,
    "longest rest (s)": longest_rest,
}
