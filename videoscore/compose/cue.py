"""One cue: from its form to the notes of every part, in units, in the normalised key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from videoscore.compose.accompaniment import (
    Pattern,
    Place,
    choose_pattern,
    lay_bass,
    lay_figure,
    lay_pad,
    write_counter,
)
from videoscore.compose.bank import Bank, Cell
from videoscore.compose.drums import CRASH, KICK, Stroke, choose_groove, lay_drums
from videoscore.compose.form import UNITS, Harmony, Phrase, plan_form, trial_chords
from videoscore.compose.melody import Theme, draw_theme, scale_of, write_tune
from videoscore.compose.ornament import varied
from videoscore.compose.scoring import choose_style, parts_of
from videoscore.compose.tone import Tone
from videoscore.compose.voicing import bass_line, layouts
from videoscore.cues.meter import TEMPO
from videoscore.mood.circle import centre
from videoscore.music.score import Role

COMPOUND = 0.35  # share of the moods in three that go in 6/8
LOWEST_CHORD = 52  # E3: the lowest note of chords above the bass
MOST_RAISED = 4  # semitones by which it lies higher where the key lies lower
TUNE_GAP = 2  # semitones kept free under the tune
FAST = 118.0  # quarters a minute from which a bar of harmony lasts two bars
STRETCH_FROM = 4  # of such long bars
COUNTER_LOW = 57  # A3
LEVEL = 0.3  # of arousal: what lies in one step of it keeps its figure
VARIED, VARIED_LAST = 0.35, 0.5  # share of the places of a returning tune that are varied
LIFT_AROUSAL, LIFT_VALENCE, MOST_LIFT = 3.0, 2.0, 4.0


@dataclass(frozen=True)
class Wish:
    """What a cue asks for.

    bars, beats : its bars, and quarters a bar. bpm : quarters a minute. mood, minor : of the cue. valence, arousal :
    of every bar. goes_on : the next cue follows in the same key. film : seed that all cues of the film share; seed,
    number : what this cue's own choices hang on. roles : that may play. final : nothing follows. motif : bars of a tune
    of the user's own, to be taken up instead of a theme of the composer's. required : roles that play throughout, as
    far as they may. shift : semitones from the normalised key to the cue's own.
    """

    bars: int
    beats: int
    bpm: float
    mood: str
    minor: bool
    valence: tuple[float, ...]
    arousal: tuple[float, ...]
    goes_on: bool
    film: int
    seed: int
    number: int
    roles: frozenset[Role]
    final: bool = False
    motif: tuple[Cell, ...] = ()
    required: frozenset[Role] = frozenset()
    take: int = 0
    shift: int = 0


@dataclass
class Page:
    """The notes of a cue by role; drums apart. chords : harmony of the whole cue, in time."""

    phrases: list[Phrase]
    chords: list[Harmony]
    tones: dict[Role, list[Tone]] = field(default_factory=dict)
    strokes: list[Stroke] = field(default_factory=list)


@dataclass(frozen=True)
class _Sketch:
    """A cue before its parts are laid out: phrases, who plays in each, the tune, the bass and the layouts of chords."""

    wish: Wish
    bank: Bank
    rng: Random
    phrases: list[Phrase]
    parts: list[frozenset[Role]]
    bass: dict[int, int]
    tune: list[Tone]
    patterns: list[Pattern]
    voicings: dict[int, tuple[int, ...]]
    varies: bool  # where the tune returns


# What may write the tune instead: from the wish, the phrases and the bass under every chord (by its start).
TuneWriter = Callable[[Wish, Sequence[Phrase], dict[int, int]], list[Tone]]


def write_cue(wish: Wish, bank: Bank, tune_writer: TuneWriter | None = None) -> Page:
    """Write a cue; the same wish gives the same notes.

    tune_writer : writes the tune, unless the wish holds a motif of the user's own; None: it is made of a theme.
    """
    sketch = _sketch(wish, bank, None if wish.motif else tune_writer)
    page = Page(sketch.phrases, [h for p in sketch.phrases for h in p.chords])
    counter_before: int | None = None
    for k, phrase in enumerate(sketch.phrases):
        tune = _tune_of(sketch, k)
        if Role.MELODY in sketch.parts[k]:
            _add(page, Role.MELODY, tune)
        if Role.COUNTER in sketch.parts[k]:
            counter = write_counter(phrase, tune, sketch.bass, wish.beats, counter_before, COUNTER_LOW)
            counter_before = counter[-1].pitch if counter else None
            _add(page, Role.COUNTER, counter)
        _lay_chords(page, sketch, k)
        if Role.DRUMS in sketch.parts[k]:
            page.strokes += _drums(sketch, k)
    if wish.final:
        _close(page, sketch)
    return page


def shared_rng(wish: Wish, *purpose: object) -> Random:
    """Chance that all cues of the mood, metre and mode share in a film, whatever their length; one a purpose."""
    return Random("/".join(map(str, (wish.film, wish.mood, wish.beats, wish.minor, *purpose))))


def _sketch(wish: Wish, bank: Bank, tune_writer: TuneWriter | None) -> _Sketch:
    rng = Random(f"{wish.seed}/{wish.number}/{wish.take}/cue")
    compound = wish.beats % 3 == 0 and shared_rng(wish, "compound").random() < COMPOUND
    _, arousal = centre(wish.mood)
    style = choose_style(wish.roles, arousal, shared_rng(wish, "style"))
    modes = [_minor(v, wish.minor) for v in wish.valence]
    stretch = 2 if wish.bpm >= FAST and wish.bars >= 2 * STRETCH_FROM else 1
    heads = partial(shared_rng, wish, "head")
    phrases = plan_form(
        wish.bars, wish.beats, wish.mood, wish.minor, modes, wish.goes_on, heads, rng, stretch
    )
    straight = style == "band" or tune_writer is not None
    themes = _themes(wish, bank, compound, arousal, straight)
    chords = [h for p in phrases for h in p.chords]
    bass = {h.start: p for h, p in zip(chords, bass_line(chords))}
    arousals = [_mean(wish.arousal[p.start : p.start + p.bars], arousal) for p in phrases]
    parts = parts_of(phrases, style, wish.roles, arousals, wish.required)
    tune: list[Tone] = []
    if Role.MELODY in wish.roles and tune_writer is not None:
        tune = tune_writer(wish, phrases, bass)
    elif Role.MELODY in wish.roles:
        tune = write_tune(phrases, themes, bass, wish.beats, _lifts(wish, phrases), rng)
    patterns = _patterns(bank, wish, phrases, arousals, compound, themes["a"].triplets)
    voicings = _layouts(phrases, patterns, bass, tune, LOWEST_CHORD + max(0, min(MOST_RAISED, -wish.shift)))
    return _Sketch(wish, bank, rng, phrases, parts, bass, tune, patterns, voicings, tune_writer is None)


def _themes(wish: Wish, bank: Bank, compound: bool, arousal: float, straight: bool) -> dict[str, Theme]:
    """The material of the theme and of the contrasting theme; the user's own motif where there is one. straight :
    drums play, and nothing goes across their parting of the beat."""
    low, high = TEMPO[wish.mood]
    out = {}
    for letter in "ac":
        rng = shared_rng(wish, "theme", letter)
        trial = trial_chords(wish.mood, wish.beats, wish.minor, rng)
        out[letter] = draw_theme(
            bank, wish.beats, compound, arousal, (low + high) / 2, trial, wish.minor, rng, straight
        )
    if wish.motif:
        first, second, spin = (wish.motif[min(k, len(wish.motif) - 1)] for k in range(3))
        out["a"] = replace(out["a"], first=first, second=second, spin=spin, upbeat=0)
    return out


def _tune_of(sketch: _Sketch, k: int) -> list[Tone]:
    """The tune of a phrase, varied where it returns."""
    wish, phrase = sketch.wish, sketch.phrases[k]
    tune = [t for t in sketch.tune if _in(t, phrase, wish.beats)]
    if sketch.varies and phrase.tuneful and (phrase.variant or phrase.letter == "b"):
        share = VARIED_LAST if k + 1 == len(sketch.phrases) else VARIED
        return varied(tune, phrase.chords, scale_of(phrase.minor), wish.bpm, share, sketch.rng)
    return tune


def _lay_chords(page: Page, sketch: _Sketch, k: int) -> None:
    """Accompaniment, pad and bass of a phrase."""
    wish, phrase, parts, pattern = sketch.wish, sketch.phrases[k], sketch.parts[k], sketch.patterns[k]
    ends = phrase.cadence == "end" and k + 1 == len(sketch.phrases)
    if Role.ACCOMPANIMENT in parts:
        thin = ends or _closes(sketch, k)
        _add(page, Role.ACCOMPANIMENT, lay_figure(phrase, pattern, sketch.voicings, wish.beats, thin))
    if Role.PAD in parts:
        _add(page, Role.PAD, lay_pad(phrase, sketch.voicings))
    if Role.BASS in parts:
        last = k + 1 == len(sketch.phrases)
        following = None if last else sketch.bass[sketch.phrases[k + 1].chords[0].start]
        rows = lay_bass(phrase, pattern.bass, sketch.bass, following, wish.beats, ends, sketch.rng)
        _add(page, Role.BASS, rows)


def _closes(sketch: _Sketch, k: int) -> bool:
    """Whether a section ends with this phrase."""
    return k + 1 == len(sketch.phrases) or sketch.phrases[k + 1].section != sketch.phrases[k].section


def _drums(sketch: _Sketch, k: int) -> list[Stroke]:
    wish = sketch.wish
    _, arousal = centre(wish.mood)
    groove = choose_groove(sketch.bank, wish.beats, arousal, shared_rng(wish, "drums"))
    if groove is None:
        return []
    opens = k == 0 or _closes(sketch, k - 1)
    ends = sketch.phrases[k].cadence == "end" and k + 1 == len(sketch.phrases)
    return lay_drums(sketch.phrases[k], groove, wish.beats, opens, _closes(sketch, k), ends)


def _close(page: Page, sketch: _Sketch) -> None:
    """The film's last bar: the tonic chord in every part that plays there, struck once and held."""
    wish, bar = sketch.wish, sketch.wish.beats * UNITS
    start, end = (wish.bars - 1) * bar, wish.bars * bar
    last = page.chords[-1]
    at = max(last.start, start)
    for role, tones in page.tones.items():
        inside = [t for t in tones if t.start >= start]
        rows = [_until(t, start) for t in tones if t.start < start]
        if inside or any(t.start + t.length > start for t in tones if t.start < start):
            rows += [Tone(start, end - start, p) for p in _closing(role, sketch, last, inside or rows, at)]
        page.tones[role] = rows
    strokes = [s for s in page.strokes if s.start < start]
    if any(s.start >= start for s in page.strokes):
        strokes += [Stroke(start, CRASH, 0.8), Stroke(start, KICK, 0.9)]
    page.strokes = strokes
    page.chords = [h for h in page.chords if h.start < start] + [Harmony(start, end - start, last.chord)]
    if len(page.chords) > 1 and page.chords[-2].start + page.chords[-2].length > start:
        before = page.chords[-2]
        page.chords[-2] = Harmony(before.start, start - before.start, before.chord)


