"""Frames -> MoodCurve: the perceive stage. Pictures are dropped as soon as they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import BrokenVideo, NoFace, UsageError
from videoscore.mood.curve import Array, MoodCurve
from videoscore.mood.evidence import Evidence
from videoscore.mood.evidence import look as look_at
from videoscore.mood.fusion import fuse
from videoscore.mood.perceivers.perceiver import Perceiver
from videoscore.mood.perceivers.registry import get_perceiver
from videoscore.mood.sound_level import loudness_curve
from videoscore.progress import Progress, silent
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame
from videoscore.video.media import Media

BATCH = 8  # frames; more is no faster on a CPU and only takes memory
UNREAD = 0.5  # share of a picture's evidence under which the mood is held rather than read


@dataclass(frozen=True)
class Perception:
    """What a film shows.

    curve : as perceived, not smoothed. cuts : all shot boundaries, in order.
    shares : (n,) share of each source in a sample's mood, by name, and "held": how far the mood is held over
        from before, because the picture is black, plain, a title card or credits, or shows nothing that the
        perceiver reads. They sum to 1.
    remarks : what the user should know of it, one sentence each.
    """

    curve: MoodCurve
    cuts: tuple[Cut, ...]
    shares: Mapping[str, Array]
    remarks: tuple[str, ...] = ()


def perceive(
    frames: Iterable[Frame],
    media: Media,
    options: PerceiveOptions,
    progress: Progress = silent,
    perceiver: Perceiver | None = None,
) -> Perception:
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
    UsageError, SetupError : no such perceiver, a setting that it doesn't heed, or its weights are missing.
    BrokenVideo : there are no frames. NoFace : faces were to be read and there is none.
    Also what `frames` and the sound's reader raise.
    """
    if perceiver is None:
        _refuse_idle(options)
    model = perceiver or get_perceiver(options.perceiver, options)
    total = float(media.duration)
    times: list[float] = []
    cuts: list[Cut] = []
    rows: list[tuple[float, ...]] = []
    glimpses: list[Any] = []
    for batch in _batches(frames, BATCH):
        glimpses += model.look(batch)
        rows += look_at(batch)
        times += [float(f.t) for f in batch]
        cuts += [c for f in batch for c in f.cuts]
        progress("perceive", min(times[-1], total), total)
    if not times:
        raise BrokenVideo("it has no pictures", path=media.path, remedy="Copy or download the file again")
    t = np.array(times)
    try:
        reading = model.read(t, glimpses, cuts)
    except NoFace as error:
        raise NoFace(error.problem, path=media.path, remedy=error.remedy) from None
    loudness = loudness_curve(media, t) if options.sound > 0 else None
    visible, motion, brightness, colour = np.array(rows).T
    evidence = Evidence(visible, motion, brightness, colour, loudness)
    curve = fuse(t, reading, evidence, cuts, total, options)
    progress("perceive", total, total)
    weight = evidence.visible * reading.seen
    shares = {name: share * weight for name, share in reading.shares.items()} | {"held": 1 - weight}
    remarks = reading.remarks + _held_remark(_seconds(t, total, shares["held"] > UNREAD), total)
    return Perception(curve, tuple(cuts), shares, remarks)


def _held_remark(held: float, total: float) -> tuple[str, ...]:
    """What the user should know where no mood was read for some seconds."""
    if held <= 0:
        return ()
    return (
        f"in {held:.1f} of {total:.1f} s the picture shows no mood (black, plain, titles or "
        f"nothing for this perceiver): the mood before is held there",
    )


def _refuse_idle(options: PerceiveOptions) -> None:
    """A setting that would silently do nothing is an error."""
    for setting, flag, owner in (
        (options.fallback != "none", "--fallback", "face"),
        (options.mood_weights is not None, "--mood-weights", "deep"),
    ):
        if setting and options.perceiver != owner:
            raise UsageError(
                f"{flag} has no effect with --perceiver {options.perceiver}",
                remedy=f"Leave it out, or use --perceiver {owner}.",
            )


def _seconds(t: Array, total: float, chosen: NDArray[np.bool_]) -> float:
    """Seconds that the chosen samples stand for: each up to the middle between it and its neighbours."""
    edges = np.concatenate([[0.0], (t[1:] + t[:-1]) / 2, [max(total, t[-1])]])
    return float(np.diff(edges)[chosen].sum())


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    iterator = iter(frames)
    while batch := list(islice(iterator, size)):
        yield batch
