"""A small copy of a film for browsers that can't play the film itself: picture and sound, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from fractions import Fraction
from pathlib import Path

from videoscore.errors import BrokenVideo, NotFound
from videoscore.video.media import Media

# What browsers play at large. The rest isn't tried; what is tried and fails all the same, the page tells of.
CONTAINERS = frozenset((".mp4", ".m4v", ".mov", ".webm", ".mkv"))
PICTURES = frozenset(("h264", "vp8", "vp9", "av1"))
SOUNDS = frozenset(("aac", "mp3", "opus", "vorbis", "flac", "pcm_s16le"))
HEIGHT = 480
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/webm",
}
CODECS = {
    ".mp4": (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "26",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
    ),
    ".webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-c:a", "libopus"),
}


def worth_trying(media: Media) -> bool:
    """Whether browsers mostly play such a file."""
    return (
        media.path.suffix.lower() in CONTAINERS
        and media.video.codec in PICTURES
        and all(a.codec in SOUNDS for a in media.audio)
    )


def offset(media: Media) -> Fraction:
    """Seconds of a player's clock at which the first picture is shown: browsers and ffmpeg count from the earliest
    packet of any stream."""
    first = min([media.video.start, *(a.start for a in media.audio)])
    return max(Fraction(0), media.video.start - first)


async def make(media: Media, path: Path) -> None:
    """Write the copy, H.264 for ".mp4" and VP8 for ".webm"; whole or not at all. Raises BrokenVideo, SetupError."""
    from videoscore.perform.mux.remux import ONE_FILE, ffmpeg_path, url

    part = path.with_name(f"part-{path.name}")
    arguments = [
        ffmpeg_path(),
        "-nostdin",
        "-hide_banner",
        "-loglevel",
        "error",
        "-y",
        *ONE_FILE,
        "-i",
        url(media.path),
        "-map",
        f"0:{media.video.index}",
        "-map",
        "0:a:0?",
        "-map_metadata",
        "-1",
        "-vf",
        f"scale=-2:'min({HEIGHT},ih)'",
        "-ac",
        "2",
        "-threads",
        "1",
        *CODECS[path.suffix],
        url(part),
    ]
    process = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE)
    try:
        _, words = await process.communicate()
        if process.returncode:
            last = words.decode(errors="replace").strip().splitlines()[-1:]
            raise BrokenVideo(
                f"no copy for the browser could be made of it ({' '.join(last)[:200]})",
                path=media.path,
                remedy="The score can be made all the same; look at the result in another player.",
            )
        part.rename(path)
    except FileNotFoundError as error:
        raise NotFound(
            "the studio's temporary folder is gone", path=path.parent, remedy="Start it again."
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        part.unlink(missing_ok=True)
