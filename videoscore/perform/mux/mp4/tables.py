"""The tables that say where a track's samples lie in an MP4 file."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.perform.mux.mp4.boxes import Box, Ungraftable

Numbers = NDArray[np.int64]


def chunk_offsets(trak: Box) -> Numbers:
    """Where each chunk of a track begins in its file, bytes."""
    table = trak.need(b"mdia", b"minf", b"stbl")
    for kind, form in ((b"co64", ">u8"), (b"stco", ">u4")):
        box = table.find(kind)
        if box is not None:
            return _column(box, form)
    raise Ungraftable("a track without chunks")


def set_chunk_offsets(trak: Box, offsets: Numbers, wide: bool) -> None:
    """Write the table anew. wide : in 64 bits."""
    table = trak.need(b"mdia", b"minf", b"stbl")
    data = struct.pack(">II", 0, len(offsets)) + offsets.astype(">u8" if wide else ">u4").tobytes()
    fresh = Box(b"co64" if wide else b"stco", data)
    table.children = [fresh if c.kind in (b"co64", b"stco") else c for c in table.children]


def sample_sizes(trak: Box) -> Numbers:
    """Bytes of each sample."""
    data = trak.need(b"mdia", b"minf", b"stbl", b"stsz").data
    size, count = struct.unpack_from(">II", data, 4)
    return np.full(count, size, np.int64) if size else _entries(data, 12, count, ">u4")


def chunk_times(trak: Box, timescale: int) -> NDArray[np.float64]:
    """Decoding time of each chunk's first sample, seconds on the track's own clock."""
    table = trak.need(b"mdia", b"minf", b"stbl")
    chunks = len(chunk_offsets(trak))
    runs = _column(table.need(b"stsc"), ">u4", 3).reshape(-1, 3)
    if chunks and (not len(runs) or runs[0, 0] != 1 or (np.diff(runs[:, 0]) <= 0).any()):
        raise Ungraftable("its table of chunks is damaged")
    edges = np.append(runs[:, 0] - 1, chunks)
    per_chunk = np.repeat(runs[:, 1], np.maximum(0, np.diff(np.minimum(edges, chunks))))
    first = np.concatenate(([0], np.cumsum(per_chunk)[:-1])) if chunks else per_chunk
    steps = _column(table.need(b"stts"), ">u4", 2).reshape(-1, 2)
    samples = np.concatenate(([0], np.cumsum(steps[:, 0])))
    ticks = np.concatenate(([0], np.cumsum(steps[:, 0] * steps[:, 1])))
    return np.interp(first, samples, ticks) / max(1, timescale)


def set_chunks(trak: Box, samples: Sequence[int]) -> None:
    """Say how many samples each chunk holds (all in the first sample description)."""
    runs: list[tuple[int, int, int]] = []
    for number, count in enumerate(samples, 1):
        if not runs or runs[-1][1] != count:
            runs.append((number, count, 1))
    data = struct.pack(">II", 0, len(runs)) + b"".join(struct.pack(">III", *run) for run in runs)
    trak.need(b"mdia", b"minf", b"stbl", b"stsc").data = data


def _column(box: Box, form: str, width: int = 1) -> Numbers:
    if len(box.data) < 8:
        raise Ungraftable(f"{box.kind!r} is too short")
    return _entries(box.data, 8, int.from_bytes(box.data[4:8], "big") * width, form)


def _entries(data: bytes, at: int, count: int, form: str) -> Numbers:
    if at + count * np.dtype(form).itemsize > len(data):
        raise Ungraftable("a table is longer than its box")
    return np.frombuffer(data, form, count, at).astype(np.int64)
