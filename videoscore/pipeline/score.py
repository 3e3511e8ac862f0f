"""The whole way from a video to the scored video, made of the stages and nothing else.

Here live the order of the stages, the clock, the temporary folder and the files that are kept; what
a stage does is its own module's business.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.cues.conform import conform
from videoscore.cues.sheet import CueSheet
from videoscore.errors import OutputError, UsageError
from videoscore.files import write_error
from videoscore.mood.curve import Array, MoodCurve
from videoscore.perform.orchestrate.palettes import load_preset
from videoscore.pipeline.outputs import Targets, plan_targets, publish
from videoscore.pipeline.write import choose, refuse_selecting, roles_of, write, written_with
from videoscore.progress import Progress, silent
from videoscore.settings.build import build, settings
from videoscore.settings.fields import Options
from videoscore.video.frames import Cut, Frame
from videoscore.video.media import Media

if TYPE_CHECKING:
    from videoscore.compose.resume import Composed
    from videoscore.library.select.select import Selection

STAGES = (
    "probe",
    "sample",
    "perceive",
    "smooth",
    "spot",
    "compose",
    "orchestrate",
    "render",
    "speech",
    "mix",
    "mux",
)
WATCHING = ("sample", "perceive", "smooth", "spot")  # the groups of settings that a cue sheet makes useless


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


@dataclass(frozen=True)
class Plan:
    """What is about to be composed, with which options, and the files to be written.

    remarks : what the user should know of how the video was read, and of where the music comes from.
    selection : what was chosen from the library, where that was asked for.
    """

    media: Media
    options: Options
    sheet: CueSheet
    targets: Targets
    remarks: tuple[str, ...] = ()
    selection: Selection | None = None


@dataclass(frozen=True)
class Result:
    """What scoring did.

    output : the scored video. kept : further files by kind: "cues", and as asked "midi", "wav", "stems".
    sheet : the cue sheet that was composed from. notes : how many were written.
    loudness : integrated loudness of the new sound track in LUFS, None when too short or silent to measure.
    true_peak : its true peak in dBTP, None when it is silent.
    seconds : wall time by stage. peak_memory : bytes, of this process and its largest child together.
    remarks : what the user should know of how the video was read, and of where the music comes from.
    selection : what was chosen from the library, where that was asked for.
    """

    output: Path
    kept: Mapping[str, Path]
    sheet: CueSheet
    notes: int
    loudness: float | None
    true_peak: float | None
    seconds: Mapping[str, float]
    peak_memory: int
    remarks: tuple[str, ...] = ()
    selection: Selection | None = None


@dataclass
class Clock:
    """Wall time by stage, and word of each stage's start and end to `progress`."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, total: float) -> Iterator[None]:
        self.progress(name, 0.0, total)
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begin)
        self.progress(name, total, total)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


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
    options = build(preset, seed, options, **settings)
    clock = Clock(progress)
    return _analyze(_probe(Path(input), clock), options, clock)


