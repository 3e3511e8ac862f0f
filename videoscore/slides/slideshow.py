"""From photographs to a film with music: looked at, arranged, composed for, timed by the music's bars, drawn, muxed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.cues.sheet import CueSheet
from videoscore.errors import InputError, OutputError, OutputExists
from videoscore.file_names import as_text, shown
from videoscore.mood.circle import mood_of
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.outputs import Targets, check_file, check_folder, files_beside, publish
from videoscore.pipeline.score import write_music_files
from videoscore.pipeline.settle import check_players, settle
from videoscore.pipeline.soundtrack import master_stems, mix_stems, mux_sound, render_stems
from videoscore.pipeline.workspace import working_folder
from videoscore.pipeline.write import Music, write
from videoscore.progress import Progress, silent
from videoscore.settings.fields import Options
from videoscore.slides.film import Slide, moviepy, write_film
from videoscore.slides.look import look
from videoscore.slides.order import arrange
from videoscore.slides.pace import Plan, beats, changes, sheet_for
from videoscore.slides.photo import Photo
from videoscore.slides.reading import find, library
from videoscore.slides.titles import caption, font_file, missing_letters
from videoscore.video.probe import probe
from videoscore.workers.capacity import give_back_memory
from videoscore.workers.memory import PeakMemory

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
MOST_NAMED = 20  # photographs that are told of by name
MOST_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Shown:
    """A photograph in the film. start : seconds at which it has come half. beat : of the nearest beat of the music."""

    path: Path
    start: Fraction
    beat: Fraction
    mood: str
    valence: float
    arousal: float


@dataclass(frozen=True)
class SlideshowResult:
    """What was made. kept : further files by kind, the cue sheet always. photos : in order of time.

    skipped : photographs that couldn't be read, and why. loudness : LUFS, None when too short to measure.
    seconds : wall time by stage. peak_memory : bytes, of this process and its largest child together.
    remarks : what the user should know, one sentence each.
    """

    output: Path
    kept: Mapping[str, Path]
    photos: tuple[Shown, ...]
    skipped: tuple[InputError, ...]
    sheet: CueSheet
    notes: int
    loudness: float | None
    seconds: Mapping[str, float]
    peak_memory: int
    remarks: tuple[str, ...] = ()

    @property
    def off_beat(self) -> Fraction:
        """The largest distance of a change from a beat, in seconds."""
        return max(abs(p.start - p.beat) for p in self.photos)


def slideshow(
    photos: Iterable[str | Path],
    output: str | Path,
    options: Options | None = None,
    *,
    preset: str | None = None,
    seed: int | None = None,
    keep: Iterable[str] = (),
    overwrite: bool = False,
    workers: int | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> SlideshowResult:
    """Make a film of photographs, with music of their moods, in which each changes on a beat.

    Parameters
    ----------
    photos : files, and folders whose photographs are taken.
    output : .mp4, .m4v, .mov or .mkv.
    options, preset, seed, settings : as for `videoscore.score`, such as ``order="mood"`` or ``photo_seconds=4``.
    keep : as for `videoscore.score`. workers : processes that render; by default one a core.

    Raises
    ------
    UsageError, InputError (none of the photographs can be read), OutputError : nothing half-written stays.
    SetupError : the extra `slideshow`, a SoundFont or weights are missing.
    """
    options = settle(preset, seed, options, **settings)
    for check in (library, moviepy):
        check()
    check_players(options)
    target = Path(output)
    if target.suffix.lower() not in SUFFIXES:
        raise OutputError(
            "no name of a film of photographs", path=target, remedy=f"Name it {', '.join(SUFFIXES)}."
        )
    kept = files_beside(target, keep)
    check_file(target, overwrite)
    for kind, path in kept.items():
        (check_folder if kind == "stems" else check_file)(path, overwrite)
    with PeakMemory() as memory:
        show = _Show(options, Clock(progress), memory)
        return _made(show, [Path(p) for p in photos], Targets(target, kept, overwrite), workers)


def _made(show: _Show, names: list[Path], targets: Targets, workers: int | None) -> SlideshowResult:
    ordered = show.look(names)
    plan = sheet_for(ordered, show.options, as_text(targets.output.stem))
    if plan.sheet.duration > MOST_SECONDS:
        raise InputError(
            f"{len(ordered)} photographs would last {float(plan.sheet.duration) / 3600:.1f} hours",
            remedy="Name fewer, or use a shorter --photo-seconds.",
        )
    with working_folder(targets.output) as folder:
        return show.perform(ordered, plan, targets, folder, workers)


class _Show:
    """One run. remarks, skipped : gathered on the way."""

    def __init__(self, options: Options, clock: Clock, memory: PeakMemory) -> None:
        self.options, self.clock, self.memory = options, clock, memory
        self.remarks: list[str] = []
        self.skipped: tuple[InputError, ...] = ()

    def look(self, names: list[Path]) -> list[Photo]:
        """The photographs that can be read, in the order in which they are shown. Raises InputError."""
        slides = self.options.slides
        paths, remarks = find(names, slides.order)
        if not paths:
            raise InputError(
                "there are no photographs",
                path=names[0] if names else None,
                remedy="Name some, or their folder.",
            )
        with self.clock.stage("photos", len(paths)):
            photos, self.skipped = look(paths, slides.perceiver, self.clock.progress)
        give_back_memory()  # the models' share
        self.remarks += remarks
        self.remarks += [f"left out: {shown(str(error)).rstrip('.')}" for error in self.skipped[:MOST_NAMED]]
        if len(self.skipped) > MOST_NAMED:
            self.remarks.append(
                f"{len(self.skipped) - MOST_NAMED} more photographs that can't be read are left out"
            )
        if not photos:
            raise self.skipped[0]
        undated = sum(not p.has_date for p in photos)
        if undated and slides.order == "time":
            self.remarks.append(
                f"{undated} photographs don't say when they were taken: the time of their files stands for it"
            )
        ordered = arrange(photos, slides.order)
        self._check_letters(ordered)
        return ordered

    def _check_letters(self, photos: list[Photo]) -> None:
        slides = self.options.slides
        texts = [text for p in photos if (text := caption(p, slides))] + [slides.title or ""]
        if not any(texts):
            return
        missing = missing_letters(texts, font_file(slides))
        if missing:
            self.remarks.append(f"the font has no {' '.join(missing[:40])}; give one that has with --font")

    def perform(
        self, photos: list[Photo], plan: Plan, targets: Targets, folder: Path, workers: int | None
    ) -> SlideshowResult:
        options, clock = self.options, self.clock
        music = write(plan.sheet, options, clock)
        starts = self._starts(music, plan)
        slides = [Slide(p, a, b) for p, a, b in zip(photos, starts, [*starts[1:], plan.sheet.duration])]
        files = write_music_files(music, targets.kept, folder, as_text(targets.output.stem))
        rendered = render_stems(music.arrangement, files["stems"], options.render, clock, workers)
        kept = "stems" in targets.kept
        stems = master_stems(rendered, music.arrangement, folder / "music.wav", options, clock, kept)
        picture = folder / "picture.mp4"
        with clock.stage("film", float(plan.sheet.duration)):
            write_film(slides, picture, options.slides, clock.progress)
        media = probe(picture)
        mix_result = mix_stems(stems, media, options.mix, files["wav"], clock)
        losses = mux_sound(media, mix_result.path, targets.output, options.mix, clock, targets.overwrite)
        try:
            publish(files, targets.unwritten(), targets.overwrite)
        except OutputExists:
            if not targets.overwrite:  # then the film is this run's own, and its cue sheet would be another's
                targets.output.unlink(missing_ok=True)
            raise
        return SlideshowResult(
            targets.output,
            targets.kept,
            self._shown(slides, music),
            self.skipped,
            music.sheet_to_keep(),
            len(music.score.notes),
            mix_result.loudness.integrated,
            clock.seconds,
            self.memory.total,
            (*self.remarks, *mix_result.remarks, *losses),
        )

    def _starts(self, music: Music, plan: Plan) -> list[Fraction]:
        """When each photograph comes: at the film's picture that is nearest to its bar line."""
        fps = self.options.slides.fps
        return [Fraction(round(t * fps), fps) for t in changes(music.score, plan.counts)]

    def _shown(self, slides: list[Slide], music: Music) -> tuple[Shown, ...]:
        grid = beats(music.score)
        out, k = [], 0
        for slide in slides:
            while k + 1 < len(grid) and abs(grid[k + 1] - slide.start) <= abs(grid[k] - slide.start):
                k += 1
            photo = slide.photo
            mood = mood_of(photo.valence, photo.arousal)
            out.append(Shown(photo.path, slide.start, grid[k], mood, photo.valence, photo.arousal))
        return tuple(out)
