"""Small sets of faces for the tests: blots whose place tells the emotion."""

from __future__ import annotations

from pathlib import Path

import numpy as np

VOTE_COLUMN = (4, 5, 6, 1, 3, 2, 0)  # of FER+'s ten, for each emotion of FER2013


def blots(label: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n,) labels 0..6 -> (n, 48, 48) uint8: noise with a bright square where the label says."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 140, (len(label), 48, 48))
    for i, k in enumerate(label):
        row, column = 6 + 14 * (k // 3), 6 + 14 * (k % 3)
        pixels[i, row : row + 10, column : column + 10] += 100
    return pixels.astype(np.uint8)


def write_fer2013(path: Path, count: int = 900, seed: int = 0) -> Path:
    """A set in the form of fer2013_dev.npz, every sixth face of it PublicTest; of ten votes eight are the label's."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 7, count).astype(np.uint8)
    votes = np.zeros((count, 10), np.uint8)
    votes[np.arange(count), np.array(VOTE_COLUMN)[label]] = 8
    votes[np.arange(count), rng.integers(0, 7, count)] += 2
    usage = (np.arange(count) % 6 == 5).astype(np.uint8)
    np.savez(path, pixels=blots(label, seed), label=label, votes=votes, usage=usage)
    return path
