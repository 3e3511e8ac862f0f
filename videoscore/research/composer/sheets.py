"""Cue sheets that the composer is measured on, and the ways in which they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, Meter
from videoscore.mood.circle import MOODS, centre, mood_of
from videoscore.music.score import PPQ, Score

CORNERS = ((0.6, 0.6), (-0.6, 0.6), (-0.6, -0.6), (0.6, -0.6))
NEUTRAL_BPM, SLOW_BPM, FAST_BPM = 100, 70, 140
TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Task:
    """One cue to write: the mood asked for, its length and its chance."""

    valence: float
    arousal: float
    seconds: int
    seed: int


def corners(cues: int, seconds: int, seed: int) -> list[Task]:
    """About `cues` tasks, the same number for each corner of the V/A plane."""
    each = max(1, round(cues / len(CORNERS)))
    return [
        Task(v, a, seconds, seed * 100_000 + k * 1000 + n)
        for k, (v, a) in enumerate(CORNERS)
        for n in range(each)
    ]


def octants(cues: int, seconds: int, seed: int) -> list[Task]:
    """Likewise for the centres of the eight moods."""
    each = max(1, round(cues / len(MOODS)))
    return [
        Task(*centre(m), seconds, seed * 100_000 + 50_000 + k * 1000 + n)
        for k, m in enumerate(MOODS)
        for n in range(each)
    ]


def spotted(task: Task) -> CueSheet:
    """A film of one cue with a constant mood, spotted as the product would: meter and key by its own rules."""
    from videoscore.cues.meter import choose_meter
    from videoscore.cues.spot.spot import plan_keys

    cue = _cue(
        task,
        task.valence,
        task.arousal,
        choose_meter(Fraction(task.seconds), task.valence, task.arousal),
        "C major",
        mood_of(task.valence, task.arousal),
    )
    return _film(plan_keys([cue], task.seed), task.seed)


def unasked(task: Task) -> CueSheet:
    """Neutral mood, tempo 100, one of the 24 keys by lot: nothing of what is asked for gets in."""
    return _plain(task, NEUTRAL_BPM, None)


def paced(task: Task) -> CueSheet:
    """As `unasked`, but slow or fast as arousal wants."""
    return _plain(task, FAST_BPM if task.arousal >= 0 else SLOW_BPM, None)


def moded(task: Task) -> CueSheet:
    """As `unasked`, but major or minor as valence wants."""
    return _plain(task, NEUTRAL_BPM, task.valence < 0)


def thinned(score: Score, task: Task) -> Score:
    """A density knob turned by hand: a calm piece keeps only what begins on a beat."""
    if task.arousal >= 0:
        return score
    return replace(score, notes=tuple(n for n in score.notes if n.start % PPQ == 0))


def _plain(task: Task, bpm: int, minor: bool | None) -> CueSheet:
    rng = np.random.default_rng([task.seed, 9])
    tonic, chance = TONICS[rng.integers(12)], bool(rng.integers(2))
    mode = "minor" if (chance if minor is None else minor) else "major"
    meter = Meter(max(1, round(task.seconds * bpm / 60 / 4)), 4)
    return _film([_cue(task, 0.0, 0.0, meter, f"{tonic} {mode}", "Peaceful")], task.seed)


def _cue(task: Task, valence: float, arousal: float, meter: Meter, key: str, mood: str) -> Cue:
    length = Fraction(task.seconds)
    return Cue(
        "1M1", Fraction(0), length, "start", mood, (CurvePoint(length / 2, valence, arousal),), key, meter
    )


def _film(cues: Sequence[Cue], seed: int) -> CueSheet:
    return CueSheet("asked", cues[-1].end, tuple(cues), seed=seed)


@dataclass(frozen=True)
class Way:
    """One way of writing the same tasks. sheet : task -> cue sheet; after : what is done to the score."""

    name: str
    sheet: Callable[[Task], CueSheet] = spotted
    after: Callable[[Score, Task], Score] | None = None


SHIPPED = Way("as shipped")
CONTROLS = (
    Way("mood unsaid", sheet=unasked),
    Way("unsaid, speed and density by hand", sheet=paced, after=thinned),
    Way("unsaid, mode by valence", sheet=moded),
)
