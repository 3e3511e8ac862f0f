"""Media -> Frames: small upright pictures about `every` seconds apart, with the cuts between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from videoscore.errors import BrokenVideo
from videoscore.progress import Progress, silent
from videoscore.settings.fields import SampleOptions
from videoscore.video.cuts import CutDetector, Look, ScoredCut
from videoscore.video.decoder import pictures
from videoscore.video.frames import Frame
from videoscore.video.media import Media
from videoscore.video.walk import Picture, shape_of

DEFAULTS = SampleOptions()


def sample(
    media: Media,
    every: Fraction = DEFAULTS.every,
    size: int = DEFAULTS.size,
    progress: Progress = silent,
    decoder: str = DEFAULTS.decoder,
) -> Iterator[Frame]:
    """Look at a film about once every `every` seconds, in one pass and constant memory.

    Parameters
    ----------
    every : seconds between frames; where the film has fewer pictures, every picture.
    size : longest side of `Frame.rgb` in pixels; smaller films are not enlarged.
    progress : told of ("sample", seconds done, seconds in all).
    decoder : "pyav", "decord", or "auto", see `videoscore.video.decoder`.

    Yields frames with strictly increasing times: one at 0, the film's last picture, and between them
    the first picture at least `every` after the one before (or a key frame up to `every` after it,
    see `videoscore.video.walk`). Cuts and motion are found in every picture that is decoded.

    Raises
    ------
    NotFound, BrokenVideo : the file is gone, has changed since it was probed, or nothing decodes.
    InputError, SetupError : decord was asked for, and can't be trusted with this film, or is missing.
    """
    if every <= 0 or size < 1:
        raise ValueError("every and size must be positive")
    sampler = _Sampler(media, every, _Shape(size))
    total = float(media.duration)
    picture = None
    for picture in pictures(media, every, size, decoder):
        yield from sampler.look_at(picture)
        progress("sample", min(float(picture.look.t), total), total)
    if picture is None:
        raise BrokenVideo(
            "nothing of its picture can be decoded", path=media.path, remedy="Copy or download the file again"
        )
    yield from sampler.finish(picture)
    progress("sample", total, total)


@dataclass(frozen=True, eq=False)
class _Sample:
    """A chosen picture that waits until all cuts up to its time are known."""

    rgb: NDArray[np.uint8]
    look: Look


class _Sampler:
    def __init__(self, media: Media, every: Fraction, shape: _Shape) -> None:
        self.media, self.every, self.shape = media, every, shape
        # a picture may come this much early rather than a whole picture late
        self.early = min(media.video.frame_duration / 2, every / 8)
        self.detector = CutDetector()
        self.waiting: deque[_Sample] = deque()
        self.passed: Picture | None = None  # the picture before this one
        self.chosen: Fraction | None = None  # time of the picture chosen last
        self.before: Look | None = None  # the sample yielded last
        self.cuts: deque[ScoredCut] = deque()

    def look_at(self, picture: Picture) -> Iterator[Frame]:
        t = picture.look.t
        passed, self.passed = self.passed, picture
        if passed and picture.blind and self.chosen != passed.look.t and t - self._chosen() > self.every:
            self._choose(passed)  # what was skipped would leave a hole
        self.detector.push(picture.look, picture.blind)
        if picture.blind or t >= self._chosen() + self.every - self.early:
            self._choose(picture)
        yield from self._release()

    def finish(self, last: Picture) -> Iterator[Frame]:
        if self.chosen != last.look.t:
            self._choose(last)
        self.detector.finish()
        yield from self._release()

    def _chosen(self) -> Fraction:
        return -self.every if self.chosen is None else self.chosen

    def _choose(self, picture: Picture) -> None:
        self.chosen = picture.look.t
        self.waiting.append(_Sample(self.shape.rgb(picture, self.media.video.rotation), picture.look))

    def _release(self) -> Iterator[Frame]:
        """The waiting samples before which every cut is known."""
        self.cuts.extend(self.detector.take())
        limit = self.detector.open_from
        while self.waiting and (limit is None or self.waiting[0].look.t < limit):
            picture = self.waiting.popleft()
            samples = []
            while self.cuts and self.cuts[0].cut.t <= picture.look.t:
                samples.append(self.cuts.popleft())
            # the first picture that decodes stands for the film's start
            t = picture.look.t if self.before is not None else Fraction(0)
            yield Frame(
                t, picture.rgb, motion(self.before, samples, picture.look), tuple(f.cut for f in samples)
            )
            self.before = picture.look


def motion(start: Look | None, cuts: list[ScoredCut], end: Look) -> float:
    """Mean absolute luma change per second between two pictures, 0..1, without the jumps at cuts.

    Luma counts from 0 to 1. The change is measured from picture to picture at the ends of each
    shot piece, so that it doesn't depend on how many pictures in between were decoded.
    """
    if start is None or end.t <= start.t:
        return 0.0
    edges = [start, *(look for f in cuts for look in (f.before, f.after)), end]
    changes = [np.abs(a.luma.astype(np.int16) - b.luma).mean() for a, b in zip(edges[::2], edges[1::2])]
    return min(1.0, float(sum(changes)) / 255 / float(end.t - start.t))


class _Shape:
    """Turns decoded pictures into small upright RGB with square pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.reformatter = VideoReformatter()

    def rgb(self, picture: Picture, rotation: int) -> NDArray[np.uint8]:
        """uint8 (height, width, 3). rotation : degrees clockwise, a multiple of 90."""
        frame = picture.frame
        width, height = shape_of(frame.width, frame.height, picture.aspect, self.size)
        small = self.reformatter.reformat(frame, width, height, "rgb24", interpolation="AREA")
        return np.ascontiguousarray(np.rot90(np.asarray(small.to_ndarray(), np.uint8), k=-rotation // 90))
