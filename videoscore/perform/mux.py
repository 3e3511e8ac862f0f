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
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from av.stream import Disposition

from videoscore.errors import ContainerError, DiskFull, NotFound, OutputError, OutputExists, VideoscoreError
from videoscore.perform.containers import Container, Track, container_for, require, suffix_for
from videoscore.progress import Progress, silent
from videoscore.video.container import open_media
from videoscore.video.media import Media

log = logging.getLogger(__name__)

RATE = 48000
_DISCARD_ALL = 48  # AVDISCARD_ALL: the demuxer reads the stream itself


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
            covers = _covers(media.path, tracks, Path(folder)) if container.muxer == "matroska" else []
            tracks = [t for t in tracks if not (t.cover and covers)]
            arguments = _arguments(media, audio_path, tracks, container, title)
            _run([*arguments, *_attach(covers, tracks), f"file:{part}"], output, media.duration, progress)
        os.replace(part, target)
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


def read_tracks(path: Path) -> list[Track]:
    """Every stream of a file, in its order, but an MP4's list of chapters (written anew with them)."""
    with open_media(path) as container:
        return [
            Track(s.index, s.type or "data", _codec(s), bool(s.disposition & Disposition.attached_pic))
            for s in container.streams
            if not (s.type == "data" and s.discard >= _DISCARD_ALL)
        ]


def ffmpeg_path() -> str:
    """The ffmpeg binary. Raises SetupError when imageio-ffmpeg has none for this platform."""
    import imageio_ffmpeg

    from videoscore.errors import SetupError

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SetupError(
            "no ffmpeg binary", remedy="Install ffmpeg, or set IMAGEIO_FFMPEG_EXE to one"
        ) from error


def _codec(stream: object) -> str:
    context = getattr(stream, "codec_context", None)
    return "unknown" if context is None else str(context.codec.canonical_name)


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
        raise OutputError("no possible file name", path=output, remedy="Give a shorter, plain name") from error
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
            trial = [
                ffmpeg_path(),
                "-nostdin",
                "-v",
                "quiet",
                "-protocol_whitelist",
                "file",
                "-i",
                _url(path),
                "-map",
                f"0:{track.index}",
                "-c",
                "copy",
                "-t",
                "0.1",
                "-f",
                container.muxer,
                "-y",
                os.devnull,
            ]
            if subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
                log.warning(
                    "%s: %s stream %d can't be written to this container and is left out",
                    path.name,
                    track.kind,
                    track.index,
                )
                continue
        kept.append(track)
    return kept


# ---------------------------------------------------------------- the command


def _url(path: Path) -> str:
    return f"file:{os.path.abspath(path)}"


def _arguments(
    media: Media, audio: Path, tracks: Sequence[Track], container: Container, title: str
) -> list[str]:
    """ffmpeg's arguments but the output's name."""
    order: list[Track | None] = list(tracks)
    firsts = [n for n, t in enumerate(tracks) if t.kind == "audio"]
    after = [n + 1 for n, t in enumerate(tracks) if t.kind == "video" and not t.cover]
    order.insert(firsts[0] if firsts else after[-1], None)  # the music is the first sound track
    maps = [a for t in order for a in ("-map", "1:a:0" if t is None else f"0:{t.index}")]
    # AVI and program streams store no PTS for reordered pictures; the other muxers insist on them
    guess = ["-fflags", "+genpts"] if media.container in ("avi", "mpeg", "mpegts") else []
    files = [
        "-protocol_whitelist",
        "file",
        *guess,
        "-i",
        _url(media.path),
        "-protocol_whitelist",
        "file",
        "-f",
        "wav",
        "-itsoffset",
        _decimal(media.video.start),
        "-i",
        _url(audio),
    ]
    return [
        ffmpeg_path(),
        "-hide_banner",
        "-nostdin",
        "-v",
        "error",
        "-nostats",
        "-progress",
        "pipe:1",
        "-y",
        "-copyts",
        *files,
        *maps,
        "-map_metadata",
        "0",
        "-map_chapters",
        "0",
        "-c",
        "copy",
        "-copyinkf",
        *_music(media, container, title),
        *_originals(media, len(firsts)),
        "-max_muxing_queue_size",
        "9999",
        *container.arguments,
        "-f",
        container.muxer,
    ]


