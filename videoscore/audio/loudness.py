"""Integrated loudness and true peak of sound of any length, in constant memory.

ITU-R BS.1770-4 and EBU R 128. pyloudnorm wants the whole signal at once, so only its
filter design is used here; tests hold the result against pyloudnorm's and ffmpeg's.
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from videoscore.audio import true_peak as truepeak
from videoscore.audio.k_weighting import ABSOLUTE_GATE, k_weighting, lufs

Block = NDArray[np.float32]  # (n, channels), full scale 1

BLOCK = 1 << 16  # frames read at a time
HOPS_A_SECOND = 10  # gating blocks of 400 ms start every 100 ms (BS.1770-4, section 2.8)
HOPS_A_GATE = 4
RELATIVE_GATE = -10.0  # LU
PEAK_BLOCK = 4096


@dataclass(frozen=True)
class Loudness:
    """What a meter says.

    integrated : LUFS, or None: shorter than 400 ms, or never above the gate of -70 LUFS.
    overall : LUFS without gates and of any length, or None for digital silence.
    true_peak : dBTP, or None for digital silence.
    """

    integrated: float | None
    overall: float | None
    true_peak: float | None

    @property
    def best(self) -> float | None:
        """The integrated loudness where there is one, else the overall one above the gate."""
        if self.integrated is not None:
            return self.integrated
        return self.overall if self.overall is not None and self.overall > ABSOLUTE_GATE else None


class Meter:
    """Feed it blocks in order, then ask for `result`.

    Parameters
    ----------
    sample_rate : Hz. channels : 1 or 2 (both weigh 1.0). peaks : whether true peaks are measured, too, a quarter of the
        work; without them `Loudness.true_peak` is None.
    """

    def __init__(self, sample_rate: int, channels: int = 2, peaks: bool = True) -> None:
        self.peaks = peaks
        self.hop = round(sample_rate / HOPS_A_SECOND)
        self.sections = k_weighting(sample_rate)
        self.state = np.zeros((2, 2, channels))
        self.energies: list[float] = []  # mean square of every finished hop, channels summed
        self.rest = np.zeros(0)
        self.sum, self.count = 0.0, 0
        self.neighbours = np.zeros((truepeak.BEFORE + truepeak.AFTER, channels), np.float32)
        self.peak = 0.0

    def add(self, block: Block) -> None:
        """Measure `block`, (n, channels) of the next samples."""
        from scipy.signal import sosfilt

        weighted, self.state = sosfilt(self.sections, block, axis=0, zi=self.state)
        energy = np.einsum("nc,nc->n", weighted, weighted)
        self.sum += float(energy.sum())
        self.count += len(energy)
        energy = np.concatenate((self.rest, energy))
        whole = len(energy) // self.hop * self.hop
        self.energies.extend(energy[:whole].reshape(-1, self.hop).mean(axis=1))
        self.rest = energy[whole:]
        if self.peaks:
            self._peak(np.concatenate((self.neighbours, block)))

    def _peak(self, samples: Block) -> None:
        context = truepeak.BEFORE + truepeak.AFTER
        for start in range(0, len(samples) - context, PEAK_BLOCK):
            part = samples[start : start + PEAK_BLOCK + context]
            if np.abs(part).max() * truepeak.HEADROOM > self.peak:
                self.peak = max(self.peak, float(truepeak.peaks(part).max()))
        self.neighbours = samples[-context:]

    def result(self) -> Loudness:
        """Loudness of all that was added so far."""
        peak = max(self.peak, float(np.abs(self.neighbours).max()))
        return Loudness(
            integrated=integrated(np.array(self.energies)),
            overall=lufs(self.sum / self.count) if self.count and self.sum > 0 else None,
            true_peak=20 * math.log10(peak) if peak > 0 else None,
        )


def integrated(energies: NDArray[np.float64]) -> float | None:
    """Gated loudness in LUFS of the mean squares of consecutive 100 ms hops (BS.1770-4, eqs. 2 to 7)."""
    if len(energies) < HOPS_A_GATE:
        return None
    blocks = np.convolve(energies, np.full(HOPS_A_GATE, 1 / HOPS_A_GATE), "valid")
    blocks = blocks[blocks > _energy(ABSOLUTE_GATE)]
    if len(blocks) == 0:
        return None
    return lufs(blocks[blocks > _energy(lufs(blocks.mean()) + RELATIVE_GATE)].mean())


def read_blocks(path: Path, frames: int = BLOCK) -> Generator[Block, None, None]:
    """float32 blocks (n, channels) of a sound file, in order."""
    with soundfile.SoundFile(os.fsencode(path)) as file:
        yield from file.blocks(frames, dtype="float32", always_2d=True)


def measure(path: Path) -> Loudness:
    """Loudness of a sound file."""
    info = soundfile.info(os.fsencode(path))
    meter = Meter(info.samplerate, info.channels)
    for block in read_blocks(path):
        meter.add(block)
    return meter.result()


def _energy(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)
