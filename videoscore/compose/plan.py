"""The plan before the notes: for every bar of a cue sheet its harmony, roles, mood and form.

Form is a plan too: cues are built from four-bar phrases in song order (A A B A), a phrase that
returns replays its first bars, and a mood that returns in a later cue brings its theme back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from videoscore.compose.grid import bar_time
from videoscore.compose.harmony import DOMINANT, TONIC, Harmony
from videoscore.compose.score import Role
from videoscore.compose.steps import GRID, BarPlan
from videoscore.compose.theory import parse_key, shift_to_normal
from videoscore.cues.sheet import Cue, CueSheet

PHRASE = 4
SONG_FORM = ("A", "A", "B", "A", "C", "C", "B", "A")
# A bar is replayed only where the wanted mood is near the mood that it was written for.
MOOD_REACH = 0.35
DEFAULT_ROLES = frozenset({Role.MELODY, Role.ACCOMPANIMENT, Role.BASS})


@dataclass(frozen=True)
class PlannedBar:
    """One bar. `replay` is the number of an earlier bar whose notes come back here; `final` marks the
    film's last bar, which holds the closing chord."""

    plan: BarPlan
    cue: int
    number: int
    replay: int | None = None
    final: bool = False


@dataclass(frozen=True)
class Phrase:
    letter: str
    first: int  # bar in the cue
    bars: int
    last: bool


def phrases(bars: int) -> list[Phrase]:
    """Four-bar phrases; one or two bars left over lengthen the last phrase, three stand alone."""
    lengths = [PHRASE] * (bars // PHRASE)
    rest = bars % PHRASE
    if rest == 3 or not lengths:
        lengths += [rest] if rest else []
    else:
        lengths[-1] += rest
    firsts = np.cumsum([0, *lengths[:-1]]).tolist()
    count = len(lengths)
    return [Phrase(SONG_FORM[i % len(SONG_FORM)], firsts[i], n, i == count - 1) for i, n in enumerate(lengths)]


def shift_of(key: str) -> int:
    """Semitones that bring the normalised key (C major, A minor) to `key`."""
    return -shift_to_normal(*parse_key(key))


class Planner:
    """Plans cue after cue and remembers the themes."""

    def __init__(self, harmony: Harmony, roles: Mapping[str, frozenset[Role]] | None = None) -> None:
        self.harmony, self.roles = harmony, roles or {}
        self.bars: list[PlannedBar] = []
        self.themes: dict[tuple[str, int, bool], int] = {}  # mood, beats, minor -> first bar of its theme

    def sheet(self, sheet: CueSheet) -> list[PlannedBar]:
        """All bars of a cue sheet, in order."""
        for number, cue in enumerate(sheet.cues):
            seed = sheet.seed if cue.seed is None else cue.seed
            rng = np.random.default_rng([seed & 0xFFFFFFFF, number, 1])
            final = number == len(sheet.cues) - 1
            following = None if final else sheet.cues[number + 1]
            self._cue(cue, number, following, _bars_after(sheet, number), rng)
        return self.bars

    def _cue(self, cue: Cue, number: int, following: Cue | None, after: int, rng: np.random.Generator) -> None:
        bars, (_, minor) = cue.meter.bars, parse_key(cue.key)
        chords, replays = self._form(cue, minor, following, rng)
        after_last = DOMINANT[minor] if following is None else TONIC[parse_key(following.key)[1]]
        roles = self.roles.get(cue.mood, DEFAULT_ROLES)
        for bar in range(bars):
            valence, arousal = cue.at(bar_time(cue.start, cue.end, bars, bar))
            plan = BarPlan(
                length=cue.meter.beats * GRID, compound=False, bpm=float(cue.bpm), minor=minor,
                chord=chords[bar], next_chord=chords[bar + 1] if bar + 1 < bars else after_last,
                valence=valence, arousal=arousal, since=bar, until=bars - 1 - bar,
                to_end=after + bars - 1 - bar, roles=roles,
            )
            replay = self._allowed(replays.get(bar), plan)
            self.bars.append(PlannedBar(plan, number, len(self.bars), replay, following is None and bar == bars - 1))

    def _form(self, cue: Cue, minor: bool, following: Cue | None, rng: np.random.Generator
              ) -> tuple[list[int], dict[int, int]]:
        """Chords of every bar of the cue, and which bars replay which earlier ones."""
        base, chords, replays = len(self.bars), [0] * cue.meter.bars, {}
        key = (cue.mood, cue.meter.beats, minor)
        valence = cue.at((cue.start + cue.end) / 2)[0]
        seen: dict[str, int] = {}
        if key in self.themes:
            seen["A"] = self.themes[key]
        for i, phrase in enumerate(phrases(cue.meter.bars)):
            close = self._close(phrase, i, minor, following, cue.key)
            open_on = TONIC[minor] if phrase.letter != "B" else rng.choice([TONIC[not minor], DOMINANT[minor]])
            line = self.harmony.sample(phrase.bars, int(open_on), close, minor, valence, rng)
            source = seen.get(phrase.letter)
            if source is None:
                seen[phrase.letter] = base + phrase.first
                if phrase.letter == "A" and phrase.bars >= PHRASE:
                    self.themes.setdefault(key, base + phrase.first)
            else:
                # the close is new, what comes before it returns
                for k in range(phrase.bars - 1 if phrase.bars < PHRASE else PHRASE - 1):
                    here = base + phrase.first + k
                    if source + k < len(self.bars):
                        line[k] = self.bars[source + k].plan.chord
                    elif base <= source + k < here:
                        line[k] = chords[source + k - base]
                    replays[phrase.first + k] = source + k
            chords[phrase.first : phrase.first + phrase.bars] = line
        return chords, replays

    @staticmethod
    def _close(phrase: Phrase, index: int, minor: bool, following: Cue | None, key: str) -> int:
        """Half cadence after every odd phrase; full close at the end of the film, or where the key changes."""
        if not phrase.last:
            return DOMINANT[minor] if index % 2 == 0 else TONIC[minor]
        if following is None or following.key != key:
            return TONIC[minor]
        return DOMINANT[minor]

    def _allowed(self, source: int | None, plan: BarPlan) -> int | None:
        """Replay only bars that exist or are planned, of the same length, mode and roles, and of a near mood."""
        if source is None or source >= len(self.bars):
            return None
        old = self.bars[source].plan
        same = old.length == plan.length and old.minor == plan.minor and old.roles == plan.roles
        near = (abs((old.arousal or 0) - (plan.arousal or 0)) < MOOD_REACH
                and abs((old.valence or 0) - (plan.valence or 0)) < 2 * MOOD_REACH)
        return source if same and near and plan.until > 0 else None


def _bars_after(sheet: CueSheet, number: int) -> int:
    return sum(c.meter.bars for c in sheet.cues[number + 1 :])
