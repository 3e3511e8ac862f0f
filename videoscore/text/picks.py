"""Which pieces were chosen for which cues, and why, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from videoscore.text.tables import table

WIDEST = 40  # characters of a title


def pick_table(rows: Sequence[Mapping[str, Any]], explain: bool = False) -> str:
    """A line a cue; with `explain` the terms of each cost and the next best pieces. rows : as of
    `videoscore.library.select.select.reasons`."""
    lines = [
        [
            r["cue"],
            r["mood"],
            *(_pick_cells(r) if r["music"] == "select" else ["written", "", "", "", "", ""]),
        ]
        for r in rows
    ]
    text = table(["cue", "mood", "piece", "bars", "key", "moved", "speed", "distance"], lines)
    if explain:
        text += "".join(f"\n\n{_explanation(r)}" for r in rows if r["music"] == "select")
    return text


def _pick_cells(r: Mapping[str, Any]) -> list[str]:
    title = r["title"] if len(r["title"]) <= WIDEST else r["title"][: WIDEST - 3] + "..."
    return [
        title,
        r["bars"],
        r["key"],
        f"{r['semitones']:+d}" if r["semitones"] else "0",
        f"{100 * (r['stretch'] - 1):+.1f} %",
        f"{r['distance']:.2f}",
    ]


def _explanation(r: Mapping[str, Any]) -> str:
    terms = ", ".join(f"{name} {value:.2f}" for name, value in r["terms"].items() if value >= 0.005)
    lines = [f"{r['cue']} ({r['mood']}): {r['title']} costs {r['cost']:.2f} = {terms or 'nothing'}"]
    lines += [
        f"  before neighbours: {o['title']} from bar {o['first_bar']} costs {o['cost']:.2f}, "
        f"distance {o['distance']:.2f}"
        for o in r["others"]
    ]
    return "\n".join(lines)
