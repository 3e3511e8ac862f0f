"""A held note lives: it grows and falls by MIDI's expression, as a bow or a breath does."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from videoscore.perform.parts import Played

Changes = Sequence[tuple[int, int]]

LONG = 1.2  # seconds from which a note swells
TOP = 0.6  # share of the note at which it is loudest
END = 0.5  # share of the swell that is lost again by its end
STEPS = 10  # of one swell
FULL = 127


def swelled(
    notes: Sequence[Played], changes: Changes, depth: float, ticks: Callable[[int, float], int]
) -> Changes:
    """`changes` of expression, (tick, 0..127) in order, with the swells of long notes among them.

    Only notes that nothing else plays into, and in whose time the expression is at full and stays there: what enters
    or leaves by expression isn't disturbed.

    Parameters
    ----------
    notes : of one instrument, sorted; those that start together swell together. depth : dB, as much as a note grows.
    ticks : of seconds, at a tick.
    """
    if depth <= 0:
        return changes
    at, out = [tick for tick, _ in changes], list(changes)
    starts = sorted({note.start for note in notes})
    by_start: dict[int, int] = {}
    for note in notes:
        by_start[note.start] = min(
            by_start.get(note.start, note.start + note.duration), note.start + note.duration
        )
    for start, following in zip(starts, [*starts[1:], None]):
        stop = by_start[start] if following is None else min(by_start[start], following)
        before = bisect_right(at, start)
        disturbed = before < len(at) and at[before] <= stop or before and changes[before - 1][1] != FULL
        if disturbed or stop - start < ticks(start, LONG) or by_start[start] > stop + ticks(start, LONG) / 4:
            continue
        out += [(start + (stop - start) * k // STEPS, _value(k / STEPS, depth)) for k in range(STEPS + 1)]
        if following is not None and following not in at:
            out.append((following, FULL))
    # at one tick the reset comes before the next swell, and both after what was there
    return tuple(_last_of_each(sorted(out, key=lambda change: change[0])))


def _value(share: float, depth: float) -> int:
    loss = depth * (1 - share / TOP) if share < TOP else depth * END * (share - TOP) / (1 - TOP)
    return round(FULL * 10 ** (-loss / 40))


def _last_of_each(changes: Changes) -> Changes:
    return list(dict(changes).items())
