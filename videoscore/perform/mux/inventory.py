"""What a file holds beside its pictures and sound, and what of it another file lacks.

This is the one list of all that a film may carry; a new datum is a line here. Both files are read back from the disk,
so what is told is what was written, and not what a muxer was asked to write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream

from videoscore.perform.mux.mp4 import boxes
from videoscore.perform.mux.mp4.boxes import Ungraftable
from videoscore.video.container import all_packets, decoded, open_media


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# what a frame may carry of its container's making (what is coded inside the pictures is copied with them)
SIDE_DATA = {
    Type.DISPLAYMATRIX: "rotation",
    Type.SPHERICAL: "360 degree projection",
    Type.STEREO3D: "stereoscopic layout",
    Type.MASTERING_DISPLAY_METADATA: "HDR mastering display",
    Type.CONTENT_LIGHT_LEVEL: "HDR light level",
    Type.AMBIENT_VIEWING_ENVIRONMENT: "HDR viewing environment",
    Type.DOVI_METADATA: "Dolby Vision metadata",
    Type.ICC_PROFILE: "colour profile",
}
# what a stream may be marked as; "default" belongs to the music now
MARKS = {
    Disposition.forced: "forced",
    Disposition.hearing_impaired: "for the hearing impaired",
    Disposition.visual_impaired: "for the visually impaired",
    Disposition.comment: "commentary",
    Disposition.original: "original language",
    Disposition.dub: "dubbed",
    Disposition.lyrics: "lyrics",
    Disposition.karaoke: "karaoke",
    Disposition.captions: "captions",
    Disposition.descriptions: "descriptions",
}
# what muxers write about themselves, or what stands in another item
_TECHNICAL = _words(
    "encoder software major_brand minor_version compatible_brands handler_name vendor_id duration language title "
    "name bps number_of_bytes number_of_frames source_id encoded_by alpha_mode service_name service_provider "
    "filename mimetype timecode variant_bitrate creation_time isvbr"
)
# boxes that a tag or another item stands for: names, places, dates; room to grow
_TOLD = frozenset(
    b"meta name hnti kywd titl auth gnre yrrc perf albm cprt dscp loci tref titl chpl free skip wide "
    b"hdlr WLOC AllF LOOP SelO".split()
)


_IN_TIME = Fraction(3, 1000)  # seconds; Matroska and FLV round to one, twice
_LOOKED_AT = 20000  # packets in which each sound should have begun


@dataclass(frozen=True)
class Kept:
    """One stream beside what is in it. kind : also "cover" and "attachment". start : of a sound's first packet, seconds
    after the first picture."""

    index: int
    kind: str
    codec: str
    language: str = ""
    title: str = ""
    marks: frozenset[str] = frozenset()
    start: Fraction | None = None

    def __str__(self) -> str:
        return f"stream {self.index} ({self.codec} {'cover picture' if self.kind == 'cover' else self.kind})"


@dataclass(frozen=True)
class Inventory:
    """What a file holds.

    chapters : start in seconds and title. tags : of the file, keys in small letters. picture : name of a side datum
    -> a value to compare. timecode : of the first picture. boxes : of an MP4, those that nothing else stands for.
    file_tags : all tags of the file, with those that muxers write about themselves.
    """

    streams: tuple[Kept, ...]
    chapters: tuple[tuple[Fraction, str], ...]
    tags: Mapping[str, str]
    picture: Mapping[str, str] = field(default_factory=dict)
    timecode: str = ""
    creation: str = ""
    boxes: frozenset[str] = frozenset()
    file_tags: Mapping[str, str] = field(default_factory=dict)


def take_inventory(path: Path) -> Inventory:
    """Read a file's index and its first picture. Raises what `open_media` raises."""
    index = _index(path)
    with open_media(path) as container:
        kinds = _data_kinds(index)
        streams = tuple(_kept(s, kinds) for s in container.streams if not _chapter_list(s))
        streams = tuple(s for s in streams if s.codec != "tmcd")  # its time code is an item of its own
        every = [container.metadata, *(s.metadata for s in container.streams)]
        chapters = tuple(
            (c["start"] * c["time_base"], str(c["metadata"].get("title", ""))) for c in container.chapters()
        )
        tags = {k.lower(): v for k, v in container.metadata.items()}
        picture, first = _picture(container)
    starts = _starts(path, first)
    return Inventory(
        tuple(replace(s, start=starts.get(s.index)) for s in streams),
        chapters,
        {k: v for k, v in tags.items() if k not in _TECHNICAL and not k.startswith("_stat")}
        | ({"title": tags["title"]} if tags.get("title") else {}),
        picture,
        next((v for m in every for k, v in m.items() if k.lower() == "timecode"), ""),
        tags.get("creation_time", "").partition(";")[0],
        _boxes(index),
        tags,
    )


