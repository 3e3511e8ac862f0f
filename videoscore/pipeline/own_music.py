"""Music that was not written here, under a video: the stages mix and mux alone."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.errors import DiskFull, InputError, NotFound
from videoscore.perform.parts import Stem
from videoscore.pipeline.outputs import check_file, plan_targets
from videoscore.pipeline.score import Clock, working_folder
from videoscore.progress import Progress, silent
from videoscore.settings.build import build

if TYPE_CHECKING:
    from videoscore.perform.mix.mix import Mix

RATE = 48000


def mix_files(
    input: str | Path,
    music: Sequence[str | Path],
    output: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
    **settings: Any,
) -> Mix:
    """Mix sound files with the sound of a video.

    Parameters
    ----------
    music : files in any format that ffmpeg reads; they begin with the picture, and what is longer is cut.
    output : a ``.wav`` for the new sound track alone; any other suffix makes a video.
    settings : of the stage mix, by name (``audio="keep"``, ``loudness=-16``).

    Raises
    ------
    UsageError, InputError, OutputError : nothing half-written stays.
    """
    from videoscore.perform.mix.mix import mix
    from videoscore.perform.mix.speech import speech_regions
    from videoscore.perform.mux.mux import mux
    from videoscore.video.probe import probe

    options = build(**settings).mix
    clock, target, media = Clock(progress), Path(output), probe(Path(input))
    alone = target.suffix.lower() == ".wav"
    if alone:
        check_file(target, overwrite, media.path)
    else:
        plan_targets(media, target, (), True)  # the container has to hold it
        check_file(target, overwrite, media.path)
    total = float(media.duration)
    with working_folder(target) as folder:
        stems = [_stem(Path(path), folder / f"{k:03d}.wav", media.duration) for k, path in enumerate(music)]
        speech: Sequence[tuple[Fraction, Fraction]] = ()
        if options.audio == "duck" and media.audio:
            with clock.stage("speech", total):
                speech = speech_regions(media, progress)
        made = folder / "sound.wav"
        with clock.stage("mix", total):
            mixed = mix(stems, media, options, made, speech=speech, progress=progress)
        if alone:
            os.replace(mixed.path, target)
        else:
            with clock.stage("mux", total):
                mux(
                    media,
                    mixed.path,
                    target,
                    overwrite=overwrite,
                    keep_original=options.audio != "replace",
                    progress=progress,
                )
    return mixed


def _stem(path: Path, target: Path, duration: Fraction) -> Stem:
    """Any sound file as a stereo float WAV exactly as long as the picture. Raises InputError."""
    from videoscore.perform.mux.remux import ONE_FILE, ffmpeg_path

    if not path.is_file():
        raise NotFound("no such file", path=path, remedy="Check the name and the folder.")
    samples = round(duration * RATE)
    command = [
        ffmpeg_path(),
        "-hide_banner",
        "-nostdin",
        "-v",
        "error",
        "-y",
        *ONE_FILE,
        "-i",
        f"file:{os.path.abspath(path)}",
        "-map",
        "0:a:0",
        "-ac",
        "2",
        "-af",
        f"aresample={RATE},apad=whole_len={samples},atrim=end_sample={samples}",
        "-c:a",
        "pcm_f32le",
        "-f",
        "wav",
        "-rf64",
        "auto",
        f"file:{target}",
    ]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise DiskFull("no space left beside the output", path=target, remedy="Free some space.")
        raise InputError(
            f"its sound can't be read ({words})", path=path, remedy="Give a WAV, FLAC or MP3 file."
        )
    return Stem(path.stem, target, RATE, samples)
