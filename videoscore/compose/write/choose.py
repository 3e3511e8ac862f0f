"""Choosing among takes of a cue: the one whose tagged mood lies nearest to the wanted one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoscore.compose.network.steps import GRID
from videoscore.compose.plan.plan import PlannedBar
from videoscore.compose.write.hand import Written
from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue
from videoscore.music.score import Role


def best_take(cue: Cue, bars: Sequence[PlannedBar], takes: Sequence[Sequence[Written]]) -> int:
    """Index of the best take. The tagger, not the judge that reports the figures, is asked."""
    from videoscore.music.features import NoteArrays
    from videoscore.music.tagger import Tagger

    tagger = Tagger.load("tagger")
    wanted = np.array(mean(cue.curve, cue.start, cue.end))
    distances = []
    for page in takes:
        heard = [w for w in page if w.role != Role.DRUMS]
        if not heard:
            distances.append(np.inf)
            continue
        starts = bar_seconds(bars, page[0].bar, page[-1].bar)
        tick = [60.0 / bars[w.bar].plan.bpm / GRID for w in heard]
        onset = np.array([starts[w.bar] + w.position * t for w, t in zip(heard, tick)])
        length = np.array([w.duration * t for w, t in zip(heard, tick)])
        tagged = tagger.predict(NoteArrays(onset, length, np.array([w.pitch for w in heard])))
        distances.append(float(np.hypot(*(np.asarray(tagged) - wanted))))
    return int(np.argmin(distances))


def bar_seconds(bars: Sequence[PlannedBar], first: int, last: int) -> dict[int, float]:
    """Start of every bar from `first` to `last` in seconds after the first."""
    out, now = {}, 0.0
    for number in range(first, last + 1):
        out[number] = now
        now += bars[number].plan.length / GRID * 60.0 / bars[number].plan.bpm
    return out
