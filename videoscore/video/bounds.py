"""How big a film may be: what a small crafted file can claim, and what it would cost to believe it.

Real films stay far below every bound. What a file *claims* is checked when it is probed; what its pictures turn out to
be, by FFmpeg's own limit on each decoder (`limit`), since they may grow in the middle of a stream.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext

from videoscore.errors import TooLarge

MOST_PIXELS = 8192 * 8192  # of a picture: 8K film is half of it; 100 MB in 4:2:0, and decoders keep up to 16
LONGEST = Fraction(24 * 3600)  # seconds, as of a cue sheet
MOST_STREAMS = 100
MOST_TRACKS = 32  # of sound: each is copied, one is heard
MOST_CHANNELS = 64
HIGHEST_RATE = 768_000  # samples a second
# what FFmpeg may decode when it looks into a file for its streams; above it, it sees no picture at all
PROBED_PIXELS = 4 * MOST_PIXELS

_SMALLER = "Scale it down first"


def limit(container: InputContainer) -> None:
    """Make every picture decoder of a container just opened refuse pictures beyond `MOST_PIXELS`."""
    for stream in container.streams.video:
        if isinstance(stream.codec_context, VideoCodecContext):
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}


def check_streams(container: InputContainer, path: Path) -> None:
    """Raises TooLarge when there are too many streams, or a sound track claims what none has."""
    if len(container.streams) > MOST_STREAMS:
        raise TooLarge(
            f"it has {len(container.streams)} streams, more than {MOST_STREAMS}",
            path=path,
            remedy="Keep the picture and the sound, and leave the others out",
        )
    if len(container.streams.audio) > MOST_TRACKS:
        raise TooLarge(
            f"it has {len(container.streams.audio)} sound tracks, more than {MOST_TRACKS}",
            path=path,
            remedy="Keep those that are needed",
        )
    for stream in container.streams.audio:
        if stream.codec_context is not None and (
            stream.channels > MOST_CHANNELS or stream.sample_rate > HIGHEST_RATE
        ):
            raise TooLarge(
                f"a sound track of {stream.channels} channels at {stream.sample_rate} Hz, beyond "
                f"{MOST_CHANNELS} and {HIGHEST_RATE}",
                path=path,
                remedy="Convert its sound first",
            )


def check_picture(width: int, height: int, path: Path) -> None:
    """Raises TooLarge for a picture beyond `MOST_PIXELS`."""
    if width * height > MOST_PIXELS:
        raise TooLarge(
            f"its picture of {width} x {height} has over {MOST_PIXELS // 10**6} megapixels",
            path=path,
            remedy=_SMALLER,
        )


def check_duration(duration: Fraction, path: Path) -> None:
    """Raises TooLarge for a film longer than `LONGEST`."""
    if duration > LONGEST:
        raise TooLarge(
            f"it lasts {float(duration) / 3600:,.1f} hours, and at most {LONGEST // 3600} are scored",
            path=path,
            remedy="Cut it first; if it is shorter than that, its times are damaged: remux it",
        )
