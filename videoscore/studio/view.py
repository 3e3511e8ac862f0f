"""What the page is told of a film and its session: plain data, ready for JSON. Times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.mood.circle import MOODS
from videoscore.mood.curve import MoodCurve
from videoscore.pipeline.watch import Analysis
from videoscore.preview.picture import LINES
from videoscore.preview.timeline import COLOURS
from videoscore.studio.session import Session
from videoscore.studio.state import Mark, Take

PLACES = 3  # decimals: a millisecond, a thousandth of the plane


def film(analysis: Analysis, speech: Sequence[tuple[Fraction, Fraction]]) -> dict[str, Any]:
    """What doesn't change while a film is worked on."""
    return {
        "duration": float(analysis.media.duration),
        "frame": float(analysis.media.video.frame_duration),
        "t": _list(analysis.raw.t),
        "valence": _list(analysis.raw.valence),
        "arousal": _list(analysis.raw.arousal),
        "confidence": _list(analysis.raw.confidence),
        "cuts": [[float(c.t), round(float(c.strength), PLACES)] for c in analysis.cuts],
        "speech": [[float(a), float(b)] for a, b in speech],
        "moods": list(MOODS),
        "colours": COLOURS,
        "lines": LINES,
        "ink": {m: ink(c) for m, c in COLOURS.items()},
    }


def now(session: Session) -> dict[str, Any]:
    """What does."""
    state, stale = session.state, session.stale()
    return {
        "curve": curve(session.curve()),
        "cues": [cue(c, state.sheet, m, s) for c, m, s in zip(state.sheet.cues, state.marks, stale)],
        "window": state.window,
        "min_cue": float(state.min_cue),
        "preset": state.sheet.preset,
        "seed": state.sheet.seed,
        "take": state.take,
        "pending": session.pending,
        "stale": sum(stale),
        "undo": session.can_undo,
        "redo": session.can_redo,
        "takes": [take(t) for t in session.takes],
    }


def curve(mood_curve: MoodCurve) -> dict[str, list[float]]:
    """The smoothed curve, and of each sample the number of its likeliest mood."""
    return {
        "valence": _list(mood_curve.valence),
        "arousal": _list(mood_curve.arousal),
        "mood": mood_curve.moods.argmax(axis=1).tolist(),
    }


def cue(one: Cue, sheet: CueSheet, mark: Mark, stale: bool) -> dict[str, Any]:
    valence, arousal = mean(one.curve, one.start, one.end)
    return {
        "name": one.name,
        "start": float(one.start),
        "end": float(one.end),
        "start_on": one.start_on,
        "mood": one.mood,
        "valence": valence,
        "arousal": arousal,
        "key": one.key,
        "bpm": round(float(one.bpm), 1),
        "bars": one.meter.bars,
        "beats": one.meter.beats,
        "seed": one.seed,
        "locked": one.locked,
        "edited": mark.edited,
        "fixed": mark.fixed,
        "stale": stale,
        "hits": [[float(h.t), h.kind, h.strength] for h in one.hits],
    }


def take(one: Take) -> dict[str, Any]:
    sheet = one.sheet
    return {
        "number": one.number,
        "what": one.what,
        "preset": sheet.preset,
        "seed": sheet.seed,
        "loudness": one.composition.loudness,
        "notes": len(one.composition.score.notes),
        "cues": len(sheet.cues),
    }


def ink(colour: str) -> str:
    """Black or white, whichever stands out more on `colour` ("#rrggbb"): WCAG 2.2, relative luminance."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#111111" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#ffffff"


def _list(values: Any) -> list[float]:
    numbers: list[float] = np.round(np.asarray(values, float), PLACES).tolist()
    return numbers
