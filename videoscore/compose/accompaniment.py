"""What stands under the tune: figures laid over the chords, a bass that walks where it may, pads and a second voice.

A figure is chosen for a section and kept: that is what makes an accompaniment one. It is thinned at the cadence, and it
never sounds over a change of harmony.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from videoscore.compose.bank import Bank, Figure, chunks, weighted
from videoscore.compose.form import UNITS, Harmony, Phrase
from videoscore.compose.line import Slot, draw_line
from videoscore.compose.melody import harmony_at, scale_of
from videoscore.compose.tone import Tone
from videoscore.compose.voicing import ladder

LONGEST_RANK = 4
HIGHEST_FIFTH = 52  # a bass's fifth above this is taken below its root
# rhythms of a bass that drives, over two quarters
DRIVES = {
    "pulse": (12, 12, 12, 12),
    "gallop": (24, 12, 12),
    "dotted": (36, 12),
    "push": (12, 24, 12),
}


@dataclass(frozen=True)
class Pattern:
    """The figure of a section, a bar long, and how its bass moves: "held", "fifth", "octave" or one of `DRIVES`."""

    notes: tuple[tuple[int, int, int], ...]
    bass: str
    triplets: bool


@dataclass(frozen=True)
class Place:
    """Where a figure has to fit. beats : quarters a bar. compound : they are parted into three. triplets : the tune has
    them. bpm : quarters a minute."""

    beats: int
    compound: bool
    triplets: bool
    bpm: float


def choose_pattern(bank: Bank, place: Place, valence: float, arousal: float, rng: Random) -> Pattern:
    """A figure for a section: as busy as its arousal asks for, at home in music of its mood."""
    notes: list[tuple[int, int, int]] = []
    at = 0
    for length in chunks(place.beats):
        part = _figure(bank, length, place, valence, arousal, rng)
        notes += [(at + onset, min(duration, length - onset), rank) for onset, duration, rank in part]
        at += length
    return Pattern(tuple(notes), _bass_kind(place.beats, arousal, rng), place.triplets)


def _figure(
    bank: Bank, length: int, place: Place, valence: float, arousal: float, rng: Random
) -> list[tuple[int, int, int]]:
    beats = length / UNITS
    wish = min(max(0.8, beats * (0.7 + 1.75 * (arousal + 1) / 2)), 8 * 60 / place.bpm * beats)
    names = {96: ("96", "48"), 72: ("72c", "36c") if place.compound else ("72",), 48: ("48",)}.get(length, ())
    stock: list[Figure] = [f for name in names for f in bank.figures.get(name, ())]
    if not stock:
        return [(0, length, rank) for rank in range(3)]
    weights = []
    for figure in stock:
        times = length // figure.length
        onsets = figure.onsets * times
        weight = math.sqrt(figure.pieces) * math.exp(-((onsets - wish) ** 2) / (0.6 + 0.22 * wish))
        weight *= math.exp(-((figure.arousal - arousal) ** 2) / 0.5 - (figure.valence - valence) ** 2 / 1.2)
        odd = figure.triplets is not place.triplets and not place.compound
        if not 2 <= figure.ranks <= LONGEST_RANK or odd or figure.ragged:
            weight = 0.0
        if figure.even:
            weight *= 0.6
        # broken chords carry more than block chords, and block chords weigh more
        if len(figure.notes) == figure.onsets and figure.onsets > 1:
            weight *= 2.5 if valence > 0 else 1.2
        if figure.notes and figure.notes[0][0] not in (0, UNITS, UNITS // 2):
            weight *= 0.3
        # what hammers on one tone or rocks between two says nothing of the chord
        weight *= {1: 0.05, 2: 0.4}.get(figure.places, 1.0)
        if figure.onsets > 2 and figure.shapes == 1:
            weight *= 0.3
        weights.append(weight)
    figure = weighted(rng, stock, weights)
    return [
        (k * figure.length + onset, duration, rank)
        for k in range(length // figure.length)
        for onset, duration, rank in figure.notes
    ]


def _bass_kind(beats: int, arousal: float, rng: Random) -> str:
    if arousal > 0.45:
        return rng.choice(("pulse", "octave", "gallop", "dotted", "push", "fifth"))
    if arousal > 0.05:
        return rng.choice(("fifth", "dotted", "held", "fifth"))
    return rng.choice(("held", "held", "fifth")) if beats > 2 else "held"


def lay_figure(
    phrase: Phrase,
    pattern: Pattern,
    voicings: dict[int, tuple[int, ...]],
    beats: int,
    thin_end: bool,
) -> list[Tone]:
    """The figure over the chords of a phrase. voicings : start of a harmony -> its layout. thin_end : hold the whole
    chord in the second half of the last bar."""
    bar = beats * UNITS
    out: list[Tone] = []
    for k in range(phrase.bars):
        start = (phrase.start + k) * bar
        last = thin_end and k == phrase.bars - 1
        rest = _hold_from(pattern, bar) if last else bar
        ends: dict[int, int] = {}
        for number, (onset, duration, rank) in enumerate(pattern.notes):
            if onset >= rest:
                continue
            at = start + onset
            harmony = harmony_at(phrase.chords, at)
            stop = min(at + duration, harmony.start + harmony.length, start + rest)
            if k % 2 and number == len(pattern.notes) - 1 and len(pattern.notes) > 3:
                rank += 1 if rank == 0 else -1  # every other bar turns back at its end
            pitch = ladder(voicings[harmony.start], rank)
            if ends.get(pitch, -1) > at:
                continue
            ends[pitch] = stop
            out.append(Tone(at, stop - at, pitch))
        if last:
            harmony = harmony_at(phrase.chords, start + rest)
            at = max(start + rest, harmony.start)
            out += [Tone(at, harmony.start + harmony.length - at, p) for p in voicings[harmony.start]]
    return out


def _hold_from(pattern: Pattern, bar: int) -> int:
    """Where in the bar of a close the figure gives way to the whole chord: its stroke nearest to the middle."""
    onsets = {onset for onset, _, _ in pattern.notes if onset} | {
        bar // 2 if bar % (2 * UNITS) == 0 else UNITS
    }
    return min(onsets, key=lambda onset: (abs(onset - bar / 2), onset))


def lay_bass(
    phrase: Phrase,
    kind: str,
    bass: dict[int, int],
    following: int | None,
    beats: int,
    thin_end: bool,
    rng: Random,
) -> list[Tone]:
    """The bass of a phrase. following : bass note after it, to which it may lead."""
    out: list[Tone] = []
    chords = phrase.chords
    for k, harmony in enumerate(chords):
        ground = bass[harmony.start]
        after = bass[chords[k + 1].start] if k + 1 < len(chords) else following
        last = k == len(chords) - 1
        out += _bass_of(
            harmony, ground, after, "held" if last and thin_end else kind, scale_of(phrase.minor), rng
        )
    return out


def _bass_of(
    harmony: Harmony, ground: int, after: int | None, kind: str, scale: Sequence[int], rng: Random
) -> list[Tone]:
    length, start = harmony.length, harmony.start
    fifth = next((p for p in range(ground + 5, ground + 10) if p % 12 in harmony.chord.tones), ground)
    if fifth > HIGHEST_FIFTH:
        fifth -= 12
    if kind in DRIVES and length >= UNITS:
        return _driven(start, length, ground, after, DRIVES[kind], scale)
    if kind == "octave" and length >= 2 * UNITS:
        return [
            Tone(start + at, UNITS // 2, ground + (12 if (at // (UNITS // 2)) % 2 and ground < 46 else 0))
            for at in range(0, length, UNITS // 2)
        ]
    if kind == "fifth" and length >= 4 * UNITS:
        half = length // 2
        return [Tone(start, half, ground), *_led(start + half, length - half, fifth, after, scale)]
    if kind == "fifth" and length == 3 * UNITS:
        return [Tone(start, 2 * UNITS, ground), Tone(start + 2 * UNITS, UNITS, fifth)]
    return _led(start, length, ground, after, scale) if rng.random() < 0.6 else [Tone(start, length, ground)]


def _driven(
    start: int, length: int, ground: int, after: int | None, rhythm: Sequence[int], scale: Sequence[int]
) -> list[Tone]:
    """A repeated note in a rhythm of two quarters, that leads to the next one by step on the last stroke."""
    out: list[Tone] = []
    at = k = 0
    while at < length:
        step = min(rhythm[k % len(rhythm)], length - at)
        out.append(Tone(start + at, step, ground))
        at, k = at + step, k + 1
    if after is not None and 2 < abs(after - ground) < 8 and len(out) > 2:
        side = -1 if after > ground else 1
        near = next((p for p in range(after + side, after + 3 * side, side) if p % 12 in scale), None)
        if near is not None:
            out[-1] = Tone(out[-1].start, out[-1].length, near)
    return out


def _led(start: int, length: int, pitch: int, after: int | None, scale: Sequence[int]) -> list[Tone]:
    """A held note that passes to the next by step on its last beat, where that lies a third away."""
    if after is None or length < 2 * UNITS or abs(after - pitch) not in (3, 4):
        return [Tone(start, length, pitch)]
    step = 1 if after > pitch else -1
    passing = next((p for p in range(pitch + step, after, step) if p % 12 in scale), None)
    if passing is None:
        return [Tone(start, length, pitch)]
    return [Tone(start, length - UNITS, pitch), Tone(start + length - UNITS, UNITS, passing)]


def lay_pad(phrase: Phrase, voicings: dict[int, tuple[int, ...]]) -> list[Tone]:
    """Held chords; a tone that the next chord has too is held on."""
    out: list[Tone] = []
    tones_by_rank: dict[int, Tone] = {}
    for harmony in phrase.chords:
        here: dict[int, Tone] = {}
        for pitch in voicings[harmony.start]:
            if pitch in tones_by_rank:
                tone = tones_by_rank.pop(pitch)
                here[pitch] = Tone(tone.start, harmony.start + harmony.length - tone.start, pitch)
            else:
                here[pitch] = Tone(harmony.start, harmony.length, pitch)
        out += tones_by_rank.values()
        tones_by_rank = here
    return sorted([*out, *tones_by_rank.values()], key=lambda t: (t.start, t.pitch))


def write_counter(
    phrase: Phrase, tune: Sequence[Tone], bass: dict[int, int], beats: int, before: int | None, low: int
) -> list[Tone]:
    """A second voice under the tune: it moves where the tune rests, and holds where the tune moves."""
    bar = beats * UNITS
    slots: list[Slot] = []
    begin, end = phrase.start * bar, (phrase.start + phrase.bars) * bar
    at = begin
    while at < end:
        length = _counter_length(at, tune, beats)
        harmony = harmony_at(phrase.chords, at)
        length = min(length, harmony.start + harmony.length - at, end - at)
        over = [t for t in tune if t.start < at + length and t.start + t.length > at]
        ceiling = min((t.pitch for t in over), default=79)
        weight = 0.9 if length >= UNITS and at % UNITS == 0 else 0.3
        slots.append(
            Slot(
                at,
                length,
                weight,
                harmony.chord,
                None,
                bass[harmony.start],
                height=low + 8,
                above=ceiling,
                doubled=frozenset(t.pitch % 12 for t in over),
            )
        )
        at += length
    pitches = draw_line(slots, scale_of(phrase.minor), low, low + 19, before)
    return _tied([Tone(s.start, s.length, p) for s, p in zip(slots, pitches)], bar)


def _counter_length(at: int, tune: Sequence[Tone], beats: int) -> int:
    """Quarters while the tune holds or rests for over a beat and a half, else half bars."""
    over = [t for t in tune if t.start <= at < t.start + t.length]
    if not over or over[0].start + over[0].length - at >= 36:
        return UNITS
    position = at % (beats * UNITS)
    if beats % 2 == 0 and position % (2 * UNITS) == 0:
        return 2 * UNITS
    return 3 * UNITS if beats == 3 and position == 0 else UNITS


def _tied(tones: Sequence[Tone], bar: int) -> list[Tone]:
    """Repeated notes within a bar become one."""
    out: list[Tone] = []
    for tone in tones:
        if (
            out
            and out[-1].pitch == tone.pitch
            and tone.start % bar
            and out[-1].start + out[-1].length == tone.start
        ):
            out[-1] = Tone(out[-1].start, out[-1].length + tone.length, tone.pitch)
        else:
            out.append(tone)
    return out
