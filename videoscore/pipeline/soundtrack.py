"""From an arrangement to the sound under the picture: rendered, mixed under the original sound, muxed. The one place
where music is made to sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from videoscore.perform.parts import Arrangement, Stem
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.watch import Region
from videoscore.settings.fields import MixOptions, Options, RenderOptions
from videoscore.video.media import Media

if TYPE_CHECKING:
    from videoscore.perform.master.master import Intensity
    from videoscore.perform.mix.mix import Mix


def render_stems(
    arrangement: Arrangement, folder: Path, options: RenderOptions, clock: Clock, workers: int | None = None
) -> Sequence[Stem]:
    """One WAV file an instrument in `folder`, which is made. workers : processes; by default one a core."""
    from videoscore.perform.render.render import render

    with clock.stage("render", float(arrangement.duration)):
        return render(arrangement, folder, options, workers, clock.progress)


def master_stems(
    stems: Sequence[Stem],
    arrangement: Arrangement,
    path: Path,
    options: Options,
    clock: Clock,
    finish: bool = False,
    intensity: Intensity | None = None,
) -> Sequence[Stem]:
    """The music of the stems as one stem at `path`, mastered. finish : each of `stems` is processed, too, so that their
    sum is that music. intensity : of seconds, factors that it gets over time."""
    from videoscore.perform.master.gain import passages
    from videoscore.perform.master.master import master

    with clock.stage("master", float(arrangement.duration)):
        cues, shown = passages(arrangement), clock.progress
        return master(stems, cues, path, options.master, options.mix, finish, shown, intensity)


def listen(media: Media, clock: Clock) -> tuple[Region, ...]:
    """Where somebody speaks in the original sound; nowhere in a silent film."""
    if not media.audio:
        return ()
    from videoscore.perform.mix.speech import speech_regions

    with clock.stage("speech", float(media.duration)):
        return tuple(speech_regions(media, clock.progress))


def mix_stems(
    stems: Sequence[Stem],
    media: Media,
    options: MixOptions,
    path: Path,
    clock: Clock,
    speech: Sequence[Region] | None = None,
) -> Mix:
    """The new sound track at `path`. speech : where somebody speaks, if that is known; else it is listened for where
    the music is to duck."""
    from videoscore.perform.mix.mix import mix

    if speech is None:
        speech = listen(media, clock) if options.audio == "duck" else ()
    with clock.stage("mix", float(media.duration)):
        return mix(stems, media, options, path, speech=speech, progress=clock.progress)


def mux_sound(
    media: Media, sound: Path, output: Path, options: MixOptions, clock: Clock, overwrite: bool = False
) -> tuple[str, ...]:
    """The film with the new sound track, its picture untouched. Returns what it lacks that the original has, and
    whether its peaks are too high, a sentence each. Raises OutputError."""
    from videoscore.perform.mix.coded import peak_remark
    from videoscore.perform.mux.mux import mux

    with clock.stage("mux", float(media.duration)):
        mux_result = mux(
            media,
            sound,
            output,
            overwrite=overwrite,
            keep_original=options.audio != "replace",
            progress=clock.progress,
        )
        loud = peak_remark(mux_result.path, options.true_peak)
    return (*mux_result.remarks, loud) if loud else mux_result.remarks
