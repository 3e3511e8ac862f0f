"""Makes one piece of music of the stems: tone, the cues' loudness against each other, compression, saturation, and
peaks under the limit at the loudness that is asked for.

Two passes over files on disk, in constant memory: the filtered sum is written and measured; then gain, saturation and
limiter are put on it. All that isn't a plain filter is a gain at each sample, so it can be put on each stem as well:
finished stems add up to the music.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.audio.loudness import HOPS_A_SECOND, Loudness, Meter, integrated, read_blocks
from videoscore.audio.wav import wav_writer
from videoscore.perform.master.gain import HOP, Passage, curve, linear
from videoscore.perform.master.tone import Tone
from videoscore.perform.mix.level import ENCODER_MARGIN, levelled
from videoscore.perform.mix.limiter import Limiter, expected
from videoscore.perform.parts import Stem
from videoscore.perform.stem_sum import summed
from videoscore.progress import Progress, silent
from videoscore.settings.fields import MasterOptions, MixOptions

Block = NDArray[np.float32]
Intensity = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # seconds -> factors over 0

MASTER, MIX = MasterOptions(), MixOptions()
DRIVE = 2.0  # of the saturation at its most, for music of NOMINAL loudness
NOMINAL = -14.0  # LUFS
MOST_GAIN = 40.0  # dB on the whole
GUESSES = 6  # rounds in which gain and what the limiter takes of it are brought together
LEAST = 1e-4  # factor of an intensity: less is taken for it
SILENT = 1e-20  # amplitude whose gain can't be told


def master(
    stems: Sequence[Stem],
    cues: Sequence[Passage],
    out: Path,
    options: MasterOptions = MASTER,
    target: MixOptions = MIX,
    finish: bool = False,
    progress: Progress = silent,
    intensity: Intensity | None = None,
) -> tuple[Stem, ...]:
    """The music of `stems` as one stem at `out`, at `target.loudness` and under `target.true_peak`, less what an
    encoder may add; none for none.

    Parameters
    ----------
    stems : all of one sample rate and length. cues : in order, from 0 to the end.
    finish : put all of it on each stem, too, in place: then their sum is the music.
    progress : gets ("master", seconds done over all passes, seconds of all passes).
    intensity : factors that the music gets over time beside its own dynamics.

    Raises
    ------
    OutputError, DiskFull : from writing.
    """
    if not stems:
        return ()
    with tempfile.TemporaryDirectory(prefix=f"{out.name}.part", dir=out.parent) as folder:
        passes = 3 if finish else 2
        job = _Mastering(stems, cues, out, options, target, Path(folder), passes, progress)
        job.run(intensity)
        if finish:
            job.finish()
    return (Stem("music", out, stems[0].sample_rate, stems[0].samples),)


class _Mastering:
    """One run of `master`: what its passes share."""

    def __init__(
        self,
        stems: Sequence[Stem],
        cues: Sequence[Passage],
        out: Path,
        options: MasterOptions,
        target: MixOptions,
        folder: Path,
        passes: int,
        progress: Progress,
    ) -> None:
        self.stems, self.cues, self.out = stems, cues, out
        self.options, self.target, self.progress = options, target, progress
        self.raw = folder / "sum.wav"
        self.rate, self.samples = stems[0].sample_rate, stems[0].samples
        self.done, self.passes = 0, passes
        self.curve = np.zeros(0)

    def run(self, intensity: Intensity | None) -> None:
        meter = Meter(self.rate, peaks=False)
        energies, known = np.zeros(-(-self.samples // HOP)), 0
        peaks = np.zeros_like(energies)
        with wav_writer(self.raw, self.rate, self.samples) as wav:
            for block in Tone(self.options, self.rate).run(summed(self.stems)):
                meter.add(block)
                wav.write(block)
                of_block, highest = _of_hops(block)
                energies[known : known + len(of_block)] = of_block
                peaks[known : known + len(of_block)] = highest
                known += len(of_block)
                self._tell(len(block))
        self.curve = curve(self.cues, np.array(meter.energies), energies, self.options, self.rate)
        if intensity is not None:
            seconds = (np.arange(len(self.curve)) + 0.5) * HOP / self.rate
            self.curve += 20 * np.log10(np.maximum(intensity(seconds), LEAST))
        gain = self._expected_gain(np.array(meter.energies), peaks, meter.result())
        if gain is None:
            self._write(0.0)
        else:
            levelled(self._write, self.target.loudness - gain, self.target.loudness, MOST_GAIN)

    def _expected_gain(
        self, hops: NDArray[np.float64], peaks: NDArray[np.float64], plain: Loudness
    ) -> float | None:
        """Gain in dB that brings the music to its loudness, with the curve and about what the limiter will take; None
        where there is nothing to measure. So the first pass over the sound is nearly always the last."""
        centres = (np.arange(len(hops)) + 0.5) * self.rate / HOPS_A_SECOND / HOP
        starts = (np.arange(len(hops)) * self.rate / HOPS_A_SECOND / HOP).astype(int)
        counts = np.diff(np.append(starts, len(peaks)))
        hops = hops * 10 ** (np.interp(centres, np.arange(len(self.curve)), self.curve) / 10)
        peaks = peaks * 10 ** (self.curve / 20)
        whole = integrated(hops)
        if whole is None:
            return None if plain.best is None else self.target.loudness - plain.best
        gain, ceiling = self.target.loudness - whole, self.target.true_peak - ENCODER_MARGIN
        for _ in range(GUESSES):
            passed = 10 ** (-expected(peaks, ceiling - gain, HOP / self.rate) / 10)
            left = integrated(hops * np.add.reduceat(passed, starts) / counts)
            gain = min(self.target.loudness - (whole if left is None else left), MOST_GAIN)
        return gain

    def _write(self, gain: float) -> tuple[Loudness, float]:
        limiter = Limiter(self.target.true_peak - ENCODER_MARGIN, self.rate)
        meter = Meter(self.rate, peaks=False)
        with wav_writer(self.out, self.rate, self.samples) as wav:
            for block in limiter.run(self._shaped(gain)):
                meter.add(block)
                wav.write(block)
                self._tell(len(block))
        return meter.result(), limiter.reduction

    def _shaped(self, gain: float) -> Iterator[Block]:
        """The sum with gain and saturation."""
        start, scale = 0, np.float32(10 ** (gain / 20))
        drive = np.float32(DRIVE * self.options.saturation * 10 ** ((NOMINAL - self.target.loudness) / 20))
        for block in read_blocks(self.raw):
            loud = block * (scale * linear(self.curve, start, len(block)))[:, None]
            yield np.tanh(drive * loud) / drive if drive > 0 else loud
            start += len(block)

    def finish(self) -> None:
        """Each stem with the same filters, and with the gain that the sum got at each sample."""
        with ExitStack() as stack:
            tones = [
                Tone(self.options, self.rate).run(stack.enter_context(closing(read_blocks(stem.path))))
                for stem in self.stems
            ]
            writers = [
                stack.enter_context(wav_writer(stem.path, self.rate, self.samples)) for stem in self.stems
            ]
            for raw, music in zip(read_blocks(self.raw), read_blocks(self.out), strict=True):
                # both are the same sum, so the quotient is exact to the last bit but one, however small they are
                gains = np.divide(music, raw, out=np.zeros_like(raw), where=np.abs(raw) > SILENT)
                for tone, writer in zip(tones, writers):
                    writer.write(next(tone) * gains)
                self._tell(len(raw))

    def _tell(self, samples: int) -> None:
        self.done += samples
        total = self.passes * self.samples
        self.progress("master", min(self.done, total) / self.rate, total / self.rate)


def _of_hops(block: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean square, and highest magnitude, of every HOP of a block, the last one's of what there is."""
    power = (block.astype(np.float64) ** 2).sum(axis=1)
    starts = np.arange(0, len(power), HOP)
    highest = np.maximum.reduceat(np.abs(block).max(axis=1), starts).astype(np.float64)
    return np.add.reduceat(power, starts) / np.diff(np.append(starts, len(power))), highest
