"""The hidden folder beside an output in which everything is made."""

from __future__ import annotations

import contextlib
import errno
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from videoscore.errors import OutputError
from videoscore.files import is_full, write_error


@contextlib.contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside `output` (so that renaming works and the disk is the one meant), always removed.

    Inside, a full disk becomes DiskFull.
    """
    # named before it is made: Ctrl-C may come as it is
    folder = output.with_name(f".{output.stem[:40]}.part{uuid.uuid4().hex[:8]}")
    try:
        try:
            folder.mkdir(0o700)
        except OSError as error:
            raise write_error(output, error) from error
        yield folder
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError) and (is_full(cause) or cause.errno == errno.EROFS):
            raise write_error(output, cause) from error
        if isinstance(error, OutputError) and error.path is not None and error.path.is_relative_to(folder):
            # by the name that users know
            raise type(error)(error.problem, path=output, remedy=error.remedy) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
