"""Seven face emotions and their places on the plane of valence and arousal. Numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# In the order of FER2013's labels (Goodfellow et al. 2013, "Challenges in representation learning").
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

# Valence and arousal (means of pleasure and arousal, -1..1) of "angry", "disgusted", "fearful", "happy", "sad"
# and "surprised": Russell & Mehrabian 1977, "Evidence for a three-factor theory of emotions", J. Research in
# Personality 11, table of emotion terms. A neutral face is the origin, as in Russell 1980.
VECTORS = np.array(
    [
        (-0.51, 0.59),
        (-0.60, 0.35),
        (-0.64, 0.60),
        (0.81, 0.51),
        (-0.63, -0.27),
        (0.40, 0.67),
        (0.00, 0.00),
    ]
)

# A neutral face lies where four of the five classes of music meet: its music is asked for in the middle of the class
# that no other emotion asks for.
NEUTRAL_MUSIC = (0.4, -0.4)


def music_point(emotion: str) -> tuple[float, float]:
    """Valence and arousal of the music that is asked for by a face of this emotion, one of `EMOTIONS`."""
    if emotion == "neutral":
        return NEUTRAL_MUSIC
    valence, arousal = VECTORS[EMOTIONS.index(emotion)].tolist()
    return valence, arousal


def embed(probabilities: Array) -> Array:
    """(n, 7) probabilities of `EMOTIONS` -> (n, 2) expected valence and arousal."""
    return np.asarray(probabilities, float) @ VECTORS


def majority(emotions: Array, window: int = 20) -> Array:
    """(n, 7) probabilities of one person's samples, in order -> (n, 7) shares of the votes around each.

    Every sample votes for its likeliest emotion; row i counts the votes of the `window` samples around i
    (half before, the rest from i on, fewer at both ends). The largest of a row is the majority vote. The
    design votes over the last 20 frames of a camera; a film is known ahead, and a centred window turns where
    the face turns, not half a window later. Equal counts are parted by the window's mean probability, which
    is mixed in with less than the weight of one vote. Rows sum to 1.
    """
    n = len(emotions)
    if n == 0:
        return np.zeros((0, len(EMOTIONS)))
    votes = np.eye(len(EMOTIONS))[np.argmax(emotions, 1)] + 1e-3 * np.asarray(emotions, float)
    total = np.concatenate([np.zeros((1, len(EMOTIONS))), votes.cumsum(0)])
    at = np.arange(n)
    window_total = total[np.minimum(at + window - window // 2, n)] - total[np.maximum(at - window // 2, 0)]
    return window_total / window_total.sum(1, keepdims=True)
