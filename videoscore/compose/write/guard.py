"""Guard against music that has got stuck: no bar more than `MOST` times in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.write.hand import NO, Hand, Written
from videoscore.music.score import Role

MOST = 4

Bar = tuple[tuple[int, int, int, int], ...]


def spelled(notes: Sequence[Written]) -> Bar:
    """A bar by what is in it, wherever it stands."""
    return tuple((w.position, w.role, w.pitch, w.duration) for w in notes)


def stuck_on(earlier: Mapping[int, Sequence[Written]], bar: int) -> Bar:
    """The bar that the `MOST` bars before number `bar` all are, note for note; empty when they differ."""
    before = [spelled(earlier.get(bar - k, ())) for k in range(1, MOST + 1)]
    return before[0] if all(b == before[0] for b in before) else ()


class Guard:
    """What one take must not do next, so that it doesn't write the same bar for the `MOST` + 1st time."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        self.bar = -1
        self.same: Bar = ()

    def open_bar(self) -> None:
        """To be told after each bar line. A bar that returns by plan is written anew where it would be too many."""
        hand = self.hand
        free = not (hand.done or hand.planned.chordal or hand.dictated is not None)
        self.same = stuck_on(hand.earlier, hand.bar) if free else ()
        if self.same:
            hand.tune, hand.given = [], False
        if self.same and spelled([w for w in hand.queue if w is not None]) == self.same:
            hand.queue = []

    def pitch_bias(self, position: int, role: int) -> NDArray[np.float64]:
        """(128,) to be added to the logits of the next note's pitch: the hand's own, without the pitch that would
        make the bar the same again. That is the last note of the leading role, if all before it was as ever; where
        the hand leaves no other pitch, it stays."""
        bias, turn = self.hand.pitch_bias(position, role), self._turn()
        if turn < 0 or spelled(self.hand.here) != self.same[:turn] or self.same[turn][:2] != (position, role):
            return bias
        other = bias.copy()
        other[self.same[turn][2]] = NO
        return other if (other > NO / 2).any() else bias

    def _turn(self) -> int:
        """Index of the note that must differ; -1 when none."""
        pitched = [k for k, note in enumerate(self.same) if note[1] != Role.DRUMS]
        leading = min((self.same[k][1] for k in pitched), default=None)
        return max((k for k in pitched if self.same[k][1] == leading), default=-1)
