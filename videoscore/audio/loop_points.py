"""Loop and cue points in a WAV file, as samplers, game engines and editors read them.

The chunks are "smpl" and "cue " with "LIST/adtl/labl" (IBM & Microsoft 1991, "Multimedia Programming Interface and
Data Specifications 1.0"; the sampler chunk by its "New Multimedia Data Types" 1994).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from videoscore.errors import OutputError

MIDDLE_C = 60
LARGEST = (1 << 32) - 1


def add_loop(path: Path, sample_rate: int, samples: int, markers: Sequence[tuple[int, str]] = ()) -> None:
    """Append to the WAV file at `path` that the whole of it loops for ever, and `markers`: (sample, name).

    Raises OutputError for a file over 4 GB (RF64), which has no place for them.
    """
    chunks = _chunk(b"smpl", _sampler(sample_rate, samples))
    if markers:
        points = b"".join(
            struct.pack("<II4sIII", k, at, b"data", 0, 0, at) for k, (at, _) in enumerate(markers, 1)
        )
        chunks += _chunk(b"cue ", struct.pack("<I", len(markers)) + points)
        labels = b"".join(
            _chunk(b"labl", struct.pack("<I", k) + name.encode("utf-8") + b"\0")
            for k, (_, name) in enumerate(markers, 1)
        )
        chunks += _chunk(b"LIST", b"adtl" + labels)
    with path.open("r+b") as file:
        riff, _ = struct.unpack("<4sI", file.read(8))
        end = file.seek(0, os.SEEK_END)
        if riff != b"RIFF" or end + len(chunks) > LARGEST:
            raise OutputError(
                "a file over 4 GB has no place for loop points", path=path, remedy="Ask for less music."
            )
        pad = b"\0" * (end % 2)
        file.write(pad + chunks)
        file.seek(4)
        file.write(struct.pack("<I", end + len(pad) + len(chunks) - 8))


def _sampler(sample_rate: int, samples: int) -> bytes:
    """No maker or product, one loop: forward, from the first sample to the last, for ever."""
    head = struct.pack("<9I", 0, 0, round(1e9 / sample_rate), MIDDLE_C, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, 0, 0, samples - 1, 0, 0)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
