"""Variation of a tune that returns: passing and neighbour notes, dotted rhythms, a leaning note; the bones stay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from videoscore.compose.form import UNITS, Harmony
from videoscore.compose.melody import bent, harmony_at
from videoscore.compose.tone import Tone

FAST = 0.11  # seconds: no note becomes shorter


def varied(
    tones: Sequence[Tone],
    chords: Sequence[Harmony],
    scale: Sequence[int],
    bpm: float,
    share: float,
    rng: Random,
) -> list[Tone]:
    """The tones of a phrase, about a `share` of its places varied. The first and the last note stay as they are."""
    shortest = max(6, math.ceil(FAST * bpm / 60 * UNITS / 6) * 6)
    end = tones[-1].start if tones else 0
    out: list[Tone] = []
    skip = False
    for k, tone in enumerate(tones):
        following = tones[k + 1] if k + 1 < len(tones) else None
        if skip:
            skip = False
            continue
        joined = following is not None and tone.start + tone.length == following.start
        if k == 0 or not joined or tone.start >= end or rng.random() > share:
            out.append(tone)
            continue
        assert following is not None
        here = bent(harmony_at(chords, tone.start).chord, scale)
        new = _between(tone, following, chords, here, shortest, rng)
        if (
            new is None
            and tone.length == following.length == UNITS
            and rng.random() < 0.5
            and k + 2 < len(tones)
        ):
            out += [
                Tone(tone.start, 36, tone.pitch),
                Tone(tone.start + 36, 12, following.pitch),
            ]
            skip = True
            continue
        out += new or [tone]
    return out


def _between(
    tone: Tone,
    following: Tone,
    chords: Sequence[Harmony],
    scale: Sequence[int],
    shortest: int,
    rng: Random,
) -> list[Tone] | None:
    """What stands in place of a note that leads to the next one; None where nothing suits."""
    away = following.pitch - tone.pitch
    half = tone.length // 2
    step = 1 if away > 0 else -1
    if abs(away) in (3, 4) and half >= shortest:
        passing = [p for p in range(tone.pitch + step, following.pitch, step) if p % 12 in scale]
        if len(passing) == 1:
            cut = half if tone.length <= UNITS or rng.random() < 0.5 else tone.length - UNITS // 2
            return [Tone(tone.start, cut, tone.pitch), Tone(tone.start + cut, tone.length - cut, passing[0])]
    if away == 0 and half >= shortest:
        side = rng.choice((1, -1))
        near = next((p for p in (tone.pitch + side, tone.pitch + 2 * side) if p % 12 in scale), None)
        if near is not None:
            return [Tone(tone.start, half, tone.pitch), Tone(tone.start + half, tone.length - half, near)]
    if tone.length >= 2 * UNITS and abs(away) <= 2 and shortest // 2 <= UNITS // 4:
        upper = next((p for p in (tone.pitch + 1, tone.pitch + 2) if p % 12 in scale), None)
        if upper is not None:
            cut = tone.length - UNITS
            return [
                Tone(tone.start, cut, tone.pitch),
                Tone(tone.start + cut, UNITS // 2, upper),
                Tone(tone.start + cut + UNITS // 2, UNITS // 2, tone.pitch),
            ]
    chord = harmony_at(chords, tone.start).chord
    if abs(away) >= 5 and half >= shortest:
        inside = [
            p for p in range(tone.pitch + 3 * step, following.pitch - step, step) if p % 12 in chord.tones
        ]
        if inside:
            return [
                Tone(tone.start, half, tone.pitch),
                Tone(tone.start + half, tone.length - half, inside[0]),
            ]
    return None
