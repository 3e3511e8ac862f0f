"""What composing costs: time on one core, and memory."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context

from videoscore.compose.compose import compose
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint
from videoscore.mood.circle import MOODS, centre
from videoscore.research.composer.sheets import Task, spotted
from videoscore.settings.fields import ComposeOptions
from videoscore.workers.memory import own_peak


def speed(seconds: int, options: ComposeOptions) -> float:
    """Seconds of music written in a second on one core: one film of one cue."""
    sheet = spotted(Task(0.3, 0.3, seconds, 1))
    compose(spotted(Task(0.3, 0.3, 4, 1)), options)  # loads what must be loaded
    clock = time.perf_counter()
    compose(sheet, options)
    return seconds / (time.perf_counter() - clock)


def long_film(seconds: int) -> CueSheet:
    """A film of 20 cues that go round the moods."""
    from videoscore.cues.meter import choose_meter
    from videoscore.cues.spot.spot import plan_keys

    edges = [Fraction(seconds * k, 20) for k in range(21)]
    cues = []
    for k, (start, end) in enumerate(zip(edges, edges[1:])):
        mood = MOODS[3 * k % 8]
        v, a = centre(mood)
        cues.append(
            Cue(
                f"1M{k + 1}",
                start,
                end,
                "cut" if k else "start",
                mood,
                (CurvePoint((start + end) / 2, v, a),),
                "C major",
                choose_meter(end - start, v, a),
            )
        )
    return CueSheet("long", edges[-1], tuple(plan_keys(cues, 1)), seed=1)


def memory(seconds: int, options: ComposeOptions) -> dict[str, float] | None:
    """Peak memory in MB of a process of its own after four seconds of music and after `seconds` more, and how long
    these took; None where the system doesn't tell."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, seconds, options).result()


def _measure(seconds: int, options: ComposeOptions) -> dict[str, float] | None:
    compose(spotted(Task(0.3, 0.3, 4, 1)), options)
    peak_before = _peak()
    clock = time.perf_counter()
    compose(long_film(seconds), options)
    elapsed, peak = time.perf_counter() - clock, _peak()
    if peak_before is None or peak is None:
        return None
    return {
        "peak": peak,
        "after four seconds of music": peak_before,
        "seconds": elapsed,
        "pace": seconds / elapsed,
    }


def _peak() -> float | None:
    """Peak resident memory of this process in MB."""
    peak = own_peak()
    return None if peak is None else peak / (1 << 20)
