"""The long work of the studio, done in a process of its own: watching, composing, exporting. Typed in, typed out."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from videoscore.cues.sheet import CueSheet
from videoscore.files import write_text
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.outputs import publish
from videoscore.pipeline.soundtrack import master_stems, mix_stems, mux_sound, render_stems
from videoscore.pipeline.watch import Analysis, Region
from videoscore.pipeline.write import written_with
from videoscore.preview.timeline import watch as watch_timeline
from videoscore.progress import Progress
from videoscore.settings.fields import Options
from videoscore.studio.state import Composition
from videoscore.video.media import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from videoscore.perform.parts import Stem
    from videoscore.workers.executor import Outcome

THUMBNAILS = 24
SIZE = 96  # longest side of a thumbnail, pixels
PEAKS = 20  # a second

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Viewing:
    """analysis : what was seen. speech : where somebody speaks. thumbnails : PNG files, each of the middle of its
    share of the film."""

    analysis: Analysis
    speech: tuple[Region, ...]
    thumbnails: tuple[Path, ...]


@dataclass(frozen=True)
class Watch:
    """Look at a film. folder : for the thumbnails."""

    film: Path
    options: Options
    folder: Path


@dataclass(frozen=True)
class Make:
    """Compose and play a cue sheet. folder : of the new take, not there yet."""

    media: Media
    sheet: CueSheet
    options: Options
    speech: tuple[Region, ...]
    folder: Path


@dataclass(frozen=True)
class Export:
    """Write files of a take. targets : kind -> where, checked before (`videoscore.studio.export_plan`).
    folder : hidden, beside them; all is made in it first, and it is removed whatever happens."""

    media: Media
    sheet: CueSheet
    composition: Composition
    options: Options
    targets: Mapping[str, Path]
    folder: Path


@dataclass(frozen=True)
class Play:
    """Play a piece of the library. mood, valence, arousal : as the library knows it. target : the FLAC file to be."""

    piece: Path
    mood: str
    valence: float
    arousal: float
    options: Options
    target: Path


Job = Watch | Make | Export | Play


def work(payload: Job, progress: Progress) -> Outcome:
    """Do one of them; what it gives is `about["result"]` of the outcome."""
    from videoscore.workers.executor import Outcome

    if isinstance(payload, Watch):
        return Outcome(about={"result": watch(payload, progress)})
    if isinstance(payload, Make):
        return Outcome(about={"result": make(payload, progress)})
    if isinstance(payload, Play):
        from videoscore.pipeline.piece_sound import play_piece

        place = (payload.mood, payload.valence, payload.arousal)
        return Outcome(about={"result": play_piece(payload.piece, place, payload.options, payload.target)})
    return Outcome(about={"result": export(payload, progress)})


def watch(task: Watch, progress: Progress) -> Viewing:
    """Look at the film and listen to it."""
    timeline = watch_timeline(task.film, task.options, progress=progress)
    task.folder.mkdir(parents=True, exist_ok=True)
    progress("thumbnails", 0.0, 1.0)
    pictures = _thumbnails(timeline.analysis.media, task.folder)
    return Viewing(timeline.analysis, tuple(timeline.speech), tuple(pictures))


def _thumbnails(media: Media, folder: Path) -> Iterator[Path]:
    from matplotlib.image import imsave

    from videoscore.preview.picture import thumbnails

    for number, frame in enumerate(thumbnails(media, THUMBNAILS, SIZE)):
        path = folder / f"thumb{number:02d}.png"
        imsave(path, frame.rgb)
        yield path


def make(task: Make, progress: Progress) -> Composition:
    """Compose, play and mix. The stems aren't kept (23 MB a minute and part): `export` plays them again."""
    from videoscore.perform.played_midi import write_midi
    from videoscore.pipeline.write import write

    folder, options, clock = task.folder, task.options, Clock(progress)
    folder.mkdir(parents=True)
    try:
        music = write(task.sheet, options, clock)
        write_midi(music.arrangement, folder / "music.mid")
        stems = render_stems(music.arrangement, folder / "stems", options.render, clock)
        music_stems = master_stems(stems, music.arrangement, folder / "mastered.wav", options, clock)
        mix_result = mix_stems(music_stems, task.media, options.mix, folder / "mix.wav", clock, task.speech)
        alone = folder / "music.wav"
        _sum(music_stems, mix_result.music_gain + mix_result.gain, alone, mix_result.samples)
        shutil.rmtree(folder / "stems", ignore_errors=True)
        (folder / "mastered.wav").unlink(missing_ok=True)
        return Composition(
            folder,
            music.score,
            music.arrangement,
            mix_result.path,
            alone,
            folder / "music.mid",
            mix_result.loudness.integrated,
            tuple(_peaks(alone)),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _sum(stems: Sequence[Stem], decibels: float, path: Path, samples: int) -> None:
    """The music alone, as loud as in the mix; `samples` long, even where there are no stems."""
    from videoscore.audio.loudness import read_blocks
    from videoscore.audio.wav import wav_writer

    gain, rate = np.float32(10 ** (decibels / 20)), stems[0].sample_rate if stems else 48000
    with wav_writer(path, rate, samples, "PCM_24") as wav, ExitStack() as stack:
        readers = [stack.enter_context(closing(read_blocks(stem.path))) for stem in stems]
        for blocks in zip(*readers, strict=True):
            wav.write(np.clip(gain * np.sum(blocks, axis=0), -1.0, 1.0)[: samples - wav.samples])
        while wav.samples < samples:
            wav.write(np.zeros((min(rate, samples - wav.samples), 2), np.float32))


def _peaks(path: Path) -> Iterator[float]:
    """`PEAKS` heights a second, 0..1."""
    import soundfile

    with soundfile.SoundFile(os.fsencode(path)) as file:
        step = file.samplerate // PEAKS
        for block in file.blocks(step * PEAKS, dtype="float32", always_2d=True):
            high: NDArray[Any] = np.abs(block).max(axis=1)
            high = np.pad(high, (0, -len(high) % step))
            yield from np.round(high.reshape(-1, step).max(axis=1), 3).tolist()


def export(task: Export, progress: Progress) -> tuple[Path, ...]:
    """The files, all of them whole. Those that are there were allowed to be replaced."""
    task.folder.mkdir()
    try:
        publish(
            {kind: _write(kind, path, task, progress) for kind, path in task.targets.items()},
            task.targets,
            overwrite=True,
        )
    finally:
        shutil.rmtree(task.folder, ignore_errors=True)
    return tuple(task.targets.values())


def _write(kind: str, target: Path, task: Export, progress: Progress) -> Path:
    """One of the files, under its name in the hidden folder."""
    from videoscore.compose.locked_notes import heard
    from videoscore.cues.file.sheet_file import save
    from videoscore.cues.markers import marker_file, usual_start
    from videoscore.cues.timecode import film_timecode
    from videoscore.pipeline.outputs import KINDS
    from videoscore.video.frame_rate import picture_count

    path, options = task.folder / target.name, task.options
    if kind == "video":
        for remark in mux_sound(task.media, task.composition.mix, path, options.mix, Clock(progress)):
            log.warning("%s: %s", target.name, remark)
    elif kind == "stems":
        arrangement, clock = task.composition.arrangement, Clock(progress)
        stems = render_stems(arrangement, path, options.render, clock)
        music = path.with_name(f"{path.name}.music.wav")
        master_stems(stems, arrangement, music, options, clock, finish=True)
        music.unlink(missing_ok=True)
    elif kind == "midi":
        shutil.copyfile(task.composition.midi, path)
    elif kind == "cues":
        save(heard(task.sheet, task.composition.score, written_with(options)), path)
    else:
        suffix = KINDS[kind].suffix
        count = film_timecode(picture_count(task.media), usual=usual_start(suffix))
        text = marker_file(suffix, task.sheet, count, media=task.media.path)
        write_text(path, text)
    return path
