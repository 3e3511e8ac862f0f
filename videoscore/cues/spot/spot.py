"""Spotting: which music the film needs and when. Smoothed MoodCurve and cuts in, CueSheet out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from videoscore.cues.contour import DECIMALS, clip, mean, moods_at, thin
from videoscore.cues.keys import plan_keys as plan_keys
from videoscore.cues.meter import choose_meter
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, Meter
from videoscore.cues.spot.hits import find_hits
from videoscore.cues.spot.overrule import Stretch, as_words, cuts_between, overrule, part_of, stretches
from videoscore.cues.spot.segment import Boundary, cells, longest, scale_of, segment
from videoscore.mood.circle import MOODS, mood_of
from videoscore.mood.curve import MoodCurve
from videoscore.settings.fields import SpotOptions
from videoscore.video.frames import Cut

# Neighbouring cues of one mood become one unless their means lie this far apart on the V/A plane: in
# the film's own standard deviations, and at least so much that music can show it.
APART = 0.8
LEAST_APART = 0.12
# A reel of 35 mm film (2000 feet at 24 pictures/s, rounded down): cues are numbered 1m1, 1m2, ... 2m9.
REEL = Fraction(20 * 60)
# Title of the sheet's note that records the words with which its moods were overruled.
MOOD_NOTE = "mood"


def spot(
    curve: MoodCurve,
    cuts: Sequence[Cut],
    duration: Fraction,
    options: SpotOptions,
    *,
    source: str = "",
    seed: int = 0,
    preset: str = "cinematic",
) -> CueSheet:
    """Part a film into cues and say what each shall be.

    Parameters
    ----------
    curve : the smoothed mood curve.
    cuts : shot boundaries; those outside (0, duration) are left out.
    duration : length of the picture in seconds, over 0.
    options : limits on the length of a cue, in seconds; and `mood`, words that overrule the curve. Cues begin where
        these do, whatever the limits, and the sheet's notes record them.
    source, seed, preset : written into the sheet; `seed` also decides keys and meters.

    Returns
    -------
    Contiguous cues from 0 to `duration`. A cue with start_on "cut" starts at exactly that cut's time.

    Raises
    ------
    ValueError : a duration of 0 or less. UsageError : words that can't be read, or past the end.
    """
    if duration <= 0:
        raise ValueError("a film has to last longer than 0 s")
    cuts = in_film(cuts, duration)
    parts = stretches(options.mood, cuts, duration, source)
    curve = overrule(curve, parts, cuts, duration)
    starts = [b for part in parts for b in _starts(curve, cuts, part, options)]
    ends = [*(b.t for b in starts[1:]), duration]
    rises = find_hits(curve, cuts, [b.t for b in starts], duration)
    edges = {c.t for c in cuts} | {part.start for part in parts}
    cues: list[Cue] = []
    for number, (boundary, end) in enumerate(zip(starts, ends)):
        points = _points(curve, boundary, end, cut_after=end in edges)
        word = next(part.mood for part in reversed(parts) if part.start <= boundary.t)
        mood = word or _mood(curve, points, boundary.t, end)
        name = f"{1 + boundary.t // REEL}m{number + 1} {mood}"
        hits = tuple(h for h in rises if boundary.t < h.t < end)
        cues.append(Cue(name, boundary.t, end, boundary.start_on, mood, points, "C major", Meter(1, 4), hits))
    cues = _with_meters(plan_keys(cues, seed), seed)
    notes = {} if options.mood is None else {MOOD_NOTE: as_words(parts)}
    return CueSheet(source, duration, tuple(cues), tuple(c.t for c in cuts), seed, preset, notes)


def _starts(curve: MoodCurve, cuts: Sequence[Cut], part: Stretch, options: SpotOptions) -> list[Boundary]:
    """Where cues begin in one stretch, which is parted as a film of its own; in the film's time."""
    inside, length = part_of(curve, part.start, part.end), part.end - part.start
    own = cuts_between(cuts, part.start, part.end)
    starts = _merge(segment(inside, own, length, options), inside, own, length, options)
    if part.start == 0:
        return starts
    why = "cut" if any(c.t == part.start for c in cuts) else "edit"
    return [replace(b, t=b.t + part.start, start_on=b.start_on if k else why) for k, b in enumerate(starts)]


