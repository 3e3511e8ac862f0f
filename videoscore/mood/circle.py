"""Russell's circle of affect, and the eight moods on it.

Valence and arousal lie in [-1, 1]. Octant k covers the angles 45 k to
45 k + 45 degrees, counter-clockwise from +valence (Russell 1980, "A circumplex
model of affect"); its centre is at 22.5 + 45 k degrees.
"""

from __future__ import annotations

import math

MOODS = ("Happy", "Dynamic", "Angry", "Anxiety", "Depressed", "Withered", "Tired", "Peaceful")

# Mean radius of labelled music and pictures on the plane; a mood word alone says no intensity.
TYPICAL_RADIUS = 0.6


def mood_index(name: str) -> int:
    """Index 0..7 of a mood by its name, in any case. Raises KeyError when unknown."""
    for k, mood in enumerate(MOODS):
        if mood.lower() == name.strip().lower():
            return k
    raise KeyError(name)


def octant(valence: float, arousal: float) -> int:
    """Index 0..7 of the octant in which (valence, arousal) lies."""
    angle = math.degrees(math.atan2(arousal, valence)) % 360.0
    return int(angle // 45.0) % 8


def mood_of(valence: float, arousal: float) -> str:
    """Mood name of a point on the plane."""
    return MOODS[octant(valence, arousal)]


def centre(mood: str, radius: float = TYPICAL_RADIUS) -> tuple[float, float]:
    """(valence, arousal) at the middle of a mood's octant, `radius` from neutral."""
    angle = math.radians(22.5 + 45.0 * mood_index(mood))
    return radius * math.cos(angle), radius * math.sin(angle)
