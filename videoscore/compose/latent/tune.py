"""The tune of a cue from the latent space: sixteen bars of a vector, over the chords that the composer has planned.

All cues of a mood begin near one vector, so that its tune comes back. The actor moves it toward two feelings, those
that were asked for or the ones nearest to where the cue's mood goes, and bar by bar the curve says where between them
the tune is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoscore.compose.cue import Wish, shared_rng
from videoscore.compose.form import UNITS, Phrase
from videoscore.compose.latent.actor import conditions
from videoscore.compose.latent.feelings import nearest, way_between
from videoscore.compose.latent.model import Model, decode
from videoscore.compose.latent.steps import BARS, CHORD_TABLE, STEP, STEPS, TURN, laid
from videoscore.compose.line import draw_line
from videoscore.compose.melody import LEANING, harmony_at, scale_of, slot_at
from videoscore.compose.tone import Tone

OWN = 0.35  # share of a cue's own chance in its vector, against that of its mood
FURTHER = 0.3  # share of new chance in the vector of every sixteen bars more
LOW, HIGH = 57, 88  # MIDI: where the tune lies before it is moved to its key
NEARNESS = 3.0  # how much a note keeps the pitch that was decoded, against its chord's wishes (`draw_line`)


@dataclass(frozen=True)
class Tile:
    """A bar of the network in the cue. start, length : units. bar : number of the cue's bar in which it begins."""

    start: int
    length: int
    bar: int


def write_tune(
    model: Model, feelings: Sequence[int], wish: Wish, phrases: Sequence[Phrase], bass: dict[int, int]
) -> list[Tone]:
    """The tune of a cue's phrases, in units, in the normalised key.

    feelings : one, or two between which the mood moves; none: those nearest to the cue's mood.
    """
    beats, tiles = tiles_of(phrases, wish.beats)
    chords = _chords(phrases, tiles)
    own = Random(f"{wish.seed}/{wish.number}/{wish.take}/latent")
    size = model.melody.latent
    chance = _mixed(_chance(shared_rng(wish, "latent"), size), _chance(own, size), OWN)
    tones: list[Tone] = []
    for at in range(0, len(tiles), BARS):
        here = tiles[at : at + BARS]
        if at:
            chance = _mixed(chance, _chance(own, size), FURTHER)
        moods = [(wish.valence[t.bar], wish.arousal[t.bar]) for t in here]
        rows = _moved(model, model.vectors(chance[None]), feelings or _ends(moods), moods, wish.shift)
        draws = np.random.default_rng(own.getrandbits(64)).random((len(here), STEPS), np.float32)
        tokens = decode(model.melody, rows, chords[at : at + BARS], beats, torch.from_numpy(draws))
        tones += laid(tokens.numpy(), [(t.start, t.length) for t in here])
    return [tone for phrase in phrases if phrase.tuneful for tone in _fitted(tones, phrase, bass, wish.beats)]


def tiles_of(phrases: Sequence[Phrase], beats: int) -> tuple[int, list[Tile]]:
    """Quarters of the network's bars, three or four, and where they lie in the phrases that have a tune.

    Bars of one or two beats are joined to bars of four; in longer ones than the network knows several stand, or the
    last lasts longer.
    """
    size = 3 if beats % 3 == 0 else 4
    joined = max(1, size // beats)
    tiles: list[Tile] = []
    for phrase in phrases:
        if not phrase.tuneful:
            continue
        for bar in range(phrase.start, phrase.start + phrase.bars, joined):
            length = min(joined, phrase.start + phrase.bars - bar) * beats
            at = 0
            while at < length:
                rest = length - at
                here = rest if rest <= size + 1 else size
                tiles.append(Tile((bar * beats + at) * UNITS, here * UNITS, bar))
                at += here
    return size, tiles


def _ends(moods: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """The feelings nearest to the two moods that lie farthest apart."""
    one, other = max(product(moods, moods), key=lambda pair: math.dist(*pair))
    return nearest(*one), nearest(*other)


def _moved(
    model: Model, z: Tensor, feelings: Sequence[int], moods: Sequence[tuple[float, float]], shift: int
) -> Tensor:
    """(bars, part) the vector moved toward both feelings, and in each bar as far between them as the mood is."""
    numbers = torch.tensor([feelings[0], feelings[-1]])
    with torch.inference_mode():
        ends = model.actor(z.expand(2, -1, -1), conditions(numbers, torch.full((2,), float(shift))))
    share = torch.tensor(way_between(feelings[0], feelings[-1], moods))[:, None]
    one, other = ends[:, : len(moods)]
    return (1 - share) * one + share * other


def _chords(phrases: Sequence[Phrase], tiles: Sequence[Tile]) -> Tensor:
    """(bars, 2, CHORD_FEATURES) the chords at the beginning and at the turn of every tile."""
    chords = [h for phrase in phrases for h in phrase.chords]
    rows = [
        [harmony_at(chords, t.start + min(turn, t.length - 1)).chord.label for turn in (0, TURN * STEP)]
        for t in tiles
    ]
    return torch.from_numpy(CHORD_TABLE[np.array(rows, int).reshape(-1, 2)])


def _chance(rng: Random, size: int) -> Tensor:
    """(size,) standard normal numbers."""
    values: NDArray[np.float32] = np.random.default_rng(rng.getrandbits(64)).standard_normal(size, np.float32)
    return torch.from_numpy(values)


def _mixed(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Both together, as spread as either."""
    mixed: Tensor = (1 - share) * a + share * b
    return mixed / ((1 - share) ** 2 + share**2) ** 0.5


def _fitted(tones: Sequence[Tone], phrase: Phrase, bass: dict[int, int], beats: int) -> list[Tone]:
    """The tones of a phrase, in range, on its chords where it weighs, and at rest at its cadence."""
    bar = beats * UNITS
    start, end = phrase.start * bar, (phrase.start + phrase.bars) * bar
    rows = [t for t in tones if start <= t.start < end]
    last = end - bar
    closing = [t for t in rows if last <= t.start <= last + bar // 2]
    if closing and phrase.cadence != "open":
        breath = UNITS if beats >= 3 and phrase.cadence != "end" else 0
        goal = closing[-1]
        rows = [t for t in rows if t.start < goal.start]
        rows.append(replace(goal, length=end - breath - goal.start))
    lift = _octaves(rows)
    slots = [
        slot_at(
            phrase,
            t.start,
            t.length,
            beats,
            None,
            bass,
            t.pitch + lift,
            _goal(phrase) if closing and t is rows[-1] and phrase.cadence in ("full", "end") else frozenset(),
        )
        for t in rows
    ]
    scale = scale_of(phrase.minor)
    pitches = draw_line(slots, scale, LOW, HIGH, None, NEARNESS, LEANING[phrase.minor])
    return [Tone(t.start, t.length, p) for t, p in zip(rows, pitches)]


def _goal(phrase: Phrase) -> frozenset[int]:
    """The pitch class on which a closing phrase rests: the root of its last chord."""
    return frozenset({phrase.chords[-1].chord.root})


def _octaves(rows: Sequence[Tone]) -> int:
    """Semitones, whole octaves, that bring tones into range."""
    if not rows:
        return 0
    mean = sum(t.pitch for t in rows) / len(rows)
    lift = 0
    while mean + lift < LOW + 3:
        lift += 12
    while mean + lift > HIGH - 3:
        lift -= 12
    return lift
