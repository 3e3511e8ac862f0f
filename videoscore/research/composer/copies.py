"""Has the composer copied? The longest run of notes that a passage shares with any piece it was trained on.

Two runs are the same when their intervals and the classes of their inter-onset times agree, so that neither
transposition nor tempo hides a copy. Runs are compared by 64-bit polynomial hashes of n-grams, n = 2, 3, ...;
a chance collision among 3 million n-grams is one in 10^12 a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.research.composer.durations import DURATION_CLASSES, duration_class
from videoscore.research.composer.texture import Passage, top_line

LONGEST = 64  # notes; longer runs are not told apart
BASE = np.uint64(0x9E3779B97F4A7C15)

Tokens = NDArray[np.uint64]


def tokens(onset: NDArray[np.int64], pitch: NDArray[np.int64]) -> Tokens:
    """(n - 1,) one number for each step from a note to the next: interval and class of the inter-onset time.

    onset : 1/24 quarters, not decreasing. Two notes together have an inter-onset class of their own.
    """
    gap = np.diff(onset)
    classes = np.where(gap == 0, DURATION_CLASSES, duration_class(gap))
    return ((np.diff(pitch) + 128) * (DURATION_CLASSES + 1) + classes + 1).astype(np.uint64)


def melody(p: Passage) -> Tokens:
    """Tokens of the melody line."""
    line = top_line(p)
    return tokens(p.onset[line], p.pitch[line])


def texture(p: Passage) -> Tokens:
    """Tokens of all notes in order, the highest of a chord first."""
    order = np.lexsort((-p.pitch, p.onset))
    return tokens(p.onset[order], p.pitch[order])


@dataclass(frozen=True, eq=False)
class Sequences:
    """Token sequences one after another; owner : (n,) number of the sequence that each token is of."""

    tokens: Tokens
    owner: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, each: Sequence[Tokens]) -> Sequences:
        owner = np.repeat(np.arange(len(each)), [len(t) for t in each])
        return cls(np.concatenate(each) if each else np.zeros(0, np.uint64), owner, len(each))

    def grams(self) -> _Grams:
        return _Grams(self)


class _Grams:
    """Hashes of all n-grams of tokens, n growing by one."""

    def __init__(self, s: Sequences) -> None:
        self.s, self.n = s, 0
        self.hashes = np.zeros(len(s.tokens), np.uint64)

    def grow(self) -> None:
        last = self.s.tokens[self.n :]
        self.hashes = self.hashes[: len(last)] * BASE + last
        self.n += 1

    def inside(self) -> NDArray[np.bool_]:
        """Which n-grams lie in one sequence."""
        return self.s.owner[: len(self.hashes)] == self.s.owner[self.n - 1 :]


def longest_shared(asked: Sequence[Tokens], trained: Sequence[Tokens]) -> NDArray[np.int64]:
    """(len(asked),) notes in the longest run that each sequence shares with any of `trained`, at most LONGEST."""
    mine, theirs = Sequences.of(asked), Sequences.of(trained)
    out = np.zeros(mine.count, np.int64)
    a, b = mine.grams(), theirs.grams()
    alive = np.ones(len(mine.tokens), bool)  # n-grams whose beginning was shared
    for n in range(1, LONGEST):
        if len(a.hashes) <= 1 and n > 1:
            break
        a.grow()
        b.grow()
        alive = alive[: len(a.hashes)] & a.inside()
        index = np.sort(b.hashes[b.inside()])
        where = np.flatnonzero(alive)
        if not len(where) or not len(index):
            break
        same = index[np.minimum(np.searchsorted(index, a.hashes[where]), len(index) - 1)] == a.hashes[where]
        alive[where[~same]] = False
        out[mine.owner[where[same]]] = n + 1
    return out


def summary(runs: NDArray[np.int64]) -> dict[str, float]:
    """Median, 95th percentile, worst, and the share of sequences with a run of 16 notes or more."""
    return {
        "median": float(np.median(runs)),
        "95 %": float(np.percentile(runs, 95)),
        "worst": float(runs.max()),
        "16 or more": float((runs >= 16).mean()),
    }
