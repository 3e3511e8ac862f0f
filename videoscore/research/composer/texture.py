"""Figures of music as music, the same for written scores and for the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.music.score import PPQ, Role, Score
from videoscore.music.theory import MAJOR_SCALE, MINOR_SCALE, find_key
from videoscore.research.composer.durations import GRID


@dataclass(frozen=True, eq=False)
class Passage:
    """A stretch of music without drums as arrays (n,), sorted by onset.

    onset, duration : 1/24 quarters; pitch : MIDI; role : Role; seconds : length of the passage.
    bars : (bars + 1,) where each bar begins, and the last one's end.
    """

    onset: NDArray[np.int64]
    duration: NDArray[np.int64]
    pitch: NDArray[np.int64]
    role: NDArray[np.int64]
    seconds: float
    bars: NDArray[np.int64]


def passage(score: Score) -> Passage:
    """A score's pitched notes."""
    tick = PPQ // GRID
    notes = [n for n in score.notes if n.role != Role.DRUMS]
    columns = [(n.start // tick, max(1, n.duration // tick), n.pitch, int(n.role)) for n in notes]
    table = np.array(columns, np.int64).reshape(-1, 4)
    bars = [
        edge // tick for part in score.sections for edge in range(part.start, part.end, part.beats * PPQ)
    ] + [score.sections[-1].end // tick]
    return Passage(table[:, 0], table[:, 1], table[:, 2], table[:, 3], float(score.duration), np.array(bars))


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
    candidates = (
        np.flatnonzero(p.role == Role.MELODY) if np.any(p.role == Role.MELODY) else np.arange(len(p.pitch))
    )
    order = candidates[np.lexsort((-p.pitch[candidates], p.onset[candidates]))]
    first = np.r_[True, np.diff(p.onset[order]) > 0] if len(order) else np.zeros(0, bool)
    return order[first]


def repeated_patterns(p: Passage, length: int = 4) -> float:
    """Share of the melody's windows of `length` notes whose intervals and inter-onset times came before."""
    line = top_line(p)
    steps = np.diff(p.pitch[line]), np.diff(p.onset[line])
    patterns: set[tuple[int, ...]] = set()
    hits = total = 0
    for i in range(len(line) - length + 1):
        pattern = (*steps[0][i : i + length - 1], *steps[1][i : i + length - 1])
        hits += pattern in patterns
        total += 1
        patterns.add(pattern)
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


def bar_sets(p: Passage, pitches: bool = True) -> list[frozenset[int]]:
    """What begins in each bar: onsets, with their pitches if wanted, as numbers."""
    bar = np.searchsorted(p.bars, p.onset, side="right") - 1
    inside = p.onset - p.bars[np.clip(bar, 0, len(p.bars) - 1)]
    code = inside * 128 + p.pitch if pitches else inside
    return [frozenset(code[bar == b].tolist()) for b in range(len(p.bars) - 1)]


def grooving(p: Passage) -> float:
    """Grooving similarity: mean over all pairs of bars of the share of sixteenths in which both have an onset or
    neither has (Wu & Yang 2020, "The Jazz Transformer on the Front Line", section 3.2)."""
    longest = int(np.diff(p.bars).max()) // 6 + 1
    grid = np.zeros((len(p.bars) - 1, longest), bool)
    for row, onsets in zip(grid, bar_sets(p, pitches=False)):
        row[[o // 6 for o in onsets]] = True
    lengths = np.diff(p.bars)
    same = [
        1 - float((grid[i] ^ grid[j]).sum()) / max(1, lengths[i] // 6)
        for i in range(len(grid))
        for j in range(i)
        if lengths[i] == lengths[j]
    ]
    return float(np.mean(same)) if same else float("nan")


def self_similarity(p: Passage, lag: int) -> float:
    """Mean over bars of the share of notes (onset and pitch) that a bar has in common with the one `lag` bars
    before (Jaccard); NaN where the passage has fewer than two such pairs."""
    sets = bar_sets(p)
    pairs = [(a, b) for a, b in zip(sets, sets[lag:]) if a | b]
    return float(np.mean([len(a & b) / len(a | b) for a, b in pairs])) if len(pairs) >= 2 else float("nan")


def empty_bars(p: Passage) -> float:
    """Share of bars in which nothing sounds."""
    silent = [not np.any((p.onset < b) & (p.onset + p.duration > a)) for a, b in zip(p.bars, p.bars[1:])]
    return float(np.mean(silent))


def identical_in_a_row(p: Passage) -> int:
    """Most bars in a row that have the same onsets and pitches; bars without a note don't count."""
    most = run = 0
    before: frozenset[int] = frozenset()
    for here in bar_sets(p):
        run = 0 if not here else run + 1 if here == before else 1
        most, before = max(most, run), here
    return most


FIGURES = {
    "notes/s": notes_a_second,
    "in key": in_key_share,
    "pitch-class entropy (bits)": pitch_class_entropy,
    "polyphony": polyphony,
    "grooving similarity": grooving,
    "repeated 4-note patterns": repeated_patterns,
    "longest rest (s)": longest_rest,
    "empty bars": empty_bars,
}
# These need longer passages.
FORM = {f"self-similarity at {lag} bars": lambda p, lag=lag: self_similarity(p, lag) for lag in (4, 8, 16)}


def intervals(p: Passage) -> NDArray[np.int64]:
    """Absolute steps of the melody line in semitones."""
    return np.abs(np.diff(p.pitch[top_line(p)]))


def durations(p: Passage) -> NDArray[np.int64]:
    """In 1/24 quarters."""
    return p.duration
