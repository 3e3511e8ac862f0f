"""Music beside the untouched original: every stream copied packet by packet, one track added.

An MP4 or QuickTime file that stays one gets the new track into its own index (`mp4/graft.py`), so that whatever is in
it stays. All else is copied by the ffmpeg binary that imageio-ffmpeg carries, called with a list of arguments (no
shell) and with nothing but plain files allowed. What the result lacks is told (`inventory.py`).
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from videoscore.errors import ContainerError, NotFound, OutputError, OutputExists
from videoscore.files import place
from videoscore.perform.mux import edits, ffmpeg_process
from videoscore.perform.mux.containers import Container, Track, container_for, require, suffixes
from videoscore.perform.mux.containers import lacks as lacks_track
from videoscore.perform.mux.inventory import Inventory, lacks, take_inventory
from videoscore.perform.mux.mp4.boxes import Ungraftable
from videoscore.perform.mux.mp4.graft import can_graft, graft
from videoscore.perform.mux.remux import (
    NewTrack,
    command,
    ffmpeg_path,
    music_command,
    new_track,
    read_tracks,
    take_covers,
    trial,
    url,
)
from videoscore.progress import Progress, silent
from videoscore.video.media import PADDING, Media
from videoscore.video.probe import probe
from videoscore.video.sound import pick_sound

__all__ = ["Muxed", "check_container", "default_suffix", "ffmpeg_path", "mux", "read_tracks"]

log = logging.getLogger(__name__)

_MOST_TOLD = 3  # warnings of ffmpeg's that are passed on
_TRIAL = "8M"  # bytes after which the trial ends, should the film's first second be longer than that
_CODING = 0.5  # share of the progress that coding the music takes where the original is grafted


@dataclass(frozen=True)
class Muxed:
    """path : what was written. remarks : what it lacks that the original has, a sentence each."""

    path: Path
    remarks: tuple[str, ...] = ()


def mux(
    media: Media,
    audio_path: Path,
    output: Path,
    *,
    overwrite: bool = False,
    title: str = "videoscore",
    keep_original: bool = True,
    progress: Progress = silent,
) -> Muxed:
    """Write the original with a new default sound track.

    Parameters
    ----------
    media : the probed original. All its streams, chapters, tags and the rotation are copied.
    audio_path : WAV whose first sample belongs to the first picture; padded or cut to the film's length.
    output : its suffix chooses the container; written beside as ``NAME.part...`` and renamed.
    title : title of the new track; its language is that of the sound which was mixed into it, if any was.
    keep_original : keep the original sound as further, non-default tracks.

    Raises
    ------
    OutputExists : the output is there and `overwrite` is off, or it is the original itself.
    ContainerError : the container can't hold a stream; says which, and which suffix would do.
    DiskFull, OutputError : it can't be written. Nothing is left behind.
    """
    _check_output(media.path, output, overwrite)
    if not os.path.isfile(audio_path):
        raise NotFound("the rendered music is gone", path=audio_path, remedy="Run again")
    target = Path(os.path.realpath(output))
    stem = f"{target.stem[:40]}.part{os.getpid()}"
    part = target.with_name(f"{stem}{target.suffix}")
    mixed = pick_sound(media) if keep_original else None
    job = _Job(media, audio_path, output, part, new_track(title, mixed), keep_original, progress)
    folder = target.with_name(f"{stem}-{uuid.uuid4().hex[:8]}")  # named first: Ctrl-C may come as it is made
    try:
        folder.mkdir(0o700)
        remarks = job.write(folder)
        place(part, target, overwrite)
    except OSError as error:
        raise ffmpeg_process.write_error(output, error.strerror or str(error), error.errno) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        part.unlink(missing_ok=True)
    return Muxed(output, remarks)


def default_suffix(media: Media) -> str:
    """The suffix, with its dot, under which the scored film can be written.

    The original's own where that container takes its streams and the music (a GIF doesn't); else the first that does
    of .mkv, .mov, .mp4, .nut, .avi and .ts. Each is tried on the film's first second.
    """
    path = media.path
    return next((s for s in suffixes(path.suffix) if _refusal(media, path.with_suffix(s)) is None), ".mkv")


def check_container(media: Media, output: Path) -> None:
    """Try the writing on the film's first second, so that nothing fails after all the work.

    Raises
    ------
    ContainerError : names the stream or FFmpeg's reason, and a suffix that was tried and will do.
    """
    container_for(output)
    refusal = _refusal(media, output)
    if refusal is None:
        return
    others = (s for s in suffixes(media.path.suffix) if s.lower() != output.suffix.lower())
    works = next((s for s in others if _refusal(media, output.with_suffix(s)) is None), None)
    remedy = f"Name the output {works}" if works else "Convert the original to MP4 or MKV first"
    raise ContainerError(refusal.problem, path=output, remedy=remedy) from refusal


def _refusal(media: Media, output: Path) -> ContainerError | None:
    """Why the film can't be written so, or None."""
    try:
        container = container_for(output)
        if _stays_boxed(media, output, container):
            return None
        tracks = [t for t in read_tracks(media.path) if not t.empty]
        require(container, tracks, output)
        edits.refuse_needed(edits.hidden(media.path, tracks), output, media.path)
        tracks = _writable(media.path, tracks, container)
        with tempfile.TemporaryDirectory(prefix="videoscore-") as folder:
            silence = Path(folder) / "silence.wav"
            _write_silence(silence)
            arguments = command(media, silence, tracks, (), container, NewTrack("trial"))
            end = float(media.video.start) + 1
            ffmpeg_process.run(
                [*arguments, "-t", f"{end:.3f}", "-fs", _TRIAL, url(Path(folder) / f"trial{output.suffix}")],
                output,
                _untold,
            )
    except ContainerError as error:
        return error
    return None


