"""From a film to its cue sheet: sampled, perceived, smoothed, spotted. The one place where this is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from videoscore.cues.mood_words import check_within, read_moods
from videoscore.cues.sheet import CueSheet
from videoscore.file_names import as_text
from videoscore.mood.curve import Array, MoodCurve
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.reference import Reference, composed_like, moved_like, read_reference
from videoscore.pipeline.settle import settle
from videoscore.progress import Progress, silent
from videoscore.settings.fields import Options
from videoscore.video.frames import Cut
from videoscore.video.media import Media

if TYPE_CHECKING:
    from videoscore.mood.perceive import Perception

WEAK_CONFIDENCE, WEAK_MOOD = 0.5, 0.15  # means over a film under which its reading isn't to be relied on
Region = tuple[Fraction, Fraction]  # seconds from the first picture: begin, end


@dataclass(frozen=True)
class Analysis:
    """What a video looks like to the composer.

    raw, curve : mood over time as perceived, and smoothed. cuts : shot boundaries.
    shares : of each source in a sample's mood, and "held" (see `videoscore.mood.perceive.Perception`).
    sheet : the cues that were spotted. seconds : wall time by stage.
    remarks : what the user should know of it, one sentence each.
    """

    media: Media
    raw: MoodCurve
    curve: MoodCurve
    cuts: tuple[Cut, ...]
    shares: Mapping[str, Array]
    sheet: CueSheet
    seconds: Mapping[str, float]
    remarks: tuple[str, ...] = ()


class Perceptions(Protocol):
    """Perceptions of one film that were kept: what an earlier look at it gave, and where a new one is put."""

    def find(self) -> Perception | None: ...

    def keep(self, perception: Perception) -> None: ...


def analyze(
    input: str | Path,
    options: Options | None = None,
    *,
    preset: str | None = None,
    seed: int | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Analysis:
    """Watch a video: mood curve, cuts and cue sheet.

    Parameters
    ----------
    options : all options at once; else `preset`, `seed` and single `settings` by their names, as in
        ``analyze("film.mp4", smooth=4, min_cue=10)`` (docs/cli.md lists them).

    Raises
    ------
    UsageError, InputError, SetupError
    """
    options = settle(preset, seed, options, **settings)
    clock = Clock(progress)
    return watch(probe_film(Path(input), clock), options, clock)


def probe_film(path: Path, clock: Clock) -> Media:
    """What is in the file, by the stage "probe". Raises InputError."""
    from videoscore.video.probe import probe

    with clock.stage("probe", 1.0):
        return probe(path)


def watch(media: Media, options: Options, clock: Clock, perceptions: Perceptions | None = None) -> Analysis:
    """The stages sample to spot, one after the other.

    perceptions : where this film's may be known already; then it isn't looked at again.
    """
    from videoscore.cues.spot.overrule import stretches, told
    from videoscore.cues.spot.spot import in_film, spot
    from videoscore.mood.smooth import smooth

    if options.spot.mood is not None:  # before the long work
        check_within(read_moods(options.spot.mood), media.duration, as_text(media.path.name))
    total = float(media.duration)
    perception = perceptions.find() if perceptions else None
    if perception is None:
        perception = _perceive(media, options, clock)
        if perceptions:
            perceptions.keep(perception)
    with clock.stage("smooth", total):
        curve = smooth(perception.curve, perception.cuts, options.smooth)
    reference = None if options.spot.reference is None else read_reference(options.spot.reference)
    with clock.stage("spot", total):
        sheet = spot(
            curve if reference is None else moved_like(curve, reference, perception.cuts, media.duration),
            perception.cuts,
            media.duration,
            options.spot,
            source=as_text(media.path.name),
            seed=options.seed,
            preset=options.preset,
        )
        if reference is not None:
            sheet = composed_like(sheet, reference)
    parts = stretches(options.spot.mood, in_film(perception.cuts, media.duration), media.duration)
    return Analysis(
        media,
        perception.curve,
        curve,
        perception.cuts,
        perception.shares,
        sheet,
        clock.seconds,
        perception.remarks + told(parts) + _about(curve, options, reference),
    )


def _about(curve: MoodCurve, options: Options, reference: Reference | None) -> tuple[str, ...]:
    """What the user should know: of the music to be like, and of a film that shows hardly any mood."""
    if reference is not None:
        return (f"like {reference}",)
    if options.spot.mood is not None:
        return ()
    confidence = float(curve.confidence.mean())
    strength = float(np.hypot(curve.valence, curve.arousal).mean())
    if confidence >= WEAK_CONFIDENCE and strength >= WEAK_MOOD:
        return ()
    return (
        f"this film is hard to read: confidence {confidence:.2f} of 1, {strength:.2f} of 1 from neutral on average; "
        "if the music doesn't fit, say the mood with --mood",
    )


def _perceive(media: Media, options: Options, clock: Clock) -> Perception:
    from videoscore.mood.perceive import perceive
    from videoscore.video.sample import sample

    total = float(media.duration)
    clock.progress("sample", 0.0, total)
    with clock.stage("perceive", total):
        sampling = options.sample
        frames = sample(media, sampling.every, sampling.size, clock.progress, sampling.decoder)
        perception = perceive(clock.time_items("sample", frames), media, options.perceive, clock.progress)
    # the two run together, frame by frame: what the sampler took isn't the perceiver's
    clock.seconds["perceive"] -= clock.seconds.get("sample", 0.0)
    return perception
