"""Seven face emotions and their places on the plane of valence and arousal. Numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# In the order of FER2013's labels (Goodfellow et al. 2013, "Challenges in representation learning").
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

# Valence and arousal (means of pleasure and arousal, -1..1) of angry, disgusted, fearful, happy, sad and
# surprised: Russell & Mehrabian 1977, "Evidence for a three-factor theory of emotions", J. Research in
# Personality 11, table of emotion terms. A neutral face is the origin, as in Russell 1980.
VECTORS = np.array([
    (-0.51, 0.59),
    (-0.60, 0.35),
    (-0.64, 0.60),
    (0.81, 0.51),
    (-0.63, -0.27),
    (0.40, 0.67),
    (0.00, 0.00),
])


def embed(probabilities: Array) -> Array:
    """(n, 7) probabilities of `EMOTIONS` -> (n, 2) expected valence and arousal."""
    return np.asarray(probabilities, float) @ VECTORS
