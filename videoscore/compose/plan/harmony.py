"""Chord progressions: a first-order chain counted from the corpus, sampled between two given chords.

Chords are numbered as in `videoscore.music.theory`, after normalisation to C major or A minor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.music.theory import CHORDS, MAJOR_SCALE, chord_pitch_classes

VALENCE_BINS = np.array([-0.25, 0.25])  # low, middle, high


def chord(root: int, quality: int) -> int:
    """Chord number of a root (pitch class, C = 0) and a quality 0 major, 1 minor, 2 diminished."""
    return 1 + root % 12 * 3 + quality


# Tonic, subdominant and dominant of the two normalised keys: C major and A minor (with its major dominant).
TONIC = {False: chord(0, 0), True: chord(9, 1)}
SUBDOMINANT = {False: chord(5, 0), True: chord(2, 1)}
DOMINANT = {False: chord(7, 0), True: chord(4, 0)}


def scale_of(minor: bool, chord_now: int) -> frozenset[int]:
    """Pitch classes in key over a chord: the diatonic set, with the raised leading note in minor only
    where the chord has it (harmonic minor)."""
    diatonic = frozenset(MAJOR_SCALE)  # A natural minor has the same notes
    return (diatonic - {7}) | {8} if minor and 8 in chord_pitch_classes(chord_now) else diatonic


@dataclass(frozen=True, eq=False)
class Harmony:
    """table : (2 modes, 3 valence bins, 37, 37) float, chances of the next bar's chord, rows sum to 1."""

    table: NDArray[np.float64]

    def sample(
        self, bars: int, first: int, last: int, minor: bool, valence: float, rng: np.random.Generator
    ) -> list[int]:
        """A progression of `bars` chords from `first` to `last`, drawn from the chain given both ends."""
        if bars == 1:
            return [last]
        step = self.table[int(minor), int(np.searchsorted(VALENCE_BINS, valence))]
        ahead = [np.eye(CHORDS)[last]]  # chance of reaching `last` from each chord, one, two, ... bars before
        for _ in range(bars - 2):
            ahead.append(step @ ahead[-1])
        out = [first]
        for reach in ahead[:0:-1]:
            p = step[out[-1]] * reach
            # a chord may stay for two bars, not for more
            if len(out) > 1 and out[-1] == out[-2]:
                p[out[-1]] = 0.0
            p /= p.sum()
            out.append(int(rng.choice(CHORDS, p=p)))
        return [*out, last]


def count(
    chords: NDArray[np.integer],
    follows: NDArray[np.bool_],
    minor: NDArray[np.bool_],
    valence: NDArray[np.floating],
) -> Harmony:
    """Count a corpus. chords (n,) by bar; follows (n - 1,): bar i + 1 goes on from bar i in the same key.

    Bars of chord 0 are left out, rare chords (under .4 % of a mode) too, and a tenth of the mode's plain
    chord frequencies is mixed in so that every progression stays possible.
    """
    table = np.zeros((2, 3, CHORDS, CHORDS))
    bins = np.searchsorted(VALENCE_BINS, valence)
    pair = follows & (chords[:-1] > 0) & (chords[1:] > 0)
    np.add.at(
        table, (minor[:-1].astype(int)[pair], bins[:-1][pair], chords[:-1][pair], chords[1:][pair]), 1.0
    )
    for mode in range(2):
        often = table[mode].sum((0, 1))
        often = np.where(often < 0.004 * often.sum(), 0.0, often)
        for key in (TONIC, DOMINANT, SUBDOMINANT):
            often[key[bool(mode)]] = max(often[key[bool(mode)]], 1.0)
        often /= often.sum()
        table[mode] *= often[None, None, :] > 0
        everywhere = table[mode].sum(0)
        for b in range(3):
            mixed = table[mode, b] + 30 * _rows(everywhere, often)  # bins lean on the whole mode
            table[mode, b] = 0.9 * _rows(mixed, often) + 0.1 * often
    return Harmony(table)


def _rows(counts: NDArray[np.float64], empty: NDArray[np.float64]) -> NDArray[np.float64]:
    total = counts.sum(-1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1e-12), empty)
