"""One cue: from its form to the notes of every part, in units, in the normalised key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from videoscore.compose.accompaniment import (
    Pattern,
    choose_pattern,
    lay_bass,
    lay_figure,
    lay_pad,
    write_counter,
)
from videoscore.compose.bank import Bank
from videoscore.compose.drums import Stroke, choose_groove, lay_drums
from videoscore.compose.form import UNITS, Harmony, Phrase, plan_form, trial_chords
from videoscore.compose.ornament import varied
from videoscore.compose.scoring import choose_style, parts_of
from videoscore.compose.tone import Tone
from videoscore.compose.tune import Theme, draw_theme, scale_of, write_tune
from videoscore.compose.voicing import bass_line, layouts
from videoscore.mood.circle import centre
from videoscore.music.score import Role

COMPOUND = 0.35  # share of the moods in three that go in 6/8
LOWEST_CHORD = 52  # E3: the lowest note of chords above the bass
TUNE_GAP = 2  # semitones kept free under the tune
VARIED, VARIED_LAST = 0.35, 0.5  # share of the places of a returning tune that are varied
LIFT_AROUSAL, LIFT_VALENCE, MOST_LIFT = 3.0, 2.0, 4.0


@dataclass(frozen=True)
class Wish:
    """What a cue asks for.

    bars, beats : its bars, and quarters a bar. bpm : quarters a minute. mood, minor : of the cue. valence, arousal :
    of every bar. goes_on : the next cue follows in the same key. film : seed that all cues of the film share; seed,
    number : what this cue's own choices hang on. roles : that may play.
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
    take: int = 0


@dataclass
class Page:
    """The notes of a cue by role; drums apart. chords : harmony of the whole cue, in time."""

    phrases: list[Phrase]
    chords: list[Harmony]
    tones: dict[Role, list[Tone]] = field(default_factory=dict)
    strokes: list[Stroke] = field(default_factory=list)


def write_cue(wish: Wish, bank: Bank) -> Page:
    """Write a cue; the same wish gives the same notes."""
    shared = Random(f"{wish.film}/{wish.mood}/{wish.beats}/{wish.minor}/theme")
    rng = Random(f"{wish.seed}/{wish.number}/{wish.take}/cue")
    compound = wish.beats % 3 == 0 and shared.random() < COMPOUND
    _, arousal = centre(wish.mood)
    style = choose_style(wish.roles, arousal, shared)
    modes = [_minor(v, wish.minor) for v in wish.valence]
    phrases = plan_form(wish.bars, wish.beats, wish.mood, wish.minor, modes, wish.goes_on, shared, rng)
    themes: dict[str, Theme] = {
        letter: draw_theme(
            bank, wish.beats, compound, arousal, wish.bpm, trial_chords(wish.mood, wish.beats, wish.minor, shared),
            wish.minor, shared,
        )
        for letter in "ac"
    }  # fmt: skip
    chords = [h for p in phrases for h in p.chords]
    bass_notes = bass_line(chords)
    bass = {h.start: p for h, p in zip(chords, bass_notes)}
    page = Page(phrases, chords)
    arousals = [_mean(wish.arousal[p.start : p.start + p.bars], arousal) for p in phrases]
    parts = parts_of(phrases, style, wish.roles, arousals)
    lifts = _lifts(wish, phrases)
    tune = write_tune(phrases, themes, bass, wish.beats, lifts, rng) if Role.MELODY in wish.roles else []
    patterns = _patterns(bank, wish, phrases, arousals, compound, themes["a"].triplets, shared)
    voicings = _layouts(phrases, patterns, bass, tune)
    counter_before: int | None = None
    for k, phrase in enumerate(phrases):
        here, pattern = parts[k], patterns[k]
        closes = k + 1 == len(phrases) or phrases[k + 1].section != phrase.section
        ends = phrase.cadence == "end" and k + 1 == len(phrases)
        inside = [t for t in tune if _in(t, phrase, wish.beats)]
        if phrase.tuneful and (phrase.variant or phrase.letter == "b"):
            share = VARIED_LAST if k + 1 == len(phrases) else VARIED
            inside = varied(inside, phrase, scale_of(phrase.minor), wish.bpm, share, rng)
        if Role.MELODY in here:
            _add(page, Role.MELODY, inside)
        if Role.COUNTER in here:
            counter = write_counter(phrase, inside, bass, wish.beats, counter_before, 57)
            counter_before = counter[-1].pitch if counter else None
            _add(page, Role.COUNTER, counter)
        if Role.ACCOMPANIMENT in here:
            _add(
                page,
                Role.ACCOMPANIMENT,
                lay_figure(phrase, pattern, voicings, wish.beats, ends or closes or phrase.cadence == "half"),
            )
        if Role.PAD in here:
            _add(page, Role.PAD, lay_pad(phrase, voicings))
        if Role.BASS in here:
            following = bass[phrases[k + 1].chords[0].start] if k + 1 < len(phrases) else None
            _add(page, Role.BASS, lay_bass(phrase, pattern.bass, bass, following, wish.beats, ends, rng))
        if Role.DRUMS in here:
            groove = choose_groove(bank, wish.beats, arousal, Random(f"{wish.film}/{wish.mood}/drums"))
            if groove is not None:
                opens = k == 0 or phrases[k - 1].section != phrase.section
                page.strokes += lay_drums(phrase, groove, wish.beats, opens, closes, ends)
    return page


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
    phrases: Sequence[Phrase], patterns: Sequence[Pattern], bass: dict[int, int], tune: Sequence[Tone]
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
        low = LOWEST_CHORD - (3 if voices > 3 else 0)
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
    rng: Random,
) -> list[Pattern]:
    """A pattern for each phrase: one for the theme, another for contrasts, kept as long as the arousal is about what it
    was chosen for."""
    kept: dict[tuple[str, int], Pattern] = {}
    out = []
    for phrase, arousal in zip(phrases, arousals):
        letter = "b" if phrase.letter == "b" else "c" if phrase.letter == "c" else "a"
        level = round(arousal / 0.45)
        if (letter, level) not in kept:
            valence = _mean(wish.valence[phrase.start : phrase.start + phrase.bars], 0.0)
            kept[letter, level] = choose_pattern(
                bank, wish.beats, compound, triplets, valence, arousal, wish.bpm, 3, rng
            )
        out.append(kept[letter, level])
    return out


def _in(tone: Tone, phrase: Phrase, beats: int) -> bool:
    """Whether a tone belongs to a phrase; its upbeat, which sounds before it, counts to the phrase before."""
    bar = beats * UNITS
    return phrase.start * bar <= tone.start < (phrase.start + phrase.bars) * bar


def _add(page: Page, role: Role, tones: Sequence[Tone]) -> None:
    page.tones.setdefault(role, []).extend(tones)
