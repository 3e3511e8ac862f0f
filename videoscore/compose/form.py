"""The form of a cue: phrases with a letter, a place in the period and a cadence, and the chords of each.

A cue is built of four-bar phrases in the manner of periods and small ternary forms (Caplin 1998): an antecedent with a
half cadence and a consequent that begins alike and closes; a contrasting phrase that travels; a return. What is over
opens a cue, as a vamp of the accompaniment, or rounds it off. All cues of one mood in a film share a theme, since its
material is drawn from the film's seed and the mood alone (`Theme` in tune.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from videoscore.compose.chords import Chord, chord
from videoscore.compose.progressions import COLOURED, COLOURS, STOCKS, Stock

PHRASE = 4  # bars
INTRO_FROM = 14  # bars of a cue from which two that are over open it
UNITS = 24  # a quarter


@dataclass(frozen=True)
class Harmony:
    """One chord in time. start, length : units (1/24 quarter) from the start of the cue."""

    start: int
    length: int
    chord: Chord


@dataclass(frozen=True)
class Phrase:
    """Bars of a cue that belong together.

    letter : "a" the theme's first phrase, "b" a contrast, "c" another theme, "i" a vamp before the tune, "k" a close
    after it. variant : how often its letter has been before. cadence : "half", "full", "open", "end" or "none".
    minor : mode of its harmony. chords : in order, without gaps.
    """

    letter: str
    variant: int
    start: int
    bars: int
    cadence: str
    minor: bool
    section: int
    chords: tuple[Harmony, ...]

    @property
    def tuneful(self) -> bool:
        """Whether it has a tune."""
        return self.letter not in "ik"


def plan_form(
    bars: int,
    beats: int,
    mood: str,
    minor: bool,
    modes: Sequence[bool],
    goes_on: bool,
    heads: Callable[[str, bool], Random],
    rng: Random,
    stretch: int = 1,
) -> list[Phrase]:
    """The phrases of a cue of so many bars.

    modes : of every bar, whether minor is wanted there; a phrase takes what most of its bars want. goes_on : another
    cue follows in the same key, so that the last cadence may stay open. heads : (letter, minor) -> chance by which all
    cues of the mood open such a phrase alike; rng : what is this cue's own. stretch : bars that one bar
    of harmony lasts; two where bars go by fast.
    """
    out: list[Phrase] = []
    count_of: dict[str, int] = {}
    for letter, start, count, cadence, section in _stretched(_spans(bars // stretch), bars, stretch):
        here = modes[start : start + count]
        phrase_minor = sum(here) * 2 > len(here) if here else minor
        if cadence == "end" and goes_on and rng.random() < 0.5:
            cadence = "half"
        stock = STOCKS[mood][phrase_minor]
        chance = heads(letter, phrase_minor)
        head = (chance.choice(stock.openings), chance.choice(stock.journeys))
        texts = _texts(letter, count // stretch, cadence, stock, head, rng)
        texts = _coloured(texts, mood, cadence in ("full", "end"), heads(f"{letter} colour", phrase_minor))
        texts = _slowed(texts, count, stretch)
        chords = _lay_out(texts, start, beats, phrase_minor)
        out.append(
            Phrase(letter, count_of.get(letter, 0), start, count, cadence, phrase_minor, section, chords)
        )
        count_of[letter] = count_of.get(letter, 0) + 1
    return out


def trial_chords(mood: str, beats: int, minor: bool, rng: Random) -> tuple[Harmony, ...]:
    """Four bars of the mood's harmony, to try a tune on."""
    stock = STOCKS[mood][minor]
    texts = [*rng.choice(stock.openings).split(" | "), *rng.choice(stock.half).split(" | ")]
    return _lay_out(texts, 0, beats, minor)


def _spans(bars: int) -> list[tuple[str, int, int, str, int]]:
    """(letter, first bar, bars, cadence, section) of every phrase."""
    count, over = divmod(bars, PHRASE)
    if count == 0:
        return [("a", 0, bars, "end", 0)]
    intro = 2 if over == 2 and bars >= INTRO_FROM else 0
    coda = over - intro
    letters = _letters(count)
    out: list[tuple[str, int, int, str, int]] = [("i", 0, intro, "none", 0)] if intro else []
    at = intro
    for k, (letter, cadence, section) in enumerate(letters):
        last = k == len(letters) - 1
        # a single bar over prolongs the last cadence
        length = PHRASE + (coda if last and coda in (1,) else 0)
        out.append((letter, at, length, "end" if last and coda != 2 and coda != 3 else cadence, section))
        at += length
    if coda in (2, 3):
        out.append(("k", at, coda, "end", letters[-1][2]))
    return out


def _stretched(
    spans: Sequence[tuple[str, int, int, str, int]], bars: int, stretch: int
) -> list[tuple[str, int, int, str, int]]:
    """Spans of a form planned in longer bars, in bars; the last takes what is over."""
    out = [(letter, stretch * at, stretch * n, cadence, section) for letter, at, n, cadence, section in spans]
    letter, at, _, cadence, section = out[-1]
    out[-1] = (letter, at, bars - at, cadence, section)
    return out


