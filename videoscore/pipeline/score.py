"""The whole way from a video to the scored video: watch, write, sound, publish, and nothing else."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.cues.conform import conform
from videoscore.cues.sheet import CueSheet
from videoscore.errors import OutputExists
from videoscore.file_names import as_text
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.outputs import Targets, plan_targets, publish
from videoscore.pipeline.settle import check_players, load_sheet, refuse_watching, settle, settle_sheet
from videoscore.pipeline.soundtrack import master_stems, mix_stems, mux_sound, render_stems
from videoscore.pipeline.watch import Analysis, probe_film, watch
from videoscore.pipeline.workspace import working_folder
from videoscore.pipeline.write import Music, choose, write
from videoscore.progress import Progress, silent
from videoscore.settings.fields import Options
from videoscore.video.media import Media
from videoscore.workers.memory import PeakMemory

if TYPE_CHECKING:
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
    "master",
    "speech",
    "mix",
    "mux",
)


@dataclass(frozen=True)
class Plan:
    """What is about to be composed, with which options, and the files to be written.

    remarks : what the user should know of how the video was read, and of where the music comes from.
    selection : what was chosen from the library, where that was asked for.
    analysis : what was seen; None where a cue sheet was given.
    """

    media: Media
    options: Options
    sheet: CueSheet
    targets: Targets
    remarks: tuple[str, ...] = ()
    selection: Selection | None = None
    analysis: Analysis | None = None


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
    plan : what was decided before, with what was seen in the film; `videoscore.pipeline.explain` tells of it.
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
    plan: Plan | None = None


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
    clock = Clock(progress)
    return _plan(input, output, options, cues, preset, seed, keep, overwrite, clock, settings)


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

    Raises
    ------
    UsageError, InputError, OutputError, SetupError : see `videoscore.errors`. Nothing half-written stays.
    Cancelled or KeyboardInterrupt : likewise.
    """
    clock = Clock(progress)
    with PeakMemory() as memory:
        plan = _plan(input, output, options, cues, preset, seed, keep, overwrite, clock, settings)
        with working_folder(plan.targets.output) as folder:
            return _perform(plan, folder, workers, clock, memory)


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
    settings: Mapping[str, Any],
) -> Plan:
    sheet, analysis = None, None
    if cues is None:
        options = settle(preset, seed, options, **settings)
    else:
        sheet = load_sheet(cues)
        refuse_watching(settings)
        sheet, options = settle_sheet(sheet, preset, seed, options, **settings)
    media = probe_film(Path(input), clock)
    source = Path(cues) if isinstance(cues, (str, Path)) else None
    targets = plan_targets(media, None if output is None else Path(output), keep, overwrite, source)
    check_players(options)
    remarks = media.remarks
    if sheet is None:
        analysis = watch(media, options, clock)
        sheet, remarks = analysis.sheet, remarks + analysis.remarks
    else:
        sheet = conform(sheet, media.duration)
    sheet, selection = choose(sheet, options, clock)
    if selection is not None:
        remarks += selection.remarks
    return Plan(media, options, sheet, targets, remarks, selection, analysis)


def _perform(planned: Plan, folder: Path, workers: int | None, clock: Clock, memory: PeakMemory) -> Result:
    """From the cue sheet to the written files; everything is made in `folder` first."""
    media, options, targets = planned.media, planned.options, planned.targets
    music = write(planned.sheet, options, clock, selection=planned.selection)
    files = write_music_files(music, targets.kept, folder, as_text(media.path.stem))
    stems = render_stems(music.arrangement, files["stems"], options.render, clock, workers)
    music_stems = master_stems(
        stems, music.arrangement, folder / "music.wav", options, clock, "stems" in targets.kept
    )
    mix_result = mix_stems(music_stems, media, options.mix, files["wav"], clock)
    losses = mux_sound(media, mix_result.path, targets.output, options.mix, clock, targets.overwrite)
    try:
        publish(files, targets.unwritten(), targets.overwrite)
    except OutputExists:
        if not targets.overwrite:  # then the film is this run's own, and its cue sheet would be another's
            targets.output.unlink(missing_ok=True)
        raise
    remarks = planned.remarks + mix_result.remarks + losses
    if planned.selection is not None:
        from videoscore.library.select.select import remember_or_tell

        remarks += remember_or_tell(planned.selection, options.library)
    return Result(
        targets.output,
        targets.kept,
        music.sheet_to_keep(),
        len(music.score.notes),
        mix_result.loudness.integrated,
        mix_result.loudness.true_peak,
        clock.seconds,
        memory.total,
        remarks,
        planned.selection,
        planned,
    )


def write_music_files(music: Music, kinds: Container[str], folder: Path, title: str) -> dict[str, Path]:
    """kind -> file in `folder`: the cue sheet, and the notes as `kinds` ask; the sound's names are still to be
    filled."""
    from videoscore.cues.file.sheet_file import save

    files = {"cues": folder / "cues.json", "wav": folder / "sound.wav", "stems": folder / "stems"}
    save(music.sheet_to_keep(), files["cues"])
    if "midi" in kinds:
        from videoscore.perform.played_midi import write_midi

        files["midi"] = folder / "music.mid"
        write_midi(music.arrangement, files["midi"])
    if "musicxml" in kinds:
        from videoscore.music.leadsheet import write_musicxml

        files["musicxml"] = folder / "music.musicxml"
        write_musicxml(music.score, files["musicxml"], title)
    return files
