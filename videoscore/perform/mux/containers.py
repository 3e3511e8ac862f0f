"""Which container can hold which stream, and how the music is coded in each.

Pure data and choices: nothing here opens a file. The lists are of what players expect, which is
less than what FFmpeg agrees to write (it would put anything into MPEG-TS as private data).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from videoscore.errors import ContainerError


@dataclass(frozen=True)
class Track:
    """One stream of the original file.

    kind : "video", "audio", "subtitle", "data" or "attachment". cover : an attached picture.
    reordered : pictures are stored in another order than shown, with a PTS each (AVI has none).
    empty : the container announces it, but there is nothing of it.
    """

    index: int
    kind: str
    codec: str
    cover: bool = False
    reordered: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Container:
    """How to write one kind of file.

    muxer : FFmpeg's name. music : encoder arguments of the new track.
    video, audio, subtitle : canonical codec names that may be copied into it; None asks libavformat.
    cut_start : samples at 48 kHz that the encoder puts before the music and the container can't mark.
    arguments : further output arguments.
    """

    muxer: str
    music: tuple[str, ...]
    video: frozenset[str] | None = None
    audio: frozenset[str] | None = None
    subtitle: frozenset[str] = frozenset()
    attachments: bool = False
    cut_start: int = 0
    arguments: tuple[str, ...] = ()


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AAC = ("aac", "-b:a", "256k")
# without these the muxer moves every stream by its own idea of a buffering delay
_TS = ("-mpegts_copyts", "1", "-muxdelay", "0", "-muxpreload", "0")
_TS_VIDEO = _set("mpeg1video mpeg2video mpeg4 h264 hevc vvc cavs dirac vc1")
_TS_AUDIO = _set("mp1 mp2 mp3 aac aac_latm ac3 eac3 dts truehd opus pcm_bluray")
_TS_TEXT = _set("dvb_subtitle dvb_teletext hdmv_pgs_subtitle")
_MP4 = Container("mp4", _AAC, subtitle=_set("mov_text dvd_subtitle"))
_TRANSPORT = Container("mpegts", _AAC, _TS_VIDEO, _TS_AUDIO, _TS_TEXT, arguments=_TS)
_PROGRAM = Container(
    "vob",
    ("mp2", "-b:a", "320k"),
    _set("mpeg1video mpeg2video"),
    _set("mp1 mp2 mp3 ac3 dts"),
    _set("dvd_subtitle"),
    arguments=("-muxdelay", "0", "-muxpreload", "0"),
)
_OGG = Container("ogg", ("libvorbis", "-q:a", "6"), _set("theora vp8"), _set("vorbis opus flac speex"))

CONTAINERS: dict[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", _AAC, subtitle=_set("mov_text eia_608")),
    ".3gp": Container("3gp", _AAC, subtitle=_set("mov_text")),
    ".mkv": Container(
        "matroska",
        ("flac", "-sample_fmt", "s16"),
        attachments=True,
        arguments=("-avoid_negative_ts", "disabled"),
        subtitle=_set(
            "subrip ass ssa text webvtt dvd_subtitle hdmv_pgs_subtitle hdmv_text_subtitle dvb_subtitle"
        ),
    ),
    ".webm": Container("webm", ("libopus", "-b:a", "192k"), subtitle=_set("webvtt")),
    # LAME puts 1105 samples before the music (576 of its own, 529 of the decoder)
    ".avi": Container("avi", ("libmp3lame", "-b:a", "256k"), cut_start=1105),
    ".flv": Container(
        "flv", _AAC, _set("h264 flv1 vp6f vp6a flashsv flashsv2"), _set("aac mp3 speex nellymoser")
    ),
    ".ts": _TRANSPORT,
    ".mts": Container(
        "mpegts",
        ("ac3", "-b:a", "384k"),
        _TS_VIDEO,
        _TS_AUDIO,
        _TS_TEXT,
        arguments=(*_TS, "-mpegts_m2ts_mode", "1"),
    ),
    ".mpg": _PROGRAM,
    ".ogv": _OGG,
    ".wmv": Container(
        "asf",
        ("wmav2", "-b:a", "256k"),
        _set("wmv1 wmv2 wmv3 vc1 msmpeg4v3 msmpeg4v2 mpeg4"),
        _set("wmav1 wmav2 wmapro wmalossless mp3"),
    ),
    ".nut": Container("nut", ("flac", "-sample_fmt", "s16")),
}
_SAME = {
    ".qt": ".mov",
    ".f4v": ".mp4",
    ".m2ts": ".mts",
    ".m2t": ".ts",
    ".mpeg": ".mpg",
    ".vob": ".mpg",
    ".ogg": ".ogv",
    ".asf": ".wmv",
    ".3g2": ".3gp",
}
# tried in this order when the original's own container will not do
_FALLBACKS = (".mkv", ".mov", ".mp4", ".nut")
_LAST = (".avi", ".ts")  # and these where none of them takes it


def container_for(output: Path) -> Container:
    """The container that an output's suffix asks for. Raises ContainerError when there is none."""
    suffix = output.suffix.lower()
    container = CONTAINERS.get(_SAME.get(suffix, suffix))
    if container is None:
        phrase = f"a {suffix} file" if suffix else "a file without a suffix"
        raise ContainerError(
            f"{phrase} can't hold a film with sound",
            path=output,
            remedy="Name the output .mkv, .mp4, .mov or .webm",
        )
    return container


