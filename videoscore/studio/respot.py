"""Spotting again, with another window or shortest cue, around what the user decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from videoscore.cues.keys import plan_keys
from videoscore.cues.mood_words import moods_between
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint
from videoscore.cues.spot.overrule import cuts_between, part_of
from videoscore.cues.spot.spot import spot
from videoscore.mood.curve import MoodCurve
from videoscore.settings.fields import SpotOptions
from videoscore.studio.cue_edits import number_cues
from videoscore.video.frames import Cut

MILLI = 1000


def respot(
    curve: MoodCurve,
    cuts: Sequence[Cut],
    was: CueSheet,
    options: SpotOptions,
    kept: Sequence[Cue],
    fixed: Sequence[Fraction],
) -> CueSheet:
    """The film's cues with the `kept` ones as they are and boundaries at the `fixed` times.

    What lies between is spotted as a film of its own, so that `options` hold there, too. Without either it is what
    `videoscore.cues.spot.spot.spot` makes of the whole film. curve : smoothed. was : gives duration, seed and the rest.
    """
    whole = spot(curve, cuts, was.duration, options, source=was.source, seed=was.seed, preset=was.preset)
    whole = replace(whole, notes=was.notes | whole.notes)
    if not kept and not fixed:
        return whole
    inside = {c.start: c for c in kept}
    stations = sorted({Fraction(0), was.duration, *fixed, *(t for c in kept for t in (c.start, c.end))})
    stations = [t for t in stations if not any(c.start < t < c.end for c in kept)]
    cues: list[Cue] = []
    for start, end in zip(stations, stations[1:]):
        cues += [inside[start]] if start in inside else _stretch(curve, cuts, start, end, options, was)
    keyed_cues = plan_keys(cues, was.seed)
    cues = [c if c.start in inside else replace(c, key=p.key) for c, p in zip(cues, keyed_cues)]
    return replace(whole, cues=number_cues(cues))


def _stretch(
    curve: MoodCurve, cuts: Sequence[Cut], start: Fraction, end: Fraction, options: SpotOptions, was: CueSheet
) -> list[Cue]:
    """The cues between two times, spotted as a film of its own."""
    if options.mood is not None:
        options = replace(options, mood=moods_between(options.mood, start, end))
    inside = cuts_between(cuts, start, end)
    sheet = spot(part_of(curve, start, end), inside, end - start, options, seed=was.seed)
    cut_times = {c.t for c in cuts}
    times = [start, *(_grid(c.start + start, cut_times) for c in sheet.cues[1:]), end]
    cues = [_shift(cue, a, b, start, cut_times) for cue, a, b in zip(sheet.cues, times, times[1:])]
    if start > 0:
        cues[0] = replace(cues[0], start_on="cut" if start in cut_times else "edit")
    return cues


def _shift(cue: Cue, start: Fraction, end: Fraction, by: Fraction, cuts: set[Fraction]) -> Cue:
    """A cue of a stretch in the film's time."""
    points: dict[Fraction, CurvePoint] = {}
    for k, point in enumerate(cue.curve):
        t = start if k == 0 else end if k == len(cue.curve) - 1 else _grid(point.t + by, cuts)
        if start < t < end or t in (start, end) and t not in points:
            points.setdefault(t, replace(point, t=t))
    hits = [replace(h, t=_grid(h.t + by, cuts)) for h in cue.hits]
    return replace(
        cue,
        start=start,
        end=end,
        curve=tuple(points[t] for t in sorted(points)),
        hits=tuple(h for h in hits if start <= h.t <= end),
    )


def _grid(t: Fraction, cuts: set[Fraction]) -> Fraction:
    """A cut's time exactly; any other on whole milliseconds."""
    return t if t in cuts else Fraction(round(t * MILLI), MILLI)
