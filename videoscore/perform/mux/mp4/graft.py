"""One track more in an MP4 or QuickTime file, everything else as it was.

A muxer writes what it knows of a file; here the file's own index is kept, box by box, with its edit lists, tags,
covers, telemetry, time codes and all that nobody has named yet. The music's track is put into it, its samples are
laid between those of the others, and the places of all samples are written anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from videoscore.perform.mux.mp4 import boxes
from videoscore.perform.mux.mp4 import sample_tables as tables
from videoscore.perform.mux.mp4.boxes import Box, Place, Ungraftable

CHUNK = 24  # samples of music a chunk: half a second of AAC at 48 kHz
BLOCK = 1 << 20
# boxes at the top that hold no film: room to grow, the sample data (written anew), indices of fragments
_LEFT = frozenset(b"free skip wide mdat moov".split())
_FRAGMENTS = frozenset(b"moof sidx ssix mfra styp".split())
_ENABLED = 1
_PRIMING = 1024  # samples that an AAC encoder puts in front where the file doesn't say


@dataclass(frozen=True)
class _Piece:
    """Bytes that go into the new file's sample data: of the original (music False) or of the music."""

    music: bool
    start: int
    end: int


@dataclass
class _Source:
    """An opened original."""

    places: list[Place]
    moov: Box

    @property
    def data(self) -> list[Place]:
        return [p for p in self.places if p.kind == b"mdat"]


def can_graft(path: Path) -> bool:
    """Whether a track can be added to this file so. Reads the index, not the film."""
    try:
        with open(path, "rb") as file:
            _check(_open(path, file))
    except (Ungraftable, OSError, struct.error):
        return False
    return True