def lacks(container: Container, tracks: Iterable[Track]) -> Track | None:
    """The first track that the container can't hold, or None. Data and unknown codecs are not looked at."""
    return next((t for t in tracks if not _holds(container, t)), None)


def suffix_for(tracks: Sequence[Track], original: str) -> str:
    """The suffix under which all tracks and the music can be written: `original` where it will do."""
    lower = original.lower()
    own = CONTAINERS.get(_SAME.get(lower, lower))
    if own is not None and lacks(own, tracks) is None:
        return original
    return next((s for s in _FALLBACKS if lacks(CONTAINERS[s], tracks) is None), ".mkv")


def suffixes(original: str) -> tuple[str, ...]:
    """Suffixes to be tried for a film, the best first: its own where there is such a container."""
    lower = original.lower()
    own = (original,) if _SAME.get(lower, lower) in CONTAINERS else ()
    return own + tuple(s for s in (*_FALLBACKS, *_LAST) if s != lower)


def require(container: Container, tracks: Sequence[Track], output: Path) -> None:
    """Raise a ContainerError that names the stream and a suffix that would do."""
    wrong = lacks(container, tracks)
    if wrong is None:
        return
    what = "cover picture" if wrong.cover else wrong.kind
    fits = suffix_for(tracks, ".mkv")
    raise ContainerError(
        f"{output.suffix} can't hold stream {wrong.index} of the original ({wrong.codec} {what})",
        path=output,
        remedy=f"Name the output {fits}"
        if lacks(CONTAINERS[fits], tracks) is None
        else "Convert the original to MP4 or MKV first",
    )


def _holds(container: Container, track: Track) -> bool:
    if track.kind == "attachment":
        return container.attachments
    if track.cover:  # Matroska stores it as an attachment, MP4 as a track; AVI and the others not at all
        return container.muxer in ("mp4", "mov", "matroska")
    if track.reordered and container.muxer == "avi":
        return False
    if track.codec == "unknown":
        return True
    if track.kind == "subtitle":
        return track.codec in container.subtitle
    if track.kind in ("video", "audio"):
        codecs = container.video if track.kind == "video" else container.audio
        return track.codec in (codecs if codecs is not None else _supported(container.muxer))
    return True


@cache
def _supported(muxer: str) -> frozenset[str]:
    """Codecs that libavformat has a tag for in this container."""
    import av

    with av.open(BytesIO(), "w", format=muxer) as container:
        return frozenset(container.supported_codecs)
