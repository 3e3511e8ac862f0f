"""The tune: a motif of two bars, and what becomes of it.

A theme's material (cells of rhythm and contour, taken bar by bar from the stock) is drawn from the film's seed and the
mood, so that a mood's tune returns across cues. In a phrase the motif is stated, answered or led on in sequence, broken
up before the cadence, and brought to rest on a goal note with room to breathe. A contrast turns it upside down or goes
on with its second half; the last return is lifted to the peak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from videoscore.compose.bank import Bank, Cell, chunks, weighted
from videoscore.compose.chords import MAJOR_DEGREES, MINOR_DEGREES, TONIC, Chord
from videoscore.compose.form import UNITS, Harmony, Phrase
from videoscore.compose.line import Slot, draw_line
from videoscore.compose.tone import Tone

LOW, HIGH = 62, 86  # C4 to C6: where the tune lies before it is moved to its key
HOME = 72.0
LIFT = {"a": 0.0, "b": 3.0, "c": 1.5}  # semitones by which a phrase lies higher than the theme's first
PEAK = 3.0  # and the last return's climax
BREATHES = 0.6  # share of themes that take a breath after two bars, where a long note stands there
PICKUP = 0.4  # share of phrases that begin with an upbeat
DRAFTS = 24
FEWEST = 2.3  # notes of a cell that are asked for at least
MOST_A_SECOND = 3.8  # notes of a cell
LEANING = (0.8, 2.4)  # how much a foreign note on a beat that falls to its chord is liked, in major and minor
HEAD = 2  # bars of a phrase that return as they were
LONG_PHRASE = 5  # bars, above which a phrase has a second half of its own
LEANS = 0.5  # share of the cadences whose goal is leant on from above


@dataclass(frozen=True)
class Theme:
    """What the phrases of a mood are made of: cells of one bar. first, second : the motif. spin : what goes on.
    upbeat : units of the upbeat, 0 for none.
    breathes : it takes a breath after two bars."""

    first: Cell
    second: Cell
    spin: Cell
    upbeat: int
    triplets: bool
    breathes: bool = False


def draw_theme(
    bank: Bank,
    beats: int,
    compound: bool,
    arousal: float,
    bpm: float,
    trial: Sequence[Harmony],
    minor: bool,
    rng: Random,
    straight: bool = False,
) -> Theme:
    """Material for a mood's tune: of `DRAFTS` the one that makes the best line over `trial`, four bars of chords.

    arousal : of the mood; bpm : quarters a minute, which bounds how fast notes follow. straight : no triplets.
    """
    drafts = [_draft(bank, beats, compound or straight, compound, arousal, bpm, rng) for _ in range(DRAFTS)]
    phrase = Phrase("a", 0, 0, 4, "half", minor, 0, tuple(trial))
    bass = {h.start: 36 + (h.chord.bass - 36) % 12 for h in trial}

    def merit(theme: Theme) -> float:
        slots = _slots(phrase, theme, beats, bass, 0.0, False, Random(0))
        return merit_of(draw_line(slots, scale_of(minor), LOW, HIGH), [s.length for s in slots])

    return max(drafts, key=merit)


def merit_of(pitches: Sequence[int], lengths: Sequence[int]) -> float:
    """How good a line is: mostly steps, a few leaps that are turned back from, few repeated notes, a range of about an
    octave and a peak that comes once. The shares are those of the tunes of quartets and songs."""
    moves = [b - a for a, b in zip(pitches, pitches[1:])]
    if not moves:
        return 0.0
    steps = sum(0 < abs(m) <= 2 for m in moves) / len(moves)
    leaps = sum(abs(m) > 4 for m in moves) / len(moves)
    still = sum(m == 0 for m in moves) / len(moves)
    unfilled_leaps = sum(abs(a) > 4 and a * b > 0 for a, b in zip(moves, moves[1:]))
    span = max(pitches) - min(pitches)
    top = pitches.count(max(pitches))
    kinds = len(set(lengths))
    return (
        -2.0 * abs(steps - 0.48)
        - 4.0 * max(0.0, leaps - 0.3)
        - 4.0 * max(0.0, 0.2 - leaps)
        - 3.0 * max(0.0, still - 0.1)
        - 0.4 * unfilled_leaps
        - 0.08 * abs(span - 10)
        - 0.12 * (top - 1)
        + 0.1 * min(kinds, 4)
        + 0.05 * len(set(pitches))
    )


def _draft(
    bank: Bank, beats: int, straight: bool, compound: bool, arousal: float, bpm: float, rng: Random
) -> Theme:
    wish = _notes_wished(beats, arousal, bpm)
    triplets = rng.random() < 0.12 and not straight
    first = _cell(bank, beats, compound, triplets, wish, rng, moving=True)
    second = _cell(bank, beats, compound, triplets, wish * 0.8, rng, like=first)
    spin = _cell(bank, beats, compound, triplets, wish * 1.15, rng, like=first)
    upbeat = rng.choice((UNITS // 2, UNITS, UNITS)) if rng.random() < PICKUP and beats > 1 else 0
    return Theme(first, second, spin, upbeat, triplets, rng.random() < BREATHES)


def _notes_wished(beats: int, arousal: float, bpm: float) -> float:
    """Notes a bar: more when aroused, and no more than a tune is sung at."""
    a_beat = 0.7 + 1.15 * (arousal + 1) / 2
    return max(1.0 if beats < 3 else FEWEST, min(a_beat * beats, MOST_A_SECOND * 60 / bpm * beats))


def _cell(
    bank: Bank,
    beats: int,
    compound: bool,
    triplets: bool,
    wish: float,
    rng: Random,
    moving: bool = False,
    like: Cell | None = None,
) -> Cell:
    notes: list[tuple[int, int, int]] = []
    at = last = 0
    for length in chunks(beats):
        part = _part(bank, length, compound, triplets, wish * length / (beats * UNITS), rng, moving, like)
        notes += [(at + onset, duration, last + step) for onset, duration, step in part]
        if notes:
            last = notes[-1][2]
        at += length
    return Cell(at, tuple(notes))


def _part(
    bank: Bank,
    length: int,
    compound: bool,
    triplets: bool,
    wish: float,
    rng: Random,
    moving: bool,
    like: Cell | None,
) -> tuple[tuple[int, int, int], ...]:
    if length not in (72, 96):
        return (
            ((0, length, 0),) if wish < 1.5 else ((0, length // 2, 0), (length // 2, length - length // 2, 1))
        )
    stock = bank.cells[f"{length}{'c' if compound and length == 72 else ''}"]
    weights = []
    for cell in stock:
        weight = 0.0
        if cell.merit and cell.triplets is triplets:
            count = len(cell.notes)
            weight = (
                math.sqrt(cell.pieces) * math.exp(-((count - wish) ** 2) / (0.5 + 0.25 * wish)) * cell.merit
            )
            if (moving and not cell.moving) or count == 1:
                weight *= 0.15
            # the tune's own rhythm goes through it: shared onsets count
            if like is not None:
                weight *= 0.3 + len(set(cell.onsets) & set(like.onsets)) / count
        weights.append(weight)
    return weighted(rng, stock, weights).notes


def write_tune(
    phrases: Sequence[Phrase],
    theme: dict[str, Theme],
    bass: dict[int, int],
    beats: int,
    lifts: Sequence[float],
    rng: Random,
) -> list[Tone]:
    """The tune of a cue.

    theme : by letter "a" and "c". bass : start of a harmony -> its bass note. lifts : semitones a phrase, by which the
    mood's curve raises or lowers it.
    """
    out: list[Tone] = []
    memory: dict[tuple[object, ...], list[int]] = {}
    tuneful = [p for p in phrases if p.tuneful]
    for k, phrase in enumerate(phrases):
        if not phrase.tuneful:
            continue
        last = phrase is tuneful[-1] and len(tuneful) > 2
        material = theme["c" if phrase.letter == "c" else "a"]
        slots = _slots(phrase, material, beats, bass, lifts[k], last, rng)
        scale, leaning = scale_of(phrase.minor), LEANING[phrase.minor]
        # the head is drawn by itself, so that it is the same wherever the theme comes
        count = sum(1 for s in slots if s.start < (phrase.start + HEAD) * beats * UNITS)
        key = (*_head_key(phrase), last, count)
        if key not in memory:
            memory[key] = draw_line(slots[:count], scale, LOW, HIGH, leaning=leaning)
        head = memory[key]
        rest = draw_line(slots[count:], scale, LOW, HIGH, head[-1] if head else None, leaning=leaning)
        pitches = [*head, *rest]
        tones = [Tone(s.start, s.length, p) for s, p in zip(slots, pitches)]
        under = phrases[k - 1].chords[-1].chord if k else None
        out += _with_upbeat(tones, out, phrase, material, bent(under, scale), beats)
    return out


def _head_key(phrase: Phrase) -> tuple[str, bool, str]:
    """What makes two phrases begin with the same notes: the same letter over the same chords."""
    opening = " ".join(h.chord.numeral for h in phrase.chords[:2])
    return phrase.letter, phrase.minor, opening


def scale_of(minor: bool) -> tuple[int, ...]:
    """Pitch classes of C major, or of natural A minor."""
    return tuple(sorted((TONIC[minor] + d) % 12 for d in (MINOR_DEGREES if minor else MAJOR_DEGREES)))


def _plan_cells(phrase: Phrase, theme: Theme, last: bool) -> list[tuple[Cell, int]]:
    """The cell of every bar but the cadence's, and 1, or -1 where it is turned upside down."""
    first, second, spin = (theme.first, 1), (theme.second, 1), (theme.spin, 1)
    long = phrase.bars > LONG_PHRASE
    if phrase.letter == "b" and phrase.variant % 2:
        cells = [(theme.first, -1), (theme.second, -1), spin, spin]
    elif phrase.letter == "b":
        cells = [second, second, (theme.spin, -1), spin]
    elif last or phrase.variant % 2:
        cells = [first, second, spin, first if not last else spin]
    else:
        cells = [first, second, first, second]
    if long:
        cells += [spin, second, spin, second] if phrase.letter != "b" else [second, spin, spin, second]
    return [cells[k % len(cells)] for k in range(phrase.bars - 1)]


