"""The five-class table: music asked for by a face's emotion, heard by the judges as one of five classes of music.

Each of the seven emotions asks at its place on the plane (`videoscore.mood.faces.emotions.VECTORS`); the rule over
valence and energy (`videoscore.research.composer.labelled.five_class`) gives the class that is asked for, and likewise
the one that is heard. A neutral face lies where four of the five classes meet, and no other emotion asks for "Others":
its music is asked for in the middle of that class (`videoscore.mood.faces.emotions.music_point`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.compose import compose_many
from videoscore.mood.faces.emotions import EMOTIONS, music_point
from videoscore.music.score import Score
from videoscore.research.composer.hit_rates import JUDGES, judged
from videoscore.research.composer.labelled import five_class
from videoscore.research.composer.sheets import Task, spotted
from videoscore.settings.fields import ComposeOptions

CLASSES = ("Happiness", "Surprise", "Anger", "Sadness", "Others")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """An emotion, the point at which its music is asked for, and the class that this is."""

    emotion: str
    valence: float
    arousal: float

    @property
    def music(self) -> str:
        return class_of(self.valence, self.arousal)


def class_of(valence: float, arousal: float) -> str:
    """The class of music at a point of the plane, -1..1. Judges may hear a point beyond it."""
    return five_class((valence + 1) / 2, (arousal + 1) / 2)


def asked() -> tuple[Asked, ...]:
    """What each of the seven emotions asks for."""
    return tuple(Asked(name, *music_point(name)) for name in EMOTIONS)


def evaluate(cues: int = 16, seconds: int = 30, seed: int = 1, say: Say = lambda _: None) -> dict[str, Any]:
    """Compose `cues` cues of `seconds` for each emotion, and let the judges hear them.

    Returns "asked": emotion -> class; and for each judge what `confusion` gives.
    """
    wishes = asked()
    tasks = [
        Task(w.valence, w.arousal, seconds, seed * 100_000 + 70_000 + k * 1000 + n)
        for k, w in enumerate(wishes)
        for n in range(cues)
    ]
    say(f"composing {len(tasks)} cues of {seconds} s")
    scores: Sequence[Score] = compose_many([spotted(t) for t in tasks], ComposeOptions(), None)
    names = [w for w in wishes for _ in range(cues)]
    report: dict[str, Any] = {"cues": cues, "seconds": seconds, "asked": {w.emotion: w.music for w in wishes}}
    for judge in JUDGES:
        heard = judged(judge, scores)
        report[judge] = confusion(names, [class_of(v, a) for v, a in heard.tolist()])
    return report


def confusion(wishes: Sequence[Asked], heard: Sequence[str]) -> dict[str, Any]:
    """counts : asked -> heard -> number. by_emotion : share whose class was heard. right : of all; balanced : the mean
    over the classes. chance : of `right`, if what is heard had nothing to do with what was asked; of balanced it is a
    fifth."""
    counts = {a: dict.fromkeys(CLASSES, 0) for a in CLASSES}
    for wish, word in zip(wishes, heard, strict=True):
        counts[wish.music][word] += 1
    table: NDArray[np.int64] = np.array([[counts[a][h] for h in CLASSES] for a in CLASSES])
    shares = table / table.sum()
    rows = table.sum(1)
    emotions = dict.fromkeys(w.emotion for w in wishes)
    return {
        "counts": counts,
        "by_emotion": {
            e: float(np.mean([w.music == h for w, h in zip(wishes, heard) if w.emotion == e]))
            for e in emotions
        },
        "right": float(np.trace(shares)),
        "balanced": float(np.mean([table[k, k] / n for k, n in enumerate(rows) if n])),
        "chance": float(shares.sum(1) @ shares.sum(0)),
    }


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{report['cues']} cues of {report['seconds']} s for each emotion"]
    for judge in JUDGES:
        own = report[judge]
        lines += ["", f"{judge}: asked \\ heard".ljust(26) + "".join(f"{c:>11}" for c in CLASSES)]
        lines += [f"{a:<26}" + "".join(f"{own['counts'][a][h]:>11}" for h in CLASSES) for a in CLASSES]
        lines.append(
            f"right {own['right']:.3f} (chance {own['chance']:.3f}), mean of the classes {own['balanced']:.3f} "
            f"(chance {1 / len(CLASSES):.3f})"
        )
        lines += [
            f"  {emotion:<10}{report['asked'][emotion]:<12}{share:.3f}"
            for emotion, share in own["by_emotion"].items()
        ]
    return "\n".join(lines)
