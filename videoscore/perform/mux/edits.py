"""What an MP4's edit list hides, and whether a container without edit lists can leave it out.

FFmpeg's demuxer gives hidden packets too, marked, since shown pictures may need them to be decoded; its copying
forgets the mark. Without an edit list they must not be there at all, or what the user cut away comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from av.packet import Packet

from videoscore.errors import ContainerError
from videoscore.perform.mux.containers import Track
from videoscore.video.container import open_media, packets


@dataclass(frozen=True)
class Hidden:
    """Packets of one stream that an edit list hides: first and last number of each run, counted from 0.

    needed : how many of them shown pictures need to be decoded.
    """

    ranges: tuple[tuple[int, int], ...]
    needed: int


def hidden(path: Path, tracks: Sequence[Track]) -> dict[int, Hidden]:
    """By stream, what an edit list hides of it; streams without are left out. Reads the film only where there is
    something."""
    edits_by_track = {}
    with open_media(path) as container:
        discards = [
            t
            for t in tracks
            if t.kind in ("video", "audio")
            and not t.cover
            and any(e.is_discard for e in container.streams[t.index].index_entries)
        ]
    for track in discards:
        with open_media(path) as container:
            run = _runs(packets(container, track.index), track.kind == "video")
        if run.ranges:
            edits_by_track[track.index] = run
    return edits_by_track


def refuse_needed(found: dict[int, Hidden], output: Path, original: Path) -> None:
    """Raises ContainerError where hidden pictures can't be left out, since shown ones need them."""
    for index, run in found.items():
        if run.needed:
            raise ContainerError(
                f"{output.suffix} can't hide the {run.needed} pictures of stream {index} that were cut away at other "
                "places than key frames; they would be seen again",
                path=output,
                remedy=f"Name the output {original.suffix}",
            )


def _runs(stream: Iterable[Packet], pictures: bool) -> Hidden:
    ranges: list[tuple[int, int]] = []
    needed, begin, number = 0, None, -1
    for number, packet in enumerate(stream):
        if packet.is_discard:
            begin = number if begin is None else begin
        elif begin is not None:
            if pictures and not packet.is_keyframe:
                needed += number - begin
            # a sound decoder needs the packet before the first; it is also what marks an encoder's lead-in
            last = number - 1 if pictures or begin else number - 2
            ranges += [(begin, last)] if last >= begin else []
            begin = None
    if begin is not None:
        ranges.append((begin, number))
    return Hidden(tuple(ranges), needed)
