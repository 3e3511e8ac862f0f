"""Choosing a section of the library for every cue. Pure: a cue sheet and a catalogue in, picks out.

What a choice costs is a sum of named terms, each of them 0 at best, with the weights of `LibraryOptions`:

mood        distance on the valence-arousal plane, mean over the cue, of what is heard from what is wanted
tempo       steps of 10 % that the piece's tempo lies outside of the range that suits the cue's mood
stretch     (log tempo ratio / log 1.08)^2
length      share of the cue for which the piece has to be repeated, more where it loops badly
beat        1 for a piece whose onsets lie off any grid (`OFF_BEAT`), 0 for one that keeps time (`ON_BEAT`)
transpose   semitones that it is moved, a twelfth each
key         step on the circle of fifths from the cue before (`videoscore.cues.keys.STEP`)
variety     1 when the piece was heard before in the film; `IN_A_ROW` in the cue just before
recency     1 / 2^(n-1) when it was last heard n films ago
chance      0..1 by the seed

The terms of a cue alone are found for all sections at once; the best `SHORTLIST` of each cue, each in seven
transpositions, are then joined into the cheapest way through the film by a beam search, whose paths know all that
was played before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from videoscore.cues.contour import mean
from videoscore.cues.keys import key_of_signature, signature_and_mode
from videoscore.cues.meter import TEMPO
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.library.select.beam import search, transpose_signature
from videoscore.library.select.material import MOST_BEATS, STRETCH, bars_for, fit_meter
from videoscore.library.select.pick import Candidate, Other, Pick
from videoscore.library.store.catalogue import Catalogue
from videoscore.settings.fields import LibraryOptions

SHORTLIST, A_PIECE = 64, 3  # candidates a cue, and of one piece
OWN_MUSIC = (
    50.0  # of no piece at all, with --music auto: more than any close one costs, less than one twice in a row
)
STRAYS = 0.35  # on the plane: how far from the cue's mood a piece may go on
LOOKS = 9  # moments of a cue at which moods are compared
OUTSIDE = 5.0  # steps of tempo after which more makes no difference
OFF_BEAT, ON_BEAT = 0.3, 0.6  # pulse (see `PieceEntry`): .25 is chance
OTHERS = 3  # candidates that an explanation also shows


def match(
    sheet: CueSheet,
    catalogue: Catalogue,
    options: LibraryOptions,
    *,
    seed: int | None = None,
    leave_out: frozenset[str] = frozenset(),
) -> list[Pick | None]:
    """A pick for every cue, the same for the same arguments.

    seed : by default the sheet's. leave_out : contents of pieces that must not be chosen.
    With ``options.music == "auto"`` None stands for a cue to which nothing comes close enough, else for one that no
    piece can fill at all, or that is locked.
    """
    seed = sheet.seed if seed is None else seed
    base = _base(catalogue, options, leave_out)
    columns = [
        [_none(cue, 0.0)] if cue.locked else _candidates(cue, catalogue, options, base, seed)
        for cue in sheet.cues
    ]
    path = search(columns, options)
    picks: list[Pick | None] = []
    for column, (k, semitones, terms) in zip(columns, path):
        candidate = column[k]
        if candidate.row < 0:
            picks.append(None)
            continue
        minor = int(catalogue.key[candidate.row]) >= 12
        key = key_of_signature(transpose_signature(candidate.signature, semitones), minor)
        others = tuple(
            Other(catalogue.pieces[c.piece], c.bars[0], c.distance, c.cost)
            for c in column
            if c is not candidate and c.row >= 0
        )[:OTHERS]
        picks.append(
            Pick(
                catalogue.pieces[candidate.piece],
                candidate.bars,
                candidate.meter,
                candidate.stretch,
                semitones,
                key,
                candidate.distance,
                {**candidate.terms, **terms},
                others,
            )
        )
    return picks


# ---------------------------------------------------------------- one cue


@dataclass(frozen=True, eq=False)
class _Base:
    """What doesn't depend on the cue. bar : quarters in a whole bar, 0 where a section can't be used."""

    bar: np.ndarray
    recency: np.ndarray
    beat: np.ndarray


def _base(c: Catalogue, options: LibraryOptions, leave_out: frozenset[str]) -> _Base:
    bar = np.zeros(len(c))
    for group in (4, 2, 1):
        quarters = c.beats * group
        fits = (np.abs(quarters - np.rint(quarters)) < 1e-9) & (quarters >= 1) & (quarters <= MOST_BEATS)
        bar = np.where(fits, np.rint(quarters), bar)
    if leave_out:
        out = np.array([p.content in leave_out for p in c.pieces])
        bar = np.where(out[c.piece], 0.0, bar)
    recency = np.where(c.ago > 0, options.recency * 0.5 ** (np.maximum(c.ago, 1) - 1.0), 0.0)
    beat = options.beat * np.clip((ON_BEAT - c.pulse) / (ON_BEAT - OFF_BEAT), 0.0, 1.0)
    return _Base(bar, recency, beat)


def _chance(salt: np.ndarray, seed: int) -> np.ndarray:
    """0..1 for each salt by a seed, evenly spread (the finaliser of SplitMix64: Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        x = salt + np.uint64(seed & (2**64 - 1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return x.astype(np.float64) / 2.0**64


def _candidates(cue: Cue, c: Catalogue, options: LibraryOptions, base: _Base, seed: int) -> list[Candidate]:
    """The best starts for a cue, cheapest first; with "auto", writing it as well."""
    valence, arousal = mean(cue.curve, cue.start, cue.end)
    seconds = float(cue.duration)
    low, high = TEMPO[cue.mood]
    outside = np.maximum(0.0, np.maximum(np.log(low / c.bpm), np.log(c.bpm / high))) / math.log(1.1)
    tempo = options.tempo * np.minimum(outside, OUTSIDE)
    quarters = c.bpm * seconds / 60
    lack = np.maximum(0.0, 1 - (c.run - c.first_bar) * c.beats / np.maximum(quarters, 1e-9))
    chance = options.chance * _chance(c.salt, seed if cue.seed is None else cue.seed)
    rough = options.mood * np.hypot(c.valence - valence, c.arousal - arousal)
    rough += tempo + base.recency + base.beat + chance
    rough = np.where(base.bar > 0, rough + options.length * lack * (1.5 - c.loop), np.inf)
    candidates = []
    for row in _shortlist(rough, c.piece):
        candidate = _candidate(cue, c, row, (valence, arousal), options)
        if candidate is not None:
            terms = {
                **candidate.terms,
                "tempo": float(tempo[row]),
                "recency": float(base.recency[row]),
                "beat": float(base.beat[row]),
                "chance": float(chance[row]),
            }
            candidates.append(replace(candidate, terms=terms))
    if options.music == "auto":
        candidates = [f for f in candidates if f.distance <= options.near]
    candidates.sort(key=lambda f: (f.cost, f.row))
    if options.music == "auto" or not candidates:
        candidates.append(_none(cue, OWN_MUSIC))
    return candidates


def _none(cue: Cue, cost: float) -> Candidate:
    """No piece: the cue is written, or locked."""
    return Candidate(-1, -1, signature_and_mode(cue.key)[0], (), cue.meter, 1.0, 0.0, {"written": cost})


def _shortlist(cost: np.ndarray, piece: np.ndarray) -> list[int]:
    """The cheapest rows, a few of each piece."""
    enough = min(len(cost), 16 * SHORTLIST)
    some = np.argpartition(cost, enough - 1)[:enough] if enough < len(cost) else np.arange(len(cost))
    shortlist: list[int] = []
    counts: dict[int, int] = {}
    for row in some[np.lexsort((some, cost[some]))]:
        if not np.isfinite(cost[row]) or len(shortlist) == SHORTLIST:
            break
        counts[piece[row]] = counts.get(piece[row], 0) + 1
        if counts[piece[row]] <= A_PIECE:
            shortlist.append(int(row))
    return shortlist


def _candidate(
    cue: Cue, c: Catalogue, row: int, target: tuple[float, float], options: LibraryOptions
) -> Candidate | None:
    """A section looked at closely: the bars that would be heard, and the mood along them."""
    meter_fit = fit_meter(cue.duration, float(c.bpm[row]), float(c.beats[row]), cue.hits, cue.start)
    if meter_fit is None:
        return None
    count = math.ceil(meter_fit.quarters / float(c.beats[row]) - 1e-9)
    last, rows = _reach(c, row, target, count)
    best = max(rows, key=lambda k: (c.loop[k], k))
    bars = bars_for(count, int(c.first_bar[row]), last, int(c.loop_first[best]), int(c.loop_last[best]))
    distance = _distance(cue, c, rows, bars)
    lack = max(0.0, 1 - (last - bars[0]) / count)
    terms = {
        "mood": options.mood * distance,
        "stretch": options.stretch * (math.log(meter_fit.stretch) / math.log(1 + STRETCH)) ** 2,
        "length": options.length * lack * (1.5 - float(c.loop[best])),
    }
    return Candidate(
        row,
        int(c.piece[row]),
        int(c.signature[row]),
        bars,
        meter_fit.meter,
        meter_fit.stretch,
        distance,
        terms,
    )


def _reach(c: Catalogue, row: int, target: tuple[float, float], count: int) -> tuple[int, list[int]]:
    """The bar, one past, up to which the piece goes on well from a section, and the sections till there."""

    def off(k: int) -> float:
        return math.hypot(float(c.valence[k]) - target[0], float(c.arousal[k]) - target[1])

    limit = max(STRAYS, off(row) + 0.1)
    rows = [row]
    while (
        c.last_bar[rows[-1]] - c.first_bar[row] < count
        and c.last_bar[rows[-1]] < c.run[row]
        and off(rows[-1] + 1) <= limit
    ):
        rows.append(rows[-1] + 1)
    return int(c.last_bar[rows[-1]]), rows


def _distance(cue: Cue, c: Catalogue, rows: Sequence[int], bars: Sequence[int]) -> float:
    """Mean distance on the plane, over the cue, between its curve and the sections heard."""
    at = (np.arange(LOOKS) + 0.5) / LOOKS
    curve = np.array(bars)[(at * len(bars)).astype(int)]
    where = np.array(rows)[np.searchsorted(c.first_bar[rows], curve, side="right") - 1]
    times = [float(p.t) for p in cue.curve]
    t = float(cue.start) + at * float(cue.duration)
    valence = np.interp(t, times, [p.valence for p in cue.curve])
    arousal = np.interp(t, times, [p.arousal for p in cue.curve])
    return float(np.hypot(c.valence[where] - valence, c.arousal[where] - arousal).mean())