def _untold(seconds: float) -> None:
    """For progress that nobody watches."""


def _write_silence(path: Path) -> None:
    from videoscore.audio.wav import wav_writer

    with wav_writer(path, 48000, 4800) as wav:
        wav.write(np.zeros((4800, 2), np.float32))


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


def _stays_boxed(media: Media, output: Path, container: Container) -> bool:
    """Whether an MP4 stays an MP4, or a QuickTime file one, and can take a track as it is.

    Between the two FFmpeg copies, unless only an edit list can hide what was cut away.
    """
    if container.muxer not in ("mp4", "mov", "3gp") or not media.container.startswith("mov"):
        return False
    try:
        before = container_for(media.path).muxer
    except ContainerError:
        before = "mov" if media.brand == "qt" else "mp4"
    if before == container.muxer:
        return can_graft(media.path)
    tracks = read_tracks(media.path)
    needed = any(h.needed for h in edits.hidden(media.path, tracks).values())
    return needed and lacks_track(container, tracks) is None and can_graft(media.path)


def _writable(path: Path, tracks: list[Track], container: Container) -> list[Track]:
    """Leave out streams that FFmpeg has no writer for (a time code track, a camera's telemetry).

    FFmpeg itself is asked, stream by stream: no library call tells.
    """
    tracks_in = []
    for track in tracks:
        if track.kind != "attachment" and track.codec == "unknown":
            process = subprocess.run(
                trial(path, track, container), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            if process.returncode:
                continue
        tracks_in.append(track)
    return tracks_in


# ---------------------------------------------------------------- writing


@dataclass(frozen=True)
class _Job:
    """One film on its way to `part`."""

    media: Media
    audio: Path
    output: Path
    part: Path
    track: NewTrack
    keep_original: bool
    progress: Progress

    def write(self, folder: Path) -> tuple[str, ...]:
        """Write `part`; returns the remarks. `folder` is for what is needed on the way."""
        container = container_for(self.output)
        warned: tuple[str, ...] = ()
        resumed: list[int] = []
        before = take_inventory(self.media.path)
        if _stays_boxed(self.media, self.output, container):
            try:
                self._graft(container, folder)
            except Ungraftable as error:
                log.info("%s: copied stream by stream, %s", self.media.path.name, error)
                warned, resumed = self._remux(container, folder, before)
        else:
            warned, resumed = self._remux(container, folder, before)
        self.progress("mux", float(self.media.duration), float(self.media.duration))
        return (*self._missing(before, resumed), *(f"ffmpeg warns: {line}" for line in warned[:_MOST_TOLD]))

    def _graft(self, container: Container, folder: Path) -> None:
        music = folder / f"music{self.output.suffix}"
        arguments = music_command(self.media, self.audio, container, self.track)
        ffmpeg_process.run([*arguments, url(music)], self.output, self._told(_CODING))
        total = float(self.media.duration)
        graft(
            self.media.path,
            music,
            self.part,
            self.media.video.start,
            self.media.duration,
            keep_original=self.keep_original,
            like=None if (sound := pick_sound(self.media)) is None else sound.index,
            told=lambda share: self.progress("mux", total * (_CODING + share * (1 - _CODING)), total),
        )

    def _remux(
        self, container: Container, folder: Path, before: Inventory
    ) -> tuple[tuple[str, ...], list[int]]:
        """Returns ffmpeg's warnings and the streams that begin with another packet than the original's."""
        tracks = [t for t in read_tracks(self.media.path) if not t.empty]
        tracks = [t for t in tracks if self.keep_original or t.kind != "audio"]
        require(container, tracks, self.output)
        hidden = edits.hidden(self.media.path, tracks)
        edits.refuse_needed(hidden, self.output, self.media.path)
        tracks = _writable(self.media.path, tracks, container)
        covers = take_covers(self.media.path, tracks, folder) if container.muxer == "matroska" else []
        tracks = [t for t in tracks if not (t.cover and covers)]
        arguments = command(
            self.media,
            self.audio,
            tracks,
            covers,
            container,
            self.track,
            hidden,
            before.file_tags,
            before.timecode,
        )
        warned = ffmpeg_process.run([*arguments, url(self.part)], self.output, self._told(1.0))
        return warned, [n for n, edit in hidden.items() if any(a == 0 for a, _ in edit.ranges)]

    def _told(self, share: float) -> Callable[[float], None]:
        total = float(self.media.duration)
        return lambda seconds: self.progress("mux", min(seconds, total) * share, total)

    def _missing(self, before: Inventory, resumed: Iterable[int]) -> list[str]:
        """What the written file lacks that the original has, as one sentence, and how much shorter it is."""
        dropped = [] if self.keep_original else [s.index for s in before.streams if s.kind == "audio"]
        empty = [t.index for t in read_tracks(self.media.path) if t.empty]
        out = [f"stream {n} of the original holds nothing and is left out" for n in empty]
        missing = lacks(before, take_inventory(self.part), [*dropped, *empty], resumed)
        if missing:
            out.append(f"{self.output.suffix} could not take over: {'; '.join(missing)}")
        length = probe(self.part).duration
        short = self.media.duration - length
        if short > min(max(self.media.video.frame_duration, Fraction(1, 50)), PADDING):
            out.append(f"the result is {float(short):.2f} s shorter than the original")
        return out