def plan(
    input: str | Path,
    output: str | Path | None = None,
    options: Options | None = None,
    *,
    cues: str | Path | CueSheet | None = None,
    preset: str | None = None,
    seed: int | None = None,
    keep: Iterable[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
    **settings: Any,
) -> Plan:
    """Everything up to the cue sheet, and the checks of what is to be written; writes nothing.

    Parameters and errors are those of `score`.
    """
    return _plan(input, output, options, cues, preset, seed, keep, overwrite, Clock(progress), settings)


def score(
    input: str | Path,
    output: str | Path | None = None,
    options: Options | None = None,
    *,
    cues: str | Path | CueSheet | None = None,
    preset: str | None = None,
    seed: int | None = None,
    keep: Iterable[str] = (),
    overwrite: bool = False,
    workers: int | None = None,
    progress: Progress = silent,
    cache: bool = True,
    **settings: Any,
) -> Result:
    """Write music for a video and put it under the picture.

    Parameters
    ----------
    output : the scored video; by default ``NAME.scored.SUFFIX`` beside the input.
    options, preset, seed, settings : as for `analyze`.
    cues : a cue sheet, or its file, to compose from instead of watching the video. Its preset and seed
        hold unless `options`, `preset` or `seed` say otherwise.
    keep : any of "midi", "musicxml" (a lead sheet), "wav" (the new sound track), "stems". The cue sheet is always
        kept.
    workers : processes that render; by default one a core.
    cache : keep what is composed in the user's cache folder, and take it from there, so that an edited cue sheet is
        composed from the edit on. Of `cues` that aren't a file nothing is kept.

    Raises
    ------
    UsageError, InputError, OutputError, SetupError : see `videoscore.errors`. Nothing half-written stays.
    Cancelled or KeyboardInterrupt : likewise.
    """
    clock = Clock(progress)
    planned = _plan(input, output, options, cues, preset, seed, keep, overwrite, clock, settings)
    with working_folder(planned.targets.output) as folder:
        return _perform(planned, folder, workers, clock, known_for(cues) if cache else None)


def load_sheet(cues: str | Path | CueSheet | None) -> CueSheet | None:
    """A cue sheet from its file; one that is already loaded, or None, as it is. Raises CueSheetError.

    A preset's file that isn't where the sheet says is looked for beside the sheet.
    """
    if cues is None or isinstance(cues, CueSheet):
        return cues
    from videoscore.cues.file.sheet_file import load

    sheet = load(Path(cues))
    beside = Path(cues).parent / Path(sheet.preset).name
    if sheet.preset.endswith(".toml") and not Path(sheet.preset).is_file() and beside.is_file():
        return dataclasses.replace(sheet, preset=str(beside))
    return sheet


def known_for(cues: str | Path | CueSheet | None) -> Composed | None:
    """Where what is composed is kept: of a film, whose sheet may be edited next, and of a cue sheet's file; of a sheet
    in memory, as in a batch, nothing is."""
    from videoscore.compose.resume import default

    return None if isinstance(cues, CueSheet) else default()


def cue_options(cues: str | Path, settings: Mapping[str, Any]) -> tuple[CueSheet, Options]:
    """A cue sheet from its file and the options to play it with: its own preset and seed unless
    `settings` has others. Raises UsageError."""
    sheet = load_sheet(cues)
    assert sheet is not None
    chosen: dict[str, Any] = {"preset": sheet.preset, "seed": sheet.seed}
    chosen |= {name: value for name, value in settings.items() if value is not None}
    options = build(**chosen)
    refuse_selecting(settings, options)
    return dataclasses.replace(sheet, preset=options.preset, seed=options.seed), options


@contextlib.contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside `output` (so that renaming works and the disk is the one meant), always removed.

    Inside, a full disk becomes DiskFull.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{output.stem[:40]}.part", dir=output.parent))
    except OSError as error:
        raise write_error(output, error) from error
    try:
        yield folder
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise write_error(output, cause) from error
        if isinstance(error, OutputError) and error.path is not None and error.path.is_relative_to(folder):
            raise type(error)(
                error.problem, path=output, remedy=error.remedy
            ) from error  # the name users know
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def peak_memory() -> int:
    """Bytes: the peak of this process so far plus that of its largest child that has ended."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * sum(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


# ---------------------------------------------------------------- the two halves


def _probe(path: Path, clock: Clock) -> Media:
    from videoscore.video.probe import probe

    with clock.stage("probe", 1.0):
        return probe(path)


def _plan(
    input: str | Path,
    output: str | Path | None,
    options: Options | None,
    cues: str | Path | CueSheet | None,
    preset: str | None,
    seed: int | None,
    keep: Iterable[str],
    overwrite: bool,
    clock: Clock,
    given: Mapping[str, Any],
) -> Plan:
    from videoscore.perform.render.soundfont import find_soundfont, fluidsynth

    sheet = load_sheet(cues)
    if sheet is not None:
        _refuse_watching(given)
        if options is None:
            preset = sheet.preset if preset is None else preset
            seed = sheet.seed if seed is None else seed
    options = build(preset, seed, options, **given)
    refuse_selecting(given, options)
    roles_of(load_preset(options.preset), options)  # found wrong now rather than after the watching
    media = _probe(Path(input), clock)
    source = Path(cues) if isinstance(cues, (str, Path)) else None
    targets = plan_targets(media, None if output is None else Path(output), keep, overwrite, source)
    fluidsynth()  # found missing now rather than after the composing
    find_soundfont(options.render.soundfont)
    remarks: tuple[str, ...] = ()
    if sheet is None:
        seen = _analyze(media, options, clock)
        sheet, remarks = seen.sheet, seen.remarks
    else:
        sheet = dataclasses.replace(conform(sheet, media.duration), seed=options.seed, preset=options.preset)
    sheet, selection = choose(sheet, options, clock)
    if selection is not None:
        remarks += selection.remarks
    return Plan(media, options, sheet, targets, remarks, selection)


def _refuse_watching(given: Mapping[str, Any]) -> None:
    """A setting that would silently do nothing is an error."""
    for name, value in given.items():
        setting = settings().get(name)
        if value is not None and setting is not None and setting.group in WATCHING:
            raise UsageError(
                f"{setting.flag} has no effect with a cue sheet: the video isn't watched",
                remedy="Leave it out, or leave out --cues.",
            )


def _analyze(media: Media, options: Options, clock: Clock) -> Analysis:
    from videoscore.cues.spot.spot import spot
    from videoscore.mood.perceive import perceive
    from videoscore.mood.smooth import smooth
    from videoscore.video.sample import sample

    total = float(media.duration)
    clock.progress("sample", 0.0, total)
    with clock.stage("perceive", total):
        frames = sample(media, options.sample.every, options.sample.size, clock.progress)
        seen = perceive(_timed(frames, clock), media, options.perceive, clock.progress)
    # the two run together, frame by frame: what the sampler took isn't the perceiver's
    clock.seconds["perceive"] -= clock.seconds.get("sample", 0.0)
    with clock.stage("smooth", total):
        curve = smooth(seen.curve, seen.cuts, options.smooth)
    with clock.stage("spot", total):
        sheet = spot(
            curve,
            seen.cuts,
            media.duration,
            options.spot,
            source=media.path.name,
            seed=options.seed,
            preset=options.preset,
        )
    return Analysis(media, seen.curve, curve, seen.cuts, seen.shares, sheet, clock.seconds, seen.remarks)


def _timed(frames: Iterator[Frame], clock: Clock) -> Iterator[Frame]:
    """The same frames, with the time each took put down to the sampler."""
    while True:
        begin = time.perf_counter()
        try:
            frame = next(frames)
        except StopIteration:
            return
        finally:
            clock.add("sample", time.perf_counter() - begin)
        yield frame


def _perform(
    planned: Plan, folder: Path, workers: int | None, clock: Clock, known: Composed | None
) -> Result:
    """From the cue sheet to the written files; everything is made in `folder` first."""
    from videoscore.compose.locked_notes import heard
    from videoscore.cues.file.sheet_file import save
    from videoscore.perform.mix.mix import mix
    from videoscore.perform.mux.mux import mux
    from videoscore.perform.played_midi import write_midi
    from videoscore.perform.render.render import render

    media, options, sheet, targets = planned.media, planned.options, planned.sheet, planned.targets
    total = float(sheet.duration)
    music, arrangement = write(sheet, options, clock, selection=planned.selection, known=known)
    sheet = heard(sheet, music, written_with(options))
    made: dict[str, Path] = {
        "cues": folder / "cues.json",
        "wav": folder / "sound.wav",
        "stems": folder / "stems",
    }
    save(sheet, made["cues"])
    if "midi" in targets.kept:
        made["midi"] = folder / "music.mid"
        write_midi(arrangement, made["midi"])
    if "musicxml" in targets.kept:
        from videoscore.music.leadsheet import write_musicxml

        made["musicxml"] = folder / "music.musicxml"
        write_musicxml(music, made["musicxml"], media.path.stem)
    with clock.stage("render", total):
        stems = render(arrangement, made["stems"], options.render, workers, clock.progress)
    speech: Sequence[tuple[Fraction, Fraction]] = ()
    if options.mix.audio == "duck" and media.audio:
        from videoscore.perform.mix.speech import speech_regions

        with clock.stage("speech", total):
            speech = speech_regions(media, clock.progress)
    with clock.stage("mix", total):
        mixed = mix(stems, media, options.mix, made["wav"], speech=speech, progress=clock.progress)
    with clock.stage("mux", total):
        muxed = mux(
            media,
            mixed.path,
            targets.output,
            overwrite=targets.overwrite,
            keep_original=options.mix.audio != "replace",
            progress=clock.progress,
        )
    publish(made, targets)
    remarks = planned.remarks + mixed.remarks + muxed.remarks
    if planned.selection is not None:
        from videoscore.library.select.select import remember_or_tell

        remarks += remember_or_tell(planned.selection, options.library)
    return Result(
        targets.output,
        targets.kept,
        sheet,
        len(music.notes),
        mixed.loudness.integrated,
        mixed.loudness.true_peak,
        clock.seconds,
        peak_memory(),
        remarks,
        planned.selection,
    )
