"""The rate at which a QuickTime time code track counts: FFmpeg reads it, and hands it on to nobody.

QuickTime File Format, "Timecode Sample Description": a sample description of type tmcd holds flags, time scale, frame
duration and the number of frames that a second counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

LARGEST = 64 << 20  # bytes of a movie header that is looked through
PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def timecode_rate(path: Path) -> Fraction | None:
    """Pictures a second that the first time code track of a MOV or MP4 counts; None where there is none."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            inside = size - 8
            if size == 1:
                inside = int.from_bytes(file.read(8), "big") - 16
            if name == b"moov" and 0 < inside <= LARGEST:
                return next(_rates(file.read(inside)), None)
            if inside < 0 or not name.isalnum():  # no such file, or the last box
                return None
            file.seek(inside, 1)
    return None


def _rates(data: bytes) -> Iterator[Fraction]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        inside = data[at + 8 : at + size]
        if name in PARENTS:
            yield from _rates(inside)
        elif name == b"stsd" and inside[12:16] == b"tmcd" and len(inside) >= 37:
            # version and flags, count; then size, type, 6 reserved, data reference, 4 reserved, flags
            scale, duration = struct.unpack_from(">II", inside, 32)
            if scale and duration:
                yield Fraction(scale, duration)
        at += size
