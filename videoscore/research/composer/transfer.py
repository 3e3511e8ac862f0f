"""The texture of one passage over the harmony of another, as accompaniments are retrieved and re-harmonised in
AccoMontage (Zhao & Xia 2021).

Every note keeps its time, its length and its place in the texture: what was the n-th chord tone of its chord from below
becomes the tone of the new chord at that place, all of a beat's moving together and as little as may be; the
lowest part
takes the new passage's bass; what was foreign to the chord keeps its distance from the chord tone under it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from videoscore.music.score import Role
from videoscore.research.composer.harmony import Sonority, local_scale, tones

Whole = NDArray[np.int64]

LOW, HIGH = 24, 103  # pitches that a transferred note may have
TRIAD = 3  # tones of a chord that make its ladder; a seventh is fitted in
LOW_PART = 50  # D3: what lies lower leads the harmony, where no part is a bass
HIGHEST_BASS = 57  # A3


@dataclass(frozen=True, eq=False)
class Source:
    """A passage to transfer from or to. notes : (n, 5) onset, duration, pitch, role, velocity. bar, bars :
    units, and how
    many. beat : units of a chord. chords : of every beat. low : (beats,) pitch class of the lowest note, -1 for
    none."""

    notes: Whole
    bar: int
    bars: int
    beat: int
    chords: Sequence[Sonority]
    low: Whole


def lowest(notes: Whole, count: int, beat: int) -> Whole:
    """(count,) pitch class of the lowest note under the tune in every beat, -1 for none."""
    out = np.full(count, 128)
    below = notes[(notes[:, 3] != Role.MELODY) & (notes[:, 3] != Role.DRUMS)]
    for onset, duration, pitch in below[:, :3].tolist():
        span = slice(onset // beat, min(count, -(-(onset + duration) // beat)))
        out[span] = np.minimum(out[span], pitch)
    return np.where(out == 128, -1, out % 12)


def transfer(texture: Source, harmony: Source) -> Whole:
    """(n, 5) the notes of `texture` without its tune, in the harmony and for the bars of `harmony`; both in one
    metre."""
    rows: list[tuple[int, int, int, int, int]] = []
    per_bar = harmony.bar // harmony.beat
    below = texture.notes[texture.notes[:, 3] != Role.MELODY]
    for k, source in enumerate(_bars(texture.bars, harmony.bars)):
        inside = below[(below[:, 0] >= source * texture.bar) & (below[:, 0] < (source + 1) * texture.bar)]
        for b in range(per_bar):
            old, new = source * per_bar + b, k * per_bar + b
            begin = source * texture.bar + b * texture.beat
            here = inside[(inside[:, 0] >= begin) & (inside[:, 0] < begin + texture.beat)]
            moved = _beat(here, texture.chords[old], harmony.chords[new], int(harmony.low[new]))
            shift = (k - source) * texture.bar
            for (onset, duration, _, role, velocity), pitch in zip(here.tolist(), moved):
                rows.append((onset + shift, duration, pitch, role, velocity))
    return _cleaned(rows, harmony)


def _bars(have: int, want: int) -> list[int]:
    """Which bar of a texture stands in each bar: in order, round by whole phrases; the last is its last."""
    round_ = have - have % 4 if have >= 4 else have
    return [*(k if want <= have else k % round_ for k in range(want - 1)), have - 1 if want > 1 else 0]


def _beat(rows: Whole, old: Sonority, new: Sonority, bass: int) -> list[int]:
    """New pitches for the notes that begin in a beat."""
    if not len(rows):
        return []
    pitched = rows[:, 3] != Role.DRUMS
    pitches = rows[pitched, 2].tolist()
    if not pitches:
        return rows[:, 2].tolist()
    before, after = _ladder(old), _ladder(new)
    places = [_place(p, old, before) for p in pitches]
    center = float(np.mean(pitches))
    guess = bisect_right(after, int(center)) - bisect_right(before, int(center))
    best = min(
        range(guess - 3, guess + 4),
        key=lambda d: abs(np.mean([_at(after, place + d, off) for place, off in places]) - center),
    )
    out = []
    ground = min(pitches)
    for pitch, (place, off) in zip(pitches, places):
        moved = _at(after, place + best, off)
        if off == 0 and _seventh(pitch, old) and (seventh := _seventh_of(new)) is not None:
            moved = _nearest(moved, seventh)
        elif off:
            moved = _snapped(moved, new)
        out.append(moved)
    lines = rows[pitched]
    low = [k for k in range(len(lines)) if lines[k, 3] == Role.BASS]
    if not low and ground < LOW_PART:
        low = [pitches.index(ground)]
    if low and bass >= 0:
        _lead_bass(out, pitches, sorted(low, key=lambda k: (lines[k, 0], pitches[k])), new, bass)
    moved_rows = iter(out)
    return [next(moved_rows) if p else pitch for p, pitch in zip(pitched, rows[:, 2].tolist())]


def _lead_bass(out: list[int], pitches: Sequence[int], low: Sequence[int], new: Sonority, bass: int) -> None:
    """Give the lowest part its pitches: the first note is the new passage's bass, the others keep their way from it."""
    ground = _nearest(pitches[low[0]], bass if bass in tones(new) else new[0])
    ladder = _ladder(new)
    for k in low:
        away = pitches[k] - pitches[low[0]]
        pitch = ground + away if away % 12 == 0 else min(ladder, key=lambda p: (abs(p - ground - away), p))
        while pitch > HIGHEST_BASS:
            pitch -= 12
        out[k] = pitch


