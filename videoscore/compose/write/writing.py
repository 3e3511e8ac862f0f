"""A sheet while it is being written: its plan, the cue at hand with its takes, and the finished page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.locked_notes import dictation
from videoscore.compose.network.steps import GRID, features
from videoscore.compose.plan.guide import Push
from videoscore.compose.plan.plan import PlannedBar
from videoscore.compose.write.choose import best_take
from videoscore.compose.write.guard import Guard
from videoscore.compose.write.hand import Hand, Written, roles_of
from videoscore.cues.sheet import CueSheet


class Writing:
    """Cue after cue of one sheet; each hears what came before it, in its best take.

    A locked cue is read out to the network instead of written, and after the last cue that isn't locked nothing is.
    Nothing in here knows of other sheets that are written at the same time.
    """

    def __init__(self, sheet: CueSheet, bars: list[PlannedBar], push: Push, takes: int, mood: bool) -> None:
        self.sheet, self.bars, self.push, self.takes, self.mood = sheet, bars, push, takes, mood
        self.quarters: list[float] = (np.cumsum([0, *(b.plan.length for b in bars)]) / GRID).tolist()
        self.page: list[Written] = []
        self.earlier: dict[int, list[Written]] = {}
        self.hands: list[Hand] = []
        self.guards: list[Guard] = []
        self.last: list[Written | None] = []  # what each take wrote last; None: a bar line
        self.index = 0  # steps that the network has read of what is kept
        self.fed = 0  # steps that it has read of the cue at hand
        self.marks: list[int] = []  # how many of these each finished take needed
        self.cue, self.first = -1, 0
        self.count = max((k for k, cue in enumerate(sheet.cues, 1) if not cue.locked), default=0)
        self._features: dict[tuple[int, bool], NDArray[np.float32]] = {}

    def resume(self, count: int, page: list[Written], index: int) -> None:
        """Go on after the first `count` cues, which are on `page` and took the network `index` steps."""
        self.cue, self.page, self.index = count - 1, list(page), index
        self.first = sum(cue.meter.bars for cue in self.sheet.cues[:count])
        self.earlier = {bar: [] for bar in range(self.first)}
        for note in page:
            self.earlier[note.bar].append(note)

    @property
    def complete(self) -> bool:
        """Whether every take of the cue at hand has come to its end."""
        return all(h.done for h in self.hands)

    def open_cue(self) -> bool:
        """Begin the next cue; False when there is none to be written any more."""
        if self.cue + 1 >= self.count:
            return False
        self.cue += 1
        cue = self.sheet.cues[self.cue]
        seed = (self.sheet.seed if cue.seed is None else cue.seed) & 0xFFFFFFFF
        stop = self.first + cue.meter.bars
        dictated = dictation(cue, self.first) if cue.locked else None
        self.hands = [
            Hand(
                self.bars,
                self.first,
                stop,
                np.random.default_rng([seed, self.cue, 2, take]),
                earlier=dict(self.earlier),
                dictated=dictated,
            )
            for take in range(self.takes)
        ]
        self.first, self.fed = stop, 0
        self.last, self.marks = [None] * self.takes, [0] * self.takes
        self.guards = [Guard(hand) for hand in self.hands]
        for hand, guard in zip(self.hands, self.guards):
            hand.open_bar()
            guard.open_bar()
        return True

    def write(self, take: int, note: Written | None) -> None:
        """The next step of a take that isn't done: a note, or None for the bar line."""
        hand = self.hands[take]
        self.last[take] = note
        if note is not None:
            hand.write(note)
            return
        hand.open_bar()
        self.guards[take].open_bar()
        if hand.done:
            self.marks[take] = self.fed

    def close_cue(self) -> tuple[int, int]:
        """Keep the best take: its number, and how many steps its row was fed after it was done."""
        cue = self.sheet.cues[self.cue]
        choosing = self.takes > 1 and not cue.locked
        best = best_take(cue, self.bars, [h.page for h in self.hands]) if choosing else 0
        self.page += self.hands[best].page
        self.earlier = self.hands[best].earlier
        self.index += self.marks[best]
        return best, self.fed - self.marks[best]

    def features(self, number: int, known: bool) -> NDArray[np.float32]:
        """(FEATURES,) condition of a bar; `known` False hides V/A."""
        key = (number, known and self.mood)
        if key not in self._features:
            p, (valence, arousal) = self.bars[number].plan, self.push.mood[number]
            self._features[key] = features(
                np.array([p.length]),
                np.array([p.compound]),
                np.array([p.bpm]),
                np.array([p.minor]),
                np.array([valence]),
                np.array([arousal]),
                np.array([key[1]]),
                np.array([p.since]),
                np.array([p.until]),
                np.array([p.to_end]),
                roles_of(p.roles)[None],
            )[0]
        return self._features[key]
