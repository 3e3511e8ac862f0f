"""How loud the original sound is over time: Media -> decibels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videoscore.audio.k_weighting import ABSOLUTE_GATE, OFFSET, k_weighting
from videoscore.video.media import Media
from videoscore.video.sound import pick_sound, read_sound

Array = NDArray[np.float64]

RATE = 16000  # Hz. Enough for loudness: the K filter's shelf begins far below 8 kHz
HOP = 1600  # samples: a tenth of a second
WINDOW = 3.0  # seconds, the short-term window of EBU Tech 3341


def loudness_curve(media: Media, times: Array) -> Array | None:
    """Short-term loudness of a film's sound around each time.

    times : (n,) seconds from the first picture. Returns (n,) LUFS of the mono mix, K-weighted (ITU-R
    BS.1770-4) in a window of `WINDOW` seconds about the time, cut off at the film's ends; never under
    `ABSOLUTE_GATE`. None for a film without sound. Reads block by block and keeps ten numbers a second.

    Raises NotFound or BrokenVideo when the file is gone or has changed since it was probed.
    """
    if pick_sound(media) is None:
        return None
    energy = _hop_energies(media)
    total = np.concatenate([[0.0], np.cumsum(energy)])
    seconds = HOP / RATE
    low = np.clip(np.round((times - WINDOW / 2) / seconds), 0, max(len(energy) - 1, 0)).astype(int)
    high = np.clip(np.round((times + WINDOW / 2) / seconds), low + 1, max(len(energy), 1)).astype(int)
    if not len(energy):
        return np.full(len(times), ABSOLUTE_GATE)
    mean = np.maximum((total[high] - total[low]) / (high - low), 0.0)
    return np.maximum(OFFSET + 10 * np.log10(np.maximum(mean, 1e-12)), ABSOLUTE_GATE)


def _hop_energies(media: Media) -> Array:
    """Mean square of the K-weighted sound in every hop; the last one may be shorter."""
    from scipy.signal import sosfilt

    sections = k_weighting(RATE)
    state = np.zeros((len(sections), 2))
    energies: list[Array] = []
    rest = np.empty(0)
    for block in read_sound(media, RATE, channels=1, block=10 * HOP):
        weighted, state = sosfilt(sections, block[:, 0].astype(np.float64), zi=state)
        rest = np.concatenate([rest, weighted])
        whole = len(rest) // HOP * HOP
        energies.append((rest[:whole].reshape(-1, HOP) ** 2).mean(1))
        rest = rest[whole:]
    if len(rest):
        energies.append(np.array([(rest**2).mean()]))
    return np.concatenate(energies) if energies else np.empty(0)
