"""The music under speech: the band in which words are told apart goes down first, then the whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoscore.settings.fields import MixOptions

Region = tuple[Fraction, Fraction]
Block = NDArray[np.float32]

HOLD = 0.25  # seconds that it stays down after the last word
AHEAD = 0.15  # seconds by which the speech band is down before the whole begins to go, and up after it
# Consonants are told apart between 1 and 4 kHz (ANSI S3.5-1997, "Methods for calculation of the speech intelligibility
# index": the bands of the greatest weight).
SPEECH_BAND = (2000.0, 0.7)  # Hz and Q


class Ducking:
    """Smooth gain curves over the timeline.

    Parameters
    ----------
    regions : stretches of speech (start, end) in seconds, in order; pauses shorter than the release don't let the music
        up: half-way pumping is worse than a quiet second.
    options : `duck` and `duck_band` in dB, `duck_attack` and `duck_release` in seconds. sample_rate : Hz.
    """

    def __init__(self, regions: Sequence[Region], options: MixOptions, sample_rate: int) -> None:
        self.options, self.sample_rate = options, sample_rate
        self.regions = merged(regions, options.duck_release)
        w = 2 * math.pi * SPEECH_BAND[0] / sample_rate
        alpha = math.sin(w) / (2 * SPEECH_BAND[1])
        # a band-pass of gain 1 and phase 0 in its middle (Bristow-Johnson's cookbook)
        self.band = np.array([[alpha, 0.0, -alpha, 1 + alpha, -2 * math.cos(w), 1 - alpha]]) / (1 + alpha)
        self.state = np.zeros((1, 2, 2))

    def gain(self, start: int, count: int) -> NDArray[np.float32]:
        """Linear gain of the whole at the samples `start` to ``start + count``, (count,) in (0, 1]."""
        return self._curve(start, count, self.options.duck, 0.0)

    def band_gain(self, start: int, count: int) -> NDArray[np.float32]:
        """Likewise of the speech band, beyond that of the whole."""
        return self._curve(start, count, self.options.duck_band, AHEAD)

    def run(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The ducked music, as long as `blocks`, which are stereo and begin at 0."""
        from scipy.signal import sosfilt

        start = 0
        for block in blocks:
            if self.options.duck_band and self.regions:
                band, self.state = sosfilt(self.band, block, axis=0, zi=self.state)
                share = self.band_gain(start, len(block)) - 1
                block = block + (band * share[:, None]).astype(np.float32)
            yield block * self.gain(start, len(block))[:, None]
            start += len(block)

    def _curve(self, start: int, count: int, depth: float, ahead: float) -> NDArray[np.float32]:
        attack, release = self.options.duck_attack, self.options.duck_release
        t = np.arange(start, start + count) / self.sample_rate
        down = np.zeros(count)
        for begin, end in self.regions:
            points = [begin - attack - ahead, begin - ahead, end + HOLD + ahead, end + HOLD + ahead + release]
            if count and points[0] <= t[-1] and points[-1] >= t[0]:
                np.maximum(down, np.interp(t, points, [0.0, 1.0, 1.0, 0.0]), out=down)
        eased = down * down * (3 - 2 * down)  # no corners: a corner in the gain is heard as a click in bass
        return np.power(10.0, depth / 20 * eased).astype(np.float32)


def merged(regions: Sequence[Region], bridge: float) -> list[tuple[float, float]]:
    """Regions in seconds, those with less than `bridge` seconds between them as one."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted((float(b), float(e)) for b, e in regions):
        if joined and begin - joined[-1][1] < bridge:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined
