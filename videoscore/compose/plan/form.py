"""Form before notes: phrases, cadences, and which bars return, whole or as a varied theme.

A cue is built of four-bar phrases that pair up to eight-bar periods (a half cadence, then a full one), or of
eight-bar sentences (an idea, the idea again over the same harmony, a continuation): Caplin 1998, "Classical Form",
chapters 3 and 4. Which of the two a mood's music has is the film's choice, so that its theme keeps its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from videoscore.compose.plan.harmony import DOMINANT, TONIC, Harmony

PHRASE, SENTENCE = 4, 8
SONG_FORM = ("A", "A", "B", "A", "C", "C", "B", "A")
SENTENCE_FORM = ("A", "B", "A", "C", "B", "A")
SENTENCES_FROM = 16  # bars that a cue needs to be built of sentences
SENTENCES = 0.4  # share of moods whose longer cues are
TURN = 0.1  # valence from which a phrase takes the mode of its sign, whatever the cue's key


class Return(Enum):
    """How an earlier bar comes back."""

    WHOLE = "whole"  # note for note
    MELODY = "melody"  # the tune; what goes with it is written anew


@dataclass(frozen=True)
class Phrase:
    """first : bar in the cue. last : it is the cue's last."""

    letter: str
    first: int
    bars: int
    last: bool


@dataclass(frozen=True)
class FormedBar:
    """One bar of a form: its chord, its mode, and the bar of the film that returns in it, if any."""

    chord: int
    minor: bool
    source: int | None = None
    how: Return = Return.WHOLE


def phrases(bars: int, sentences: bool = False) -> list[Phrase]:
    """Phrases of `PHRASE` bars, or of `SENTENCE`; what is left over lengthens the last or is a phrase itself."""
    unit, letters = (SENTENCE, SENTENCE_FORM) if sentences else (PHRASE, SONG_FORM)
    lengths = [unit] * (bars // unit)
    rest = bars % unit
    if rest >= 3 or not lengths:
        lengths += [rest] if rest else []
    else:
        lengths[-1] += rest
    firsts = np.cumsum([0, *lengths[:-1]]).tolist()
    count = len(lengths)
    return [Phrase(letters[i % len(letters)], firsts[i], n, i == count - 1) for i, n in enumerate(lengths)]


@dataclass(frozen=True)
class Theme:
    """Where a phrase was first stated: its first bar in the film, and how many bars may return."""

    first: int
    bars: int


class Form:
    """The form of one cue, phrase by phrase.

    base : the film's number of the cue's first bar. chords : those of the bars before it, by number.
    minor : mode of the cue's key. valences : what is wanted in each of its bars. theme : of the cue's mood, where an
    earlier cue stated it. goes_on : the next cue is in the same key, so that the last chord is to lead into it.

    A phrase whose valence lies clearly on the other side (`TURN`) stands in the relative key, whose notes are the same:
    it is the mode that carries valence (Gabrielsson & Lindstroem 2010), and a cue's key has only one.
    """

    def __init__(
        self,
        harmony: Harmony,
        base: int,
        chords: Sequence[int],
        minor: bool,
        valences: Sequence[float],
        theme: Theme | None,
        goes_on: bool,
        rng: np.random.Generator,
    ) -> None:
        self.harmony, self.base, self.minor, self.valences, self.rng = harmony, base, minor, valences, rng
        self.goes_on, self.before = goes_on, list(chords)
        self.bars: list[FormedBar] = []
        self.stated: dict[tuple[str, bool], Theme] = {} if theme is None else {("A", minor): theme}
        self.returns: dict[tuple[str, bool], int] = {} if theme is None else {("A", minor): 1}

    def write(self, sentences: bool) -> list[FormedBar]:
        for number, phrase in enumerate(phrases(len(self.valences), sentences)):
            self.bars += self._phrase(phrase, number, sentences)
        return self.bars

    @property
    def theme(self) -> Theme | None:
        """The first phrase in the cue's own mode as it was stated, here or in an earlier cue."""
        return self.stated.get(("A", self.minor))

    def _mode(self, valence: float) -> bool:
        """Whether a phrase of that valence is in minor."""
        return self.minor if abs(valence) < TURN else valence < 0

    def _phrase(self, phrase: Phrase, number: int, sentence: bool) -> list[FormedBar]:
        valence = float(np.mean(self.valences[phrase.first : phrase.first + phrase.bars]))
        minor = self._mode(valence)
        tonic, dominant = TONIC[minor], DOMINANT[minor]
        half = not sentence and number % 2 == 0
        close = dominant if half else tonic
        if phrase.last:
            close = DOMINANT[self.minor] if self.goes_on else tonic
        contrast = phrase.letter == "B"
        open_on = int(self.rng.choice([TONIC[not minor], dominant])) if contrast else tonic
        line = [FormedBar(c, minor) for c in self._chords(phrase.bars, open_on, close, minor, valence)]
        here, name = self.base + phrase.first, (phrase.letter, minor)
        stated = self.stated.get(name)
        if stated is None:
            self.stated[name] = Theme(here, phrase.bars)
            if sentence and phrase.bars >= SENTENCE:
                for k in (2, 3):  # the idea again
                    how = Return.MELODY if k == 3 else Return.WHOLE
                    line[k] = FormedBar(line[k - 2].chord, minor, here + k - 2, how)
            return line
        # what closes a phrase is new, what comes before it returns; the oftener, the freer
        times = self.returns[name] = self.returns.get(name, 0) + 1
        kept = phrase.bars - (2 if close == tonic and phrase.bars > 2 else 1)
        for k in range(min(kept, stated.bars)):
            how = Return.MELODY if times >= 2 else Return.WHOLE
            line[k] = FormedBar(self._chord(stated.first + k, line), minor, stated.first + k, how)
        return line

    def _chords(self, bars: int, first: int, last: int, minor: bool, valence: float) -> list[int]:
        """A progression; a close on the tonic comes from the dominant where there is room (authentic cadence)."""
        if bars >= 3 and last == TONIC[minor]:
            bars, cadence, end = bars - 1, DOMINANT[minor], [last]
        else:
            cadence, end = last, []
        return [*self.harmony.sample(bars, first, cadence, minor, valence, self.rng), *end]

    def _chord(self, number: int, line: Sequence[FormedBar]) -> int:
        """Chord of a bar by its number in the film; `line` is the phrase that follows `self.bars`."""
        if number < self.base:
            return self.before[number]
        own = [*self.bars, *line]
        return own[number - self.base].chord
