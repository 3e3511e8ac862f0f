"""Brings stems and original sound together at the wanted loudness.

Streaming passes over files on disk, so memory doesn't grow with the film: the
stems are summed and measured, the original is read and measured, both are put
together and measured, and the result is levelled, limited, measured and written.
The last pass is run again as long as the limiter took too much loudness away.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.audio.loudness import BLOCK, Loudness, Meter, read_blocks
from videoscore.audio.wav import wav_writer
from videoscore.errors import OutputError
from videoscore.perform.mix.ducking import Ducking, Region
from videoscore.perform.mix.level import CLOSE, ENCODER_MARGIN, levelled
from videoscore.perform.mix.limiter import Limiter
from videoscore.perform.parts import Stem
from videoscore.perform.stem_sum import summed
from videoscore.progress import Progress, silent
from videoscore.settings.fields import MixOptions
from videoscore.video.media import Media
from videoscore.video.sound import read_sound, sound_remark

Block = NDArray[np.float32]

DEFAULTS = MixOptions()
# An original quieter than this is background noise: balancing music against it would blow it up.
QUIETEST_ORIGINAL = -40.0  # LUFS
MOST_GAIN = 30.0  # dB on the whole
SAME_PEAK = 0.02  # dB by which two measurements of a peak may differ
TOLD = 0.5  # LU from the target that the user is told of


@dataclass(frozen=True)
class Mix:
    """The finished sound.

    path : stereo 24-bit WAV of `samples` samples.
    loudness : of the result; its `integrated` and `true_peak` are None for silence.
    music_gain, gain : dB on the music before, and on everything after, music and original are put together.
    reduction : the most that the limiter took away, dB.
    ducked : the speech under which the music is lowered. remarks : what the user should know, a sentence each.
    """

    path: Path
    sample_rate: int
    samples: int
    loudness: Loudness
    music_gain: float
    gain: float
    reduction: float
    ducked: tuple[Region, ...]
    remarks: tuple[str, ...] = ()


def mix(
    stems: Sequence[Stem],
    media: Media,
    options: MixOptions,
    out: Path,
    speech: Sequence[Region] = (),
    sample_rate: int = 48000,
    progress: Progress = silent,
) -> Mix:
    """Mix to a WAV file exactly ``round(media.duration * sample_rate)`` samples long.

    "duck": the music stands `balance` LU against the original and `duck` dB lower under speech;
    "keep": the same without ducking; "replace": music alone. A missing or silent original counts as
    "replace", and music without a note leaves the original alone. The result is brought to
    `options.loudness` LUFS and kept under `options.true_peak` dBTP, less what an encoder may add.

    Parameters
    ----------
    stems : all of one sample rate. sample_rate : used only when there are no stems.
    speech : regions in seconds, as `videoscore.perform.mix.speech.speech_regions` gives them.
    out : appears complete or not at all; up to 60 MB a minute lie beside it while it is made.
    progress : gets ("mix", seconds done over all passes, seconds of all passes).

    Raises
    ------
    OutputError, DiskFull : from writing. InputError : from reading the original.
    """
    ducked = tuple(speech) if options.audio == "duck" else ()
    return _mix(stems, media, media.duration, options, out, ducked, sample_rate, progress)


def master(
    stems: Sequence[Stem],
    duration: Fraction,
    options: MixOptions,
    out: Path,
    sample_rate: int = 48000,
    progress: Progress = silent,
) -> Mix:
    """`duration` seconds of the stems alone, without a film, at the loudness and under the peaks of `options`. The rest
    is as in `mix`."""
    return _mix(stems, None, duration, options, out, (), sample_rate, progress)


def _mix(
    stems: Sequence[Stem],
    media: Media | None,
    duration: Fraction,
    options: MixOptions,
    out: Path,
    ducked: tuple[Region, ...],
    sample_rate: int,
    progress: Progress,
) -> Mix:
    rate = stems[0].sample_rate if stems else sample_rate
    if any(stem.sample_rate != rate for stem in stems):
        raise ValueError("stems of one mix have one sample rate")
    try:
        with tempfile.TemporaryDirectory(prefix=f"{out.name}.part", dir=out.parent) as folder:
            return _Mixing(media, duration, options, out, ducked, rate, Path(folder), progress).run(stems)
    except OSError as error:
        raise OutputError(
            f"the sound can't be written ({error.strerror or error})",
            path=out,
            remedy="Check that the folder exists and may be written to.",
        ) from error


class _Mixing:
    """One run of `mix`: what its passes share."""

    def __init__(
        self,
        media: Media | None,
        duration: Fraction,
        options: MixOptions,
        out: Path,
        ducked: tuple[Region, ...],
        rate: int,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.media, self.options, self.out, self.ducked = media, options, out, ducked
        self.rate, self.folder, self.progress = rate, folder, progress
        self.samples = round(duration * rate)
        self.done, self.passes = 0, 2

    def run(self, stems: Sequence[Stem]) -> Mix:
        mixed_file, original_file = self.folder / "music.wav", self.folder / "original.wav"
        film = self.media if self.media and self.media.audio and self.options.audio != "replace" else None
        self.passes = 4 if film else 2
        if len(stems) == 1 and stems[0].samples == self.samples:
            mixed_file = stems[0].path
            mixed = music = self._measured(read_blocks(mixed_file))
        else:
            mixed = music = self._write(mixed_file, summed(stems))
        music_file = mixed_file
        original, music_gain = None, 0.0
        if film is not None:
            original = self._write(original_file, _finite(read_sound(film, self.rate)))
        if original is not None and original.best is not None:
            music_gain = balance(music, original, self.options.balance)
            mixed_file = self.folder / "mixed.wav"
            mixed = self._write(mixed_file, self._blended(music_file, original_file, music_gain))
        else:
            self.ducked = ()
        # with no music to hide behind, an original of mere background noise stays as quiet as it is
        most = MOST_GAIN if music.best is None else math.inf
        loudness, gain, reduction = self._level(mixed_file, mixed, most)
        remarks = self._remarks(loudness, original is not None and original.best is not None)
        return Mix(
            self.out, self.rate, self.samples, loudness, music_gain, gain, reduction, self.ducked, remarks
        )

    def _remarks(self, loudness: Loudness, mixed: bool) -> tuple[str, ...]:
        out = [remark] if mixed and self.media and (remark := sound_remark(self.media)) else []
        target, best = self.options.loudness, loudness.best
        if best is not None and abs(best - target) > TOLD:
            why = ", all that fits under the peaks allowed" if best < target else ""
            out.append(f"the loudness is {best:.1f} LUFS and not {target:.1f}{why}")
        return tuple(out)

    def _write(
        self, path: Path, blocks: Iterator[Block], subtype: str = "FLOAT", known: Loudness | None = None
    ) -> Loudness:
        """Write and measure `blocks`, cut or filled up with silence to the exact length. known : what they measure, if
        they have been measured before."""
        meter = Meter(self.rate)
        with wav_writer(path, self.rate, self.samples, subtype) as wav:
            for block in _exactly(blocks, self.samples):
                if known is None:
                    meter.add(block)
                wav.write(block)
                self._tell(len(block))
        return known or meter.result()

    def _measured(self, blocks: Iterator[Block]) -> Loudness:
        meter = Meter(self.rate)
        for block in blocks:
            meter.add(block)
            self._tell(len(block))
        return meter.result()

    def _blended(self, music_file: Path, original_file: Path, music_gain: float) -> Iterator[Block]:
        ducking, scale = Ducking(self.ducked, self.options, self.rate), np.float32(_linear(music_gain))
        ducked = ducking.run(read_blocks(music_file))
        for music, original in zip(ducked, read_blocks(original_file), strict=True):
            yield original + scale * music

    def _level(self, path: Path, measured: Loudness, most: float) -> tuple[Loudness, float, float]:
        """Write the result: (its loudness, the gain in dB, the limiter's most reduction in dB)."""
        if measured.best is None:
            return self._write(self.out, read_blocks(path), "PCM_24"), 0.0, 0.0
        target, ceiling = self.options.loudness, self.options.true_peak - ENCODER_MARGIN
        peak = measured.true_peak
        if abs(target - measured.best) <= CLOSE and peak is not None and peak <= ceiling + SAME_PEAK:
            # music alone comes as it should be from its master, and is left so
            return self._write(self.out, read_blocks(path), "PCM_24", measured), 0.0, 0.0

        def write(gain: float) -> tuple[Loudness, float]:
            limiter = Limiter(ceiling, self.rate)
            return self._write(self.out, limiter.run(_scaled(path, gain)), "PCM_24"), limiter.reduction

        return levelled(write, measured.best, target, most)

    def _tell(self, samples: int) -> None:
        self.done += samples
        total = self.passes * self.samples
        self.progress("mix", min(self.done, total) / self.rate, total / self.rate)


def balance(music: Loudness, original: Loudness | None, wanted: float) -> float:
    """Gain in dB that puts the music `wanted` LU above (or below, negative) the original.

    0 when either is silent. An original of less than -40 LUFS counts as -40.
    """
    if music.best is None or original is None or original.best is None:
        return 0.0
    return max(original.best, QUIETEST_ORIGINAL) + wanted - music.best


def _scaled(path: Path, gain: float) -> Iterator[Block]:
    scale = np.float32(_linear(gain))
    for block in read_blocks(path):
        yield block * scale


def _finite(blocks: Iterator[Block]) -> Iterator[Block]:
    """Damaged floating-point sound may hold NaN and infinities."""
    for block in blocks:
        yield np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)


def _exactly(blocks: Iterator[Block], samples: int) -> Iterator[Block]:
    """Blocks of BLOCK samples, cut or filled up with silence to `samples` in all."""
    left, rest = samples, np.zeros((0, 2), np.float32)
    for block in blocks:
        rest = np.concatenate((rest, block[: left - len(rest)]))
        while len(rest) >= BLOCK:
            yield rest[:BLOCK]
            rest, left = rest[BLOCK:], left - BLOCK
    while left > 0:
        size = min(BLOCK, left)
        yield np.concatenate((rest[:size], np.zeros((size - len(rest[:size]), 2), np.float32)))
        rest, left = rest[size:], left - size


def _linear(decibels: float) -> float:
    return float(10 ** (decibels / 20))