def _closing(role: Role, sketch: _Sketch, last: Harmony, rows: Sequence[Tone], at: int) -> tuple[int, ...]:
    """Pitches of the closing chord in a part."""
    near = rows[-1].pitch if rows else 67
    if role is Role.BASS:
        return (sketch.bass[last.start],)
    if role in (Role.ACCOMPANIMENT, Role.PAD):
        return sketch.voicings[last.start]
    tones = last.chord.tones[:1] if role is Role.MELODY else last.chord.tones[:3]
    return (min((p for p in range(near - 7, near + 8) if p % 12 in tones), key=lambda p: abs(p - near)),)


def _until(tone: Tone, end: int) -> Tone:
    return tone if tone.start + tone.length <= end else Tone(tone.start, end - tone.start, tone.pitch)


def _minor(valence: float, minor: bool) -> bool:
    """Whether a bar wants minor: by the sign of its valence, near zero the cue's own mode."""
    return minor if abs(valence) < 0.1 else valence < 0


def _mean(values: Sequence[float], other: float) -> float:
    return sum(values) / len(values) if values else other


def _lifts(wish: Wish, phrases: Sequence[Phrase]) -> list[float]:
    """Semitones by which the tune of each phrase lies higher or lower, for its valence and arousal."""
    v0, a0 = _mean(wish.valence, 0.0), _mean(wish.arousal, 0.0)
    out = []
    for p in phrases:
        v, a = (_mean(row[p.start : p.start + p.bars], 0.0) for row in (wish.valence, wish.arousal))
        lift = LIFT_AROUSAL * (a - a0) + LIFT_VALENCE * (v - v0)
        out.append(max(-MOST_LIFT, min(MOST_LIFT, lift)) + 2.0 * v0)
    return out


