"""What tunes in a feeling are like: pitch and density of the melodies that are labelled near its place.

The labels are those of the composer's corpus: the tagger's, who learnt from people's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.latent.feelings import FEELINGS, Feeling
from videoscore.research.latent.data import Melodies, density, mean_pitch

NEAR = 0.12  # standard deviation, on the plane, of the weights of melodies around a feeling's place


@dataclass(frozen=True)
class Target:
    """pitch : MIDI, as it sounds. density : notes a quarter, geometric mean. melodies : how many there would be, were
    all weights alike (Kish's effective size)."""

    feeling: Feeling
    pitch: float
    density: float
    melodies: float


def label_weights(m: Melodies, near: float = NEAR) -> NDArray[np.float64]:
    """(feelings, n) weight of every melody for a feeling, by its labels; rows add up to one."""
    rows = [
        np.exp(-((m.valence - f.valence) ** 2 + (m.arousal - f.arousal) ** 2) / (2 * near**2))
        for f in FEELINGS
    ]
    return np.array([row / row.sum() for row in rows], np.float64)


def sounding_pitch(m: Melodies) -> NDArray[np.float64]:
    """(n,) mean MIDI pitch of melodies as they sound, not in the normalised key."""
    return mean_pitch(m.tokens) - m.shift


def targets(m: Melodies) -> list[Target]:
    """Of every feeling, from melodies (those that the network learns from)."""
    pitch, notes = sounding_pitch(m), np.log(density(m.tokens, m.beats))
    return [
        Target(f, float(w @ pitch), float(np.exp(w @ notes)), float(1 / (w**2).sum()))
        for f, w in zip(FEELINGS, label_weights(m))
    ]


def scale(m: Melodies) -> tuple[float, float, float, float]:
    """Mean and standard deviation of the pitch, and of the logarithm of the density, over melodies."""
    pitch, notes = sounding_pitch(m), np.log(density(m.tokens, m.beats))
    return float(pitch.mean()), float(pitch.std()), float(notes.mean()), float(notes.std())