def _slots(
    phrase: Phrase,
    theme: Theme,
    beats: int,
    bass: dict[int, int],
    lift: float,
    last: bool,
    rng: Random,
) -> list[Slot]:
    bar = beats * UNITS
    base = HOME + LIFT.get(phrase.letter, 0.0) + lift
    out: list[Slot] = []
    previous = 0
    for k, (cell, sign) in enumerate(_plan_cells(phrase, theme, last)):
        start = (phrase.start + k) * bar
        arch = 2.2 * math.sin(math.pi * (k + 0.5) / phrase.bars)
        height = base + arch + (PEAK if last and k == phrase.bars - 2 else 0.0)
        for n, (onset, duration, step) in enumerate(cell.notes):
            if onset >= bar:
                continue
            length = min(duration, bar - onset)
            if k == 1 and n == len(cell.notes) - 1 and length >= 36 and theme.breathes:
                length -= UNITS // 2 if length < 2 * UNITS else UNITS
            move = None if n == 0 else sign * (step - previous)
            previous = step
            out.append(slot_at(phrase, start + onset, length, beats, move, bass, height))
    out += _cadence(phrase, beats, bass, base - 1.0, rng)
    return out


def slot_at(
    phrase: Phrase,
    start: int,
    length: int,
    beats: int,
    move: int | None,
    bass: dict[int, int],
    height: float,
    goal: frozenset[int] = frozenset(),
) -> Slot:
    """A note of a phrase that is to be given a pitch."""
    harmony = harmony_at(phrase.chords, start)
    return Slot(
        start,
        length,
        _weight(start % (beats * UNITS), length, beats),
        harmony.chord,
        move,
        bass[harmony.start],
        goal,
        height,
        fresh=start == harmony.start,
    )