def lacks(
    original: Inventory, written: Inventory, dropped: Iterable[int] = (), resumed: Iterable[int] = ()
) -> list[str]:
    """What `written` lacks of `original`, a few words each.

    dropped : streams that were left out on purpose, as a replaced sound. resumed : streams that begin with another
    packet than before.
    """
    resumed = frozenset(resumed)
    out = []
    pairs = _paired(original.streams, written.streams, frozenset(dropped))
    out += [str(old) for old, new in pairs if new is None]
    both = [(old, new) for old, new in pairs if new is not None]
    out += [f"the language of {o} ({o.language})" for o, n in both if o.language and o.language != n.language]
    out += [f'the title of {o} ("{o.title}")' for o, n in both if o.title and o.title != n.title]
    for old, new in both:
        delay = None if old.start is None or new.start is None else new.start - old.start
        if delay is not None and abs(delay) > _IN_TIME and old.index not in resumed:
            way = "later" if delay > 0 else "earlier"
            out.append(f"the place in time of {old} ({abs(float(delay)) * 1000:.0f} ms {way})")
    for old, new in both:
        out += [f'the mark "{mark}" of {old}' for mark in sorted(old.marks - new.marks)]
    if not _same_chapters(original.chapters, written.chapters):
        out.append("the chapters" if not written.chapters else "some chapters, or their times or names")
    values = set(written.tags.values())
    lost_tags = [
        k for k, v in original.tags.items() if v.strip() and written.tags.get(k) != v and v not in values
    ]
    out += [f"the tag{'s' * (len(lost_tags) > 1)} {', '.join(sorted(lost_tags))}"] if lost_tags else []
    out += [f"the {name}" for name, value in original.picture.items() if written.picture.get(name) != value]
    if original.timecode and original.timecode != written.timecode:
        out.append(f"the time code {original.timecode}")
    if original.creation[:19] != written.creation[:19] and original.creation[:4] not in ("", "1970", "1904"):
        out.append(f"the date of recording ({original.creation[:10]})")
    out += [f"the box {name}" for name in sorted(original.boxes - written.boxes)]
    return out


# ---------------------------------------------------------------- streams


def _chapter_list(stream: Stream) -> bool:
    return stream.type == "data" and stream.discard >= 48  # AVDISCARD_ALL: the demuxer reads it itself


def _kept(stream: Stream, data_kinds: list[str]) -> Kept:
    mark, tags = stream.disposition, stream.metadata
    kind = "cover" if mark & Disposition.attached_pic else stream.type or "data"
    if kind == "attachment" and tags.get("mimetype", "").startswith("image/"):
        kind = "cover"
    context = getattr(stream, "codec_context", None)
    codec = str(context.codec.canonical_name) if context is not None else ""
    number = stream.index
    if not codec:
        codec = data_kinds[number] if number < len(data_kinds) else "unknown"
    language = tags.get("language", "")
    title = tags.get("title", "") or tags.get("name", "")
    return Kept(
        number,
        kind,
        codec,
        "" if language in ("und", "unk", "```") else language,
        title if kind in ("video", "audio", "subtitle") else "",
        frozenset(word for bit, word in MARKS.items() if mark & bit),
    )


def _paired(
    old: Iterable[Kept], new: Iterable[Kept], dropped: frozenset[int]
) -> list[tuple[Kept, Kept | None]]:
    """Each of the original's streams with the written one: of the same kind and codec, in order.

    The music is the first sound track written, and none of the original's.
    """
    candidates = list(new)
    music = next((s for s in candidates if s.kind == "audio"), None)
    if music is not None:
        candidates.remove(music)
    pairs: list[tuple[Kept, Kept | None]] = []
    for stream in old:
        if stream.index in dropped:
            continue
        same = (
            s for s in candidates if s.kind == stream.kind and (s.codec == stream.codec or s.kind == "cover")
        )
        match = next(same, None)
        if match is not None:
            candidates.remove(match)
        pairs.append((stream, match))
    return pairs


