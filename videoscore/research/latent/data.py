"""Melodies of sixteen bars from the composer's corpus, as the latent composer's network reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.latent.steps import BARS, FIRST, STEP, STEPS, tokens_of
from videoscore.compose.tone import Tone
from videoscore.music.score import Role
from videoscore.research.composer.corpus import load_arrays
from videoscore.research.composer.passages import FREE

METRE_OF = {72: 3, 96: 4, 48: 4}  # units of a bar -> quarters of a bar here; of 48, two make one
HOP = 4  # bars between the beginnings of two windows
FEWEST_SOUNDING = 13  # bars in which a note begins
MOST_OFF = 0.15  # share of the onsets that lie off the sixteenths
MOST_FOLDED = 0.1  # share of the notes outside the range of pitches
FEWEST_NOTES, FEWEST_PITCHES = 24, 4


@dataclass(frozen=True, eq=False)
class Melodies:
    """n melodies. tokens : (n, BARS, STEPS) uint8. chords : (n, BARS, 2) labels of `music.theory`. beats : (n,)
    quarters of a bar. piece : (n,) number in the corpus. held_out : (n,) bool. valence, arousal : (n,) means of the
    tagger's labels. shift : (n,) semitones that brought it to C major or A minor."""

    tokens: NDArray[np.uint8]
    chords: NDArray[np.int8]
    beats: NDArray[np.int8]
    piece: NDArray[np.int32]
    held_out: NDArray[np.bool_]
    valence: NDArray[np.float32]
    arousal: NDArray[np.float32]
    shift: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.tokens)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Melodies:
        return Melodies(*(getattr(self, f.name)[rows] for f in fields(self)))


def melodies(corpus: Path, sets: tuple[str, ...] = FREE) -> Melodies:
    """All windows of the corpus (`research.composer.corpus.build`) that hold a melody, copies dropped.

    sets : how the names of its sets begin; by default those that ask nothing of whoever publishes what is made with
    them. Raises InputError where the file is no corpus.
    """
    arrays = load_arrays(corpus)
    note_rows = np.flatnonzero(arrays["note_role"] == Role.MELODY)
    note_bar = arrays["note_bar"][note_rows]
    rows: list[tuple[object, ...]] = []
    digests: set[bytes] = set()
    for first, last, size in _runs(arrays):
        joined = 2 if size == 48 else 1
        span = BARS * joined
        for at in range(first, last - span + 1, HOP * joined):
            lo, hi = np.searchsorted(note_bar, [at, at + span])
            piece = int(arrays["bar_piece"][at])
            if not str(arrays["piece_set"][piece]).startswith(sets):
                continue
            tones = _line(arrays, note_rows[lo:hi], at, size)
            if not _usable(tones, joined * size):
                continue
            tokens = tokens_of(tones, METRE_OF[size]).astype(np.uint8)
            chords = arrays["bar_chord"][at : at + span]
            pairs = chords.reshape(BARS, 2) if joined == 2 else np.repeat(chords[:, None], 2, 1)
            digest = tokens.tobytes()
            if digest in digests:
                continue
            digests.add(digest)
            mean = [float(arrays[f"bar_{axis}"][at : at + span].mean()) for axis in ("valence", "arousal")]
            held_out = bool(arrays["piece_split"][piece])
            rows.append((tokens, pairs, METRE_OF[size], piece, held_out, *mean, int(arrays["bar_shift"][at])))
    columns = list(zip(*rows))
    types = (np.uint8, np.int8, np.int8, np.int32, np.bool_, np.float32, np.float32, np.int8)
    return Melodies(*(np.array(column, kind) for column, kind in zip(columns, types)))  # type: ignore[arg-type]


def _runs(arrays: dict[str, NDArray[np.generic]]) -> list[tuple[int, int, int]]:
    """(first bar, bar after the last, units of a bar) of all stretches of one key and metre."""
    segment = arrays["bar_segment"]
    edges = np.r_[0, np.flatnonzero(np.diff(segment)) + 1, len(segment)]
    return [
        (int(a), int(b), int(arrays["bar_len"][a]))
        for a, b in zip(edges, edges[1:])
        if int(arrays["bar_len"][a]) in METRE_OF
    ]


def _line(arrays: dict[str, NDArray[np.generic]], rows: NDArray[np.int64], at: int, size: int) -> list[Tone]:
    """The highest note of every onset of some melody notes, each ended by the next."""
    onset = (arrays["note_bar"][rows].astype(int) - at) * size + arrays["note_pos"][rows]
    pitch, length = arrays["note_pitch"][rows].astype(int), arrays["note_dur"][rows].astype(int)
    order = np.lexsort((-pitch, onset))
    keep = order[np.r_[True, np.diff(onset[order]) > 0]] if len(order) else order
    ends = np.r_[onset[keep][1:], 1 << 30]
    return [
        Tone(int(o), int(min(n, e - o)), int(p))
        for o, n, p, e in zip(onset[keep], length[keep], pitch[keep], ends)
    ]


def _usable(tones: list[Tone], bar: int) -> bool:
    if len(tones) < FEWEST_NOTES:
        return False
    off = np.mean([t.start % STEP != 0 for t in tones])
    folded = np.mean([not 48 <= t.pitch <= 95 for t in tones])
    sounding = len({t.start // bar for t in tones})
    pitches = len({t.pitch for t in tones})
    return bool(
        off <= MOST_OFF
        and folded <= MOST_FOLDED
        and sounding >= FEWEST_SOUNDING
        and pitches >= FEWEST_PITCHES
    )


def mean_pitch(tokens: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n,) mean MIDI pitch of the notes of (n, bars, STEPS) tokens, in the normalised key; NaN without a note."""
    flat = tokens.reshape(len(tokens), -1).astype(float)
    begins = flat >= FIRST
    count = begins.sum(1)
    total = np.where(begins, flat - FIRST + 48, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def density(tokens: NDArray[np.uint8], beats: NDArray[np.int8]) -> NDArray[np.float64]:
    """(n,) notes a quarter of (n, bars, STEPS) tokens with so many quarters a bar, (n,)."""
    begins = (tokens >= FIRST).reshape(len(tokens), -1).sum(1)
    return begins / (tokens.shape[1] * beats.astype(float))


def used(beats: NDArray[np.int8]) -> NDArray[np.bool_]:
    """(n, STEPS) which steps of a bar there are."""
    return np.arange(STEPS)[None] < 4 * beats.astype(int)[:, None]
