"""A look-ahead true-peak limiter that works block by block.

Attenuation is found in dB: what each (oversampled) peak needs, held ahead of the
peak, let go exponentially, and smoothed over the look-ahead. The smoothing
window reaches back no further than the hold reaches forward, so the average never
falls below what a peak needs: no overshoot (cf. Giannoulis, Massberg and Reiss
2012, "Digital dynamic range compressor design", on look-ahead and smoothing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from videoscore.audio import true_peak as truepeak

Block = NDArray[np.float32]

LOOK_AHEAD = 0.005  # seconds
# Seconds until the attenuation has fallen to 1/e: slow enough not to bend a bass wave (harmonics 45 dB
# down), fast enough for a click not to swallow the words after it.
RELEASE = 0.12
LEAST = 1e-4  # dB: less attenuation than this is none


class Limiter:
    """Holds true peaks under a ceiling.

    Parameters
    ----------
    ceiling : highest true peak in dBTP (four times oversampled).
    sample_rate : Hz. channels : all are attenuated alike, so the stereo image stays.
    """

    def __init__(self, ceiling: float, sample_rate: int, channels: int = 2) -> None:
        self.ceiling = 10 ** (ceiling / 20)
        self.ahead = 2 * round(LOOK_AHEAD * sample_rate / 2)
        self.decay = 1 / (RELEASE * sample_rate)
        window = np.hanning(self.ahead + 3)[1:-1]
        self.window = window / window.sum()  # (ahead + 1,)
        self.channels = channels
        self.latency = self.ahead + truepeak.AFTER
        # samples not given out yet, after BEFORE samples of context
        self.samples = np.zeros((truepeak.BEFORE, channels), np.float32)
        self.held = np.zeros(self.ahead)  # attenuation before smoothing, of the last samples given out
        self.first = True
        self.reduction = 0.0  # the most that was taken away so far, dB

    def run(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Limited blocks, together exactly as long as `blocks`."""
        for block in blocks:
            yield self._push(block)
        yield self._push(np.zeros((self.latency, self.channels), np.float32))

    def _push(self, block: Block) -> Block:
        self.samples = np.concatenate((self.samples, block))
        ready = len(self.samples) - truepeak.BEFORE - self.latency
        if ready <= 0:
            return self.samples[:0]
        out = self.samples[truepeak.BEFORE : truepeak.BEFORE + ready]
        attenuation = self._attenuation(ready)
        self.first = False
        self.samples = self.samples[ready:]
        if attenuation is None:
            return out
        self.reduction = max(self.reduction, float(attenuation.max()))
        gain = np.power(10.0, attenuation / -20.0).astype(np.float32)
        return out * gain[:, None]

    def _attenuation(self, ready: int) -> NDArray[np.float64] | None:
        """dB to take off each of the next `ready` samples, or None when it is nothing."""
        gains = self._needed(ready + self.ahead)
        if gains is None and not self.held.any():
            return None
        if gains is None:
            gains = np.zeros(ready + self.ahead)
        envelope = _released(_highest_ahead(gains, self.ahead), float(self.held[-1]), self.decay)
        if self.first:  # nothing came before: the first samples can only be met by starting attenuated
            self.held[:] = envelope[0]
        envelope = np.concatenate((self.held, envelope))
        self.held = envelope[-self.ahead :]
        return np.convolve(envelope, self.window, "valid")

    def _needed(self, count: int) -> NDArray[np.float64] | None:
        """dB over the ceiling of the next `count` samples, or None when all lie under it."""
        part = self.samples[: truepeak.BEFORE + count + truepeak.AFTER]
        if float(np.abs(part).max()) * truepeak.HEADROOM <= self.ceiling:
            return None
        lead = truepeak.AFTER if self.first else 0  # a loud first sample rings before itself, too
        part = np.concatenate((np.zeros((lead, self.channels), np.float32), part))
        peaks = truepeak.peaks(part) / self.ceiling
        peaks[lead] = peaks[: lead + 1].max()
        peaks = peaks[lead:]
        if peaks.max() <= 1.0:
            return None
        return 20 * np.log10(np.maximum(peaks, 1.0)).astype(np.float64)


def expected(peaks: NDArray[np.float64], ceiling: float, seconds: float) -> NDArray[np.float64]:
    """About what a limiter takes off, in dB, told from the highest magnitudes of spans of so many `seconds` alone."""
    over = 20 * np.log10(np.maximum(peaks, LEAST) / 10 ** (ceiling / 20))
    near = _highest_ahead(np.pad(np.maximum(over, 0.0), 1, mode="edge"), 2)  # held ahead, and smoothed
    return _released(near, 0.0, seconds / RELEASE)


def _released(wanted: NDArray[np.float64], before: float, decay: float) -> NDArray[np.float64]:
    """max(wanted[n], result[n - 1] * exp(-decay)) for every n, without a loop; result[-1] is `before`.

    In logarithms the release is a straight line, and a running maximum over what is left when
    the line is taken away does the rest.
    """
    line = decay * np.arange(len(wanted) + 1)
    start = np.log(np.maximum(np.concatenate(([before], wanted)), LEAST / 2)) + line
    released = np.exp(np.maximum.accumulate(start) - line)[1:]
    return np.where(released < LEAST, 0.0, released)


def _highest_ahead(values: NDArray[np.float64], ahead: int) -> NDArray[np.float64]:
    """max(values[n : n + ahead + 1]) for every n that has so many after it; `ahead` is even."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(values, ahead + 1)[ahead // 2 : len(values) - ahead // 2]
