"""Make passages for the composer: eight to 32 bars of one piece's accompaniment, with tunes of our own over them.

A passage begins where a tune begins on a downbeat, stays in one key and metre, and closes on the tonic; where it does
so on the way, it may be cut. Of each metre and mood those are taken that lie best in the mood's octant by the corpus's
labels, few of a piece, none of the best-known composers' piano pieces and songs, whose accompaniments alone are
known. The accompaniment stays as it stands, in C major or A minor; the tune doesn't: others are written over its
rhythm and the harmony (paraphrase.py).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.passages import PACES, Stock, pack
from videoscore.mood.circle import MOODS, centre
from videoscore.music.features import NoteArrays
from videoscore.music.score import Role
from videoscore.music.tagger import Tagger
from videoscore.research.composer import copies
from videoscore.research.composer.corpus import load_arrays
from videoscore.research.composer.harmony import read_harmony
from videoscore.research.composer.paraphrase import (
    OFFSETS,
    paraphrase,
    shared_classes,
    shared_run,
    spots_of,
    tune_of,
)
from videoscore.research.composer.real_music import TRAINED
from videoscore.research.composer.real_music import Corpus as Music

Whole = NDArray[np.int64]

UNITS = 24  # a quarter
METRES = {
    48: 2,
    72: 1,
    96: 1,
}  # length of a bar -> how many make one of a passage's: two of 2/4 are one of four beats
LEAST, MOST = 8, 32  # bars
STEP = 4  # bars of a segment after which a passage may begin though nothing ended
SILENT = 2  # bars without a tune that end a passage
TUNEFUL = 0.8  # least share of bars with a tune
NOTES_A_BAR = (1.5, 16.0)  # of the tune, on the mean
INNER = 2.5  # notes between tune and bass in a bar, on the mean, at least
REGISTER = (55, 88)  # of a tune: G3 to E6
DEEPEST = 28  # E1 in C major or A minor; lower notes are a rumble
DEEP, MUD = 53, 0.002  # F3, C3 in the lowest key; seconds under it, as a share of the notes
FULLEST = 60  # notes of all parts in a bar, on the mean
DOUBLED = 0.33  # largest share of the tune's notes that another part has, too
FOREIGN = 0.16  # largest share of notes outside C major, or A minor with its raised degrees
STEADY = 8.0  # largest change of tempo, quarters a minute
TUNES = 4
LONGEST_RUN, MOST_SAME = (
    8,
    0.35,
)  # intervals in a row, and share of pitch classes, that a tune may have from the old one
# Sets that ask nothing of whoever publishes what is made with them: CC0 and public domain
FREE = ("openscore_", "mutopia", "openhymnal")
CHAMBER = ("openscore_quartets", "openhymnal")  # sets whose accompaniments nobody hums
# As the sets' file names have them
KNOWN = (
    "Chopin", "Beethoven", "Bach", "Mozart", "Satie", "Debussy", "Schubert", "Schumann", "Grieg", "Tchaikovsky",
    "Brahms",
    "Pachelbel", "Vivaldi", "Handel", "Haendel", "Liszt", "Mendelssohn", "Joplin", "Gounod", "Faur", "Dvo", "Holst",
)  # fmt: skip
A_MOOD = 45  # passages of each metre
LONGEST_COPY = 14  # notes in a row, from which a tune shares too many with some piece
A_PIECE = 2  # of a piece in a metre and mood
TONIC = {0: 1, 1: 29}  # label of the tonic triad in C major and in A minor
SCALES = {0: (0, 2, 4, 5, 7, 9, 11), 1: (0, 2, 4, 5, 6, 7, 8, 9, 11)}


@dataclass(frozen=True)
class Candidate:
    """Where a passage stands and what it is like. first : bar of the corpus. group : bars of the corpus in one of its.

    bars : its own. closes : numbers of bars after which it may end. point : mean valence and arousal.
    """

    first: int
    bars: int
    group: int
    closes: tuple[int, ...]
    piece: int
    minor: bool
    compound: bool
    bar: int
    tempo: float
    point: tuple[float, float]
    notes: Whole = field(repr=False)  # (n, 5) onset, duration, pitch, role, velocity

    @property
    def metre(self) -> tuple[int, bool]:
        return self.bar, self.compound


class Corpus:
    """The arrays of corpus.npz, and the notes of any run of bars."""

    def __init__(self, path: Path) -> None:
        self.data = load_arrays(path)
        names = ("note_pos", "note_dur", "note_pitch", "note_role", "note_vel")
        self.table = np.stack([self.data[name] for name in names], 1).astype(np.int64)
        self.edges = np.searchsorted(self.data["note_bar"], np.arange(len(self.data["bar_len"]) + 1))
        tune = np.flatnonzero(self.data["note_role"] == Role.MELODY)
        bars = len(self.data["bar_len"])
        self.tune_notes = np.bincount(self.data["note_bar"][tune], minlength=bars)
        self.tune_begin = np.full(bars, 1 << 20)
        np.minimum.at(self.tune_begin, self.data["note_bar"][tune], self.data["note_pos"][tune])

    def notes(self, first: int, count: int) -> Whole:
        """(n, 5) of so many bars, onsets from the first one's downbeat."""
        length = int(self.data["bar_len"][first])
        parts = [
            self.table[self.edges[b] : self.edges[b + 1]] + np.array([(b - first) * length, 0, 0, 0, 0])
            for b in range(first, first + count)
        ]
        return np.concatenate(parts)

    def segments(self) -> Iterator[tuple[int, int]]:
        """(first bar, bars) of every run of one key and metre in a piece that may be read."""
        starts = np.flatnonzero(np.diff(self.data["bar_segment"], prepend=-1))
        for first, end in zip(starts.tolist(), [*starts[1:].tolist(), len(self.data["bar_segment"])]):
            if not self.data["piece_split"][self.data["bar_piece"][first]]:
                yield first, end - first


