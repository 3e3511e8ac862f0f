"""The plan before the notes: for every bar of a cue sheet its harmony, roles, mood and form.

`videoscore.compose.plan.form` says which bars return; here they meet the picture: the mood's curve, its hit points,
the next cue. A cue too short for a tune is one gesture.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

import numpy as np

from videoscore.compose.network.steps import GRID, BarPlan
from videoscore.compose.plan.form import SENTENCES, SENTENCES_FROM, Form, FormedBar, Return, Theme
from videoscore.compose.plan.harmony import DOMINANT, TONIC, Harmony
from videoscore.cues.grid import bar_time, performance_of
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.music.score import Role
from videoscore.music.theory import parse_key

# A bar returns note for note only where the wanted mood is near the one that it was written for; its tune alone
# may go further.
MOOD_REACH = 0.35
TUNE_REACH = 0.8
DEFAULT_ROLES = frozenset({Role.MELODY, Role.ACCOMPANIMENT, Role.BASS})
SHORT = Fraction(4)  # seconds: a cue below gets a gesture, not a tune
STRIKES = 0.2  # arousal from which the gesture is a stinger
# Sixteenths are where players strike; a hit is put on one if the picture can't tell (40 ms, see cues/meter.py).
SIXTEENTH, FUSED = GRID // 4, Fraction(40, 1000)
BUILD = 2  # bars that lead up to a hit
HIT_AROUSAL = 0.3  # added to the arousal that the network hears at a hit of full strength, less before it
HIT_VELOCITY = 16.0  # likewise to the velocity


class Gesture(Enum):
    """What a cue too short for a tune gets."""

    STINGER = "stinger"  # one struck chord
    HELD = "held"  # one held chord


@dataclass(frozen=True)
class Mark:
    """A hit point on the page: onset in the bar in 1/24 quarters, strength in (0, 1]."""

    position: int
    strength: float


@dataclass(frozen=True)
class PlannedBar:
    """One bar.

    replay, how : number of an earlier bar that comes back here, and how. final : the film's last bar, which holds
    the closing chord. gesture : the bar is a short cue's only one. marks : hit points in it, by position.
    swell : velocity added at its start and, rising or falling evenly, at its end.
    """

    plan: BarPlan
    cue: int
    number: int
    replay: int | None = None
    how: Return = Return.WHOLE
    final: bool = False
    gesture: Gesture | None = None
    marks: tuple[Mark, ...] = ()
    swell: tuple[float, float] = (0.0, 0.0)

    @property
    def chordal(self) -> bool:
        """One chord is all that is wanted."""
        return self.final or self.gesture is not None


class Planner:
    """Plans cue after cue and remembers the themes."""

    def __init__(self, harmony: Harmony, roles: Mapping[str, frozenset[Role]] | None = None) -> None:
        self.harmony, self.roles = harmony, roles or {}
        self.bars: list[PlannedBar] = []
        self.themes: dict[tuple[str, int, bool], Theme] = {}  # by mood, beats, minor

    def sheet(self, sheet: CueSheet) -> list[PlannedBar]:
        """All bars of a cue sheet, in order."""
        for number, cue in enumerate(sheet.cues):
            locked = performance_of(
                cue
            )  # its form is that with which it was written, as far as that is known
            film, place = (locked.seed, locked.number) if locked else (sheet.seed, number)
            seed = film if cue.seed is None else cue.seed
            rng = np.random.default_rng([seed & 0xFFFFFFFF, place, 1])
            final = number == len(sheet.cues) - 1
            following = None if final else sheet.cues[number + 1]
            self._cue(cue, number, following, _bars_after(sheet, number), _sentences(film, cue), rng)
        return self.bars

    def _cue(
        self,
        cue: Cue,
        number: int,
        following: Cue | None,
        after: int,
        sentences: bool,
        rng: np.random.Generator,
    ) -> None:
        bars, (_, minor) = cue.meter.bars, parse_key(cue.key)
        mood = [cue.at(bar_time(cue.start, cue.end, bars, bar)) for bar in range(bars)]
        form = self._form(cue, minor, [v for v, _ in mood], following, sentences, rng)
        locked = performance_of(cue)
        if locked and len(locked.chords) == bars:
            form = [replace(formed, chord=chord) for formed, chord in zip(form, locked.chords)]
        after_last = DOMINANT[minor] if following is None else TONIC[parse_key(following.key)[1]]
        roles = self.roles.get(cue.mood, DEFAULT_ROLES)
        marks, gesture = marks_of(cue), _gesture(cue)
        for bar, formed in enumerate(form):
            valence, arousal = mood[bar]
            lift, swell = _lead(marks, bar, bars)
            plan = BarPlan(
                length=cue.meter.beats * GRID,
                compound=False,
                bpm=float(cue.bpm),
                minor=formed.minor,
                chord=formed.chord,
                next_chord=form[bar + 1].chord if bar + 1 < bars else after_last,
                valence=valence,
                arousal=min(1.0, arousal + lift),
                since=bar,
                until=bars - 1 - bar,
                to_end=after + bars - 1 - bar,
                roles=roles,
            )
            planned = PlannedBar(
                plan,
                number,
                len(self.bars),
                final=following is None and bar == bars - 1,
                gesture=gesture,
                marks=marks.get(bar, ()),
                swell=swell,
            )
            self.bars.append(self._returning(planned, formed))

    def _form(
        self,
        cue: Cue,
        minor: bool,
        valences: Sequence[float],
        following: Cue | None,
        sentences: bool,
        rng: np.random.Generator,
    ) -> list[FormedBar]:
        key = (cue.mood, cue.meter.beats, minor)
        goes_on = following is not None and following.key == cue.key and _gesture(cue) is None
        form = Form(
            self.harmony,
            len(self.bars),
            [b.plan.chord for b in self.bars],
            minor,
            valences,
            self.themes.get(key),
            goes_on,
            rng,
        )
        bars = form.write(sentences)
        if form.theme is not None and form.theme.bars >= 4:
            self.themes.setdefault(key, form.theme)
        return bars

    def _returning(self, bar: PlannedBar, formed: FormedBar) -> PlannedBar:
        """The bar with what returns in it, as far as metre, mode, roles and mood allow.

        Where the picture is hit nothing returns: the bar is written for the hit.
        """
        if formed.source is None or formed.source >= len(self.bars) or bar.chordal or bar.marks:
            return bar
        old = self.bars[formed.source]
        here, there = bar.plan, old.plan
        if here.length != there.length or here.minor != there.minor or here.until == 0 or old.chordal:
            return bar
        valence, arousal = abs(here.valence - there.valence), abs(here.arousal - there.arousal)  # type: ignore[operator]
        if (
            formed.how is Return.WHOLE
            and here.roles == there.roles
            and max(arousal, valence / 2) < MOOD_REACH
        ):
            return replace(bar, replay=formed.source)
        if max(arousal, valence / 2) < TUNE_REACH and Role.MELODY in here.roles & there.roles:
            return replace(bar, replay=formed.source, how=Return.MELODY)
        return bar


def marks_of(cue: Cue) -> dict[int, tuple[Mark, ...]]:
    """Bar of the cue -> the hit points in it, each on the sixteenth that fuses with it, else as near as notes go."""
    quarter = 60 / cue.bpm  # seconds
    length = cue.meter.beats * GRID
    found: dict[int, dict[int, float]] = {}
    for hit in cue.hits:
        ticks = (hit.t - cue.start) / quarter * GRID
        at = round(ticks / SIXTEENTH) * SIXTEENTH
        if abs(at - ticks) * quarter / GRID > FUSED:
            at = round(ticks)
        bar, position = divmod(at, length)
        if 0 <= bar < cue.meter.bars and hit.strength > 0:
            there = found.setdefault(bar, {})
            there[position] = max(there.get(position, 0.0), hit.strength)
    return {bar: tuple(Mark(p, s) for p, s in sorted(marks.items())) for bar, marks in found.items()}


def _lead(marks: Mapping[int, tuple[Mark, ...]], bar: int, bars: int) -> tuple[float, tuple[float, float]]:
    """Arousal added in a bar, and velocity added at its start and end: a build up to the next hit."""
    ahead = sorted(marks)
    k = bisect.bisect_left(ahead, bar)
    if k == len(ahead) or ahead[k] - bar > BUILD or bars < 2:
        return 0.0, (0.0, 0.0)
    strength = max(m.strength for m in marks[ahead[k]])
    if ahead[k] == bar:  # the hit's own bar: `realise` marks the hit itself
        return HIT_AROUSAL * strength, (0.0, 0.0)
    begin, end = 1 - (ahead[k] - bar) / BUILD, 1 - (ahead[k] - bar - 1) / BUILD
    return (
        HIT_AROUSAL * strength * end / 2,
        (HIT_VELOCITY / 2 * strength * begin, HIT_VELOCITY / 2 * strength * end),
    )


def _gesture(cue: Cue) -> Gesture | None:
    if cue.duration >= SHORT:
        return None
    return Gesture.STINGER if cue.at((cue.start + cue.end) / 2)[1] >= STRIKES else Gesture.HELD


def _sentences(seed: int, cue: Cue) -> bool:
    """Whether a cue is built of sentences; all cues of a mood that are long enough agree in one film."""
    if cue.meter.bars < SENTENCES_FROM:
        return False
    chance = np.random.default_rng([seed & 0xFFFFFFFF, 3, *cue.mood.encode()]).random()
    return bool(chance < SENTENCES)


def _bars_after(sheet: CueSheet, number: int) -> int:
    return sum(c.meter.bars for c in sheet.cues[number + 1 :])
