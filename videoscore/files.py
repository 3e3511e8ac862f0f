"""Reading a file that should be small, and writing one whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from videoscore.errors import DiskFull, NotFound, OutputError, OutputExists, UsageError

MB = 1024 * 1024


def read_start(path: Path, most: int, remedy: str = "Check the name.") -> bytes:
    """The first `most` + 1 bytes of a file: one too many tells that it is too large, and no more is ever read.

    Raises NotFound, with the `remedy`.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe could block for ever
            raise NotFound("is no regular file", path=path, remedy=remedy)
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if not isinstance(error, OSError):
            raise NotFound("is no name of a file", path=path, remedy=remedy) from error
        raise NotFound(f"can't be read ({error.strerror or error})", path=path, remedy=remedy) from error


def read_text(
    path: Path,
    most: int,
    remedy: str,
    *,
    wrong: str,
    form: str = "UTF-8",
    kind: type[UsageError] = UsageError,
) -> str:
    """The text of a UTF-8 file of up to `most` bytes, with or without a byte order mark.

    remedy : where it can't be read. wrong : what to say of one that is too large. form : as what to save one that is
    no text. Raises NotFound, or an error of this `kind`.
    """
    data = read_start(path, most, remedy)
    if len(data) > most:
        raise kind(f"it is over {most // MB} MB", path=path, remedy=wrong)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(
            f"it is not UTF-8 text (byte {error.start})",
            path=path,
            remedy=f"Save it as {form}, or give the right file.",
        ) from error


@contextlib.contextmanager
def whole(path: Path, overwrite: bool = True) -> Iterator[Path]:
    """A name of the same suffix beside `path`, to be written in the block: it becomes `path` at the end, or nothing
    of it stays. Raises DiskFull or OutputError; without `overwrite` OutputExists, see `place`."""
    part = path.with_name(f"{path.stem[:20]}.part{uuid.uuid4().hex[:8]}{path.suffix[:20]}")
    try:
        yield part
        place(part, path, overwrite)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        # there only after a failure; in a folder that doesn't exist not even looking is possible
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def place(part: Path, target: Path, overwrite: bool) -> None:
    """Give a finished file its name. Without `overwrite` that is refused, in one step, where the name is taken: of two
    runs with one output the second doesn't replace what the first has made.

    Raises OutputExists or OSError.
    """
    if overwrite:
        os.replace(part, target)
        return
    try:
        try:
            os.link(part, target)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise
            # a file system without links, such as FAT: the name is taken first, and filled then
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))
            os.replace(part, target)
        else:
            os.unlink(part)
    except FileExistsError as error:
        raise OutputExists(
            "was made by something else meanwhile",
            path=target,
            remedy="Give another name, or use --overwrite.",
        ) from error


def write_text(path: Path, text: str, overwrite: bool = True) -> None:
    """Write a text file, whole or not at all. Raises as `whole` does.

    Lone surrogates, which UTF-8 has no form for, are written as ``\\udce9``: in JSON they are read back.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"), overwrite)


def write_bytes(path: Path, data: bytes, overwrite: bool = True) -> None:
    """Write a file, whole or not at all. Raises as `whole` does."""
    with whole(path, overwrite) as part:
        part.write_bytes(data)


def is_full(error: OSError | None, words: str = "") -> bool:
    """Whether the disk, or the user's share of it, is full: by the system's error, or by another program's words."""
    return (error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT)) or os.strerror(
        errno.ENOSPC
    ) in words


def write_error(path: Path, error: OSError) -> OutputError:
    """The typed error for what the system said when `path` was written."""
    if is_full(error):
        return DiskFull(
            "no space left to write it", path=path, remedy="Free some space or choose another disk with -o."
        )
    return OutputError(
        f"can't be written ({error.strerror or error})",
        path=path,
        remedy="Choose another name or folder with -o.",
    )
