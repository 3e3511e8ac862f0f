"""Why each cue is where it is and as it is: what was read there, which cut was used, what key and tempo follow from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from videoscore.cues.contour import mean, moods_at
from videoscore.cues.keys import distance, is_minor, signature_and_mode
from videoscore.cues.meter import TEMPO
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.cues.spot.overrule import stretches
from videoscore.cues.spot.segment import cells, scale_of
from videoscore.cues.spot.spot import APART, LEAST_APART, in_film
from videoscore.mood.circle import MOODS, mood_of
from videoscore.mood.curve import Array
from videoscore.pipeline.watch import Analysis
from videoscore.settings.fields import Options
from videoscore.video.frames import Cut

ON_BEAT = 0.04  # seconds within which sound and picture fuse (see `videoscore.cues.meter`)
LEAST_SHARE = 0.005  # of a source, to be named


@dataclass(frozen=True)
class Reading:
    """What was read in a cue's time, before words overruled it; means over the time.

    mood : that of valence and arousal. likely : every mood's probability, the likeliest first; they sum to 1.
    confidence : 0..1. shares : of each source, by name; "held" : nothing was to be read. They sum to 1.
    """

    valence: float
    arousal: float
    mood: str
    likely: Mapping[str, float]
    confidence: float
    shares: Mapping[str, float]


@dataclass(frozen=True)
class CueReason:
    """Why a cue is as it is.

    reading : None where the film wasn't watched (the cue sheet was given).
    overruled : the word that was said for it with --mood. boundary, mood, passed_over, key, tempo, hits : sentences;
        mood : how its word follows from the reading, "" where there is none;
        passed_over : why the strongest cut inside it begins no cue, "" where there is none.
    """

    cue: Cue
    reading: Reading | None
    overruled: str | None
    boundary: str
    mood: str
    passed_over: str
    key: str
    tempo: str
    hits: str

    def facts(self) -> dict[str, object]:
        """For JSON."""
        read = self.reading
        return {
            "cue": self.cue.name,
            "start": self.cue.start,
            "read": read
            and {
                "valence": read.valence,
                "arousal": read.arousal,
                "mood": read.mood,
                "likely": dict(read.likely),
                "confidence": read.confidence,
                "shares": dict(read.shares),
            },
            "overruled": self.overruled,
            "locked": self.cue.locked,
            "boundary": self.boundary,
            "mood": self.mood,
            "passed_over": self.passed_over,
            "key": self.key,
            "tempo": self.tempo,
            "hits": self.hits,
        }


def explain(sheet: CueSheet, options: Options, analysis: Analysis | None = None) -> tuple[CueReason, ...]:
    """A reason for each cue of `sheet`.

    analysis : of the film that it was spotted in; None for a sheet that was given, of which no reading is known.
    """
    cuts = in_film(analysis.cuts, sheet.duration) if analysis else [Cut(t, 1.0) for t in sheet.cuts]
    parts = stretches(options.spot.mood if analysis else None, cuts, sheet.duration)
    out = []
    for k, cue in enumerate(sheet.cues):
        before = sheet.cues[k - 1] if k else None
        part = next(p for p in reversed(parts) if p.start <= cue.start)
        reading = _reading(analysis, cue) if analysis else None
        out.append(
            CueReason(
                cue,
                reading,
                part.mood,
                _boundary(cue, before, cuts, part.asked if part.start == cue.start else None, options),
                _mood(cue, reading, part.mood) if reading else "",
                _passed_over(analysis, cue, cuts, options) if analysis else "",
                _key(cue, sheet.cues[:k]),
                _tempo(cue),
                _hits(cue),
            )
        )
    return tuple(out)


# ---------------------------------------------------------------- what was read


def _weights(analysis: Analysis, start: Fraction, end: Fraction) -> Array:
    """(n,) share of the time from `start` to `end` for which each sample stands; sums to 1."""
    edges = np.clip(cells(analysis.curve, analysis.cuts, analysis.media.duration), float(start), float(end))
    width = np.diff(edges)
    if width.sum() <= 0:  # shorter than a sample's rounding: the nearest one
        width = (np.arange(len(width)) == np.abs(analysis.curve.t - float(start)).argmin()).astype(float)
    return np.asarray(width / width.sum())


def _reading(analysis: Analysis, cue: Cue) -> Reading:
    curve, weight = analysis.curve, _weights(analysis, cue.start, cue.end)
    valence, arousal = float(weight @ curve.valence), float(weight @ curve.arousal)
    mood, likely = mood_of(valence, arousal), weight @ curve.moods
    return Reading(
        round(valence, 3),
        round(arousal, 3),
        mood,
        {MOODS[i]: round(float(likely[i]), 3) for i in np.argsort(-likely, kind="stable")},
        round(float(weight @ curve.confidence), 3),
        {
            name: round(float(weight @ share), 3)
            for name, share in analysis.shares.items()
            if weight @ share >= LEAST_SHARE
        },
    )


def _mood(cue: Cue, reading: Reading, word: str | None) -> str:
    """How the cue's word follows from what was read, or from what was said."""
    if word is not None:
        return f"{word}, as you said with --mood; {reading.mood} was read"
    near = moods_at(reading.valence, reading.arousal)
    share = {mood: f"{100 * p:.0f} %" for mood, p in reading.likely.items()}
    if len(near) == 1:
        other = next(m for m in reading.likely if m != cue.mood)
        return f"{cue.mood}, where that lies on the circle; next {other}, {share[other]}"
    others = [m for m in reading.likely if m in near and m != cue.mood]
    where = f"on its border to {others[0]}" if len(others) == 1 else "next to neutral, where the moods meet"
    if any(reading.likely[cue.mood] < reading.likely[m] for m in others):
        return f"{cue.mood}, {where}"
    which = "the likelier of the two" if len(others) == 1 else "the likeliest of them"
    return f"{cue.mood}, {where}; {which} ({share[cue.mood]}, {others[0]} {share[others[0]]})"


