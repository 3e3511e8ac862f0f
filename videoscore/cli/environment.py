"""What the command stands in: streams that take any name, and dependencies that keep to videoscore's folders."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys

from videoscore.cache import cache_folder
from videoscore.file_names import as_text

UNWRITABLE = "videoscore.unwritable"  # the error handler's name


def settle() -> None:
    """Once, before anything is imported or opened."""
    _open_standard_streams()
    codecs.register_error(UNWRITABLE, _unprintable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=UNWRITABLE)
    # Matplotlib keeps a list of the fonts; in its own folder that would be a file nobody asked for
    folder = cache_folder("matplotlib")
    if folder is not None:
        os.environ.setdefault("MPLCONFIGDIR", str(folder))


def _open_standard_streams() -> None:
    """Closed ones (``>&-``) lead to nowhere; else the first file that is opened would become stdout."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                descriptor = os.open(os.devnull, os.O_RDWR)
                if descriptor != number:
                    os.dup2(descriptor, number)
                    os.close(descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r"))  # noqa: SIM115


def _unprintable(error: UnicodeError) -> tuple[str, int]:
    """Bytes of a name that is no text as ``\\xe9``; characters that the terminal hasn't likewise."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = as_text(error.object[error.start : error.end])
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end