def graft(
    original: Path,
    music: Path,
    output: Path,
    start: Fraction,
    duration: Fraction,
    *,
    keep_original: bool = True,
    like: int | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> None:
    """Write `original` with the one track of `music` as its first and default sound track.

    Parameters
    ----------
    music : an MP4 or QuickTime file with one sound track and nothing else.
    output : written over; a file of the caller's own.
    start : seconds on the original's clock at which the music begins. duration : seconds it lasts.
    keep_original : keep the original's sound tracks, no longer played by default; else they go with their samples.
    like : number of the original's track that the music stands for. Players of Apple's show the forced subtitles that
        the sound track points to, so the new one points to the same.
    told : gets the share of the file that is written, 0 to 1.

    Raises
    ------
    Ungraftable : the original isn't built for it (in fragments, compressed, damaged). OSError : from writing.
    """
    with open(original, "rb") as source, open(music, "rb") as added:
        try:
            film, song = _open(original, source), _open(music, added)
            _check(film)
            tracks = film.moov.all(b"trak")
            if like is not None and like < len(tracks):
                _follow(song.moov.need(b"trak"), tracks[like])
            _graft(film, song, source, added, output, (start, duration), keep_original, told)
        except (struct.error, IndexError) as error:
            raise Ungraftable("its index is damaged") from error


def _open(path: Path, file: BinaryIO) -> _Source:
    places = list(boxes.top(path))
    index = [p for p in places if p.kind == b"moov"]
    if len(index) != 1 or any(p.kind in _FRAGMENTS for p in places):
        raise Ungraftable("it has no index, or is in fragments")
    return _Source(places, boxes.read_moov(file, index[0]))


def _check(film: _Source) -> None:
    """Refuse what has places of samples outside the tables that are written anew, or outside the file."""
    for trak in film.moov.all(b"trak"):
        table = trak.need(b"mdia", b"minf", b"stbl")
        if table.find(b"saio"):
            raise Ungraftable("it is encrypted")
        offsets = tables.chunk_offsets(trak)
        inside = np.zeros(len(offsets), bool)
        for place in film.data:
            inside |= (offsets >= place.payload) & (offsets < place.end)
        if not inside.all():
            raise Ungraftable("samples lie outside the file")
    if any(c.kind == b"meta" and b"iloc" in c.data for c in film.moov.children):
        raise Ungraftable("pictures are stored beside the film")
    boxes.movie_header(film.moov)["duration"]


def _graft(
    film: _Source,
    song: _Source,
    source: BinaryIO,
    added: BinaryIO,
    output: Path,
    span: tuple[Fraction, Fraction],
    keep_original: bool,
    told: Callable[[float], None],
) -> None:
    moov = film.moov
    track = song.moov.need(b"trak")
    old = [t for t in moov.all(b"trak") if boxes.handler(t) == b"soun"]
    dropped = [] if keep_original else old
    chunks = _rechunk(track)
    pieces = _pieces(film, dropped, chunks, _chunk_seconds(track, chunks, span[0]))
    _adopt(moov, track, span)
    _seat(moov, track, old, dropped)
    sizes = [p.end - p.start for p in pieces]
    fixed = sum(p.end - p.start for p in film.places if p.kind not in _LEFT and p.kind)
    # in 64 bits the index is less than twice as large
    wide = fixed + 2 * moov.size + sum(sizes) + BLOCK >= 1 << 32
    with open(output, "wb") as target:
        for place in film.places:
            if place.kind and place.kind not in _LEFT:
                target.writelines(_blocks(source, place.start, place.end))
        _place(moov, track, pieces, target.tell(), wide)
        target.write(moov.write())
        target.write(boxes.header(b"mdat", sum(sizes)))
        total, done, last = max(1, sum(sizes)), 0, 0
        for piece in pieces:
            for block in _blocks(added if piece.music else source, piece.start, piece.end):
                target.write(block)
                done += len(block)
            if done - last >= BLOCK:
                last = done
                told(done / total)
        for place in film.places:
            if not place.kind:  # a camera's trailer is looked for at the very end
                target.writelines(_blocks(source, place.start, place.end))


def _blocks(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end:
        block = file.read(min(BLOCK, end - start))
        if not block:
            raise Ungraftable("the file has become shorter")
        yield block
        start += len(block)


# ---------------------------------------------------------------- the sample data


def _rechunk(track: Box) -> list[tuple[int, int]]:
    """The music's samples in short chunks: where each begins and ends in the music's file."""
    offsets, sizes = tables.chunk_offsets(track), tables.sample_sizes(track)
    if not len(sizes):
        raise Ungraftable("the music is empty")
    # the music's file holds nothing else, so its samples lie one behind the other
    edges = offsets[0] + np.concatenate(([0], np.cumsum(sizes)))
    counts = [min(CHUNK, len(sizes) - k) for k in range(0, len(sizes), CHUNK)]
    tables.set_chunks(track, counts)
    return [(int(edges[k]), int(edges[min(k + CHUNK, len(sizes))])) for k in range(0, len(sizes), CHUNK)]


def _chunk_seconds(track: Box, chunks: list[tuple[int, int]], start: Fraction) -> np.ndarray:
    rate = boxes.media_header(track)["timescale"]
    return float(start) + np.arange(len(chunks)) * CHUNK * _PRIMING / rate


def _pieces(
    film: _Source, dropped: list[Box], chunks: list[tuple[int, int]], seconds: np.ndarray
) -> list[_Piece]:
    """The original's sample data as it lies, cut where a chunk begins, with the music between."""
    traks = [t for t in film.moov.all(b"trak") if not any(t is d for d in dropped)]
    dropped_chunks = np.unique(np.concatenate([np.zeros(0, np.int64), *map(tables.chunk_offsets, dropped)]))
    stay = np.unique(np.concatenate([np.zeros(0, np.int64), *map(tables.chunk_offsets, traks)]))
    dropped_chunks = np.setdiff1d(dropped_chunks, stay)
    pieces: list[_Piece] = []
    for start, end in ((p.payload, p.end) for p in film.data):
        if start == end:  # an empty box of data, as some writers leave
            continue
        cuts = np.unique(np.concatenate(([start], dropped_chunks, stay)))
        cuts = cuts[(cuts >= start) & (cuts < end)]
        leaving = np.isin(cuts, dropped_chunks)
        for begin, stop, drop in zip(cuts, [*cuts[1:], end], leaving, strict=True):
            if not drop:
                pieces.append(_Piece(False, int(begin), int(stop)))
    return _interleaved(pieces, traks, chunks, seconds)


def _interleaved(
    pieces: list[_Piece], kept: list[Box], chunks: list[tuple[int, int]], seconds: np.ndarray
) -> list[_Piece]:
    """The music's chunks, each before the picture's first chunk that is decoded later."""
    picture = next((t for t in kept if boxes.handler(t) == b"vide"), kept[0] if kept else None)
    if picture is None:
        raise Ungraftable("no picture")
    times = tables.chunk_times(picture, boxes.media_header(picture)["timescale"])
    when = dict(zip(tables.chunk_offsets(picture).tolist(), times.tolist(), strict=True))
    out, next_chunk = [], 0
    for piece in pieces:
        now = when.get(piece.start)
        while now is not None and next_chunk < len(chunks) and seconds[next_chunk] <= now:
            out.append(_Piece(True, *chunks[next_chunk]))
            next_chunk += 1
        out.append(piece)
    return out + [_Piece(True, *chunk) for chunk in chunks[next_chunk:]]


def _place(moov: Box, track: Box, pieces: list[_Piece], at: int, wide: bool) -> None:
    """Write the new places of all samples; `at` is where the index will stand."""
    chunks = sum(p.music for p in pieces)
    tracks = [t for t in moov.all(b"trak") if t is not track]
    old = [tables.chunk_offsets(t) for t in tracks]
    tables.set_chunk_offsets(track, np.zeros(chunks, np.int64), wide)
    for trak, offsets in zip(tracks, old, strict=True):
        tables.set_chunk_offsets(trak, offsets, wide)  # as long as they will be
    total = sum(p.end - p.start for p in pieces)
    here = at + moov.size + len(boxes.header(b"mdat", total))
    starts = here + np.concatenate(([0], np.cumsum([p.end - p.start for p in pieces])[:-1])).astype(np.int64)
    music = np.array([p.music for p in pieces])
    tables.set_chunk_offsets(track, starts[music], wide)
    before = np.array([p.start for p in pieces], np.int64)[~music]
    after = starts[~music]
    order = np.argsort(before, kind="stable")
    before, after = before[order], after[order]
    for trak, offsets in zip(tracks, old, strict=True):
        indices = np.searchsorted(before, offsets, side="right") - 1
        tables.set_chunk_offsets(trak, offsets - before[indices] + after[indices], wide)


# ---------------------------------------------------------------- the index


def _adopt(moov: Box, track: Box, span: tuple[Fraction, Fraction]) -> None:
    """Give the music's track a number, the film's dates and an edit list on the film's clock."""
    movie, head, media = boxes.movie_header(moov), boxes.track_header(track), boxes.media_header(track)
    scale, rate = movie["timescale"], media["timescale"]
    if not scale:
        raise Ungraftable("its clock stands still")
    start, duration = span
    empty = int(start * scale)  # what is left of it is taken from the encoder's lead-in
    lead = _media_time(track) - round((start - Fraction(empty, scale)) * rate)
    if start < 0:  # the picture begins before the clock does: so much of the music is never shown
        empty, lead = 0, _media_time(track) - round(start * rate)
    ticks = max(0, round((min(start, Fraction(0)) + duration) * scale))
    if lead < 0:
        raise Ungraftable("its clock is too coarse")
    entries = ([(empty, -1)] if empty else []) + [(ticks, lead)]
    wide = max(max(e) for e in entries) >= 1 << 31
    form = ">QqI" if wide else ">IiI"
    data = struct.pack(">BxxxI", wide, len(entries))
    data += b"".join(struct.pack(form, length, at, 1 << 16) for length, at in entries)
    track.children = [c for c in track.children if c.kind != b"edts"]
    where = next(k for k, c in enumerate(track.children) if c.kind == b"tkhd") + 1
    track.children.insert(where, Box(b"edts", children=[Box(b"elst", data)]))
    head["duration"] = empty + ticks
    movie["duration"] = max(movie["duration"], empty + ticks)
    for date in ("created", "modified"):
        head[date] = media[date] = min(movie[date], (1 << 32) - 1)


def _media_time(track: Box) -> int:
    """Samples at the front of the music's track that its own edit list hides."""
    edits = track.find(b"edts", b"elst")
    if edits is None:
        return _PRIMING
    wide = edits.data[:1] == b"\1"
    form, size = (">Qq", 20) if wide else (">Ii", 12)
    count = int.from_bytes(edits.data[4:8], "big")
    times = [struct.unpack_from(form, edits.data, 8 + size * k)[1] for k in range(count)]
    return next((t for t in times if t >= 0), 0)


def _follow(track: Box, like: Box) -> None:
    """Point the music's track to the subtitles that another sound track wants shown with it."""
    for box in like.all(b"tref"):
        links = [c for c in boxes.parse(box.data) if c.kind == b"folw"]
        if links:
            where = next(k for k, c in enumerate(track.children) if c.kind == b"tkhd") + 1
            track.children.insert(where, Box(b"tref", b"".join(c.write() for c in links)))


def _seat(moov: Box, track: Box, old: list[Box], dropped: list[Box]) -> None:
    """Put the track before the first sound track; only it is played by default."""
    numbers = [boxes.track_header(t)["id"] for t in moov.all(b"trak")]
    boxes.track_header(track)["id"] = max(numbers) + 1
    header = moov.need(b"mvhd")
    header.data = header.data[:-4] + (max(numbers) + 2).to_bytes(4, "big")
    group = next((g for g in map(boxes.group, old) if g), 0)
    group = group or 1 + max((boxes.group(t) for t in moov.all(b"trak")), default=0)
    for trak in old:
        head = trak.need(b"tkhd")
        boxes.set_flags(head, boxes.flags(head) & ~_ENABLED)
        boxes.set_group(trak, group)
    boxes.set_group(track, group)
    boxes.set_flags(track.need(b"tkhd"), 7)  # enabled, in the film, in its preview
    first = next((k for k, c in enumerate(moov.children) if any(c is t for t in old)), None)
    last = max(k for k, c in enumerate(moov.children) if c.kind == b"trak") + 1
    moov.children.insert(last if first is None else first, track)
    moov.children = [c for c in moov.children if not any(c is d for d in dropped)]