def _slowed(texts: Sequence[str], count: int, stretch: int) -> list[str]:
    """Chords of so many bars from those of longer ones; the last lasts."""
    if stretch == 1:
        return list(texts)
    out: list[str] = []
    for text in texts:
        numerals = text.split()
        cut = -(-len(numerals) // 2)
        out += [" ".join(numerals[:cut]), " ".join(numerals[cut:]) or numerals[-1]]
    return [*out, *[out[-1].split()[-1]] * count][:count]


def _letters(count: int) -> list[tuple[str, str, int]]:
    """(letter, cadence, section) of so many four-bar phrases."""
    small = {
        1: [("a", "full")],
        2: [("a", "half"), ("a", "full")],
        3: [("a", "half"), ("b", "half"), ("a", "full")],
        4: [("a", "half"), ("a", "full"), ("b", "half"), ("a", "full")],
        5: [("a", "half"), ("a", "full"), ("b", "open"), ("b", "half"), ("a", "full")],
        6: [("a", "half"), ("a", "full"), ("b", "open"), ("b", "half"), ("a", "half"), ("a", "full")],
    }
    if count in small:
        return [(letter, cadence, k // 2) for k, (letter, cadence) in enumerate(small[count])]
    out: list[tuple[str, str, int]] = []
    groups = [
        [("a", "half"), ("a", "full"), ("b", "half"), ("a", "full")],
        [("c", "half"), ("c", "full"), ("b", "open"), ("b", "half")],
    ]
    k = 0
    while count - len(out) > 4:
        for letter, cadence in groups[k % 2][: count - len(out) - 2]:
            out.append((letter, cadence, len(out) // 2))
        k += 1
    rest = {1: [("a", "full")], 2: [("a", "half"), ("a", "full")], 3: [("b", "half"), ("a", "half"), ("a", "full")],
            4: [("b", "half"), ("a", "half"), ("a", "full"), ("a", "full")]}  # fmt: skip
    for letter, cadence in rest[count - len(out)]:
        out.append((letter, cadence, len(out) // 2))
    return out


def _texts(
    letter: str, count: int, cadence: str, stock: Stock, head: tuple[str, str], rng: Random
) -> list[str]:
    """The chords of every bar of a phrase, as numerals."""
    tails = {"half": stock.half, "full": stock.full, "end": stock.full, "open": stock.open}
    if letter == "i":
        return [stock.openings[0].split(" | ")[0].split()[0]] * count
    if letter == "k":
        close = rng.choice(stock.plagal).split(" | ")
        return [*close, *[close[-1]] * (count - 2)][:count] if count > 1 else [close[-1]]
    tail = rng.choice(tails[cadence]).split(" | ")
    body = (head[1] if letter == "b" else head[0]).split(" | ")
    if count == 1:
        return [tail[-1]]
    if count == 2:
        return [body[0], tail[-1]] if cadence != "full" else tail
    if count == 3:
        return [body[0], *tail]
    return [*body, *tail, *[tail[-1].split()[-1]] * (count - PHRASE)]


def _coloured(texts: Sequence[str], mood: str, closes: bool, rng: Random) -> list[str]:
    """The chords with a seventh or ninth here and there, as the mood has it; a close stays plain."""
    out = []
    for k, text in enumerate(texts):
        last = closes and k == len(texts) - 1
        numerals = [
            rng.choice(COLOURS[n]) if n in COLOURS and not last and rng.random() < COLOURED[mood] else n
            for n in text.split()
        ]
        out.append(" ".join(numerals))
    return out


def _lay_out(texts: Sequence[str], start: int, beats: int, minor: bool) -> tuple[Harmony, ...]:
    """Chords in time; of two in a bar of three beats the first has two, of three in four the first has two."""
    out: list[Harmony] = []
    for k, text in enumerate(texts):
        numerals = text.split()
        for at, length, numeral in _split(numerals, beats):
            begin = (start + k) * beats * UNITS + at
            here = chord(numeral, minor)
            if out and out[-1].chord == here:
                out[-1] = Harmony(out[-1].start, out[-1].length + length, here)
            else:
                out.append(Harmony(begin, length, here))
    return tuple(out)


def _split(numerals: Sequence[str], beats: int) -> list[tuple[int, int, str]]:
    whole = beats * UNITS
    if len(numerals) == 1 or beats == 1:
        return [(0, whole, numerals[-1] if beats == 1 else numerals[0])]
    if len(numerals) == 2:
        first = whole // 2 if beats % 2 == 0 else (beats + 1) // 2 * UNITS
        return [(0, first, numerals[0]), (first, whole - first, numerals[1])]
    lengths = (
        [whole // 2, whole // 4, whole - whole // 2 - whole // 4]
        if beats % 4 == 0
        else [UNITS] * (beats - 2) + [UNITS, UNITS]
    )
    if beats == 2:
        lengths = [UNITS, UNITS // 2, UNITS // 2]
    elif beats == 3:
        lengths = [UNITS] * 3
    out, at = [], 0
    for length, numeral in zip(lengths, numerals):
        out.append((at, length, numeral))
        at += length
    if at < whole:
        last = out[-1]
        out[-1] = (last[0], last[1] + whole - at, last[2])
    return out
