"""What is known of a video file before anything is decoded.

All times are exact rational seconds. Time 0 of videoscore's timeline is the
PTS of the first picture, whatever the container says its start is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class VideoStream:
    """The first real picture stream (never cover art).

    index : position in the container (ffmpeg's ``0:index``).
    width, height : coded size in pixels, before rotation.
    rotation : degrees clockwise that turn a decoded picture upright: 0, 90, 180 or 270.
    time_base : seconds per PTS unit.
    first_pts : PTS of the first picture, in ``time_base`` units.
    duration : from the first picture's PTS to the end of the last one, seconds.
    frame_duration : nominal length of one picture, seconds (average for VFR).
    """

    index: int
    codec: str
    width: int
    height: int
    rotation: int
    time_base: Fraction
    first_pts: int
    duration: Fraction
    frame_duration: Fraction

    @property
    def start(self) -> Fraction:
        """Seconds on the container's clock at which the first picture is shown."""
        return self.first_pts * self.time_base


@dataclass(frozen=True)
class AudioStream:
    """One sound stream. `start` is in seconds on the container's clock."""

    index: int
    codec: str
    channels: int
    sample_rate: int
    start: Fraction
    default: bool


@dataclass(frozen=True)
class Media:
    """A file that can be scored."""

    path: Path
    container: str
    video: VideoStream
    audio: tuple[AudioStream, ...]

    @property
    def duration(self) -> Fraction:
        """Length of the picture in seconds: how long the music has to be."""
        return self.video.duration
