"""The gain of the music over time: the ride, which sets how much softer a calm cue is than a wild one, and the bus
compression, which holds what stands out of its own cue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from videoscore.audio.loudness import HOPS_A_SECOND, integrated
from videoscore.perform.parts import Arrangement
from videoscore.settings.fields import MasterOptions

Curve = NDArray[np.float64]

HOP = 256  # samples between two values of a curve
RIDE = 7.0  # dB that a cue is moved at most: more would lift what was meant to be thin
RISE, FALL = 0.4, 1.2  # seconds of a change: up by the boundary, down after it, for what rings over it
FEW = 4 * HOPS_A_SECOND  # hops of 100 ms that are too few to judge a cue by
OFFSET, KNEE = 2.0, 6.0  # dB over a cue's own level at which compression begins, and width of its knee
WINDOW = 5  # hops: the level is the mean of 27 ms
RECOVERY = 15.0  # dB a second that the compression lets go
SMOOTH = 9  # hops: 48 ms, half of it before what is compressed
PIECE = 1 << 14  # hops worked on at a time: an hour has 675,000
QUIET = 1e-9  # energy under which nothing plays


@dataclass(frozen=True)
class Passage:
    """A cue as the master sees it: start and end in seconds, mean arousal in [-1, 1]."""

    start: float
    end: float
    arousal: float


def passages(music: Arrangement) -> tuple[Passage, ...]:
    """The cues of an arrangement."""
    return tuple(
        Passage(float(music.tempo.seconds(s.start)), float(music.tempo.seconds(s.end)), s.arousal)
        for s in music.sections
    )


def ride(cues: Sequence[Passage], hops: Curve, dynamics: float) -> list[float]:
    """dB for each cue, such that its loudness lies on a line over arousal that rises by `dynamics` from -1 to 1.

    hops : energies of 100 ms each, as a loudness meter weighs them. The line lies where the mean of all gains, by
    length, is 0. Cues too short to be judged, and silent ones, get 0.
    """
    levels: list[float | None] = []
    for cue in cues:
        part = hops[round(cue.start * HOPS_A_SECOND) : round(cue.end * HOPS_A_SECOND)]
        levels.append(integrated(part) if len(part) >= FEW else None)
    judged = [(c, level) for c, level in zip(cues, levels) if level is not None]
    if len(judged) < 2:
        return [0.0] * len(cues)
    spans = [c.end - c.start for c, _ in judged]
    off = [dynamics / 2 * c.arousal - level for c, level in judged]
    middle = float(np.average(off, weights=spans))
    return [
        0.0 if level is None else max(-RIDE, min(RIDE, dynamics / 2 * c.arousal - level - middle))
        for c, level in zip(cues, levels)
    ]


def over_time(cues: Sequence[Passage], decibels: Sequence[float], count: int, rate: int) -> Curve:
    """(count,) dB at every HOP: each cue's own, changing by its boundary where it grows and after it where it falls."""
    if not cues:
        return np.zeros(count)
    points, values = [0.0], [decibels[0]]
    for (cue, before), (_, after) in pairwise(zip(cues, decibels)):
        first, last = (-RISE, 0.0) if after > before else (0.0, FALL)
        start = max(points[-1], cue.end + first)
        points += [start, max(start, cue.end + last)]
        values += [before, after]
    out = np.empty(count)
    for first in range(0, count, PIECE):
        hops = np.arange(first, min(first + PIECE, count))
        out[hops[0] : hops[-1] + 1] = np.interp(hops * HOP / rate, points, values)
    return out


def compression(energies: Curve, cues: Sequence[Passage], ratio: float, rate: int) -> Curve:
    """dB (0 or less) at every HOP: what stands out of the level of its own cue by more than OFFSET is held at `ratio`.

    energies : mean squares of every HOP. The gain falls a little ahead (the whole is known) and recovers in a straight
    line (cf. Giannoulis, Massberg and Reiss 2012, "Digital dynamic range compressor design").
    """
    if ratio <= 1 or not len(energies):
        return np.zeros(len(energies))
    held = np.convolve(energies, np.full(WINDOW, 1 / WINDOW), "same")
    fall, before, done = RECOVERY * HOP / rate, 0.0, 0
    for cue in cues or (Passage(0.0, len(energies) * HOP / rate, 0.0),):
        start, stop = round(cue.start * rate / HOP), min(round(cue.end * rate / HOP) + 1, len(energies))
        start = max(start, done)
        part = energies[start:stop]
        if not len(part):
            continue
        sounding = part[part > max(QUIET, 0.1 * float(part.mean()))]
        own = 10 * np.log10(sounding.mean()) if len(sounding) else np.inf
        over = 10 * np.log10(held[start:stop] + QUIET) - own - OFFSET
        knee = np.clip((over + KNEE / 2) / KNEE, 0.0, 1.0)
        line = fall * np.arange(1, len(over) + 1)
        needed = (1 - 1 / ratio) * np.where(over > KNEE / 2, over, KNEE / 2 * knee**2) + line
        held[start:stop] = np.maximum.accumulate(np.maximum(needed, before)) - line
        held[done:start], before, done = 0.0, held[stop - 1], stop
    held[done:] = 0.0
    window = np.hanning(SMOOTH + 2)[1:-1]
    return np.negative(np.convolve(held, window / window.sum(), "same"))


def curve(cues: Sequence[Passage], hops: Curve, energies: Curve, options: MasterOptions, rate: int) -> Curve:
    """dB at every HOP: ride and compression together."""
    out = compression(energies, cues, options.compression, rate)
    out += over_time(cues, ride(cues, hops, options.dynamics), len(energies), rate)
    return out


def linear(decibels: Curve, start: int, count: int) -> NDArray[np.float32]:
    """(count,) gain of the samples from `start`, between the values of a curve at every HOP."""
    at = (np.arange(start, start + count) - HOP / 2) / HOP
    first = max(0, min(int(at[0]), len(decibels) - 1))
    near = decibels[first : int(at[-1]) + 2]  # the whole of an hour would be worked through for each block
    return np.interp(at - first, np.arange(len(near)), 10 ** (near / 20)).astype(np.float32)
