"""Runs the ffmpeg binary to its end, and says in our own words why it could not."""

from __future__ import annotations

import errno
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from videoscore.errors import ContainerError, DiskFull, OutputError, VideoscoreError
from videoscore.files import is_full

# ffmpeg warns of these in files that come out right: clocks that it sets straight, and its own manners
_HARMLESS = re.compile(
    r"non-monoton|timestamps? (are|is) unset|could not update timestamps|starting time|start time for stream|"
    r"no TS found|duration not set|estimating duration|packet duration|timescale not set|Application provided duration|"
    r"could not find codec parameters|consider increasing|decoding for stream|guessed channel layout|"
    r"maximum wav data size|queue input is backward|deprecated|codec frame size is not set|last message repeated|"
    r"dropping corrupt|packet corrupt|corrupt input packet|PES packet size mismatch|unknown cover type|"
    r"found duplicated MOOV|multiple .* options|bitrate .* (low|high)|Skipping unhandled metadata|frames? duplicated|"
    r"trying to remove \d+ samples|UDTA parsing failed",
    re.IGNORECASE,
)
_LEVEL = re.compile(r"\[(warning|error|fatal|panic)\] *")
_WHO = re.compile(r"^(\[[^]]*\] *)+")  # "[muxer @ address] [level]"


def run(arguments: Sequence[str], output: Path, told: Callable[[float], None]) -> tuple[str, ...]:
    """Run ffmpeg. The child dies with any exception here.

    output : the name that users know the result by, for errors. told : gets the seconds that are written.

    Returns what ffmpeg warned of, a line each, without what it says of healthy files.

    Raises
    ------
    ContainerError, DiskFull, OutputError : it could not write.
    """
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, start_new_session=True
        )  # Ctrl-C is ours to handle
        try:
            assert child.stdout is not None
            for line in child.stdout:
                name, _, value = line.decode(errors="replace").strip().partition("=")
                if name == "out_time_us" and value.lstrip("-").isdigit():
                    told(max(int(value) / 1e6, 0.0))
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        words.seek(0)
        stderr_text = words.read(1 << 20).decode(errors="replace")
    if code != 0:
        raise write_error(output, stderr_text)
    return warnings(stderr_text)


def warnings(said: str) -> tuple[str, ...]:
    """What ffmpeg warned of, each once, without its own names and addresses."""
    lines = (_WHO.sub("", line).strip().rstrip(".") for line in said.splitlines() if "[warning]" in line)
    return tuple(dict.fromkeys(line for line in lines if line and not _HARMLESS.search(line)))


def write_error(output: Path, words: str, number: int | None = None) -> VideoscoreError:
    """The typed error for what the system or ffmpeg said. number : an errno, where one is known."""
    cause = cause_of(words)
    if is_full(None if number is None else OSError(number, ""), words):
        remedy = "Free some space or choose another disk with -o"
        return DiskFull("no space left to write it", path=output, remedy=remedy)
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in words:
        return OutputError("may not be written", path=output, remedy="Choose another folder with -o")
    if number is not None or "File too large" in words or "File name too long" in words:
        return OutputError(f"can't be written ({cause})", path=output, remedy="Choose another place with -o")
    return ContainerError(
        f"the original's streams can't be copied into it ({cause})",
        path=output,
        remedy="Convert the original to MP4 or MKV first",
    )


def cause_of(words: str) -> str:
    """The line that says most: the first error, without ffmpeg's own names and addresses."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if (level := _LEVEL.search(line)) is None or level[1] != "warning"]
    return _WHO.sub("", next(iter(errors or lines), "no reason given")).strip()