def in_film(cuts: Sequence[Cut], duration: Fraction) -> list[Cut]:
    """Sorted, each time once with its greatest strength."""
    by_time: dict[Fraction, Cut] = {}
    for cut in cuts:
        if 0 < cut.t < duration and (cut.t not in by_time or by_time[cut.t].strength < cut.strength):
            by_time[cut.t] = cut
    return [by_time[t] for t in sorted(by_time)]


def _merge(
    starts: list[Boundary], curve: MoodCurve, cuts: Sequence[Cut], duration: Fraction, options: SpotOptions
) -> list[Boundary]:
    """Without the boundaries between cues that would sound alike, the least different pair first."""
    edges = cells(curve, cuts, duration)
    apart, most = max(LEAST_APART, APART * scale_of(curve, edges)), longest(options)
    width = np.diff(edges)
    running = [np.concatenate([[0.0], np.cumsum(width * x)]) for x in (curve.valence, curve.arousal)]
    starts = list(starts)
    while len(starts) > 1:
        stations = [*(b.t for b in starts), duration]
        t = np.array([float(s) for s in stations])
        means = np.column_stack([np.diff(np.interp(t, edges, r)) / np.diff(t) for r in running])
        moods = [mood_of(v, a) for v, a in means]
        gaps = np.linalg.norm(np.diff(means, axis=0), axis=1)
        for k in range(1, len(starts)):
            if moods[k] != moods[k - 1] or stations[k + 1] - stations[k - 1] > most:
                gaps[k - 1] = np.inf
        if gaps.min() > apart:
            break
        del starts[int(gaps.argmin()) + 1]
    return starts


def _points(curve: MoodCurve, start: Boundary, end: Fraction, cut_after: bool) -> tuple[CurvePoint, ...]:
    """The curve inside a cue, thinned. Up to a cut the cue's own samples count, not those beyond it."""
    low, high = float(start.t), float(end)
    inside = (curve.t >= low) & (curve.t < high)
    t, va = curve.t[inside], np.column_stack([curve.valence[inside], curve.arousal[inside]])
    if not len(t):
        t, va = np.array([(low + high) / 2]), np.array([curve.at((low + high) / 2)])
    if start.start_on in ("mood", "length") and t[0] > low:
        t, va = np.insert(t, 0, low), np.vstack([curve.at(low), va])
    if not cut_after:
        t, va = np.append(t, high), np.vstack([va, curve.at(high)])
    knots = thin(t, va)
    points: dict[Fraction, CurvePoint] = {}
    for i in knots:
        at = Fraction(round(float(t[i]) * 1000), 1000)
        points[at] = CurvePoint(at, round(float(va[i, 0]), DECIMALS), round(float(va[i, 1]), DECIMALS))
    return _round(clip(list(points.values()), start.t, end))


def _round(points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    return tuple(
        replace(p, valence=round(p.valence, DECIMALS) + 0.0, arousal=round(p.arousal, DECIMALS) + 0.0)
        for p in points
    )


def _mood(curve: MoodCurve, points: Sequence[CurvePoint], start: Fraction, end: Fraction) -> str:
    """The mood in whose octant the cue's mean lies; on a border the likelier one by the probabilities."""
    valence, arousal = mean(points, start, end)
    moods = moods_at(valence, arousal)
    inside = (curve.t >= float(start)) & (curve.t < float(end))
    if len(moods) == 1 or not inside.any():
        return mood_of(valence, arousal)
    likely = curve.moods[inside].mean(axis=0)
    return max(sorted(moods), key=lambda m: likely[MOODS.index(m)])


def _with_meters(cues: Sequence[Cue], seed: int) -> list[Cue]:
    """Each cue with its bars; a mood that was there before stays near its tempo."""
    tempo: dict[str, Fraction] = {}
    out = []
    for cue in cues:
        valence, arousal = mean(cue.curve, cue.start, cue.end)
        meter = choose_meter(
            cue.duration,
            valence,
            arousal,
            seed,
            cue.hits,
            start=cue.start,
            near=tempo.get(cue.mood),
            mood=cue.mood,
        )
        out.append(replace(cue, meter=meter))
        tempo[cue.mood] = out[-1].bpm
    return out
