"""What the composer reads and writes: steps and the condition of a bar, as arrays.

Pitch is key-normalised (C major or A minor), onset and duration are counted in
1/24 of a quarter, so that triplets and sixteenths are both whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.music.score import Role
from videoscore.music.theory import CHORDS

__all__ = [
    "CHORDS",
    "DURATIONS",
    "DURATION_CLASSES",
    "FEATURES",
    "GRID",
    "POSITIONS",
    "ROLES",
    "BarPlan",
    "duration_class",
    "features",
]

GRID = 24  # positions a quarter
POSITIONS = 6 * GRID  # the longest bar has six quarters
ROLES = len(Role)
DURATIONS = np.array(
    [1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 20, 24, 30, 32, 36, 42, 48, 60, 72, 84, 96, 120, 144, 192, 240, 288]
)
DURATION_CLASSES = len(DURATIONS)
FEATURES = 25
NEUTRAL_BPM = 100.0


@dataclass(frozen=True)
class BarPlan:
    """The condition of one bar, as the network hears it on every step in the bar.

    length : 1/24 quarters. compound : eighth-note denominators (6/8 and its kin).
    bpm : quarters a minute. minor : mode. chord, next_chord : 0..36 after key normalisation.
    valence, arousal : wanted here, in [-1, 1]; None where unknown or not to be heard.
    since, until : bars since the cue's first and until its last bar; to_end : bars until the music's last.
    roles : the roles that play in the bar.
    """

    length: int
    compound: bool
    bpm: float
    minor: bool
    chord: int
    next_chord: int
    valence: float | None
    arousal: float | None
    since: int
    until: int
    to_end: int
    roles: frozenset[Role]


def features(
    length: NDArray,
    compound: NDArray,
    bpm: NDArray,
    minor: NDArray,
    valence: NDArray,
    arousal: NDArray,
    known: NDArray,
    since: NDArray,
    until: NDArray,
    to_end: NDArray,
    roles: NDArray,
) -> NDArray[np.float32]:
    """Condition vectors (n, FEATURES) from arrays (n,) and roles (n, ROLES); `known` masks V/A."""
    known = np.asarray(known, np.float32)
    turn = 2 * math.pi * np.asarray(since, np.float32)
    columns = [
        known * valence,
        known * arousal,
        known,
        known * np.square(valence),
        known * np.square(arousal),
        np.asarray(length) / 96.0 - 1.0,
        compound,
        np.log2(np.asarray(bpm) / NEUTRAL_BPM),
        minor,
        np.cos(turn / 2),
        np.cos(turn / 4),
        np.sin(turn / 4),
        np.cos(turn / 8),
        np.sin(turn / 8),
        np.minimum(since, 16) / 16.0,
        np.minimum(until, 16) / 16.0,
        np.exp(-np.asarray(until) / 2.0),
        np.minimum(to_end, 16) / 16.0,
        np.asarray(to_end) == 0,
    ]
    return np.stack([np.asarray(c, np.float32) for c in columns] + list(np.asarray(roles, np.float32).T), -1)


def duration_class(ticks: NDArray[np.integer]) -> NDArray[np.int64]:
    """Nearest duration class (in ratio) of durations in 1/24 quarters."""
    middles = np.sqrt(DURATIONS[1:] * DURATIONS[:-1].astype(float))
    return np.searchsorted(middles, ticks).astype(np.int64)
