"""A film's timeline as text, for a terminal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from videoscore.mood.circle import MOODS
from videoscore.preview.timeline import COLOURS, Timeline, label

# One letter a mood, so that the ribbon can be read without colours.
LETTERS = dict(zip(MOODS, "HDAXEWTP"))
LEVELS = "▁▂▃▄▅▆▇█"
NAMES = 8  # columns of the rows' names


def ribbon(timeline: Timeline, width: int = 80, colour: bool = False) -> str:
    """Rows of `width` columns at most: cues, moods, valence, arousal, cuts, speech, a scale of time; and a key.

    colour : with ANSI escapes (24-bit colours).
    """
    columns = max(20, width - NAMES - 1)
    end = timeline.duration
    edges = [end * k / columns for k in range(columns + 1)]
    curve = timeline.analysis.curve
    middles = np.array([float(a + b) / 2 for a, b in zip(edges, edges[1:])])
    at = np.clip(np.searchsorted(curve.t, middles, side="right") - 1, 0, len(curve) - 1)
    moods = [MOODS[k] for k in curve.moods[at].argmax(1)]
    rows = {
        "cues": _cues(timeline, columns),
        "mood": "".join(_block(m, colour) for m in moods),
        "valence": "".join(_level(x) for x in np.interp(middles, curve.t, curve.valence)),
        "arousal": "".join(_level(x) for x in np.interp(middles, curve.t, curve.arousal)),
        "cuts": _marks([c.t for c in timeline.analysis.cuts], edges, "|"),
        "hits": _marks([h.t for c in timeline.analysis.sheet.cues for h in c.hits], edges, "v"),
        "speech": "".join(
            "=" if any(a < right and left < b for a, b in timeline.speech) else " "
            for left, right in zip(edges, edges[1:])
        ),
        "": _scale(end, columns),
    }
    moods_present = [m for m in MOODS if m in moods]
    key = "  ".join(f"{_block(m, colour)} {m}" for m in moods_present)
    lines = [f"{name:{NAMES}}{row}".rstrip() for name, row in rows.items() if row.strip()]
    return "\n".join([*lines, f"{'':{NAMES}}{key}"])


def _block(mood: str, colour: bool) -> str:
    if not colour:
        return LETTERS[mood]
    red, green, blue = (int(COLOURS[mood][k : k + 2], 16) for k in (1, 3, 5))
    ink = 30 if red + green + blue > 380 else 97
    return f"\x1b[{ink};48;2;{red};{green};{blue}m{LETTERS[mood]}\x1b[0m"


def _level(x: float) -> str:
    return LEVELS[min(len(LEVELS) - 1, int((x + 1) / 2 * len(LEVELS)))]


def _cues(timeline: Timeline, columns: int) -> str:
    row = [" "] * columns
    starts = [int(cue.start / timeline.duration * columns) for cue in timeline.analysis.sheet.cues]
    for cue, first, last in zip(timeline.analysis.sheet.cues, starts, [*starts[1:], columns]):
        row[first] = "|"
        name = label(cue, last - first - 1, 1)
        row[first + 1 : first + 1 + len(name)] = name
    return "".join(row)


def _marks(times: list[Fraction], edges: list[Fraction], mark: str) -> str:
    columns = len(edges) - 1
    row = [" "] * columns
    for t in times:
        row[min(columns - 1, int(t / edges[-1] * columns))] = mark
    return "".join(row)


def _scale(end: Fraction, columns: int) -> str:
    """Times a quarter of the width apart."""
    row = [" "] * columns
    for quarter in range(4):
        t = float(end) * quarter / 4
        text = f"{int(t) // 60}:{int(t) % 60:02d}" if end >= 60 else f"{t:.1f} s"
        first = columns * quarter // 4
        row[first : first + len(text)] = text
    return "".join(row)
