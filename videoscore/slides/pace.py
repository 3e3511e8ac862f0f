"""How long each photograph is shown: whole bars of the music, in a tempo that suits its mood.

First the photographs are spotted like a film in which each is a shot of equal length; every cue that comes of it is
given the tempo at which its photographs last about as long as wished and whole bars each (`sheet_for`). When its music
is written, the changes are read off the music's own tempo map (`changes`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from videoscore.cues.contour import mean, stretch_curve
from videoscore.cues.meter import TEMPO, choose_meter
from videoscore.cues.sheet import Cue, CueSheet, Meter
from videoscore.cues.spot.spot import REEL, spot
from videoscore.mood.curve import MoodCurve
from videoscore.mood.octants import octant_probabilities
from videoscore.music.score import PPQ, Score
from videoscore.settings.fields import Options
from videoscore.slides.photo import Photo
from videoscore.video.frames import Cut


@dataclass(frozen=True)
class Plan:
    """sheet : the cues. counts : how many photographs each of them has."""

    sheet: CueSheet
    counts: tuple[int, ...]


def sheet_for(photos: Sequence[Photo], options: Options, source: str = "") -> Plan:
    """The cues of one or more photographs. Each lasts a whole number of the film's pictures."""
    shown = options.slides.seconds
    t = np.array([(k + 0.5) * float(shown) for k in range(len(photos))])
    valence = np.array([p.valence for p in photos])
    arousal = np.array([p.arousal for p in photos])
    confidence = np.array([p.confidence for p in photos])
    curve = MoodCurve(t, valence, arousal, octant_probabilities(valence, arousal), confidence)
    cuts = [Cut(shown * k, 1.0) for k in range(1, len(photos))]
    spotted = spot(
        curve,
        cuts,
        shown * len(photos),
        options.spot,
        source=source,
        seed=options.seed,
        preset=options.preset,
    )
    # a long photograph may have a change of mood, as spotting sees it, in its middle
    starts = sorted({round(cue.start / shown) for cue in spotted.cues} & set(range(len(photos))))
    by_start = {round(cue.start / shown): cue for cue in spotted.cues}
    cues: list[Cue] = []
    counts, now, near = [], Fraction(0), dict[str, Fraction]()
    for first, after in zip(starts, [*starts[1:], len(photos)]):
        cue = by_start[first]
        meter, length = _bars(cue, after - first, options, near.get(cue.mood))
        near[cue.mood] = 60 * meter.bars * meter.beats / length
        name = f"{1 + now // REEL}m{len(cues) + 1} {cue.mood}"
        points = stretch_curve(cue.curve, (cue.start, cue.end), now, now + length)
        cues.append(replace(cue, name=name, start=now, end=now + length, curve=points, meter=meter, hits=()))
        counts.append(after - first)
        now += length
    sheet = CueSheet(source, now, tuple(cues), (), options.seed, options.preset)
    return Plan(sheet, tuple(counts))


def _bars(cue: Cue, count: int, options: Options, near: Fraction | None) -> tuple[Meter, Fraction]:
    """Meter and length of a cue of `count` photographs: whole bars each, about as long as wished, in the range of the
    mood's tempo. near : the tempo that this mood had before."""
    shown, fps = options.slides.seconds, options.slides.fps
    level = mean(cue.curve, cue.start, cue.end)
    suits = choose_meter(shown * count, *level, options.seed, near=near, mood=cue.mood)
    tempo = 60 * suits.bars * suits.beats / (shown * count)
    low, high = TEMPO[cue.mood]

    def cost(bars: int) -> tuple[float, float]:
        """of so many bars a photograph, and the tempo at which it costs this."""
        bpm = min(max(float(60 * bars * suits.beats / shown), low), high)
        length = 60 * bars * suits.beats / bpm
        return abs(math.log(length / float(shown))) + abs(math.log(bpm / float(tempo))), bpm

    middle = suits.bars / count
    bars = min({max(1, math.floor(middle)), math.ceil(middle)}, key=cost)
    meter = Meter(bars * count, suits.beats)
    seconds = 60 * meter.bars * meter.beats / Fraction(cost(bars)[1])
    return meter, Fraction(max(1, round(seconds * fps)), fps)


def changes(score: Score, counts: Sequence[int]) -> tuple[Fraction, ...]:
    """Seconds at which each photograph comes, the first at 0: bar lines of the music that was written.

    counts : photographs a section. Where a section has fewer bars than photographs, beats."""
    out = []
    for section, count in zip(score.sections, counts, strict=True):
        step, steps = section.beats * PPQ, section.bars
        if steps < count:
            step, steps = PPQ, section.bars * section.beats
        out += [score.tempo.seconds(section.start + k * steps // count * step) for k in range(count)]
    return tuple(out)


def beats(score: Score) -> tuple[Fraction, ...]:
    """Seconds of every beat of the music, its end with them."""
    ticks: Iterable[int] = range(0, score.sections[-1].end + 1, PPQ)
    return tuple(score.tempo.seconds(tick) for tick in ticks)
