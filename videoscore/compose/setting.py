"""A cue set from passages: which ones, and which of their bars.

A mood has one passage in a film, whatever the cue, so that its music returns with it. A cue plays its mood's passage
from the beginning and closes where the passage does; where its curve goes elsewhere for a phrase or more, the
passage of that mood takes over. What a cue has more bars than a passage is played again, or opens as a vamp.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from videoscore.compose.chords import Chord
from videoscore.compose.cue import Page, Wish, shared_rng
from videoscore.compose.drums import Stroke
from videoscore.compose.form import PHRASE, UNITS, Harmony
from videoscore.compose.melody import scale_of
from videoscore.compose.ornament import varied
from videoscore.compose.parts import fill_roles, into_roles
from videoscore.compose.passages import NAMES, QUALITIES, Passage, Stock
from videoscore.compose.tone import Tone
from videoscore.cues.meter import TEMPO
from videoscore.mood.circle import mood_of
from videoscore.music.score import Role

HIGH_TUNE, LOWEST = 85, 28  # C#6, above which one note in ten of a tune may lie; E1
SHORTEST = 3  # bars of a cue from which a passage is worth setting
CHOICE = 10  # passages of a mood among which the film's seed chooses
ELSEWHERE = 0.25  # on the plane: so far from the cue's mean a phrase is another mood's
BRIEF = 6.0  # seconds
PUSH = 1.6  # of the wish away from neutral
LEVEL = 0.2  # of valence and arousal: what lies in one step of both keeps its passage
TEMPO_SLACK = 0.35  # natural logarithm: so much slower or faster a passage stays itself
OTHER_MODE = 3.0  # what a passage in the wrong mode costs beside its distance on the plane
VARIED = 0.4  # share of the places of a tune that are ornamented when it is played again
VAMP = 3  # bars of accompaniment alone that may open a cue
TONIC = {False: 0, True: 9}  # C major, A minor
# What an unclean cut costs: not at a phrase's start, out of step with the phrases, a short way to the close
CUT, STEP, SHORT, VAMPED = 1.0, 0.7, 0.5, 0.8


@dataclass(frozen=True)
class Target:
    """What a passage is asked to be like."""

    mood: str
    minor: bool
    valence: float
    arousal: float


@dataclass(frozen=True)
class Block:
    """Bars of a cue that one passage sets. start : first bar. vamp : bars that open it without a tune. bars :
    numbers of the passage's bars that follow."""

    start: int
    passage: Passage
    tune: int
    vamp: int
    bars: tuple[int, ...]

    @property
    def sources(self) -> list[tuple[int, bool]]:
        """For each bar of the block the passage's bar, and whether its tune is heard."""
        first = self.bars[0] if self.bars else 0
        return [(first, False)] * self.vamp + [(bar, True) for bar in self.bars]


def can_set(wish: Wish, stock: Stock) -> bool:
    """Whether there are passages for a cue: of its metre, for long enough cues without a tune of the user's own."""
    return wish.bars >= SHORTEST and not wish.motif and wish.beats * UNITS in _metres(stock)


def write_setting(wish: Wish, stock: Stock) -> Page:
    """The page of a cue that `can_set`; the same wish gives the same notes."""
    blocks = plan_blocks(wish, stock)
    page = Page([], [])
    for block in blocks:
        _lay(page, block, wish)
    if not wish.goes_on:
        _close(page, wish, blocks[-1].passage.minor)
    page.tones = into_roles(page.tones, wish.roles)
    if Role.DRUMS not in wish.roles:
        page.strokes = []
    fill_roles(page, wish)
    return page


def plan_blocks(wish: Wish, stock: Stock) -> list[Block]:
    """The blocks of a cue, in order and without gaps."""
    out = []
    spans = _spans(wish)
    for k, (start, count, target) in enumerate(spans):
        passage, tune = _passage_of(wish, target, stock)
        closes = k + 1 == len(spans) and not wish.goes_on
        vamp, bars = fit(passage, count, closes, may_vamp=k == 0)
        out.append(Block(start, passage, tune, vamp, bars))
    return out


