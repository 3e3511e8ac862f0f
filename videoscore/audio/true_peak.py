"""Peaks between the samples, four times oversampled (ITU-R BS.1770-4, annex 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BEFORE, AFTER = 7, 8  # samples that an estimate between two samples looks at on either side
FRACTIONS = (0.25, 0.5, 0.75)


def _filters() -> NDArray[np.float32]:
    """Kaiser-windowed sinc interpolators, (16 taps, 3 fractions); each column sums to 1.

    16 taps instead of the annex's 12 hold the error under 0.1 dB up to 18 kHz at 48 kHz.
    """
    taps = np.arange(-BEFORE, AFTER + 1)
    columns = []
    for fraction in FRACTIONS:
        offset = taps - fraction
        window = np.i0(6.0 * np.sqrt(np.clip(1 - (offset / AFTER) ** 2, 0, 1))) / np.i0(6.0)
        column = np.sinc(offset) * window
        columns.append(column / column.sum())
    return np.stack(columns, axis=1).astype(np.float32)


FILTERS = _filters()
# No signal of peak 1 can have an estimate above this: quieter blocks needn't be looked at.
HEADROOM = float(np.abs(FILTERS).sum(axis=0).max())


def peaks(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Highest magnitude at and just after every sample, over all channels.

    Parameters
    ----------
    samples : (BEFORE + n + AFTER, channels), the n samples in question with their neighbours.

    Returns
    -------
    (n,) linear; entry k covers the times from sample k up to, not including, sample k + 1.
    """
    n = len(samples) - BEFORE - AFTER
    top = np.zeros(n, np.float32)
    for channel in samples.T:
        np.maximum(top, np.abs(channel[BEFORE : BEFORE + n]), out=top)
        windows = np.lib.stride_tricks.sliding_window_view(channel, BEFORE + AFTER + 1)
        for between in FILTERS.T @ windows.T:  # a row for each fraction
            np.maximum(top, np.abs(between), out=top)
    return top
