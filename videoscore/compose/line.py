"""A melodic line over given chords: rhythm and wished-for contour in, pitches out.

The cheapest way through the pitches by dynamic programming. What costs is what teachers mark: leaps that aren't filled,
notes foreign to the chord that aren't passed through by step, forbidden intervals, parallel fifths and octaves with the
bass, a line that leaves its range or has no peak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from videoscore.compose.chords import Chord

LEAP = {
    0: 0.9,
    1: 0.0,
    2: 0.0,
    3: 0.3,
    4: 0.4,
    5: 0.3,
    6: 6.0,
    7: 0.5,
    8: 0.9,
    9: 1.0,
    10: 4.5,
    11: 8.0,
    12: 1.2,
}
CONTOUR = 1.15  # a step of the scale away from the wished-for move
FOREIGN = 2.6  # a note of no chord on a weak beat; times its weight
SCALE_OUT = 3.0  # a note outside the scale that no chord asks for
PARALLEL = 5.0
DOUBLED = 2.2  # the tone of the tune in the second voice
PERFECT = 0.9  # an octave or fifth over the bass of a new chord, from which parallels come


@dataclass(frozen=True)
class Slot:
    """A note to be given a pitch.

    start, length : units. weight : how much it has to be of its chord, 0 to 1. chord : what sounds under it.
    move : wished-for steps of the scale from the note before, None for no wish. bass : pitch that sounds below.
    goal : pitch classes of which it should be one. height : pitch near which it should lie. above : pitch of another
    line that it shouldn't come near, or cross, from below (a counter-melody's); None: none. fresh : the harmony is new.
    doubled : pitch classes that another line has, and that it should leave to it.
    """

    start: int
    length: int
    weight: float
    chord: Chord
    move: int | None
    bass: int
    goal: frozenset[int] = frozenset()
    height: float = 72.0
    above: int | None = None
    fresh: bool = False
    doubled: frozenset[int] = frozenset()


def draw_line(
    slots: Sequence[Slot],
    scale: Sequence[int],
    low: int,
    high: int,
    before: int | None = None,
    height_pull: float = 0.035,
    leaning: float = 0.0,
) -> list[int]:
    """A pitch for every slot. scale : pitch classes. before : the pitch that the line comes from.

    leaning : how much a note foreign to its chord on a strong beat is liked where it falls by step into the chord.
    """
    if not slots:
        return []
    degree = _degrees(scale)
    pitches = [_candidates(slot, scale, low, high) for slot in slots]
    best: list[dict[int, tuple[float, int | None]]] = []
    first: dict[int, tuple[float, int | None]] = {
        p: (_alone(slots[0], p, scale, height_pull) + _start(before, p), None) for p in pitches[0]
    }
    best.append(first)
    for k in range(1, len(slots)):
        here: dict[int, tuple[float, int | None]] = {}
        for p in pitches[k]:
            alone = _alone(slots[k], p, scale, height_pull)
            cost, come = min(
                (total + _step(slots[k - 1], q, slots[k], p, degree, leaning), q)
                for q, (total, _) in best[-1].items()
            )
            here[p] = (cost + alone, come)
        best.append(here)
    pitch = min(best[-1], key=lambda p: best[-1][p][0])
    out = [pitch]
    for k in range(len(slots) - 1, 0, -1):
        pitch = best[k][pitch][1]  # type: ignore[assignment]
        out.append(pitch)
    return out[::-1]


def _candidates(slot: Slot, scale: Sequence[int], low: int, high: int) -> list[int]:
    classes = (set(scale) | set(slot.chord.tones)) if not slot.goal else set(slot.goal)
    # in a chord with a raised or lowered tone the plain one is no choice
    clash = {(t + d) % 12 for t in slot.chord.tones for d in (1, -1)} - set(slot.chord.tones)
    borrowed = [t for t in slot.chord.tones if t not in scale]
    if borrowed and not slot.goal:
        classes -= {p for p in clash if p in scale and any((p - t) % 12 in (1, 11) for t in borrowed)}
    top = high if slot.above is None else min(high, slot.above - 3)
    pitches = [p for p in range(low, max(top, low + 12) + 1) if p % 12 in classes]
    return pitches or list(range(low, high + 1))


def _alone(slot: Slot, p: int, scale: Sequence[int], pull: float) -> float:
    cost = pull * (p - slot.height) ** 2 / 6
    pc = p % 12
    if pc not in slot.chord.tones:
        cost += FOREIGN * (0.25 + 2.4 * slot.weight)
        if any((pc - t) % 12 == 1 for t in slot.chord.tones) and slot.weight > 0.5:
            cost += 3.0  # a semitone above a chord tone, held
    elif slot.weight > 0.6 and slot.chord.leading == pc and slot.length >= 36:
        cost += 0.6
    if pc not in scale and pc not in slot.chord.tones:
        cost += SCALE_OUT
    if slot.fresh and not slot.goal and (p - slot.bass) % 12 in (0, 7):
        cost += PERFECT
    if slot.above is not None and slot.above - p < 3:
        cost += 8.0
    if pc in slot.doubled:
        cost += DOUBLED
    return cost


def _start(before: int | None, p: int) -> float:
    if before is None:
        return 0.0
    away = abs(p - before)
    return 0.12 * max(0, away - 4) + (3.0 if away == 6 else 0.0) + (0.8 if away > 12 else 0.0)


def _step(a: Slot, q: int, b: Slot, p: int, degree: Mapping[int, int], leaning: float) -> float:
    away = p - q
    cost = LEAP.get(abs(away), 10.0)
    if b.move is not None:
        move = b.move
        real = _diatonic(q, p, degree)
        cost += CONTOUR * abs(real - move) ** 1.3
        if move and real and (move > 0) != (real > 0):
            cost += 0.8
        if move == 0 and away == 0:
            cost -= 0.4
        if move and not away:
            cost += 1.6
    foreign_a, foreign_b = q % 12 not in a.chord.tones, p % 12 not in b.chord.tones
    if foreign_a and not 0 < abs(away) <= 2:
        cost += 7.0  # left by leap, or repeated
    leans = foreign_a and not foreign_b and away in (-1, -2) and a.weight > 0.4
    if leans:
        cost -= leaning
    if foreign_b and not abs(away) <= 2 and not (leaning > 1 and b.weight > 0.4 and 0 < away <= 5):
        cost += 6.0  # come upon by leap, but for a leaning note from below
    if (
        a.chord.leading is not None
        and q % 12 == a.chord.leading
        and a.chord != b.chord
        and away not in (1, 2, 0)
    ):
        cost += 2.2
    if (
        a.chord.seventh is not None
        and q % 12 == a.chord.seventh
        and a.chord != b.chord
        and away not in (-1, -2, 0)
    ):
        cost += 1.8
    if a.bass != b.bass and away:
        one, two = (q - a.bass) % 12, (p - b.bass) % 12
        if one == two and one in (0, 7):
            cost += PARALLEL
        elif two in (0, 7) and (away > 0) == (b.bass > a.bass) and abs(away) > 2 and b.weight > 0.6:
            cost += 1.5  # hidden
    return cost


def _degrees(scale: Sequence[int]) -> dict[int, int]:
    """Pitch class -> number of the scale's step, foreign ones the step below."""
    ordered = sorted(scale)
    out = {}
    for pc in range(12):
        out[pc] = max((k for k, s in enumerate(ordered) if s <= pc), default=-1)
    return out


def _diatonic(q: int, p: int, degree: Mapping[int, int]) -> int:
    return 7 * (p // 12 - q // 12) + degree[p % 12] - degree[q % 12]
