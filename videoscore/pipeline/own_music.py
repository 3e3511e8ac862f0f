"""Music that was not written here, under a video: the stages mix and mux alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.errors import DiskFull, InputError, NotFound
from videoscore.files import is_full
from videoscore.perform.parts import Stem
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.outputs import check_target, publish
from videoscore.pipeline.settle import settle
from videoscore.pipeline.soundtrack import mix_stems, mux_sound
from videoscore.pipeline.watch import probe_film
from videoscore.pipeline.workspace import working_folder
from videoscore.progress import Progress, silent

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
    options = settle(**settings).mix
    clock, target = Clock(progress), Path(output)
    media = probe_film(Path(input), clock)
    alone = target.suffix.lower() == ".wav"
    check_target("wav" if alone else "video", target, overwrite, media)
    with working_folder(target) as folder:
        stems = [_stem(Path(path), folder / f"{k:03d}.wav", media.duration) for k, path in enumerate(music)]
        mix_result = mix_stems(stems, media, options, folder / "sound.wav", clock)
        if alone:
            publish({"wav": mix_result.path}, {"wav": target}, overwrite)
        else:
            losses = mux_sound(media, mix_result.path, target, options, clock, overwrite)
            mix_result = replace(mix_result, remarks=mix_result.remarks + losses)
    return replace(mix_result, remarks=media.remarks + mix_result.remarks)


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
    process = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
    )
    if process.returncode:
        words = (process.stderr.strip().splitlines() or ["no reason given"])[-1]
        if is_full(None, process.stderr):
            raise DiskFull("no space left beside the output", path=target, remedy="Free some space.")
        raise InputError(
            f"its sound can't be read ({words})", path=path, remedy="Give a WAV, FLAC or MP3 file."
        )
    return Stem(path.stem, target, RATE, samples)