# ---------------------------------------------------------------- where it begins


def _boundary(
    cue: Cue, before: Cue | None, cuts: Sequence[Cut], asked: Fraction | None, options: Options
) -> str:
    if before is None:
        return "with the film"
    why = "you asked for it" if asked is not None else _change(before, cue)
    if cue.start_on == "cut":
        cut = next((c for c in cuts if c.t == cue.start), None)
        strength = f" (strength {cut.strength:.2f} of 1)" if cut else ""
        moved = (
            f", {abs(float(cue.start - asked)):.2f} s from the time you said"
            if asked not in (None, cue.start)
            else ""
        )
        return f"on a cut{strength}{moved}: {why}"
    near = min(cuts, key=lambda c: abs(c.t - cue.start), default=None)
    where = "there is no cut in the film" if near is None else _nearest(near, cue.start)
    if cue.start_on == "length":
        limit = float(max(options.spot.max_cue, 3 * options.spot.min_cue))
        return f"the cue before would last over {limit:g} s; {where}"
    if cue.start_on == "edit":
        return f"you put it there; {where}"
    return f"{why}; {where}"


def _nearest(cut: Cut, t: Fraction) -> str:
    side = "before" if cut.t < t else "after"
    return f"the nearest cut is {abs(float(cut.t - t)):.1f} s {side}"


def _change(before: Cue, cue: Cue) -> str:
    a, b = (mean(c.curve, c.start, c.end) for c in (before, cue))
    valence, arousal = b[0] - a[0], b[1] - a[1]
    course = f"valence {valence:+.2f}, arousal {arousal:+.2f}"
    if before.mood != cue.mood:
        return f"the mood goes from {before.mood} to {cue.mood} ({course})"
    return f"it stays {cue.mood}, and changes enough to be heard ({course})"


def _passed_over(analysis: Analysis, cue: Cue, cuts: Sequence[Cut], options: Options) -> str:
    """Why the strongest cut inside the cue begins no cue."""
    inside = [c for c in cuts if cue.start < c.t < cue.end]
    if not inside:
        return ""
    least = options.spot.min_cue
    possible = [c for c in inside if min(c.t - cue.start, cue.end - c.t) >= least]
    count = f"{len(inside)} inside begin no cue" if len(inside) > 1 else "the one inside begins no cue"
    if not possible:
        which = "any of them" if len(inside) > 1 else "it"
        return f"{count}: parted at {which}, a cue would be shorter than {float(least):g} s"
    cut = max(possible, key=lambda c: c.strength)
    gap = math.dist(*(_point(analysis, a, b) for a, b in ((cue.start, cut.t), (cut.t, cue.end))))
    edges = cells(analysis.curve, analysis.cuts, analysis.media.duration)
    audible = max(LEAST_APART, APART * scale_of(analysis.curve, edges))
    what = (
        f"{count}: at {float(cut.t):.2f} s (strength {cut.strength:.2f} of 1) the mood changes by {gap:.2f}"
    )
    if gap < audible:
        return f"{what} of valence and arousal, and from {audible:.2f} on music is changed"
    return f"{what} of valence and arousal, too little for so short a cue"


def _point(analysis: Analysis, start: Fraction, end: Fraction) -> tuple[float, float]:
    weight = _weights(analysis, start, end)
    return float(weight @ analysis.curve.valence), float(weight @ analysis.curve.arousal)


# ---------------------------------------------------------------- key, tempo, hits


def _key(cue: Cue, before: Sequence[Cue]) -> str:
    signature, minor = signature_and_mode(cue.key)
    sign = "negative" if is_minor(cue.mood) else "positive"
    if minor == is_minor(cue.mood):
        mode = f"since the valence of {cue.mood} is {sign}"
    else:
        mode = f"though {cue.mood} would have the other mode: it was asked for"
    if not before:
        return f"{cue.key}, {mode}"
    steps = distance(signature, signature_and_mode(before[-1].key)[0])
    home = next((c for c in before if c.mood == cue.mood), None)
    if home is not None and signature_and_mode(home.key)[0] == signature:
        return f"{cue.key}, {mode}; the key that {cue.mood} had before"
    related = {0: "with the tones of the cue before", 1: "all tones but one those of the cue before"}
    return f"{cue.key}, {mode}; {related.get(steps, f'{steps} steps of fifths from the cue before')}"


def _tempo(cue: Cue) -> str:
    low, high = TEMPO[cue.mood]
    bpm, bars = float(cue.bpm), cue.meter.bars
    fill = f"{bars} bars of {cue.meter.beats} fill" if bars > 1 else f"one bar of {cue.meter.beats} fills"
    usual = f"the usual {low:g} to {high:g} of {cue.mood}"
    inside = "within" if low <= bpm <= high else "outside of"
    return f"{bpm:.1f} quarters a minute, at which {fill} its {float(cue.duration):.3f} s exactly; {inside} {usual}"


def _hits(cue: Cue) -> str:
    if not cue.hits:
        return ""
    beat = 60 / cue.bpm
    on = [abs((h.t - cue.start) / beat - round((h.t - cue.start) / beat)) * beat <= ON_BEAT for h in cue.hits]
    names = ", ".join(f"{h.kind} at {float(h.t):.2f} s" for h in cue.hits)
    return f"{names}; {sum(on)} of {len(on)} within {1000 * ON_BEAT:.0f} ms of a beat"
