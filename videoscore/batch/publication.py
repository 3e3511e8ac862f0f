"""From the staging folder to where it belongs, and the space for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from videoscore.batch.verdict import stamp
from videoscore.errors import OutputError
from videoscore.files import write_error
from videoscore.pipeline.outputs import replace_folder

MARGIN = 64_000_000  # bytes that have to stay free beside what is known to be written


def place(stamps: Mapping[str, Path], files: Mapping[str, Path]) -> dict[Path, tuple[int, int]]:
    """Rename everything that was made to its final name, the film last: where it is, the rest is, too.

    Returns file -> (size, mtime in ns). Raises OutputError, DiskFull.
    """
    places = {}
    for kind in sorted(stamps, key=lambda kind: kind == "output"):
        target = files[kind]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if stamps[kind].is_dir():
                replace_folder(stamps[kind], target)
            elif target.is_dir():
                raise OutputError("this is a folder", path=target, remedy="Move it away.")
            else:
                os.replace(stamps[kind], target)
            places[target] = stamp(target)
        except OSError as error:
            raise write_error(target, error) from error
    return places


def room_for(size: int, folder: Path) -> bool:
    """Whether `size` bytes can be written below `folder` with `MARGIN` to spare."""
    return shutil.disk_usage(folder).free >= size + MARGIN
