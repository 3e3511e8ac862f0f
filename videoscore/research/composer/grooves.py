"""Mine drum grooves: the bar that a drummer plays most, and the fill that he ends with.

Read from Groove MIDI (Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations"; CC BY 4.0):
style, tempo, "beat" or "fill" and the metre stand in a file's name.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

SIXTEENTH = 6  # units: 1/24 quarter
LENGTHS = {"4-4": 96, "3-4": 72, "6-8": 72}
# the kit's many pads -> General MIDI keys that every drum set has
KEYS = {
    35: 36, 36: 36, 37: 37, 38: 38, 40: 38, 39: 39, 41: 41, 43: 43, 45: 45, 47: 47, 48: 48, 50: 50, 58: 43, 42: 42,
    22: 42, 44: 44, 46: 46, 26: 46, 49: 49, 52: 49, 55: 49, 57: 57, 51: 51, 59: 51, 53: 53,
}  # fmt: skip
FEWEST_BARS = 4
LEAST_SHARE = 0.5  # of the bars in which a stroke has to be to belong to the groove
MOST = 120  # grooves
_NAME = re.compile(r"\d+_([a-z]+)(?:-([a-z0-9]+))?_(\d+)_(beat|fill)_(\d-\d)")


def mine_grooves(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Length of the bar -> grooves: style, bpm, strokes and a fill of the same drummer and style (or of another)."""
    import symusic

    beats: dict[str, list[dict[str, Any]]] = {}
    fills: dict[tuple[str, str], list[list[list[float]]]] = {}
    for path in sorted(folder.rglob("*.mid")):
        match = _NAME.match(path.stem)
        if match is None or match[5] not in LENGTHS:
            continue
        units, style = LENGTHS[match[5]], match[1]
        length = str(units)
        bars = _bars(symusic.Score(str(path)), units)
        if match[4] == "fill":
            if bars:
                fills.setdefault((length, style), []).append(_typical(bars[:1]))
            continue
        if len(bars) < FEWEST_BARS:
            continue
        strokes = _typical(bars)
        if len(strokes) >= 3:
            beats.setdefault(length, []).append({"style": style, "bpm": int(match[3]), "strokes": strokes})
    out: dict[str, list[dict[str, Any]]] = {}
    for length, rows in sorted(beats.items()):
        keys: set[str] = set()
        grooves: list[dict[str, Any]] = []
        for row in rows:
            name = repr([s[:2] for s in row["strokes"]])
            own = fills.get((length, row["style"])) or next(
                (f for (n, _), f in sorted(fills.items()) if n == length), []
            )
            if name in keys:
                continue
            keys.add(name)
            row["fill"] = own[len(grooves) % len(own)] if own else []
            grooves.append(row)
        step = max(1, len(grooves) // MOST)
        out[length] = grooves[::step][:MOST]
    return out


def _bars(score: Any, length: int) -> list[dict[tuple[int, int], float]]:
    """Every bar as (onset, key) -> accent, on sixteenths or, where these fit worse, on eighth triplets."""
    tpq = score.ticks_per_quarter
    notes = [
        (n.time / tpq * 24, KEYS[n.pitch], n.velocity / 127)
        for t in score.tracks
        for n in t.notes
        if n.pitch in KEYS
    ]
    if not notes:
        return []

    def off(grid: int) -> float:
        return sum(abs(t - round(t / grid) * grid) / grid for t, _, _ in notes)

    grid = 8 if off(8) < 0.8 * off(SIXTEENTH) else SIXTEENTH
    bars: dict[int, dict[tuple[int, int], float]] = {}
    for t, key, accent in notes:
        bar, onset = divmod(round(t / grid) * grid, length)
        place = bars.setdefault(bar, {})
        place[onset, key] = max(place.get((onset, key), 0.0), accent)
    return [bars[k] for k in sorted(bars)]


def _typical(bars: list[dict[tuple[int, int], float]]) -> list[list[float]]:
    count: Counter[tuple[int, int]] = Counter()
    total: dict[tuple[int, int], float] = {}
    for bar in bars:
        for place, accent in bar.items():
            count[place] += 1
            total[place] = total.get(place, 0.0) + accent
    return [
        [onset, key, round(total[onset, key] / n, 2)]
        for (onset, key), n in sorted(count.items())
        if n >= LEAST_SHARE * len(bars) and total[onset, key] / n >= 0.2
    ]
