"""Choosing among takes of a cue: the one whose tagged mood lies nearest to the wanted one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue
from videoscore.music.score import PPQ, Note, Role, Section


def best_take(cue: Cue, section: Section, takes: Sequence[Sequence[Note]]) -> int:
    """Index of the best take. The tagger, not the judge that reports the figures, is asked."""
    from videoscore.music.features import NoteArrays
    from videoscore.music.tagger import Tagger

    tagger = Tagger.load("tagger")
    wish = np.array(mean(cue.curve, cue.start, cue.end))
    tick = 60.0 / float(cue.bpm) / PPQ  # seconds
    distances = []
    for notes in takes:
        pitched = [n for n in notes if n.role != Role.DRUMS]
        if not pitched:
            distances.append(np.inf)
            continue
        onset = np.array([(n.start - section.start) * tick for n in pitched])
        length = np.array([n.duration * tick for n in pitched])
        tagged = tagger.predict(NoteArrays(onset, length, np.array([n.pitch for n in pitched])))
        distances.append(float(np.hypot(*(np.asarray(tagged) - wish))))
    return int(np.argmin(distances))