def _weight(position: int, length: int, beats: int) -> float:
    if position == 0:
        stress = 0.5
    elif beats % 2 == 0 and position == beats * UNITS // 2:
        stress = 0.4
    else:
        stress = 0.12 if position % UNITS == 0 else 0.0
    return min(1.0, stress + 0.5 * max(0.0, min(1.0, (length - UNITS // 2) / (1.5 * UNITS))))


def harmony_at(chords: Sequence[Harmony], at: int) -> Harmony:
    """The harmony that sounds at a time."""
    for harmony in reversed(chords):
        if harmony.start <= at:
            return harmony
    return chords[0]


def _cadence(phrase: Phrase, beats: int, bass: dict[int, int], height: float, rng: Random) -> list[Slot]:
    """The last bar: a goal note, perhaps leant on from above, and a breath."""
    bar = beats * UNITS
    start = (phrase.start + phrase.bars - 1) * bar
    final = harmony_at(phrase.chords, start + bar - 1).chord
    tonic, fifth, third = (
        TONIC[phrase.minor],
        (TONIC[phrase.minor] + 7) % 12,
        final.tones[1 % len(final.tones)],
    )
    if phrase.cadence in ("full", "end"):
        goal = frozenset({tonic}) if phrase.cadence == "end" or rng.random() < 0.75 else frozenset({third})
    elif phrase.cadence == "half":
        goal = frozenset(final.tones[:3]) - {tonic}
    else:
        goal = frozenset(final.tones[:3])
    if final.root == fifth and phrase.cadence == "half" and rng.random() < 0.6:
        goal = frozenset({final.tones[2 % len(final.tones)], final.tones[1 % len(final.tones)]})
    breath = (
        0
        if beats == 1 or phrase.cadence == "end"
        else UNITS * (2 if beats > 3 and rng.random() < 0.35 else 1)
    )
    chords = [h for h in phrase.chords if start <= h.start < start + bar]
    if len(chords) > 1:  # the goal is on the bar's last chord
        at = chords[-1].start
        return [
            slot_at(phrase, start, at - start, beats, None, bass, height + 1),
            slot_at(phrase, at, max(UNITS, start + bar - at - breath), beats, None, bass, height, goal),
        ]
    if beats >= 3 and rng.random() < LEANS:
        lean = UNITS
        return [
            slot_at(phrase, start, lean, beats, None, bass, height + 1),
            slot_at(phrase, start + lean, bar - lean - breath, beats, -1, bass, height, goal),
        ]
    return [slot_at(phrase, start, bar - breath, beats, None, bass, height, goal)]


def bent(chord: Chord | None, scale: Sequence[int]) -> tuple[int, ...]:
    """The scale as a chord bends it: its raised and lowered tones in place of the plain ones."""
    borrowed = [t for t in chord.tones if t not in scale] if chord is not None else []
    return (*(p for p in scale if all((p - t) % 12 not in (1, 11) for t in borrowed)), *borrowed)


def _with_upbeat(
    tones: list[Tone], before: Sequence[Tone], phrase: Phrase, theme: Theme, scale: Sequence[int], beats: int
) -> list[Tone]:
    """The phrase with its upbeat, where the phrase before has left room for it."""
    if not tones or not theme.upbeat or phrase.start == 0 or phrase.letter == "b":
        return tones
    start = phrase.start * beats * UNITS - theme.upbeat
    if tones[0].start != phrase.start * beats * UNITS:
        return tones
    if before and before[-1].start + before[-1].length > start:
        return tones
    first = tones[0].pitch
    below = next((p for p in range(first - 1, first - 4, -1) if p % 12 in scale), first - 2)
    if theme.upbeat == UNITS:
        return [Tone(start, UNITS, below), *tones]
    return [Tone(start, theme.upbeat, below), *tones]