def _music(media: Media, container: Container, title: str) -> list[str]:
    """The new track: exactly as long as the picture, default, titled."""
    samples = round(media.duration * RATE)
    shape = f"aresample={RATE},apad=whole_len={samples},atrim=end_sample={samples}"
    late: list[str] = []
    if container.cut_start:  # cut what the encoder will add, and put the packets back in place
        shape += f",atrim=start_sample={container.cut_start},asetpts=PTS-STARTPTS"
        late = ["-bsf:a:0", f"setts=ts=TS+{container.cut_start}"]
    return [
        "-filter:a:0",
        shape,
        "-c:a:0",
        *(a.replace(":a", ":a:0") for a in container.music),
        *late,
        "-disposition:a:0",
        "default",
        "-metadata:s:a:0",
        f"title={title}",
        "-metadata:s:a:0",
        f"handler_name={title}",
    ]


def _originals(media: Media, count: int) -> list[str]:
    """The original sound: no longer default, not longer than the picture."""
    video = media.video
    end = _decimal(video.start + video.duration + video.frame_duration)
    return [
        a
        for n in range(1, count + 1)
        for a in (
            f"-disposition:a:{n}",
            "-default",
            f"-bsf:a:{n}",
            f"noise=drop=gt((pts+duration)*tb\\,{end})",
        )
    ]


def _covers(path: Path, tracks: Sequence[Track], folder: Path) -> list[tuple[Path, str, str]]:
    """Cover pictures as files, with MIME type and name.

    FFmpeg reads a Matroska picture attachment as a video stream and would write it back as one.
    """
    found = []
    for track in (t for t in tracks if t.cover):
        kind = "jpeg" if track.codec == "mjpeg" else track.codec
        with open_media(path) as container:
            stream = container.streams[track.index]
            packet = next((p for p in container.demux(stream) if p.size), None)
            if packet is not None:
                file = folder / f"cover{track.index}.{kind}"
                file.write_bytes(bytes(packet))
                name = stream.metadata.get("filename", "cover.jpg" if kind == "jpeg" else f"cover.{kind}")
                found.append((file, f"image/{kind}", name))
    return found


def _attach(covers: Sequence[tuple[Path, str, str]], tracks: Sequence[Track]) -> list[str]:
    first = sum(t.kind == "attachment" for t in tracks)
    return [
        a
        for n, (file, mime, name) in enumerate(covers, first)
        for a in (
            "-attach",
            str(file),
            f"-metadata:s:t:{n}",
            f"mimetype={mime}",
            f"-metadata:s:t:{n}",
            f"filename={name}",
        )
    ]


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.9f}"


# ---------------------------------------------------------------- running it


def _run(command: list[str], output: Path, duration: Fraction, progress: Progress) -> None:
    """Run ffmpeg to its end, telling progress; the child dies with any exception here."""
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, start_new_session=True
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
    if number in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in words:
        remedy = "Free some space or choose another disk with -o"
        return DiskFull("no space left to write it", path=output, remedy=remedy)
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in words:
        return OutputError("may not be written", path=output, remedy="Choose another folder with -o")
    if number is not None or "File too large" in words or "File name too long" in words:
        return OutputError(f"can't be written ({cause})", path=output, remedy="Choose another place with -o")
    remedy = "Name the output .mkv" if output.suffix.lower() != ".mkv" else "Repair or convert the original first"
    return ContainerError(f"the original's streams can't be copied into it ({cause})", path=output, remedy=remedy)
