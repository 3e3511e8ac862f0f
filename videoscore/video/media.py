"""What is known of a video file before anything is decoded.

All times are exact rational seconds. Time 0 of videoscore's timeline is the
PTS of the first picture, whatever the container says its start is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

# Coders fill up their last packet (1024 samples of AAC, 2048 of HE-AAC, at 22 kHz and more); what outlasts the
# picture by more is sound that somebody made.
PADDING = Fraction(1, 10)


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
    rate_stated : whether the container states a rate, and not videoscore.
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
    rate_stated: bool = True

    @property
    def start(self) -> Fraction:
        """Seconds on the container's clock at which the first picture is shown."""
        return self.first_pts * self.time_base

    @property
    def end(self) -> Fraction:
        """Seconds on the container's clock at which the last picture ends."""
        return self.start + self.duration


@dataclass(frozen=True)
class AudioStream:
    """One sound stream. `start` and `end` (None: unknown) are in seconds on the container's clock.

    language : ISO 639-2, or "" where none is stated. aside : a commentary, a description or the like, not the film's
    own sound.
    """

    index: int
    codec: str
    channels: int
    sample_rate: int
    start: Fraction
    default: bool
    end: Fraction | None = None
    language: str = ""
    aside: bool = False


@dataclass(frozen=True)
class Join:
    """A stretch of a stream after its clock has started again: two recordings, one behind the other.

    packet, last : first and last packet of the stretch, counted from 0 among those of `stream` that hold data.
    shift : seconds to be added to their times.
    """

    stream: int
    packet: int
    last: int
    shift: Fraction


@dataclass(frozen=True)
class Media:
    """A file that can be scored.

    joins : where its clock starts again. brand : "qt" of a QuickTime file, "" of others.
    """

    path: Path
    container: str
    video: VideoStream
    audio: tuple[AudioStream, ...]
    joins: tuple[Join, ...] = ()
    brand: str = ""

    @property
    def duration(self) -> Fraction:
        """How long the film is, seconds from its first picture, and so how long the music has to be.

        The picture's length; or, where the sound goes on for more than a coder's padding, the sound's: players hold
        the last picture for as long.
        """
        ends = [a.end for a in self.audio if a.end is not None]
        overhang = max(ends, default=self.video.end) - self.video.end
        return self.video.duration + (overhang if overhang > PADDING else 0)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the film's length was found, a sentence each."""
        out = []
        if self.joins:
            count = 1 + len({join.shift for join in self.joins})
            out.append(f"its clock starts again: {count} recordings, put one behind the other")
        if self.held:
            out.append(
                f"the sound goes on for {float(self.held):.2f} s after the last picture, which is held"
            )
        return tuple(out)

    @property
    def held(self) -> Fraction:
        """Seconds for which the last picture is held while the sound goes on."""
        return self.duration - self.video.duration
