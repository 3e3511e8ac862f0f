"""The boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, QuickTime File Format): read, changed, written back.

Only the boxes on the way to a track's tables are taken apart; all others stay the bytes that they are, whether
anybody knows them or not.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

CONTAINERS = frozenset(b"moov trak mdia minf stbl edts dinf".split())
LARGEST_MOOV = 512 << 20  # bytes of index that are read into memory; 24 hours of film have about 50 MB


class Ungraftable(Exception):
    """The file is built in a way that its boxes can't be carried over as they are."""


@dataclass
class Box:
    """One box. data : its payload, for boxes without `children`."""

    kind: bytes
    data: bytes = b""
    children: list[Box] = field(default_factory=list)

    def find(self, *path: bytes) -> Box | None:
        """The first box at a path of kinds below this one."""
        here: Box | None = self
        for kind in path:
            here = None if here is None else next((c for c in here.children if c.kind == kind), None)
        return here

    def need(self, *path: bytes) -> Box:
        """Like `find`. Raises Ungraftable where there is none."""
        box = self.find(*path)
        if box is None:
            raise Ungraftable(f"no {b'/'.join(path).decode('latin1')}")
        return box

    def all(self, kind: bytes) -> list[Box]:
        return [c for c in self.children if c.kind == kind]

    @property
    def size(self) -> int:
        """Bytes with the header."""
        inner = sum(c.size for c in self.children) + len(self.data)
        return inner + (8 if inner + 8 < 1 << 32 else 16)

    def write(self) -> bytes:
        inner = self.data + b"".join(c.write() for c in self.children)
        return header(self.kind, len(inner)) + inner


@dataclass(frozen=True)
class Place:
    """A box at the top of a file: where its payload begins and ends."""

    kind: bytes
    start: int
    payload: int
    end: int


def header(kind: bytes, inner: int) -> bytes:
    """A box header for a payload of `inner` bytes."""
    if inner + 8 < 1 << 32:
        return struct.pack(">I4s", inner + 8, kind)
    return struct.pack(">I4sQ", 1, kind, inner + 16)


def parse(data: bytes) -> list[Box]:
    """The boxes in the payload of a container. Raises Ungraftable where they don't add up."""
    boxes, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:
            if kind == b"\0\0\0\0":  # QuickTime ends some lists with a zero
                break
            size = len(data) - at
        if size < head or at + size > len(data):
            raise Ungraftable(f"box {kind!r} doesn't fit where it is")
        inner = data[at + head : at + size]
        boxes.append(Box(kind, children=parse(inner)) if kind in CONTAINERS else Box(kind, inner))
        at += size
    return boxes


def top(path: Path) -> Iterator[Place]:
    """The boxes at the top of a file; what follows the last is a Place of the kind b"" (a camera's own trailer)."""
    end, at = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while at < end:
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                break
            size, kind = struct.unpack_from(">I4s", head)
            skip = 8
            if size == 1 and len(head) == 16:
                size, skip = struct.unpack_from(">Q", head, 8)[0], 16
            elif size == 0 and kind in (
                b"mdat",
                b"moov",
            ):  # to the end; of others that is no box but a trailer
                size = end - at
            printable = all(32 <= c < 127 or c == 0xA9 for c in kind)
            if size < skip or not printable:
                break
            if at + size > end and kind != b"mdat":  # a recording that broke off still has what it has
                break
            yield Place(kind, at, at + skip, min(at + size, end))
            at += size
    if at < end:
        yield Place(b"", at, at, end)


def read_moov(file: BinaryIO, place: Place) -> Box:
    """The index of a file. Raises Ungraftable for one that is compressed, damaged or absurdly large."""
    if place.end - place.payload > LARGEST_MOOV:
        raise Ungraftable("its index is too large")
    file.seek(place.payload)
    moov = Box(b"moov", children=parse(file.read(place.end - place.payload)))
    if moov.find(b"cmov") or moov.find(b"mvex") or not moov.all(b"trak"):
        raise Ungraftable("its index is compressed or in fragments")
    return moov


def handler(trak: Box) -> bytes:
    """What a track holds: b"vide", b"soun", b"text", b"sbtl", b"tmcd" and others."""
    return trak.need(b"mdia", b"hdlr").data[8:12]


# ---------------------------------------------------------------- headers with two versions


@dataclass
class Times:
    """The fields of mvhd, tkhd and mdhd up to the duration, by name, in a box that stays as it is otherwise."""

    box: Box
    fields: str  # names in order, those that grow to 64 bits in version 1 in capitals

    def _places(self) -> dict[str, tuple[int, str]]:
        wide, at, places = self.box.data[:1] == b"\1", 4, {}
        for name in self.fields.split():
            form = ">Q" if wide and name.isupper() else ">I"
            places[name.lower()] = at, form
            at += struct.calcsize(form)
        if at > len(self.box.data):
            raise Ungraftable(f"{self.box.kind!r} is too short")
        return places

    def __getitem__(self, name: str) -> int:
        at, form = self._places()[name]
        return int(struct.unpack_from(form, self.box.data, at)[0])

    def __setitem__(self, name: str, value: int) -> None:
        at, form = self._places()[name]
        if not 0 <= value < 1 << (64 if form == ">Q" else 32):
            raise Ungraftable(f"{name} of {value} doesn't fit into {self.box.kind!r}")
        data = bytearray(self.box.data)
        struct.pack_into(form, data, at, value)
        self.box.data = bytes(data)


def movie_header(moov: Box) -> Times:
    return Times(moov.need(b"mvhd"), "CREATED MODIFIED timescale DURATION")


def track_header(trak: Box) -> Times:
    return Times(trak.need(b"tkhd"), "CREATED MODIFIED id reserved DURATION")


def media_header(trak: Box) -> Times:
    return Times(trak.need(b"mdia", b"mdhd"), "CREATED MODIFIED timescale DURATION")


def flags(box: Box) -> int:
    return int.from_bytes(box.data[1:4], "big")


def set_flags(box: Box, value: int) -> None:
    box.data = box.data[:1] + value.to_bytes(3, "big") + box.data[4:]


def group(trak: Box) -> int:
    """The alternate group of a track: of the tracks of one group a player plays one; 0 is none."""
    data, at = trak.need(b"tkhd").data, _group_at(trak)
    return int.from_bytes(data[at : at + 2], "big")


def set_group(trak: Box, value: int) -> None:
    box, at = trak.need(b"tkhd"), _group_at(trak)
    box.data = box.data[:at] + value.to_bytes(2, "big") + box.data[at + 2 :]


def _group_at(trak: Box) -> int:
    # after version and flags, times and id, 8 bytes reserved, 2 of the layer
    return 46 if trak.need(b"tkhd").data[:1] == b"\1" else 34
