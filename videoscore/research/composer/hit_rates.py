"""How often a judge hears the mood that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.circle import mood_of, octant
from videoscore.music.score import Score

JUDGES = ("judge", "judge_blind")
CHANCE = {"arousal": 0.5, "valence": 0.5, "quadrant": 0.25, "octant": 1 / 8, "octant or its neighbour": 3 / 8}


def judged(judge: str, scores: Sequence[Score]) -> NDArray[np.float64]:
    """(n, 2) valence and arousal of each score by a judge. `judge_blind` sees neither density, duration nor
    polyphony, and neither of them velocity."""
    from videoscore.music.tagger import Tagger, note_arrays

    model = Tagger.load(judge)
    return np.array([model.predict(note_arrays(s)) for s in scores])


def by_mood(heard: NDArray[np.float64], asked: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """For each mood asked for: the mean valence and arousal that a judge heard, and how often its octant, or a
    neighbour of it."""
    moods = np.array([mood_of(*a) for a in asked])
    out = {}
    for mood in dict.fromkeys(moods.tolist()):
        mine = moods == mood
        shares = rates(heard[mine], asked[mine], octants=True)
        valence, arousal = heard[mine].mean(0)
        out[mood] = {
            "valence": float(valence),
            "arousal": float(arousal),
            "octant": shares["octant"],
            "octant or its neighbour": shares["octant or its neighbour"],
        }
    return out


def rates(heard: NDArray[np.float64], asked: NDArray[np.float64], octants: bool = False) -> dict[str, float]:
    """Shares of pieces, of (n, 2) valence and arousal, whose sign of arousal, of valence, of both is the one asked
    for; with `octants` also the same octant, and the same or a neighbouring one."""
    right = (heard >= 0) == (asked >= 0)
    out = {
        "arousal": float(right[:, 1].mean()),
        "valence": float(right[:, 0].mean()),
        "quadrant": float(right.all(1).mean()),
    }
    if octants:
        apart = np.array([(octant(*h) - octant(*a)) % 8 for h, a in zip(heard, asked)])
        out |= {
            "octant": float((apart == 0).mean()),
            "octant or its neighbour": float(np.isin(apart, (0, 1, 7)).mean()),
        }
    return out
