"""Cue sheets and facts as tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from videoscore.cues.sheet import Cue, CueSheet


def clock(seconds: Fraction | float) -> str:
    """Minutes, seconds and milliseconds: 1:02.500."""
    thousandths = round(seconds * 1000)
    return f"{thousandths // 60000}:{thousandths // 1000 % 60:02d}.{thousandths % 1000:03d}"


def cue_row(cue: Cue) -> dict[str, Any]:
    """The facts of a cue that the plan shows; V/A is the curve's mean over the cue."""
    from videoscore.cues.contour import mean

    valence, arousal = mean(cue.curve, cue.start, cue.end)
    return {
        "name": cue.name,
        "start": cue.start,
        "end": cue.end,
        "start_on": cue.start_on,
        "mood": cue.mood,
        "valence": round(valence, 3),
        "arousal": round(arousal, 3),
        "key": cue.key,
        "bars": cue.meter.bars,
        "beats": cue.meter.beats,
        "bpm": round(float(cue.bpm), 2),
        "hits": len(cue.hits),
        "locked": cue.locked,
    }


def cue_table(sheet: CueSheet) -> str:
    """One line a cue: times, mood, V/A, key, bars and tempo."""
    rows = []
    for cue in sheet.cues:
        r = cue_row(cue)
        rows.append(
            [
                r["name"],
                clock(cue.start),
                clock(cue.end),
                r["start_on"],
                r["mood"],
                f"{r['valence']:+.2f}",
                f"{r['arousal']:+.2f}",
                r["key"],
                f"{r['bars']} x {r['beats']}/4",
                f"{r['bpm']:.1f}",
                str(r["hits"]),
                "locked" if cue.locked else "",
            ]
        )
    return table(
        ["cue", "start", "end", "on", "mood", "valence", "arousal", "key", "bars", "bpm", "hits", ""], rows
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be."""
    widths = [max(len(row[k]) for row in (heads, *rows)) for k in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (heads, *rows)
    )
