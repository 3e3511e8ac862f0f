"""Another tune for a passage: its rhythm, other pitches over the same harmony.

Pitches are the cheapest way through (dynamic programming). What was a chord tone stays one, what was passed through by
step still is; the line keeps the old one's rise and fall, and is paid for every pitch class that it takes from it. So
it breathes and closes with the accompaniment as the old tune did, and is another tune. Where a motif of the old tune
came back, the new one's does (a second and third way through, which follow the first where the old tune followed
itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.music.score import Role
from videoscore.research.composer.harmony import local_scale, read_harmony, tones

Whole = NDArray[np.int64]

UNITS = 24  # a quarter
MARGIN = 4  # semitones by which the new tune may leave the old one's range
OFFSETS = (-5, -4, -3, -2, 2, 3, 4)  # steps of the scale away from the old tune
# Cost of a move by its semitones: tritones, sevenths and what is over an octave are rare in tunes.
LEAPS = {
    0: 0.5,
    1: 0.0,
    2: 0.0,
    3: 0.25,
    4: 0.35,
    5: 0.3,
    6: 4.0,
    7: 0.6,
    8: 1.1,
    9: 1.2,
    10: 3.5,
    11: 6.0,
    12: 2.0,
}
_LEAPS = np.array([*LEAPS.values(), 10.0])
REST = 12  # units of silence from which a new breath begins
LONG = 72  # units; so long a note ends a phrase
MOTIF = 3  # intervals: so many alike, in steps and time, are a motif that comes back
PASSES = 3
FIRM = 1.8  # of the wish to move as before, where a motif comes back
HIDDEN = 1.2  # what it costs to lie under a part that the old tune lay over
APART = 3.0  # what it costs to leave the others where all move in octaves

Note = tuple[int, int, int]  # onset, duration, pitch


@dataclass(frozen=True)
class Spot:
    """What a note of the old tune says of the new one's.

    onset, duration : units. pitch : the old one. chord, scale : pitch classes. below : pitches that sound with it;
    struck : of those, what is struck with it. bass : the lowest. weight : how much it is heard, 0 to 1. ends :
    whether a phrase ends with it. last : whether the tune does.
    """

    onset: int
    duration: int
    pitch: int
    chord: frozenset[int]
    scale: tuple[int, ...]
    below: tuple[int, ...]
    struck: frozenset[int]
    weight: float
    ends: bool
    last: bool

    @property
    def bass(self) -> int | None:
        return min(self.below, default=None)

    @property
    def in_octaves(self) -> bool:
        """Whether two parts and more strike the old note, and nothing else."""
        return len(self.struck) >= 2 and {p % 12 for p in self.struck} == {self.pitch % 12}

    @property
    def consonant(self) -> bool:
        """Whether the old note belonged to the chord."""
        return self.pitch % 12 in self.chord

    def step(self, pitch: int) -> int:
        """Number of the step of the scale that lies nearest to a pitch, the lower of two."""
        octave, pc = divmod(pitch, 12)
        places = [
            (abs(tone + 12 * o - pc), 7 * o + k) for o in (-1, 0, 1) for k, tone in enumerate(self.scale)
        ]
        return 7 * octave + min(places)[1]


def tune_of(notes: Whole) -> list[Note]:
    """The tune of a passage as one line: of notes struck together the highest, none longer than to the next."""
    rows = notes[notes[:, 3] == Role.MELODY]
    line: dict[int, tuple[int, int]] = {}
    for onset, duration, pitch, _ in rows.tolist():
        if onset not in line or pitch > line[onset][1]:
            line[onset] = (duration, pitch)
    onsets = sorted(line)
    following = [*onsets[1:], 1 << 30]
    return [(o, min(line[o][0], after - o), line[o][1]) for o, after in zip(onsets, following)]


def spots_of(notes: Whole, bar: int, length: int) -> list[Spot]:
    """The facts of every note of a passage's tune. notes : (n, 4) onset, duration, pitch, role. bar, length : units."""
    tune = tune_of(notes)
    below = notes[(notes[:, 3] != Role.MELODY) & (notes[:, 3] != Role.DRUMS)]
    beat = UNITS if bar % UNITS == 0 else bar
    chords = [frozenset(tones(s)) for s in read_harmony(notes, length, beat)]
    out = []
    for k, (onset, duration, pitch) in enumerate(tune):
        last = k + 1 == len(tune)
        gap = REST if last else tune[k + 1][0] - onset - duration
        sounding = below[(below[:, 0] < onset + max(duration, 1)) & (below[:, 0] + below[:, 1] > onset)]
        near = below[
            (below[:, 0] < onset + duration + UNITS // 2) & (below[:, 0] + below[:, 1] > onset - UNITS // 2)
        ]
        classes = {int(p) % 12 for p in near[:, 2]} | {
            p % 12 for o, _, p in tune if abs(o - onset) <= bar // 2
        }
        out.append(
            Spot(
                onset,
                duration,
                pitch,
                chords[min(onset // beat, len(chords) - 1)],
                local_scale(classes),
                tuple(sounding[:, 2].tolist()),
                frozenset(sounding[sounding[:, 0] <= onset][:, 2].tolist()),
                min(1.0, 0.7 * _stress(onset % bar, bar) + 0.5 * min(1.0, duration / 36)),
                last or (gap >= REST and duration >= 18) or duration >= LONG,
                last,
            )
        )
    return out


def _stress(position: int, bar: int) -> float:
    if position == 0:
        return 1.0
    if bar % (2 * UNITS) == 0 and position == bar // 2:
        return 0.8
    return 0.55 if position % UNITS == 0 else 0.2


def paraphrase(spots: Sequence[Spot], offset: int) -> list[int]:
    """A pitch for every note of the tune. offset : steps of the scale that it should lie above the old one, see
    `OFFSETS`."""
    steps = [spot.step(spot.pitch) for spot in spots]
    low = min(s.pitch for s in spots) - MARGIN
    high = max(s.pitch for s in spots) + MARGIN
    rows = [_row(spot, step + offset, low, high) for spot, step in zip(spots, steps)]
    links = returns(spots, steps)
    wishes = [(b - a, 1.0) for a, b in zip(steps, steps[1:])]
    for _ in range(PASSES):
        out = _way(spots, rows, wishes)
        new = [spot.step(pitch) for spot, pitch in zip(spots, out)]
        wishes = [
            (new[before] - new[before - 1], FIRM) if before else (steps[k] - steps[k - 1], 1.0)
            for k, before in enumerate(links)
            if k
        ]
    return out


def returns(spots: Sequence[Spot], steps: Sequence[int]) -> list[int]:
    """For every note of a tune, at which earlier note the same interval ended when its motif was heard before; 0 for
    none. Of several, that of the longest run."""
    count = len(spots)
    moves = [(0, 0)] + [
        (steps[k] - steps[k - 1], spots[k].onset - spots[k - 1].onset) for k in range(1, count)
    ]
    out, longest = [0] * count, [0] * count
    for lag in range(1, count - 1):
        first = lag + 1
        while first < count:
            last = first
            while last < count and moves[last] == moves[last - lag]:
                last += 1
            run = min(last - first, lag)  # what overlaps itself is a sequence of shorter motifs
            if run >= MOTIF:
                for k in range(first, last):
                    if run > longest[k]:
                        out[k], longest[k] = k - lag, run
            first = last + 1
    return out


def _way(spots: Sequence[Spot], rows: Sequence[_Row], wishes: Sequence[tuple[int, float]]) -> list[int]:
    """The cheapest pitches. wishes : for every note but the first, by how many steps it should be reached, and how
    firmly."""
    total, ways = rows[0].cost, []
    for k in range(1, len(spots)):
        reach = total[:, None] + _moves(spots[k - 1], rows[k - 1], spots[k], rows[k], *wishes[k - 1])
        ways.append(reach.argmin(0))
        total = reach.min(0) + rows[k].cost
    place = int(total.argmin())
    out = [int(rows[-1].pitch[place])]
    for row, way in zip(reversed(rows[:-1]), reversed(ways)):
        place = int(way[place])
        out.append(int(row.pitch[place]))
    return out[::-1]


@dataclass(frozen=True, eq=False)
class _Row:
    """The pitches that a note may have, (n,) each: their steps of the scale, whether they are foreign to the chord, and
    what they cost by themselves."""

    pitch: Whole
    step: Whole
    foreign: NDArray[np.bool_]
    cost: NDArray[np.float64]


def _row(spot: Spot, aim: int, low: int, high: int) -> _Row:
    pitches = [p for p in range(low, high + 1) if p % 12 in spot.scale or p % 12 in spot.chord]
    return _Row(
        np.array(pitches),
        np.array([spot.step(p) for p in pitches]),
        np.array([p % 12 not in spot.chord for p in pitches]),
        np.array([_alone(spot, p, aim) for p in pitches]),
    )


def _alone(spot: Spot, pitch: int, aim: int) -> float:
    """What a pitch costs by itself."""
    consonant, same = pitch % 12 in spot.chord, pitch % 12 == spot.pitch % 12
    cost = 0.1 * abs(spot.step(pitch) - aim) ** 1.3
    if not consonant:
        cost += 2.2 + 3.5 * spot.weight if spot.consonant else 0.25 + 0.5 * spot.weight
    for other in spot.below:
        if (pitch - other) % 12 in (1, 11):
            clash = (3.2 if consonant else 1.8) * (1 if spot.duration >= 18 else 0.5)
            cost += clash * (2 if abs(pitch - other) == 1 else 1)
    if pitch in spot.struck:
        cost += 0.8
    if spot.in_octaves and not same:
        cost += APART
    top = max(spot.below, default=0)
    if pitch <= top < spot.pitch:
        cost += HIDDEN
    if same and spot.consonant and not spot.ends and not spot.in_octaves:
        cost += 0.9 * (0.4 + spot.weight)
    if spot.ends:
        cost += 0 if consonant else 6.0
        if spot.last and spot.consonant and not same:
            cost += 1.5
    return cost


def _moves(a: Spot, old: _Row, b: Spot, new: _Row, wish: int, firm: float) -> NDArray[np.float64]:
    """(n, m) what it costs to go from a pitch of one note to one of the next. wish : steps that it should go; firm :
    how much that counts."""
    breath = a.ends or b.onset - a.onset - a.duration >= REST
    away = new.pitch[None] - old.pitch[:, None]
    steps = new.step[None] - old.step[:, None]
    size = np.abs(away)
    cost = _LEAPS[np.minimum(size, len(_LEAPS) - 1)] * (0.4 if breath else 1.0)
    cost = cost + firm * (0.25 if breath else 0.7) * np.abs(steps - wish) ** 1.15
    if not breath:
        cost += 0.5 * (wish * steps < 0)
    cost += 1.2 * (steps == 0) if wish else 0.8 * (steps != 0)
    cost += 0.18 * ((away != 0) & (away == b.pitch - a.pitch))  # the old tune's own interval
    cost += old.foreign[:, None] * np.where(size > 2, 3.5, (size == 0) * (0.0 if breath else 1.0))
    leapt = 1.5 if not b.consonant and abs(b.pitch - a.pitch) > 2 else 3.0
    cost += leapt * (new.foreign[None] & (size > 2))
    if a.bass is not None and b.bass is not None and a.bass != b.bass and not b.in_octaves:
        first, second = (old.pitch[:, None] - a.bass) % 12, (new.pitch[None] - b.bass) % 12
        cost += 8.0 * ((first == second) & ((first == 0) | (first == 7)) & (away != 0))
    return cost


def shared_run(spots: Sequence[Spot], pitches: Sequence[int]) -> int:
    """Longest run of intervals that the new tune has from the old one."""
    best = run = 0
    for k in range(1, len(spots)):
        run = run + 1 if pitches[k] - pitches[k - 1] == spots[k].pitch - spots[k - 1].pitch else 0
        best = max(best, run)
    return best


def shared_classes(spots: Sequence[Spot], pitches: Sequence[int]) -> float:
    """Share of the notes that have the old tune's pitch class."""
    return float(np.mean([s.pitch % 12 == p % 12 for s, p in zip(spots, pitches)]))
