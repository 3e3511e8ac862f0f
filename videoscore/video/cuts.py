"""Finding shot boundaries in a stream of tiny pictures, in one pass.

Pure: no files, no decoding. A hard cut is a picture that differs from the one before in three
ways at once (colour difference, structure, histogram) and by far more than the pictures around it
do. Comparing with the neighbours (as PySceneDetect's adaptive detector does) makes the threshold
follow the film's own motion; the structure term, a correlation, ignores changes of brightness
(flashes, fades). A fade through black counts once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoscore.video.frames import Cut

Planes = NDArray[np.uint8]

WIDTH, HEIGHT = 48, 27  # of the tiny pictures

_AROUND = 3  # pictures on either side that a change is compared with
_REACH = Fraction(3, 4)  # seconds beyond which a picture no longer counts as a neighbour
_INSERT = Fraction(3, 10)  # the longest flash, seconds: after it the old shot is seen again
_STILL = 0.5  # a change below this repeats the picture before (compression noise)
_NOISE = 1.0  # added to the neighbours' change: a still scene must not make noise a cut
_BLACK_MEAN, _BLACK_SPREAD = 24.0, 5.0  # luma of a black picture (video black is 16)
_LONG_BLACK = Fraction(1)

# What makes a cut: least (colour difference, structure, histogram, ratio to the neighbours). Any row
# will do. Measured on the clips in docs/video.md; the last row is for dark titles.
_RULES = ((10.0, 0.45, 0.18, 2.5), (20.0, 0.75, 0.38, 1.7), (5.0, 0.60, 0.15, 4.0))


@dataclass(frozen=True, eq=False)
class Look:
    """A tiny picture: uint8 (3, HEIGHT, WIDTH) in YCbCr, shown at `t` seconds."""

    t: Fraction
    planes: Planes

    @property
    def luma(self) -> Planes:
        return self.planes[0]

    @property
    def black(self) -> bool:
        return bool(self.luma.mean() <= _BLACK_MEAN and self.luma.std() <= _BLACK_SPREAD)


@dataclass(frozen=True, eq=False)
class ScoredCut:
    """A cut with the last picture before and the first one after it."""

    cut: Cut
    before: Look
    after: Look


def difference(a: Look, b: Look) -> float:
    """Mean absolute difference of luma and chroma, 0..about 255."""
    per_plane = np.abs(a.planes.astype(np.int16) - b.planes).mean((1, 2))
    return float(0.6 * per_plane.sum())


def structure(a: Look, b: Look) -> float:
    """1 - correlation of the two lumas: 0 the same but for brightness and contrast, 1 unrelated."""
    x, y = (v.luma - v.luma.mean(dtype=np.float32) for v in (a, b))
    # 4: two flat pictures count as unrelated rather than as the same
    return float(1 - (x * y).mean() / (x.std() * y.std() + 4.0))


def histogram(a: Look, b: Look) -> float:
    """The larger of the luma and the chroma histograms' distances, 0..1."""

    def bins(v: Look) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        luma = np.bincount(v.luma.ravel() >> 3, minlength=32)
        # 12 x 12 bins over the middle of the chroma plane, where nearly all colours are
        u, w = ((np.clip(p.ravel(), 64, 191) - 64) * 12 // 128 for p in v.planes[1:].astype(np.intp))
        return luma, np.bincount(u * 12 + w, minlength=144)

    return max(float(np.abs(x - y).sum()) for x, y in zip(bins(a), bins(b))) / (2 * WIDTH * HEIGHT)


def alike(a: Look, b: Look) -> bool:
    """Whether two pictures at most a second apart can be taken for one shot without looking between.

    Stays clear of every rule for cuts, and of a fade between the two.
    """
    apart = structure(a, b)
    return (apart < 0.35 and histogram(a, b) < 0.4) or (apart < 0.5 and difference(a, b) < 4)


@dataclass(eq=False)
class _Step:
    """The change from one picture to the next. `blind`: pictures in between were not decoded."""

    before: Look
    after: Look
    change: float
    blind: bool


@dataclass
class _Black:
    """A stretch of black after something lit: its first picture, its first second of times, its end."""

    look: Look
    times: list[Fraction]
    until: Fraction | None = None

    def turn(self) -> Fraction:
        """The picture at which the new shot is taken to start."""
        assert self.until is not None
        if self.until - self.look.t > _LONG_BLACK:
            return self.until  # a long black ends where the new shot appears
        middle = (self.times[0] + self.times[-1]) / 2
        return next(t for t in self.times if t >= middle)


@dataclass
class CutDetector:
    """Feed it every decoded picture in order with `push`; take what it found with `take`.

    A decision needs a few pictures more: `open_from` is the earliest time at which a cut may
    still appear (None: no limit, everything up to the last picture is decided).
    """

    _steps: deque[_Step] = field(default_factory=deque)
    _decided: int = 0  # how many of _steps are decided
    _last: Look | None = None
    _now: Fraction = Fraction(0)
    _lit: bool = False
    _black: _Black | None = None
    _fades: list[_Black] = field(default_factory=list)
    _hard: deque[Fraction] = field(default_factory=lambda: deque(maxlen=64))
    _found: list[ScoredCut] = field(default_factory=list)

    def push(self, look: Look, blind: bool = False) -> None:
        """One more picture. blind : some before it were skipped because `alike` said so."""
        self._now = look.t
        self._watch_black(look)
        if self._last is None:
            self._last = look
            return
        change = difference(self._last, look)
        if change >= _STILL or blind:
            self._steps.append(_Step(self._last, look, change, blind))
            self._last = look
        self._decide(finished=False)

    def finish(self) -> None:
        """No picture follows."""
        self._black = None  # black to the end is no new shot
        self._decide(finished=True)

    def take(self) -> list[ScoredCut]:
        """Cuts found since the last call, in order of time."""
        limit = self.open_from
        ready = [f for f in self._found if limit is None or f.cut.t < limit]
        self._found = [f for f in self._found if not (limit is None or f.cut.t < limit)]
        return sorted(ready, key=lambda f: f.cut.t)

    @property
    def open_from(self) -> Fraction | None:
        waiting = [s.after.t for s in list(self._steps)[self._decided : self._decided + 1]]
        waiting += [b.look.t for b in self._fades]
        if self._black is not None and self._now - self._black.look.t <= _LONG_BLACK:
            waiting.append(self._black.look.t)
        return min(waiting, default=None)

    # ------------------------------------------------------------ hard cuts

    def _decide(self, finished: bool) -> None:
        while self._decided < len(self._steps):
            step = self._steps[self._decided]
            following = len(self._steps) - self._decided - 1
            if not finished and following < _AROUND and self._now - step.after.t <= _REACH:
                break
            if self._is_cut(self._decided):
                self._hard.append(step.after.t)
                cut = Cut(step.after.t, _strength(step))
                self._found.append(ScoredCut(cut, step.before, step.after))
            self._decided += 1
        while self._decided > 2 * _AROUND:
            self._steps.popleft()
            self._decided -= 1
        self._decide_fades(finished)

    def _is_cut(self, index: int) -> bool:
        step = self._steps[index]
        if step.blind or step.change < min(rule[0] for rule in _RULES):
            return False
        near = [s.change for s in self._near(index) if not s.blind]
        ratio = step.change / (sum(near) / max(1, len(near)) + _NOISE)
        if ratio < min(rule[3] for rule in _RULES):
            return False
        values = (step.change, structure(step.before, step.after), histogram(step.before, step.after), ratio)
        breaks = any(all(v >= r for v, r in zip(values, rule)) for rule in _RULES)
        return breaks and not self._is_insert(index)

    def _near(self, index: int) -> Iterator[_Step]:
        """The steps around one, near in number and in time."""
        t = self._steps[index].after.t
        for n in range(max(0, index - _AROUND), min(len(self._steps), index + _AROUND + 1)):
            if n != index and abs(self._steps[n].after.t - t) <= _REACH:
                yield self._steps[n]

    def _is_insert(self, index: int) -> bool:
        """Whether the old shot is back at once (a flash, a glitch), or has been."""
        steps, step = list(self._steps), self._steps[index]
        before = [s.before for s in steps[max(0, index - _AROUND) : index + 1]]
        after = [s.after for s in steps[index : index + _AROUND + 1]]
        for a in before:
            for b in after:
                # what lies between them lasted less than a flash does
                inner = b.t - self._next_time(a, steps)
                if 0 < inner <= _INSERT and difference(a, b) < 0.35 * step.change and structure(a, b) < 0.25:
                    return True
        return False

    @staticmethod
    def _next_time(look: Look, steps: list[_Step]) -> Fraction:
        return next(s.after.t for s in steps if s.before is look)

    # ------------------------------------------------------------ fades through black

    def _watch_black(self, look: Look) -> None:
        if not look.black:
            if self._black is not None:
                self._black.until = look.t
                self._fades.append(self._black)
            self._black, self._lit = None, True
        elif self._lit and self._black is None:
            self._black = _Black(look, [look.t])
        elif self._black is not None and look.t - self._black.look.t <= _LONG_BLACK:
            self._black.times.append(look.t)

    def _decide_fades(self, finished: bool) -> None:
        """A fade is a cut of its own unless a hard cut leads into the black or out of it."""
        margin = _REACH / 3
        for fade in list(self._fades):
            assert fade.until is not None
            undecided = self._decided < len(self._steps) and self._steps[self._decided].after.t
            if not finished and undecided and undecided <= fade.until + margin:
                continue
            if not finished and self._now <= fade.until + margin:
                continue
            self._fades.remove(fade)
            start = fade.look.t
            if any(start - margin <= t <= fade.until + margin for t in self._hard):
                continue
            self._found.append(ScoredCut(Cut(fade.turn(), 0.5), fade.look, fade.look))


def _strength(step: _Step) -> float:
    """0..1: the mean of the three differences, each brought to 0..1."""
    parts = (
        min(1.0, step.change / 64),
        min(1.0, structure(step.before, step.after)),
        histogram(step.before, step.after),
    )
    return round(sum(parts) / 3, 4)
