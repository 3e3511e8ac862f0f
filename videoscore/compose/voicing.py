"""Voice leading: where the bass lies, and how each chord is laid out above it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from videoscore.compose.form import Harmony

BASS_LOW, BASS_HIGH, BASS_HOME = 36, 55, 44
PARALLEL = 9.0
SPAN = 16  # semitones between the outer voices of a layout at most


def bass_line(harmonies: Sequence[Harmony], home: int = BASS_HOME) -> list[int]:
    """A bass note for each harmony: the smoothest way by dynamic programming, not far from `home`."""
    rows: list[dict[int, tuple[float, int | None]]] = []
    for k, harmony in enumerate(harmonies):
        here: dict[int, tuple[float, int | None]] = {}
        for p in range(BASS_LOW, BASS_HIGH + 1):
            if p % 12 != harmony.chord.bass:
                continue
            own = 0.02 * (p - home) ** 2
            if k == 0:
                here[p] = (own, None)
            else:
                cost, come = min((total + _bass_step(p - q), q) for q, (total, _) in rows[-1].items())
                here[p] = (cost + own, come)
        rows.append(here)
    return _back(rows)


def _bass_step(away: int) -> float:
    size = abs(away)
    return {0: 0.0, 1: 0.2, 2: 0.2, 3: 0.6, 4: 0.7, 5: 0.7, 6: 4.0, 7: 0.9, 12: 2.0}.get(size, 2.5)


def layouts(
    harmonies: Sequence[Harmony],
    bass: Sequence[int],
    voices: int,
    low: int,
    tops: Sequence[int],
) -> list[tuple[int, ...]]:
    """`voices` pitches, ascending, for each harmony, between `low` and the highest pitch of `tops`.

    Complete chords before doubled ones, the smallest movement between neighbours, no parallel fifths or octaves with
    the bass or among each other, no doubled leading note.
    """
    rows: list[dict[tuple[int, ...], tuple[float, tuple[int, ...] | None]]] = []
    for k, harmony in enumerate(harmonies):
        choices = _choices(harmony, bass[k], voices, low, max(tops[k], low + 12))
        here: dict[tuple[int, ...], tuple[float, tuple[int, ...] | None]] = {}
        for voicing, own in choices:
            if k == 0:
                here[voicing] = (own, None)
                continue
            cost, come = min(
                ((total + _move(q, voicing, bass[k - 1], bass[k]), q) for q, (total, _) in rows[-1].items()),
                key=lambda item: item[0],
            )
            here[voicing] = (cost + own, come)
        rows.append(here)
    return _back(rows)


def _choices(
    harmony: Harmony, bass: int, voices: int, low: int, top: int
) -> list[tuple[tuple[int, ...], float]]:
    tones = harmony.chord.tones
    floor = max(low, bass + 3)
    pool = [p for p in range(floor, max(top, floor + 12) + 1) if p % 12 in tones]
    out: list[tuple[tuple[int, ...], float]] = []
    for voicing in combinations(pool, voices):
        if voicing[-1] - voicing[0] > SPAN:
            continue
        gaps = [b - a for a, b in zip(voicing, voicing[1:])]
        if any(g < 2 or g > 9 for g in gaps) or (voicing[0] < 52 and gaps and gaps[0] < 4):
            continue
        pcs = [p % 12 for p in voicing]
        missing = [t for t in tones[:2] if t not in pcs and t != bass % 12]
        doubled = len(pcs) - len(set(pcs))
        cost = 3.0 * len(missing) + 0.7 * doubled + 0.6 * sum(g == 2 for g in gaps)
        if len(tones) > 3 and tones[3] not in pcs:
            cost += 2.0
        if harmony.chord.leading is not None:
            leads = pcs.count(harmony.chord.leading) + (bass % 12 == harmony.chord.leading)
            cost += 4.0 * max(0, leads - 1)
        cost += 0.015 * (sum(voicing) / voices - (low + min(top, low + 17)) / 2) ** 2
        out.append((voicing, cost))
    if not out:
        lowest = [p for p in range(floor, floor + 40) if p % 12 in tones]
        out = [(tuple(lowest[:voices]), 0.0)]
    out.sort(key=lambda item: item[1])
    return out[:14]


def _move(q: tuple[int, ...], p: tuple[int, ...], bass_q: int, bass_p: int) -> float:
    cost = sum(0.35 * abs(b - a) + (1.0 if abs(b - a) > 5 else 0.0) for a, b in zip(q, p))
    old, new = (bass_q, *q), (bass_p, *p)
    for i in range(len(old)):
        for j in range(i + 1, len(old)):
            one, two = (old[j] - old[i]) % 12, (new[j] - new[i]) % 12
            if one == two and one in (0, 7) and old[i] != new[i] and old[j] != new[j]:
                cost += PARALLEL
    return cost


def _back(rows: Sequence[dict]) -> list:
    """The cheapest way through rows of {state: (cost, the state before)}."""
    if not rows:
        return []
    state = min(rows[-1], key=lambda s: rows[-1][s][0])
    out = [state]
    for row in reversed(rows[1:]):
        state = row[state][1]
        out.append(state)
    return out[::-1]


def ladder(voicing: Sequence[int], rank: int) -> int:
    """The pitch of a rank: the layout's voices from below, then the same an octave higher."""
    octave, voice = divmod(rank, len(voicing))
    return voicing[voice] + 12 * octave
