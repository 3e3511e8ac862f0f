"""Writes WAV files block by block: atomically, of any length, with our own errors."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from videoscore.errors import DiskFull, OutputError

RIFF_LIMIT = 4_000_000_000  # bytes; a RIFF chunk's size is 32 bits, RF64 (EBU Tech 3306) has 64
NEARLY_FULL = 1 << 20
BYTES = {"FLOAT": 4, "PCM_24": 3}


class WavWriter:
    """A WAV file being written; made by `wav_writer`."""

    def __init__(self, file: soundfile.SoundFile, path: Path) -> None:
        self._file, self._path = file, path
        self.samples = 0

    def write(self, block: NDArray[np.float32]) -> None:
        """Append (n, channels) samples, full scale 1."""
        try:
            self._file.write(block)
        except (OSError, soundfile.SoundFileError, AssertionError) as error:
            raise _write_failure(self._path, error) from error
        self.samples += len(block)


@contextmanager
def wav_writer(
    path: Path, sample_rate: int, samples: int, subtype: str = "FLOAT", channels: int = 2
) -> Iterator[WavWriter]:
    """Open `path` for `samples` samples; it appears under its name only when the block ends well.

    Parameters
    ----------
    subtype : "FLOAT" (32 bits) or "PCM_24".

    Raises
    ------
    DiskFull, OutputError : the file can't be written.
    """
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    size = samples * channels * BYTES[subtype]
    try:
        try:
            file = soundfile.SoundFile(
                os.fsencode(part),
                "w",
                sample_rate,
                channels,
                subtype,
                format="RF64" if size > RIFF_LIMIT else "WAV",
            )
        except (OSError, soundfile.SoundFileError) as error:
            raise _write_failure(path, error) from error
        with file:
            yield WavWriter(file, path)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _write_failure(path: Path, error: Exception) -> OutputError:
    # libsndfile doesn't pass errno on, so the disk itself is asked
    try:
        full = shutil.disk_usage(path.parent).free < NEARLY_FULL
    except OSError:
        full = False
    if full:
        return DiskFull("the disk is full", path=path, remedy="Free some space and run it again.")
    return OutputError(
        f"the sound can't be written ({error or 'short write'})",
        path=path,
        remedy="Check that the folder exists and may be written to.",
    )