def _same_chapters(old: tuple[tuple[Fraction, str], ...], new: tuple[tuple[Fraction, str], ...]) -> bool:
    near = Fraction(1, 500)  # Matroska and MP4's lists count in milliseconds or less
    return len(old) <= len(new) and all(
        abs(a - c) <= near and b == d for (a, b), (c, d) in zip(old, new, strict=False)
    )


# ---------------------------------------------------------------- picture


def _picture(container: InputContainer) -> tuple[dict[str, str], Fraction | None]:
    """Side data of the first picture and how its pixels are meant; its time, seconds on the container's clock."""
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails
    stream = next((s for s in container.streams.video if not s.disposition & hidden), None)
    if stream is None or stream.codec_context is None:
        return {}, None
    out: dict[str, str] = {}
    start = None
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        out["shape of the pixels"] = str(aspect)
    for frame in decoded(container, stream.index):
        assert isinstance(frame, av.VideoFrame)
        start = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
        for datum in cast("Any", frame.side_data):  # a sequence, typed as a mapping
            name = SIDE_DATA.get(datum.type)
            if name is not None:
                # there are several boxes for a stereoscopic layout, and readers name what they read in other ways
                same = datum.type == Type.STEREO3D
                out[name] = "" if same else hashlib.sha256(bytes(datum)).hexdigest()
        if "rotation" in out:
            out["rotation"] = str(round(frame.rotation))
            if not frame.rotation:
                del out["rotation"]
        break
    return out, start


def _starts(path: Path, first: Fraction | None) -> dict[int, Fraction]:
    """Of each sound the place of its first packet, seconds after the first picture."""
    starts: dict[int, Fraction] = {}
    with open_media(path) as container:
        sounds = [s.index for s in container.streams.audio]
        for packet in (
            islice(all_packets(container, sounds), _LOOKED_AT) if sounds and first is not None else ()
        ):
            if packet.stream_index not in starts and packet.pts is not None and first is not None:
                starts[packet.stream_index] = packet.pts * packet.time_base - first
            if len(starts) == len(sounds):
                break
    return starts


# ---------------------------------------------------------------- boxes


def _index(path: Path) -> boxes.Box | None:
    """The index of an MP4, with the boxes that lie beside it at the top; None for other files."""
    try:
        places = list(boxes.top(path))
        where = next((p for p in places if p.kind == b"moov"), None)
        if where is None or places[0].kind not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return None
        with open(path, "rb") as file:
            moov = boxes.read_moov(file, where)
            beside = [p for p in places if p.kind in (b"uuid", b"meta", b"udta", b"Xtra")]
            for place in beside:
                file.seek(place.payload)
                moov.children.append(
                    boxes.Box(place.kind, file.read(min(place.end - place.payload, 1 << 16)))
                )
        return moov
    except (Ungraftable, OSError):
        return None


def _data_kinds(moov: boxes.Box | None) -> list[str]:
    """Of each track of an MP4 the kind of its first sample description, as tmcd or gpmd."""
    out = []
    for trak in moov.all(b"trak") if moov is not None else []:
        table = trak.find(b"mdia", b"minf", b"stbl", b"stsd")
        out.append(table.data[12:16].decode("latin1") if table is not None else "unknown")
    return out


def _boxes(moov: boxes.Box | None) -> frozenset[str]:
    """Names of the boxes of an MP4 that no other item of the inventory stands for."""
    box_names: set[str] = set()
    for box in moov.children if moov is not None else []:
        traks = box.children if box.kind == b"trak" else [box]
        for inner in traks:
            if inner.kind == b"uuid":
                box_names.add(f"uuid {inner.data[:4].hex()}")
            elif inner.kind == b"udta":
                try:
                    box_names |= {b.kind.decode("latin1") for b in boxes.parse(inner.data) if _untold(b.kind)}
                except Ungraftable:
                    continue
            elif inner.kind in (b"Xtra", b"meta") and inner.kind not in _TOLD:
                box_names.add(inner.kind.decode("latin1"))
    return frozenset(box_names)


def _untold(kind: bytes) -> bool:
    return kind not in _TOLD and kind[:1] != b"\xa9" and kind != b"tagc"