def _layouts(
    phrases: Sequence[Phrase],
    patterns: Sequence[Pattern],
    bass: dict[int, int],
    tune: Sequence[Tone],
    lowest: int,
) -> dict[int, tuple[int, ...]]:
    """The layout of every chord, by its start, with as many voices as the phrase's pattern has ranks."""
    out: dict[int, tuple[int, ...]] = {}
    groups: list[tuple[int, list[Harmony]]] = []
    for phrase, pattern in zip(phrases, patterns):
        voices = min(4, max(3, 1 + max((rank for _, _, rank in pattern.notes), default=2)))
        if groups and groups[-1][0] == voices:
            groups[-1][1].extend(phrase.chords)
        else:
            groups.append((voices, list(phrase.chords)))
    for voices, chords in groups:
        tops = []
        for h in chords:
            over = [t.pitch for t in tune if t.start < h.start + h.length and t.start + t.length > h.start]
            tops.append(min(72, min(over, default=72) - TUNE_GAP))
        low = lowest - (3 if voices > 3 else 0)
        rows = layouts(chords, [bass[h.start] for h in chords], voices, low, tops)
        out |= {h.start: v for h, v in zip(chords, rows)}
    return out


def _patterns(
    bank: Bank,
    wish: Wish,
    phrases: Sequence[Phrase],
    arousals: Sequence[float],
    compound: bool,
    triplets: bool,
) -> list[Pattern]:
    """A pattern for each phrase: one for the theme, another for contrasts, kept as long as the arousal is about what it
    was chosen for."""
    chosen: dict[tuple[str, int], Pattern] = {}
    out = []
    for phrase, arousal in zip(phrases, arousals):
        letter = phrase.letter if phrase.letter in "bc" else "a"
        level = round(arousal / LEVEL)
        if (letter, level) not in chosen:
            valence = _mean(wish.valence[phrase.start : phrase.start + phrase.bars], 0.0)
            rng = shared_rng(wish, "figure", letter, level)
            place = Place(wish.beats, compound, triplets, wish.bpm)
            chosen[letter, level] = choose_pattern(bank, place, valence, level * LEVEL, rng)
        out.append(chosen[letter, level])
    return out


def _in(tone: Tone, phrase: Phrase, beats: int) -> bool:
    """Whether a tone belongs to a phrase; its upbeat, which sounds before it, counts to the phrase before."""
    bar = beats * UNITS
    return phrase.start * bar <= tone.start < (phrase.start + phrase.bars) * bar


def _add(page: Page, role: Role, tones: Sequence[Tone]) -> None:
    page.tones.setdefault(role, []).extend(tones)
