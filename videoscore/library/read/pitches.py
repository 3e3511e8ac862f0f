"""Which pitch classes sound in each bar."""

from __future__ import annotations

import numpy as np

from videoscore.library.read.bars import Bars, Notes
from videoscore.library.read.roles import outer_voice


def pitch_content(notes: Notes, bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """(bars, 12) duration of each pitch class that sounds in a bar, and the same of its lowest notes."""
    count = len(bars.start)
    hist, low = np.zeros((count, 12)), np.zeros((count, 12))
    lowest = outer_voice(notes, lowest=True)
    ends = bars.start + bars.length
    first = np.searchsorted(bars.start, notes.onset, side="right") - 1
    last = np.searchsorted(bars.start, notes.onset + notes.duration, side="left") - 1
    for hop in range(int((last - first).max()) + 1):
        live = (last >= first + hop) & (hop < 8)
        bar = first[live] + hop
        note = notes.where(live)
        inside = np.minimum(note.onset + note.duration, ends[bar]) - np.maximum(note.onset, bars.start[bar])
        np.add.at(hist, (bar, note.pitch % 12), inside)
        under = lowest[live]
        np.add.at(low, (bar[under], note.pitch[under] % 12), inside[under])
    return hist, low