def fit(passage: Passage, count: int, closes: bool, may_vamp: bool) -> tuple[int, tuple[int, ...]]:
    """So many bars made of a passage: bars of vamp before it, and numbers of its bars. closes : they end on the
    tonic."""
    ends = passage.closes
    if count > passage.bars:
        rest = count - passage.bars
        whole = tuple(range(passage.bars))
        if rest <= VAMP and may_vamp:
            return rest, whole
        if rest < PHRASE:  # a whole phrase less, so that one can follow
            whole, rest = whole[: passage.bars - PHRASE], rest + PHRASE
        _, more = fit(passage, rest, closes, may_vamp=False)
        return 0, whole + more
    if not closes:
        return 0, tuple(range(count))
    options = []
    for vamp in range(min(VAMP - 1, count - 2) + 1 if may_vamp and count >= 2 * PHRASE else 1):
        bars = count - vamp
        for end in ends:
            for head in range(max(0, bars - end), bars):
                tail = bars - head  # bars that lead to the close
                begin = end - tail
                cost = VAMPED * vamp + _cut_cost(head, begin, tail)
                options.append((cost, vamp, -head, end))
    if not options:
        return 0, tuple(range(count))
    _, vamp, head, end = min(options)
    bars = count - vamp
    return vamp, (*range(-head), *range(end - bars - head, end))


def _cut_cost(head: int, begin: int, tail: int) -> float:
    """What it costs to play so many bars and go on with bar `begin`."""
    if head == begin:
        return 0.0
    return (
        CUT * bool(head % PHRASE)
        + STEP * bool((begin - head) % PHRASE)
        + SHORT * (tail < PHRASE)
        + CUT * (begin < head)
        + 0.1
    )


