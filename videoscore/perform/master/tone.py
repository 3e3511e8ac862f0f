"""The tone of the master: filters that are the same at every moment, so that a sum filtered is the sum of filtered
stems."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from videoscore.settings.fields import MasterOptions

Block = NDArray[np.float32]

MUD = (180.0, 0.8)  # Hz and Q of the band that crowds where many parts play
PRESENCE = (2000.0, 0.6)  # likewise of the band in which solo instruments stand out, and words are told apart
AIR = 7000.0  # Hz, over which `air` lifts


def bell(frequency: float, quality: float, gain: float, rate: int) -> NDArray[np.float64]:
    """(6,) second-order section that lifts or lowers (dB) around a frequency (Bristow-Johnson, "Cookbook formulae
    for audio equalizer biquad filter coefficients", peaking)."""
    a, w = 10 ** (gain / 40), 2 * math.pi * frequency / rate
    alpha = math.sin(w) / (2 * quality)
    section = np.array(
        [1 + alpha * a, -2 * math.cos(w), 1 - alpha * a, 1 + alpha / a, -2 * math.cos(w), 1 - alpha / a]
    )
    return section / section[3]


def shelf(frequency: float, gain: float, rate: int) -> NDArray[np.float64]:
    """(6,) second-order section that lifts or lowers (dB) what is above a frequency (the same source, high shelf with a
    slope of 1)."""
    a, w = 10 ** (gain / 40), 2 * math.pi * frequency / rate
    cosine, alpha = math.cos(w), math.sin(w) / math.sqrt(2)
    root = 2 * math.sqrt(a) * alpha
    section = np.array(
        [
            a * ((a + 1) + (a - 1) * cosine + root),
            -2 * a * ((a - 1) + (a + 1) * cosine),
            a * ((a + 1) + (a - 1) * cosine - root),
            (a + 1) - (a - 1) * cosine + root,
            2 * ((a - 1) - (a + 1) * cosine),
            (a + 1) - (a - 1) * cosine - root,
        ]
    )
    return section / section[3]


class Tone:
    """Filters of one stereo sound, fed block by block: low cut, mud, presence, air, and the low end in mono."""

    def __init__(self, options: MasterOptions, rate: int) -> None:
        from scipy.signal import butter

        sections = [butter(2, options.low_cut, "highpass", fs=rate, output="sos")]
        if options.mud:
            sections.append(bell(*MUD, options.mud, rate)[None])
        if options.presence:
            sections.append(bell(*PRESENCE, options.presence, rate)[None])
        if options.air:
            sections.append(shelf(AIR, options.air, rate)[None])
        self.both = np.concatenate(sections)
        self.state = np.zeros((len(self.both), 2, 2))
        self.narrow = (
            butter(2, options.mono_below, "highpass", fs=rate, output="sos") if options.mono_below else None
        )
        self.side_state = np.zeros((1, 2))

    def run(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The filtered sound, as long as `blocks`."""
        from scipy.signal import sosfilt

        for block in blocks:
            out, self.state = sosfilt(self.both, block, axis=0, zi=self.state)
            if self.narrow is not None:
                middle, side = (out[:, 0] + out[:, 1]) / 2, (out[:, 0] - out[:, 1]) / 2
                side, self.side_state = sosfilt(self.narrow, side, zi=self.side_state)
                out = np.stack((middle + side, middle - side), axis=1)
            yield out.astype(np.float32)
