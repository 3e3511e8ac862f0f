"""Which bars of a piece fill a cue, and at what tempo. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from videoscore.cues.meter import MISSED
from videoscore.cues.sheet import HitPoint, Meter

STRETCH = 0.08  # how much faster or slower than written a piece may be played
MOST_BEATS = 12  # quarters a bar, as a cue sheet holds them
HIT = 1.0  # cost of a hit point that no beat marks, where 1 is a stretch of 8 %
EXACT = 1e-9


@dataclass(frozen=True)
class BarFit:
    """Bars that fill a cue exactly. stretch : how many times faster than written the piece is played."""

    meter: Meter
    stretch: float

    @property
    def quarters(self) -> int:
        return self.meter.bars * self.meter.beats


def whole_bar(beats: float) -> int | None:
    """Quarters in the smallest group of a piece's bars (one to four of them) that is whole quarters, such as 7 for two
    bars of 7/8; None where it is none of up to `MOST_BEATS`."""
    for group in (1, 2, 4):
        quarters = beats * group
        if abs(quarters - round(quarters)) < EXACT and 1 <= round(quarters) <= MOST_BEATS:
            return round(quarters)
    return None


def fit_meter(
    duration: Fraction, bpm: float, beats: float, hits: Sequence[HitPoint] = (), start: Fraction = Fraction(0)
) -> BarFit | None:
    """Bars for a cue of `duration` seconds at nearly the tempo of a piece.

    Parameters
    ----------
    bpm, beats : the piece's quarters a minute, and a bar.
    hits, start : hit points of the cue and where it starts on their clock; beats near hits are preferred.

    Returns
    -------
    Whole bars wherever these can be had within `STRETCH` of the tempo; else the nearest whole number of quarters,
    and so, at the cue's end, a part of a bar. Only a cue of less than about seven quarters may be stretched further.
    None when the piece's bars aren't whole quarters.
    """
    bar = whole_bar(beats)
    if bar is None:
        return None
    exact = bpm * float(duration) / 60
    fewest, most = exact / (1 + STRETCH), exact * (1 + STRETCH)
    counts = range(max(1, math.ceil(fewest / bar)), math.floor(most / bar) + 1)
    if counts:
        best = min(counts, key=lambda n: (_cost(n * bar, exact, duration, hits, start), n))
        return BarFit(Meter(best, bar), best * bar / exact)
    quarters = max(1, round(exact))
    if quarters < exact and exact * exact > quarters * (quarters + 1):
        quarters += 1  # nearest as a ratio
    per_bar = next(
        b for b in dict.fromkeys((bar, 4, 3, 2, *range(5, MOST_BEATS + 1), 1)) if quarters % b == 0
    )
    return BarFit(Meter(quarters // per_bar, per_bar), quarters / exact)


def _cost(
    quarters: int, exact: float, duration: Fraction, hits: Sequence[HitPoint], start: Fraction
) -> float:
    cost = (math.log(quarters / exact) / math.log(1 + STRETCH)) ** 2
    if hits:
        beat = float(duration) / quarters
        off = [float(h.t - start) / beat for h in hits]
        costs = [min(1.0, abs(x - round(x)) * beat / MISSED) ** 2 * h.strength for x, h in zip(off, hits)]
        cost += HIT * sum(costs) / max(1.0, sum(h.strength for h in hits))
    return cost


def bars_for(count: int, first: int, run: int, loop_first: int, loop_last: int) -> tuple[int, ...]:
    """`count` bars of a piece, from bar `first` on.

    run : the bar, one past, up to which the piece may go on. When that isn't enough, the music goes back from
    `loop_last` to `loop_first` (both within [first, run]) as often as needed, and then on towards `run`.
    """
    if not (count > 0 and first <= loop_first < loop_last <= run and first < run):
        raise ValueError("no bars to choose from")
    if count <= run - first:
        return tuple(range(first, first + count))
    again = -(-(count - (run - first)) // (loop_last - loop_first))
    bars = [*range(first, loop_last), *(list(range(loop_first, loop_last)) * again), *range(loop_last, run)]
    return tuple(bars[:count])