def _spans(wish: Wish) -> list[tuple[int, int, Target]]:
    """(first bar, bars, target) of the blocks: what the cue is as a whole, but for phrases that go elsewhere. A brief
    phrase alone goes with what was before it."""
    count = max(1, wish.bars // PHRASE)
    edges = [k * PHRASE for k in range(count)] + [wish.bars]
    moods = [_mood_of_phrase(wish, start, end) for start, end in zip(edges, edges[1:])]
    for k in range(1, count):
        alone = moods[k] != moods[k - 1] and (k + 1 == count or moods[k + 1] != moods[k])
        if alone and (edges[k + 1] - edges[k]) * wish.beats * 60 / wish.bpm < BRIEF:
            moods[k] = moods[k - 1]
    out: list[tuple[int, int, Target]] = []
    first = 0
    for k in range(count):
        if k + 1 == count or moods[k + 1] != moods[k]:
            start, end = edges[first], edges[k + 1]
            mood, minor, away = moods[k]
            home = not away and minor == wish.minor
            target = _target(wish, *((0, wish.bars) if home else (start, end)), mood, minor)
            out.append((start, end - start, target))
            first = k + 1
    return out


def _mood_of_phrase(wish: Wish, start: int, end: int) -> tuple[str, bool, bool]:
    """Mood and mode that a phrase asks for, the cue's own unless its mode is another or its place; and whether its
    place is."""
    v, a = _mean(wish.valence[start:end]), _mean(wish.arousal[start:end])
    minor = wish.minor if abs(v) < 0.1 else v < 0
    away = math.hypot(v - _mean(wish.valence), a - _mean(wish.arousal)) > ELSEWHERE
    if minor != wish.minor and (_mean(wish.valence) < 0) == minor:
        minor = wish.minor  # the cue's key goes against its own curve throughout
    if not away and minor == wish.minor:
        return wish.mood, wish.minor, False
    return mood_of(v, a), minor, away


def _target(wish: Wish, start: int, end: int, mood: str, minor: bool) -> Target:
    """What the curve means from bar to bar, taken farther out: passages lie nearer to neutral than wishes do."""
    means = _mean(wish.valence[start:end]), _mean(wish.arousal[start:end])
    near = [LEVEL * round(PUSH * m / LEVEL) for m in means]
    return Target(mood, minor, near[0], near[1])


def _passage_of(wish: Wish, target: Target, stock: Stock) -> tuple[Passage, int]:
    """The film's passage for a target, and which of its tunes; another where the cue or its take has its own seed."""
    own = () if wish.seed == wish.film and not wish.take else (wish.seed, wish.take)
    rng = shared_rng(wish, "passage", target.mood, target.minor, *own)
    rows = ranking(stock, target, wish.beats, sum(TEMPO[wish.mood]) / 2)
    passage = stock[rows[min(int(rng.random() * CHOICE), len(rows) - 1)]]
    return passage, rng.randrange(len(passage.tunes))


@lru_cache(maxsize=256)
def ranking(stock: Stock, target: Target, beats: int, pace: float) -> tuple[int, ...]:
    """Numbers of the passages of a metre, that first which suits a target best. pace : quarters a minute at which they
    will be played."""
    table = stock.table
    points = stock.points_at(pace)
    cost = np.hypot(points[:, 0] - target.valence, points[:, 1] - target.arousal)
    cost += np.maximum(0.0, np.abs(np.log(pace / table["tempo"])) - TEMPO_SLACK)
    cost += OTHER_MODE * (table["minor"] != target.minor)
    order = np.argsort(cost, kind="stable")
    return tuple(order[table["bar"][order] == beats * UNITS].tolist())


@lru_cache(maxsize=4)
def _metres(stock: Stock) -> frozenset[int]:
    return frozenset(int(bar) for bar in set(stock.table["bar"].tolist()))


def _lay(page: Page, block: Block, wish: Wish) -> None:
    """The notes and chords of a block."""
    passage, bar = block.passage, block.passage.bar
    sources = block.sources
    lift = -12 if _too_high(passage, block.tune, wish.shift) else 0
    melody: list[Tone] = []
    chords: list[Harmony] = []
    for k, (source, tuneful) in enumerate(sources):
        to = (block.start + k) * bar
        limit = (_jump(sources, k) - k) * bar
        inside = (passage.notes[:, 0] >= source * bar) & (passage.notes[:, 0] < (source + 1) * bar)
        for onset, length, pitch, role, velocity in passage.notes[inside].tolist():
            at = onset - source * bar
            if role == Role.DRUMS:
                page.strokes.append(Stroke(to + at, pitch, velocity / 127))
            else:
                _add(page, Role(role), Tone(to + at, min(length, limit - at), pitch + lift))
        if tuneful and Role.MELODY in wish.roles:
            tune = passage.tunes[block.tune]
            inside = (passage.rhythm[:, 0] >= source * bar) & (passage.rhythm[:, 0] < (source + 1) * bar)
            for (onset, length), pitch in zip(passage.rhythm[inside].tolist(), tune[inside].tolist()):
                at = onset - source * bar
                melody.append(Tone(to + at, min(length, limit - at), pitch + lift))
        chords += _chords(passage, source, to)
    for tone in _ornamented(melody, _merged(chords), block, wish):
        _add(page, Role.MELODY, tone)
    page.chords = _merged([*page.chords, *chords])


def _jump(sources: Sequence[tuple[int, bool]], k: int) -> int:
    """After bar k of a block, the first that isn't the passage's next one: until there what sounds may go on."""
    end = k + 1
    while end < len(sources) and sources[end][0] == sources[end - 1][0] + 1:
        end += 1
    return end


def _ornamented(melody: Sequence[Tone], chords: Sequence[Harmony], block: Block, wish: Wish) -> list[Tone]:
    """A block's tune in order; what is played again isn't the same again. chords : the block's."""
    bar, minor = block.passage.bar, block.passage.minor
    out: list[Tone] = []
    done = 0
    for span in _played_again(block.sources):
        start, end = ((block.start + k) * bar for k in span)
        first, last = (bisect_left(melody, at, key=lambda t: t.start) for at in (start, end))
        if first < last:
            at = melody[first].start
            sounding = bisect_right(chords, at, key=lambda h: h.start) - 1
            own = chords[max(0, sounding) : bisect_left(chords, end, key=lambda h: h.start)]
            rng = shared_rng(wish, "again", wish.mood, at)
            new = varied(melody[first:last], own, scale_of(minor), wish.bpm, VARIED, rng)
            out += [*melody[done:first], *new]
            done = last
    return [*out, *melody[done:]]


def _played_again(sources: Sequence[tuple[int, bool]]) -> list[tuple[int, int]]:
    """(first, end) in bars of a block: phrases at most, whose tune has been heard in it before."""
    before: set[int] = set()
    out: list[tuple[int, int]] = []
    for k, (source, tuneful) in enumerate(sources):
        if tuneful and source in before:
            if out and out[-1][1] == k and k - out[-1][0] < PHRASE:
                out[-1] = out[-1][0], k + 1
            else:
                out.append((k, k + 1))
        if tuneful:
            before.add(source)
    return out


def _chords(passage: Passage, source: int, to: int) -> list[Harmony]:
    """The chords of one bar of a passage, put at `to`."""
    beats = passage.bar // UNITS
    out = []
    for k in range(beats):
        root, quality = passage.chords[source * beats + k].tolist()
        out.append(Harmony(to + k * UNITS, UNITS, chord_of(root, quality)))
    return out


@lru_cache(maxsize=256)
def chord_of(root: int, quality: int) -> Chord:
    """A chord of the stock as the composer names chords."""
    name = NAMES[quality]
    pcs = tuple((root + step) % 12 for step in QUALITIES[name])
    return Chord(name, root, pcs, root, "T")


def _merged(chords: Sequence[Harmony]) -> list[Harmony]:
    out: list[Harmony] = []
    for harmony in chords:
        if out and out[-1].chord == harmony.chord:
            out[-1] = Harmony(out[-1].start, out[-1].length + harmony.length, harmony.chord)
        else:
            out.append(harmony)
    return out


def _close(page: Page, wish: Wish, minor: bool) -> None:
    """The last bar: what is struck on its first beat, of the tonic chord, is held to its end."""
    bar = wish.beats * UNITS
    start, end = (wish.bars - 1) * bar, wish.bars * bar
    tonic = chord_of(TONIC[minor], NAMES.index("m" if minor else ""))
    for role, tones in page.tones.items():
        last = [t for t in tones if t.start >= start or t.start + t.length > start]
        rows = [Tone(t.start, min(t.length, start - t.start), t.pitch) for t in tones if t.start < start]
        struck = sorted({t.pitch for t in last if t.start <= start < t.start + t.length})
        if not struck and last:
            struck = [min(last, key=lambda t: t.start).pitch]
        only = tonic.tones[:1] if role in (Role.MELODY, Role.BASS) else tonic.tones
        held = {
            min((p for p in range(q - 6, q + 7) if p % 12 in only), key=lambda p: abs(p - q)) for q in struck
        }
        page.tones[role] = rows + [Tone(start, end - start, p) for p in sorted(held)]
    strokes = [s for s in page.strokes if s.start >= start]
    page.strokes = [s for s in page.strokes if s.start < start] + [s for s in strokes if s.start == start]
    page.chords = [h for h in page.chords if h.start < start]
    if page.chords:
        before = page.chords[-1]
        page.chords[-1] = Harmony(before.start, min(before.length, start - before.start), before.chord)
    page.chords = _merged([*page.chords, Harmony(start, end - start, tonic)])


def _too_high(passage: Passage, tune: int, shift: int) -> bool:
    """Whether a cue's key puts a passage's tune so high that all parts had better be an octave lower, and can."""
    high = sorted(passage.tunes[tune].tolist())
    pitched = passage.notes[passage.notes[:, 3] != Role.DRUMS][:, 2]
    lowest = min(int(pitched.min()), high[0]) if len(pitched) else high[0]
    return high[9 * len(high) // 10] + shift > HIGH_TUNE and lowest + shift - 12 >= LOWEST


def _add(page: Page, role: Role, tone: Tone) -> None:
    if tone.length > 0:
        page.tones.setdefault(role, []).append(tone)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
