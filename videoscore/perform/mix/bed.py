"""Music alone: stems cut to a loop that closes, summed and levelled."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from videoscore.audio.loudness import BLOCK, Loudness, Meter, read_blocks
from videoscore.audio.wav import wav_writer
from videoscore.perform.mix.mix import TOLD, summed
from videoscore.perform.parts import Stem
from videoscore.settings.fields import MixOptions

Block = NDArray[np.float32]

SEAM = 0.1  # seconds over which the end of a loop goes over into what sounded before its beginning
MOST_SEAM = 0.25  # of the loop


def closed(stem: Stem, path: Path, samples: int) -> Stem:
    """A loop of `samples` samples at `path`, of a stem that holds it twice and more.

    The second pass is taken, in whose beginning the first still rings, and over its last `SEAM` seconds it goes over
    into the end of the first, after which it truly began: so the last sample is followed by the first as in one
    recording.
    """
    rate = stem.sample_rate
    seam = min(round(SEAM * rate), int(MOST_SEAM * samples))
    rise = ((1 - np.cos(np.pi * (np.arange(seam) + 1) / max(1, seam))) / 2)[:, None]  # ends at 1
    with soundfile.SoundFile(os.fsencode(stem.path)) as file, wav_writer(path, rate, samples) as wav:
        for start in range(0, samples, BLOCK):
            stop = min(start + BLOCK, samples)
            block = _read(file, start + samples, stop - start)
            low = max(start, samples - seam)
            if low < stop:
                w = rise[low - (samples - seam) : stop - (samples - seam)]
                block[low - start :] = (1 - w) * block[low - start :] + w * _read(file, low, stop - low)
            wav.write(block.astype(np.float32))
    return Stem(stem.name, path, rate, samples)


def _read(file: soundfile.SoundFile, start: int, count: int) -> NDArray[np.float64]:
    """(count, 2) samples; silence past the end."""
    file.seek(min(start, file.frames))
    block = file.read(count, dtype="float64", always_2d=True)
    return np.concatenate([block, np.zeros((count - len(block), 2))])


def level_evenly(
    stems: Sequence[Stem], options: MixOptions, path: Path, sample_rate: int, samples: int
) -> tuple[Loudness, float, tuple[str, ...]]:
    """Sum the stems at one gain throughout, as a loop needs it: a limiter would not be at its end where it began. (The
    master's has been over two passes, of which the second is taken.)

    Returns the loudness of the 24-bit WAV at `path`, the gain in dB, and what the user should know.
    """
    meter = Meter(sample_rate)
    for block in summed(stems):
        meter.add(block)
    measured = meter.result()
    gain, remarks = 0.0, list[str]()
    if measured.best is not None and measured.true_peak is not None:
        gain = options.loudness - measured.best
        room = options.true_peak - measured.true_peak
        if gain > room + TOLD:
            remarks.append(
                f"the loudness is {measured.best + room:.1f} LUFS and not {options.loudness:.1f}, all that fits under "
                "the peaks allowed"
            )
        gain = min(gain, room)
    final = Meter(sample_rate)
    with wav_writer(path, sample_rate, samples, "PCM_24") as wav:
        for block in _blocks(stems, samples):
            block = block * np.float32(10 ** (gain / 20))
            final.add(block)
            wav.write(block)
    return final.result(), gain, tuple(remarks)


def _blocks(stems: Sequence[Stem], samples: int) -> Iterator[Block]:
    if stems:
        yield from summed(stems)
        return
    for start in range(0, samples, BLOCK):
        yield np.zeros((min(BLOCK, samples - start), 2), np.float32)


def encode(source: Path, target: Path, form: str, subtype: str) -> None:
    """A WAV file in another format of libsndfile ("FLAC", "OGG"), block by block, as many samples long."""
    with soundfile.SoundFile(os.fsencode(source)) as wav:
        rate, channels = wav.samplerate, wav.channels
    with soundfile.SoundFile(os.fsencode(target), "w", rate, channels, subtype, format=form) as file:
        for block in read_blocks(source):
            file.write(block)


def samples_of(duration: Fraction, sample_rate: int) -> int:
    """Samples in so many seconds."""
    return round(duration * sample_rate)
