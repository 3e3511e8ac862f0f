"""Music beside the untouched original: every stream copied packet by packet, one track added.

The copying is done by the ffmpeg binary that imageio-ffmpeg carries, called with a list of
arguments (no shell) and with nothing but plain files allowed.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

from videoscore.errors import ContainerError, DiskFull, NotFound, OutputError, OutputExists, VideoscoreError
from videoscore.files import is_full, place
from videoscore.perform.mux.containers import Container, Track, container_for, require, suffix_for
from videoscore.perform.mux.remux import command, ffmpeg_path, read_tracks, take_covers, trial, url
from videoscore.progress import Progress, silent
from videoscore.video.media import Media

__all__ = ["default_suffix", "ffmpeg_path", "mux", "read_tracks"]

log = logging.getLogger(__name__)


def mux(
    media: Media,
    audio_path: Path,
    output: Path,
    *,
    overwrite: bool = False,
    title: str = "videoscore",
    keep_original: bool = True,
    progress: Progress = silent,
) -> Path:
    """Write the original with a new default sound track.

    Parameters
    ----------
    media : the probed original. All its streams, chapters, tags and the rotation are copied; of its
        sound, packets that last more than one picture beyond the picture's end are left out.
    audio_path : WAV whose first sample belongs to the first picture; padded or cut to the picture.
    output : its suffix chooses the container; written beside as ``NAME.part...`` and renamed.
    title : title of the new track.
    keep_original : keep the original sound as further, non-default tracks.

    Returns the path written.

    Raises
    ------
    OutputExists : the output is there and `overwrite` is off, or it is the original itself.
    ContainerError : the container can't hold a stream; says which, and which suffix would do.
    DiskFull, OutputError : it can't be written. Nothing is left behind.
    """
    _check_output(media.path, output, overwrite)
    if not os.path.isfile(audio_path):
        raise NotFound("the rendered music is gone", path=audio_path, remedy="Run again")
    container = container_for(output)
    tracks = [t for t in read_tracks(media.path) if keep_original or t.kind != "audio"]
    require(container, tracks, output)
    tracks = _writable(media.path, tracks, container)

    target = Path(os.path.realpath(output))
    part = target.with_name(f"{target.stem[:40]}.part{os.getpid()}{target.suffix}")
    try:
        with tempfile.TemporaryDirectory(prefix="videoscore-") as folder:
            covers = take_covers(media.path, tracks, Path(folder)) if container.muxer == "matroska" else []
            tracks = [t for t in tracks if not (t.cover and covers)]
            arguments = command(media, audio_path, tracks, covers, container, title)
            _run([*arguments, url(part)], output, media.duration, progress)
        place(part, target, overwrite)
    except OSError as error:
        raise _write_error(output, error.strerror or str(error), error.errno) from error
    finally:
        part.unlink(missing_ok=True)
    return output


def default_suffix(media: Media) -> str:
    """The suffix, with its dot, under which the scored film can be written.

    The original's own where that container holds its streams and sound (a GIF doesn't); else
    .mkv, .mov, .mp4 or .nut, the first that does.
    """
    return suffix_for(read_tracks(media.path), media.path.suffix)


# ---------------------------------------------------------------- before writing


def _check_output(original: Path, output: Path, overwrite: bool) -> None:
    """Everything that can be refused before work is done."""
    folder = output.parent
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder}", path=output, remedy="Make the folder first")
    try:
        os.stat(output)
        there = True
    except FileNotFoundError:
        there = False
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        raise OutputError(
            "no possible file name", path=output, remedy="Give a shorter, plain name"
        ) from error
    if there:
        if os.path.samefile(original, output):
            raise OutputExists("that is the original itself", path=output, remedy="Give another output name")
        if not stat.S_ISREG(os.stat(output).st_mode):
            raise OutputError(
                "not a file that can be replaced", path=output, remedy="Give another output name"
            )
        if not overwrite:
            raise OutputExists(
                "is already there", path=output, remedy="Give another name, or use --overwrite"
            )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            "its folder may not be written to", path=output, remedy="Choose another folder with -o"
        )


def _writable(path: Path, tracks: list[Track], container: Container) -> list[Track]:
    """Leave out streams that FFmpeg has no writer for (a time code track, a camera's telemetry).

    FFmpeg itself is asked, stream by stream: no library call tells.
    """
    kept = []
    for track in tracks:
        if track.kind != "attachment" and track.codec == "unknown":
            asked = subprocess.run(
                trial(path, track, container), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            if asked.returncode:
                log.warning(
                    "%s: %s stream %d can't be written to this container and is left out",
                    path.name,
                    track.kind,
                    track.index,
                )
                continue
        kept.append(track)
    return kept


# ---------------------------------------------------------------- running it


def _run(arguments: list[str], output: Path, duration: Fraction, progress: Progress) -> None:
    """Run ffmpeg to its end, telling progress; the child dies with any exception here."""
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, start_new_session=True
        )  # Ctrl-C is ours to handle
        try:
            assert child.stdout is not None
            for line in child.stdout:
                name, _, value = line.decode(errors="replace").strip().partition("=")
                if name == "out_time_us" and value.lstrip("-").isdigit():
                    progress("mux", min(max(int(value) / 1e6, 0.0), float(duration)), float(duration))
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if code != 0:
            words.seek(0)
            raise _write_error(output, words.read().decode(errors="replace"))
    progress("mux", float(duration), float(duration))


def _write_error(output: Path, words: str, number: int | None = None) -> VideoscoreError:
    """The typed error for what the system or ffmpeg said. number : an errno, where one is known."""
    cause = next((line.strip() for line in words.splitlines() if line.strip()), "no reason given")
    cause = re.sub(r"^\[[^]]*\] *", "", cause)  # ffmpeg's "[muxer @ address]"
    if is_full(None if number is None else OSError(number, ""), words):
        remedy = "Free some space or choose another disk with -o"
        return DiskFull("no space left to write it", path=output, remedy=remedy)
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in words:
        return OutputError("may not be written", path=output, remedy="Choose another folder with -o")
    if number is not None or "File too large" in words or "File name too long" in words:
        return OutputError(f"can't be written ({cause})", path=output, remedy="Choose another place with -o")
    remedy = (
        "Name the output .mkv" if output.suffix.lower() != ".mkv" else "Repair or convert the original first"
    )
    return ContainerError(
        f"the original's streams can't be copied into it ({cause})", path=output, remedy=remedy
    )