def candidates(corpus: Corpus) -> Iterator[Candidate]:
    """Every passage that could be taken; those of one piece overlap."""
    for first, count in corpus.segments():
        group = METRES.get(int(corpus.data["bar_len"][first]))
        if group is None or corpus.data["bar_den"][first] not in (2, 4, 8):
            continue
        for begin in range(first, first + count - LEAST * group + 1):
            if _opens(corpus, begin, first) and _may_be_heard(corpus, begin):
                found = _candidate(corpus, begin, min(MOST * group, first + count - begin), group)
                if found is not None:
                    yield found


def _may_be_heard(corpus: Corpus, bar: int) -> bool:
    """Whether a bar is of a piece that asks for no credit, and whose accompaniment alone isn't known everywhere."""
    name = name_of(corpus, int(corpus.data["bar_piece"][bar]))
    known = not name.startswith(CHAMBER) and any(composer in name for composer in KNOWN)
    return name.startswith(FREE) and not known


def _opens(corpus: Corpus, bar: int, first: int) -> bool:
    """Whether a tune begins with this bar."""
    if corpus.tune_begin[bar] != 0:
        return False
    return bar == first or corpus.tune_notes[bar - 1] <= 2 or (bar - first) % STEP == 0


def _candidate(corpus: Corpus, first: int, room: int, group: int) -> Candidate | None:
    data = corpus.data
    bars = _tuneful(corpus, first, room) // group
    minor, length = int(data["bar_minor"][first]), int(data["bar_len"][first])
    chords = data["bar_chord"][first : first + bars * group]
    steady = np.abs(data["bar_tempo"][first : first + bars * group] - data["bar_tempo"][first]) <= STEADY
    bars = min(bars, int(np.argmin(steady)) // group if not steady.all() else bars)
    closes = [n for n in range(2, bars + 1) if chords[n * group - 1] == TONIC[minor]]
    if not closes or closes[-1] < LEAST:
        return None
    bars = closes[-1]
    span = slice(first, first + bars * group)
    notes = corpus.notes(first, bars * group)
    if not _usable(notes, minor, bars, float((corpus.tune_notes[span] > 0).mean())):
        return None
    piece = int(data["bar_piece"][first])
    point = float(data["bar_valence"][span].mean()), float(data["bar_arousal"][span].mean())
    return Candidate(
        first,
        bars,
        group,
        tuple(n for n in closes if _rests(notes, n, length * group) or n == bars),
        piece,
        bool(minor),
        bool(data["bar_den"][first] == 8 and length % 36 == 0),
        length * group,
        float(data["bar_tempo"][first]),
        point,
        notes,
    )


def _tuneful(corpus: Corpus, first: int, room: int) -> int:
    """Bars until the tune is silent for more than `SILENT`."""
    silent = 0
    for k in range(room):
        silent = silent + 1 if corpus.tune_notes[first + k] == 0 else 0
        if silent > SILENT:
            return k - SILENT
    return room


def _rests(notes: Whole, bars: int, bar: int) -> bool:
    """Whether the tune comes to rest in the last of so many bars: a note of a beat and a half, or silence."""
    inside = notes[
        (notes[:, 3] == Role.MELODY) & (notes[:, 0] >= (bars - 1) * bar) & (notes[:, 0] < bars * bar)
    ]
    return len(inside) == 0 or int(inside[:, 1].max()) >= 36 or len(inside) == 1


def _usable(notes: Whole, minor: int, bars: int, tuneful: float) -> bool:
    tune, below = (
        notes[notes[:, 3] == Role.MELODY],
        notes[(notes[:, 3] != Role.MELODY) & (notes[:, 3] != Role.DRUMS)],
    )
    inner = below[below[:, 3] != Role.BASS]
    if tuneful < TUNEFUL or len(inner) < INNER * bars or len(notes) > FULLEST * bars:
        return False
    line = tune_of(notes[:, :4])
    low, high = np.percentile(tune[:, 2], (2, 98))
    if low < REGISTER[0] or high > REGISTER[1]:
        return False
    if not NOTES_A_BAR[0] <= len(line) / bars <= NOTES_A_BAR[1] or len(line) < 0.85 * len(tune):
        return False
    if np.mean((tune[:, 0] % 6 != 0) & (tune[:, 0] % 8 != 0)) > 0.1:
        return False
    struck = {(o, p % 12) for o, _, p in inner[:, :3].tolist()}
    if np.mean([(o, p % 12) in struck for o, _, p in line]) > DOUBLED:
        return False
    if below[:, 2].min() < DEEPEST or _muddy(below):
        return False
    pitched = np.concatenate([tune, below])
    return float(np.mean(~np.isin(pitched[:, 2] % 12, SCALES[minor]))) <= FOREIGN


def _muddy(notes: Whole) -> bool:
    """Whether seconds sound together under `DEEP` more than here and there."""
    deep = notes[notes[:, 2] < DEEP]
    order = deep[np.argsort(deep[:, 0], kind="stable")]
    rubs = sum(
        int(b[0] < a[0] + a[1] and 0 < abs(a[2] - b[2]) < 3)
        for a, b in zip(order.tolist(), order[1:].tolist())
    )
    return rubs > MUD * len(notes)


def _merit(candidate: Candidate, mood: str) -> float:
    """How well a passage lies in a mood's octant: far out in its middle."""
    valence, arousal = candidate.point
    at, middle = math.atan2(arousal, valence), math.atan2(centre(mood)[1], centre(mood)[0])
    apart = abs((at - middle + math.pi) % (2 * math.pi) - math.pi)
    return 0.6 * min(0.8, math.hypot(valence, arousal)) - apart + 0.02 * min(24, candidate.bars)


def choose(pool: list[Candidate]) -> list[Candidate]:
    """The passages to take: of each metre and mood the best, few of a piece, none that overlap."""
    by_metre: dict[tuple[int, bool], list[Candidate]] = defaultdict(list)
    for candidate in pool:
        by_metre[candidate.metre].append(candidate)
    taken: dict[tuple[int, int], Candidate] = {}
    for members in by_metre.values():
        for mood in MOODS:
            count: Counter[int] = Counter()
            for candidate in sorted(members, key=lambda c: (-_merit(c, mood), c.first)):
                if sum(count.values()) == A_MOOD:
                    break
                own = [t for t in taken.values() if t.piece == candidate.piece and t is not candidate]
                if count[candidate.piece] == A_PIECE or any(_overlap(candidate, other) for other in own):
                    continue
                count[candidate.piece] += 1
                taken[candidate.first, candidate.bars] = candidate
    return sorted(taken.values(), key=lambda c: c.first)


def _overlap(a: Candidate, b: Candidate) -> bool:
    return a.first < b.first + b.bars * b.group and b.first < a.first + a.bars * a.group


def tunes_of(notes: Whole, bar: int, length: int) -> list[list[int]]:
    """Rows of pitches for the rhythm of a passage's tune, one of `OFFSETS` each, those first that owe least to it."""
    spots = spots_of(notes[:, :4], bar, length)
    rows: dict[tuple[int, ...], float] = {}
    for offset in OFFSETS:
        pitches = paraphrase(spots, offset)
        run, same = shared_run(spots, pitches), shared_classes(spots, pitches)
        if run <= LONGEST_RUN and same <= MOST_SAME:
            rows[tuple(pitches)] = run / LONGEST_RUN + same
    return [list(row) for row in sorted(rows, key=lambda row: (rows[row], row))]


def points_of(
    notes: Whole, rhythm: Sequence[tuple[int, int]], tune: Sequence[int]
) -> list[tuple[float, float]]:
    """Valence and arousal of a passage with a tune, as the tagger hears it at each of `PACES`."""
    pitched = notes[notes[:, 3] != Role.DRUMS][:, :3]
    line = np.array([(onset, duration, pitch) for (onset, duration), pitch in zip(rhythm, tune)])
    both = np.concatenate([pitched, line])
    both = both[np.argsort(both[:, 0], kind="stable")]
    tagger = Tagger.load("tagger")
    out = []
    for pace in PACES:
        unit = 60 / pace / UNITS  # seconds
        out.append(tagger.predict(NoteArrays(both[:, 0] * unit, both[:, 1] * unit, both[:, 2])))
    return out


def mine_passages(corpus_file: Path, say: Callable[[str], None] = lambda _: None) -> Stock:
    """The stock of passages of a corpus."""
    corpus = Corpus(corpus_file)
    pool = list(candidates(corpus))
    chosen = choose(pool)
    say(f"{len(chosen)} of {len(pool)} passages")
    rows = [_row(corpus, candidate) for candidate in chosen]
    rows = own_tunes(rows, corpus_file)
    say(f"{len(rows)} passages with {sum(len(r['tunes']) for r in rows)} tunes")
    return pack(rows)


def own_tunes(rows: list[dict[str, Any]], corpus_file: Path) -> list[dict[str, Any]]:
    """The passages with the tunes, `TUNES` at most, that share no long run of notes with any piece that was read."""
    known = [copies.melody(piece) for piece in Music(corpus_file).pieces(TRAINED)]
    onsets = [np.array([onset for onset, _ in row["rhythm"]]) for row in rows]
    asked = [copies.tokens(on, np.array(tune)) for row, on in zip(rows, onsets) for tune in row["tunes"]]
    runs: Iterator[int] = iter(copies.longest_shared(asked, known).tolist() if asked else [])
    out = []
    for row in rows:
        tunes = [tune for tune in row["tunes"] if next(runs) < LONGEST_COPY][:TUNES]
        if tunes:
            out.append({**row, "tunes": tunes})
    return out


def _row(corpus: Corpus, candidate: Candidate) -> dict[str, Any]:
    """A passage as `videoscore.compose.passages.pack` takes it, with all tunes that were written for it."""
    notes = candidate.notes[candidate.notes[:, 3] != Role.MELODY]
    length = candidate.bars * candidate.bar
    rhythm = [(onset, duration) for onset, duration, _ in tune_of(candidate.notes[:, :4])]
    tunes = tunes_of(candidate.notes, candidate.bar, length)
    return {
        "bar": candidate.bar,
        "bars": candidate.bars,
        "closes": candidate.closes,
        "minor": candidate.minor,
        "compound": candidate.compound,
        "tempo": candidate.tempo,
        "piece": name_of(corpus, candidate.piece),
        "notes": notes[np.lexsort((notes[:, 2], notes[:, 0]))],
        "rhythm": rhythm,
        "tunes": tunes,
        "points": points_of(notes, rhythm, tunes[0]) if tunes else [],
        "chords": read_harmony(candidate.notes[:, :4], length, UNITS),
    }


def name_of(corpus: Corpus, piece: int) -> str:
    """Set and name of a piece."""
    return f"{corpus.data['piece_set'][piece]}/{corpus.data['piece_name'][piece]}"
