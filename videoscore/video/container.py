"""Opening a file so that nothing but this file is read.

FFmpeg's libraries treat a name as a URL, `%03d` in it as a pattern, and a playlist as leave to
open whatever it lists. Here the name is an absolute path behind ``file:``, no other protocol is
allowed, and only demuxers of real single-file containers are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer
from av.frame import Frame
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from videoscore.errors import BrokenVideo, NotAVideo, NotFound, VideoscoreError
from videoscore.video.bounds import PROBED_PIXELS, check_streams, limit
from videoscore.video.media import Join

# Demuxers that read one file and nothing else. Left out on purpose: hls, dash, concat, image2 (they
# open other files), tty and the raw text ones (they "play" any text), lavfi and the devices.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,live_flv,ogg,gif,asf,asf_o,mxf,gxf,nut,rm,ivf,"
    "wtv,dv,h261,h263,h264,hevc,vvc,av1,obu,m4v,mpegvideo,vc1,vc1test,cavsvideo,dirac,mjpeg,mjpeg_2000,ipu,apng,"
    "yuv4mpegpipe,swf,nsv,vivo,bink,smk,roq,flic,film_cpk,wc3movie,4xm,avs,amv,thp,pva,ty,r3d,cine,smjpeg,"
    # sound only: opened to say "no picture" rather than "unknown"
    "wav,w64,aiff,caf,au,mp3,flac,aac,ac3,eac3,amr,ape,wv,tta,dts,truehd,opus,xwma"
)
_PLAYLIST = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"<SmoothStreamingMedia", b"v=0")
_PICTURE = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"\0\0\1\0", b"<svg")
_VIDEO_AT_0 = (b"\x1aE\xdf\xa3", b"RIFF", b"FLV", b"OggS", b"\0\0\1\xba", b"\0\0\1\xb3", b"GIF8", b"0&\xb2u")
_VIDEO_AT_4 = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")

_CONVERT = "Give a film such as an MP4, MOV, MKV, WebM or AVI"
_AGAIN = "Copy or download the file again, or repair it first"


def open_media(path: Path) -> InputContainer:
    """Open `path` for demuxing. The caller closes it (it is a context manager).

    Raises
    ------
    NotFound : no such file, or it may not be read.
    NotAVideo : a directory, a device, an empty file, text, a playlist, a picture, an unknown format.
    BrokenVideo : a known container that can't be read.
    TooLarge : more streams than a film has.
    """
    head = _head(path)
    try:
        container = av.open(
            f"file:{os.path.abspath(path)}",
            options={
                "protocol_whitelist": "file",
                "format_whitelist": FORMATS,
                "max_pixels": str(PROBED_PIXELS),
            },
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        raise _refusal(path, head) from error
    try:
        check_streams(container, path)
        limit(container)
    except BaseException:
        container.close()
        raise
    return container


def all_packets(container: InputContainer, indices: Sequence[int]) -> Iterator[Packet]:
    """Packets of some streams that hold data, as they lie; damage that stops the demuxer counts as the end."""
    demuxed = container.demux([container.streams[index] for index in indices])
    while True:
        try:
            packet = next(demuxed, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def unfolded(stream: Iterable[Packet], joins: Sequence[Join]) -> Iterator[Packet]:
    """The same packets, on one clock where `joins` say that it starts again."""
    counts: dict[int, int] = {}
    for packet in stream:
        index = packet.stream_index
        number = counts[index] = counts.get(index, -1) + 1
        for join in joins:
            if join.stream == index and join.packet <= number <= join.last:
                ticks = round(join.shift / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet


def packets(container: InputContainer, index: int, joins: Sequence[Join] = ()) -> Iterator[Packet]:
    """One stream's packets that hold data, on one clock where `joins` say that it starts again."""
    return unfolded(all_packets(container, [index]), joins)


def decoded(container: InputContainer, index: int, joins: Sequence[Join] = ()) -> Iterator[Frame]:
    """One stream's decoded frames; packets that can't be decoded are passed over."""
    context = container.streams[index].codec_context
    assert isinstance(context, AudioCodecContext | VideoCodecContext)
    for packet in chain(packets(container, index, joins), (None,)):  # None: what the decoder still holds
        try:
            yield from context.decode(packet)
        except av.FFmpegError:
            continue


def _head(path: Path) -> bytes:
    """The first bytes, after the checks that need no library."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise NotAVideo("this is a folder", path=path, remedy="Name one film in it")
        if not stat.S_ISREG(mode):  # a pipe or a device could block for ever
            raise NotAVideo("not a regular file", path=path, remedy="Save the film to a file first")
        with open(path, "rb") as file:
            head = file.read(4096)
    except PermissionError as error:
        raise NotFound(
            "may not be read (permission denied)", path=path, remedy="Allow reading it, e.g. chmod +r"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise NotFound("no such file", path=path, remedy="Check the name and the folder") from error
    if not head:
        raise NotAVideo("the file is empty (0 bytes)", path=path, remedy=_AGAIN)
    return head


def _refusal(path: Path, head: bytes) -> VideoscoreError:
    """Why a file that FFmpeg will not open can't be scored, from its first bytes."""
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_PLAYLIST):
        return NotAVideo(
            "a playlist or a list of files, not a film", path=path, remedy="Give the film itself"
        )
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and b"ANIM" in head[12:64]:
        return NotAVideo(
            "an animated WebP can't be read", path=path, remedy="Convert it to GIF, MP4 or WebM first"
        )
    if head.startswith(b"\x89PNG") and b"acTL" in head:
        return BrokenVideo("an animated PNG that is damaged", path=path, remedy=_AGAIN)
    if head.startswith(_PICTURE) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return NotAVideo("a single picture, not a film", path=path, remedy=_CONVERT)
    if is_text(head):
        return NotAVideo("a text file, not a film", path=path, remedy=_CONVERT)
    if head.startswith(_VIDEO_AT_0) or head[4:8] in _VIDEO_AT_4:
        return BrokenVideo(
            "the container is damaged or incomplete (no index found)", path=path, remedy=_AGAIN
        )
    return NotAVideo("no known video format", path=path, remedy=_CONVERT)


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file read as UTF-8 text."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not just a character cut by the end of `head`
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c in "\r\n\t\f" for c in text)
