"""Frames -> MoodCurve: the perceive stage. Pictures are dropped as soon as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from videoscore.config import PerceiveOptions
from videoscore.errors import BrokenVideo
from videoscore.mood.curve import MoodCurve
from videoscore.mood.fusion import fuse
from videoscore.mood.registry import Perceiver, Reading, get_perceiver
from videoscore.mood.sound import loudness_curve
from videoscore.mood.visible import visibility
from videoscore.progress import Progress, silent
from videoscore.video.frames import Cut, Frame
from videoscore.video.media import Media

BATCH = 8       # frames; more is no faster on a CPU and only takes memory


@dataclass(frozen=True)
class Perception:
    """curve : as perceived, not smoothed. cuts : all shot boundaries, in order."""

    curve: MoodCurve
    cuts: tuple[Cut, ...]


def perceive(frames: Iterable[Frame], media: Media, options: PerceiveOptions, progress: Progress = silent,
             perceiver: Perceiver | None = None) -> Perception:
    """Read the mood of a film.

    Parameters
    ----------
    frames : as from `videoscore.video.sample.sample`; consumed in batches of `BATCH`.
    media : the film; its sound is read unless `options.sound` is 0.
    options : `perceiver` names the model; the rest are weights, see `videoscore.mood.fusion`.
    progress : told of ("perceive", seconds of film read, seconds in all).
    perceiver : one that is already loaded, instead of the one that `options` names.

    Raises
    ------
    UsageError, SetupError : no such perceiver, or its weights are missing.
    BrokenVideo : there are no frames. Also what `frames` and the sound's reader raise.
    """
    model = perceiver or get_perceiver(options.perceiver)
    total = float(media.duration)
    times: list[float] = []
    visible: list[float] = []
    motion: list[float] = []
    cuts: list[Cut] = []
    readings: list[Reading] = []
    for batch in _batches(frames, BATCH):
        readings.append(model.perceive(batch))
        times += [float(f.t) for f in batch]
        visible += [visibility(f.rgb) for f in batch]
        motion += [f.motion for f in batch]
        cuts += [c for f in batch for c in f.cuts]
        progress("perceive", min(times[-1], total), total)
    if not times:
        raise BrokenVideo("it has no pictures", path=media.path, remedy="Copy or download the file again")
    t = np.array(times)
    loudness = loudness_curve(media, t) if options.sound > 0 else None
    curve = fuse(t, _join(readings), np.array(visible), np.array(motion), cuts, loudness, total, options)
    progress("perceive", total, total)
    return Perception(curve, tuple(cuts))


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    iterator = iter(frames)
    while batch := list(islice(iterator, size)):
        yield batch


def _join(parts: list[Reading]) -> Reading:
    return Reading(*(np.concatenate([getattr(p, name) for p in parts])
                     for name in ("valence", "arousal", "moods", "confidence")))
