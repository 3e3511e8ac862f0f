"""Drums: a groove that a drummer plays, kept through a section, with his fill at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from videoscore.compose.bank import Bank, Groove, weighted
from videoscore.compose.form import UNITS, Phrase

CRASH, KICK = 49, 36
SIXTEENTH = UNITS // 4
CYMBALS = (49, 52, 55, 57)  # crash, china, splash, second crash
STYLES = {"rock": 1.0, "funk": 0.5, "hiphop": 0.5, "soul": 0.5, "pop": 0.8, "punk": 0.6, "dance": 0.6}
OTHER = 0.12
# quarters a minute by which a groove may be played faster or slower than it was
STRETCH = 0.35  # natural logarithm


@dataclass(frozen=True)
class Stroke:
    """start : units from the cue's start. key : General MIDI. accent : 0 to 1."""

    start: int
    key: int
    accent: float


def choose_groove(bank: Bank, beats: int, arousal: float, rng: Random) -> Groove | None:
    """A groove as busy as the arousal asks for; None where no drummer plays this metre."""
    stock = bank.grooves.get(str(beats * UNITS), ())
    if not stock:
        return None
    wish = beats * (2.0 + 2.2 * max(0.0, arousal))
    weights = [
        STYLES.get(groove.style, OTHER) * math.exp(-((len(groove.strokes) - wish) ** 2) / (2 * wish))
        if any(s[1] in (35, 36) for s in groove.strokes) and not any(s[0] % SIXTEENTH for s in groove.strokes)
        else 0.0
        for groove in stock
    ]
    return weighted(rng, stock, weights)


def lay_drums(
    phrase: Phrase, groove: Groove, beats: int, opens: bool, closes: bool, ends: bool
) -> list[Stroke]:
    """The groove through a phrase, with a turn on its last quarter. opens : with a cymbal on its first beat. closes : a
    fill in the last bar's second half. ends : one stroke in the last bar, and silence."""
    bar = beats * UNITS
    turn = bar // 2 if closes else bar - UNITS
    # a fill leads to the next bar's cymbal, and has none of its own
    fill = [s for s in groove.fill if turn <= s[0] < bar and s[1] not in CYMBALS]
    out: list[Stroke] = []
    for k in range(phrase.bars):
        start, last = (phrase.start + k) * bar, k == phrase.bars - 1
        if last and ends:
            out += [Stroke(start, CRASH, 0.8), Stroke(start, KICK, 0.9)]
            break
        for onset, key, accent in groove.strokes:
            if last and fill and onset >= turn:
                continue
            if opens and k == 0 and onset == 0 and key in (42, 46, 51):
                continue
            out.append(Stroke(start + onset, key, accent))
        if last:
            out += [Stroke(start + onset, key, accent) for onset, key, accent in fill]
        if opens and k == 0:
            out.append(Stroke(start, CRASH, 0.75))
    return out
