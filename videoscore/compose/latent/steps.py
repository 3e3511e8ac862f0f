"""A melody as tokens: what the latent composer's network reads and writes.

A melody is `BARS` bars of `STEPS` sixteenths; a bar of three beats uses the first twelve. A token says what happens at
a sixteenth: nothing (`HOLD`: what sounds goes on, or the silence), a note ends (`REST`), or one of `PITCHES` begins.
The manner is that of MusicVAE (Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term
Structure in Music", section 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.tone import Tone
from videoscore.music.theory import CHORDS, chord_pitch_classes

BARS, STEPS = 16, 16
BEAT = 4  # steps of a quarter
STEP = 6  # units (1/24 quarter) of a step
LOW, HIGH = 48, 95  # MIDI
HOLD, REST, FIRST = 0, 1, 2
TOKENS = FIRST + HIGH - LOW + 1
TURN = 8  # step of a bar at which its second chord begins
CHORD_FEATURES = 24

Tokens = NDArray[np.int64]


def steps_of(beats: int) -> int:
    """Steps of a bar of so many quarters, at most `STEPS`."""
    return min(STEPS, BEAT * beats)


def tokens_of(tones: Sequence[Tone], beats: int) -> Tokens:
    """(BARS, STEPS) tokens of a line without overlaps, from its first bar on; beyond a bar's last step HOLD.

    Tones outside LOW..HIGH come an octave or more nearer. A silence of one step before the next note is filled.
    """
    width = steps_of(beats)
    flat = np.full(BARS * width, HOLD)
    rows = sorted((round(t.start / STEP), max(1, round(t.length / STEP)), t.pitch) for t in tones)
    for k, (at, length, pitch) in enumerate(rows):
        if not 0 <= at < len(flat):
            continue
        flat[at] = FIRST + folded(pitch) - LOW
        end = at + length
        following = rows[k + 1][0] if k + 1 < len(rows) else len(flat)
        if end < len(flat) and end + 1 < following:
            flat[end] = REST
    if flat[0] == HOLD:
        flat[0] = REST
    out = np.full((BARS, STEPS), HOLD)
    out[:, :width] = flat.reshape(BARS, width)
    return out


def tones_of(tokens: Tokens, beats: int) -> list[Tone]:
    """The line that (bars, STEPS) tokens stand for, in units from its beginning."""
    bar = steps_of(beats) * STEP
    return laid(tokens, [(k * bar, bar) for k in range(len(tokens))])


def laid(tokens: Tokens, bars: Sequence[tuple[int, int]]) -> list[Tone]:
    """The line of (bars, STEPS) tokens where each bar has a start and a length of its own, in units.

    Steps past a bar's end are left out; a note sounds on over the bar line where the next bar follows at once.
    """
    out: list[Tone] = []
    begin, pitch, before = 0, -1, 0

    def close(at: int) -> None:
        if pitch >= 0 and at > begin:
            out.append(Tone(begin, at - begin, pitch))

    for (start, length), row in zip(bars, tokens):
        if start != before:
            close(before)
            pitch = -1
        for step, token in enumerate(row[: -(-length // STEP)].tolist()):
            if token != HOLD:
                close(start + step * STEP)
                begin, pitch = start + step * STEP, token - FIRST + LOW if token >= FIRST else -1
        before = start + length
    close(before)
    return out


def folded(pitch: int) -> int:
    """The pitch, moved by octaves to LOW..HIGH."""
    while pitch < LOW:
        pitch += 12
    while pitch > HIGH:
        pitch -= 12
    return pitch


def _table() -> NDArray[np.float32]:
    table = np.zeros((CHORDS, CHORD_FEATURES), np.float32)
    for label in range(1, CHORDS):
        tones = chord_pitch_classes(label)
        table[label, list(tones)] = 1.0
        table[label, 12 + tones[0]] = 1.0
    return table


CHORD_TABLE = _table()  # (CHORDS, CHORD_FEATURES): the pitch classes of a chord label, then its root