@lru_cache(maxsize=512)
def _ladder(chord: Sonority) -> tuple[int, ...]:
    """All pitches of a chord's triad, ascending."""
    return tuple(p for p in range(128) if p % 12 in tones(chord)[:TRIAD])


def _place(pitch: int, chord: Sonority, ladder: Sequence[int]) -> tuple[int, int]:
    """The place of a pitch on its chord's ladder, and semitones above it; a seventh counts as the root over it."""
    if _seventh(pitch, chord):
        return bisect_right(ladder, pitch), 0
    place = max(0, bisect_right(ladder, pitch) - 1)
    return place, pitch - ladder[place]


def _at(ladder: Sequence[int], place: int, off: int) -> int:
    return ladder[max(0, min(len(ladder) - 1, place))] + off


def _seventh(pitch: int, chord: Sonority) -> bool:
    return pitch % 12 in tones(chord)[TRIAD:]


def _seventh_of(chord: Sonority) -> int | None:
    members = tones(chord)
    return members[TRIAD] if len(members) > TRIAD else None


def _nearest(pitch: int, pc: int) -> int:
    """The pitch of a class nearest to another, the lower of two."""
    return pitch + (pc - pitch + 6) % 12 - 6


def _snapped(pitch: int, chord: Sonority) -> int:
    """The nearest pitch of the scale around a chord."""
    scale = set(local_scale(set(tones(chord)))) | set(tones(chord))
    return min((pitch, pitch - 1, pitch + 1), key=lambda p: (p % 12 not in scale, abs(p - pitch)))


def _cleaned(rows: Sequence[tuple[int, int, int, int, int]], harmony: Source) -> Whole:
    """In range, nothing struck twice, and nothing held into a chord that it doesn't belong to."""
    out: dict[tuple[int, int, int], tuple[int, int]] = {}
    for onset, duration, pitch, role, velocity in sorted(rows):
        if role != Role.DRUMS:
            pitch = min(max(pitch, LOW), HIGH)
            duration = _while_it_fits(onset, duration, pitch, harmony)
        key = (onset, pitch, role)
        if key not in out or out[key][0] < duration:
            out[key] = (duration, velocity)
    return np.array([(o, d, p, r, v) for (o, p, r), (d, v) in sorted(out.items())], np.int64).reshape(-1, 5)


def _while_it_fits(onset: int, duration: int, pitch: int, harmony: Source) -> int:
    first = onset // harmony.beat
    for k in range(first + 1, min(len(harmony.chords), -(-(onset + duration) // harmony.beat))):
        if harmony.chords[k] != harmony.chords[k - 1] and pitch % 12 not in tones(harmony.chords[k]):
            return k * harmony.beat - onset
    return duration


def crossing(notes: Whole, tune: Whole) -> float:
    """Share of a tune's notes under which something sounds higher. tune : (n, 5), as `notes`."""
    pitched = notes[notes[:, 3] != Role.DRUMS]
    over = 0
    for onset, duration, pitch in tune[:, :3].tolist():
        sounding = pitched[(pitched[:, 0] < onset + duration) & (pitched[:, 0] + pitched[:, 1] > onset)]
        over += bool(len(sounding) and sounding[:, 2].max() > pitch)
    return over / max(1, len(tune))


def roughness(notes: Whole) -> float:
    """Share of the notes that sound a semitone or its octave from another for an eighth or more."""
    pitched = notes[notes[:, 3] != Role.DRUMS][:, :3]
    pitched = pitched[np.argsort(pitched[:, 0], kind="stable")]
    clashes = 0
    for k, (onset, duration, pitch) in enumerate(pitched.tolist()):
        near = pitched[max(0, k - 24) : k + 24]
        overlap = np.minimum(near[:, 0] + near[:, 1], onset + duration) - np.maximum(near[:, 0], onset)
        apart = np.abs(near[:, 2] - pitch)
        clashes += bool(((overlap >= 12) & np.isin(apart, (1, 11, 13))).any())
    return clashes / max(1, len(pitched))
