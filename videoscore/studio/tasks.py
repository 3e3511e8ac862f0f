"""The long work of the studio, done in a process of its own: watching, composing, exporting. Typed in, typed out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from videoscore.cues.sheet import CueSheet
from videoscore.files import write_text
from videoscore.pipeline.score import Analysis, Clock, analyze
from videoscore.pipeline.write import written_with
from videoscore.progress import Progress
from videoscore.settings.fields import Options
from videoscore.studio.state import Made
from videoscore.video.media import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from videoscore.perform.parts import Stem
    from videoscore.workers.executor import Outcome

Region = tuple[Fraction, Fraction]
THUMBNAILS = 24
SIZE = 96  # longest side of a thumbnail, pixels
PEAKS = 20  # a second


@dataclass(frozen=True)
class Watched:
    """speech : where somebody speaks. thumbnails : PNG files, each of the middle of its share of the film."""

    seen: Analysis
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
    made: Made
    options: Options
    targets: Mapping[str, Path]
    folder: Path


def work(payload: Watch | Make | Export, progress: Progress) -> Outcome:
    """Do one of them; what it gives is `about["result"]` of the outcome."""
    from videoscore.workers.executor import Outcome

    if isinstance(payload, Watch):
        return Outcome(about={"result": watch(payload, progress)})
    if isinstance(payload, Make):
        return Outcome(about={"result": make(payload, progress)})
    return Outcome(about={"result": export(payload, progress)})


def watch(asked: Watch, progress: Progress) -> Watched:
    from videoscore.perform.mix.speech import speech_regions

    seen = analyze(asked.film, asked.options, progress=progress)
    speech = tuple(speech_regions(seen.media, progress)) if seen.media.audio else ()
    asked.folder.mkdir(parents=True, exist_ok=True)
    progress("thumbnails", 0.0, 1.0)
    return Watched(seen, speech, tuple(_thumbnails(seen.media, asked.folder)))


def _thumbnails(media: Media, folder: Path) -> Iterator[Path]:
    from matplotlib.image import imsave

    from videoscore.preview.picture import thumbnails

    for number, frame in enumerate(thumbnails(media, THUMBNAILS, SIZE)):
        path = folder / f"thumb{number:02d}.png"
        imsave(path, frame.rgb)
        yield path


def make(asked: Make, progress: Progress) -> Made:
    """Compose, play and mix. The stems aren't kept (23 MB a minute and part): `export` plays them again."""
    from videoscore.compose.resume import default
    from videoscore.perform.mix.mix import mix
    from videoscore.perform.played_midi import write_midi
    from videoscore.perform.render.render import render
    from videoscore.pipeline.write import write

    folder, options = asked.folder, asked.options
    folder.mkdir(parents=True)
    try:
        score, arrangement = write(asked.sheet, options, Clock(progress), known=default())
        write_midi(arrangement, folder / "music.mid")
        stems = render(arrangement, folder / "stems", options.render, progress=progress)
        mixed = mix(
            stems, asked.media, options.mix, folder / "mix.wav", speech=asked.speech, progress=progress
        )
        music = folder / "music.wav"
        _sum(stems, mixed.music_gain + mixed.gain, music, mixed.samples)
        shutil.rmtree(folder / "stems", ignore_errors=True)
        return Made(
            folder,
            score,
            arrangement,
            mixed.path,
            music,
            folder / "music.mid",
            mixed.loudness.integrated,
            tuple(_peaks(music)),
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


def export(asked: Export, progress: Progress) -> tuple[Path, ...]:
    """The files, all of them whole. Those that are there were allowed to be replaced."""
    asked.folder.mkdir()
    try:
        made = {kind: _write(kind, path, asked, progress) for kind, path in asked.targets.items()}
        for kind, path in made.items():
            target = asked.targets[kind]
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            os.replace(path, target)
    finally:
        shutil.rmtree(asked.folder, ignore_errors=True)
    return tuple(asked.targets.values())


def _write(kind: str, target: Path, asked: Export, progress: Progress) -> Path:
    """One of the files, under its name in the hidden folder."""
    from videoscore.compose.locked_notes import heard
    from videoscore.cues import markers
    from videoscore.cues.file.sheet_file import save

    path, rate = asked.folder / target.name, 1 / asked.media.video.frame_duration
    if kind == "video":
        from videoscore.perform.mux.mux import mux

        keep = asked.options.mix.audio != "replace"
        mux(asked.media, asked.made.mix, path, keep_original=keep, progress=progress)
    elif kind == "stems":
        from videoscore.perform.render.render import render

        render(asked.made.arrangement, path, asked.options.render, progress=progress)
    elif kind == "midi":
        shutil.copyfile(asked.made.midi, path)
    elif kind == "cues":
        save(heard(asked.sheet, asked.made.score, written_with(asked.options)), path)
    else:
        forms = {"edl": markers.edl, "csv": markers.table, "otio": markers.otio}
        text = markers.chapters(asked.sheet) if kind == "chapters" else forms[kind](asked.sheet, rate)
        write_text(path, text)
    return path
