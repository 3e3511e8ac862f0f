"""Which files a page may open: those below the folder that was given, the film that was given, and uploaded ones."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterable
from itertools import islice
from pathlib import Path

from videoscore.batch.jobs import SUFFIXES
from videoscore.errors import InputError, NotAVideo, NotFound, UsageError
from videoscore.file_names import as_text

MOST_LISTED = 500
MOST_LOOKED_AT = 20_000
LARGEST = 1 << 30  # bytes of an upload


class TooLarge(InputError):
    """An upload beyond the limit."""


class Shelf:
    """Films that may be opened.

    folder : films below it, or None. film : one more, wherever it lies. most : bytes of an upload.
    Uploads lie in a temporary folder until `close`.
    """

    def __init__(self, folder: Path | None = None, film: Path | None = None, most: int = LARGEST) -> None:
        if folder is not None and not folder.is_dir():
            raise NotFound(
                "there is no such folder", path=folder, remedy="Name an existing folder with --folder."
            )
        if film is not None and film.is_dir():
            raise NotAVideo(
                "this is a folder", path=film, remedy="Name a film, or give the folder with --folder."
            )
        if film is not None and not film.is_file():
            raise NotFound("no such file", path=film, remedy="Check the name and the folder.")
        self.folder = None if folder is None else folder.resolve()
        self.film, self.most = None if film is None else film.resolve(), most
        self.temporary = Path(tempfile.mkdtemp(prefix="videoscore-studio-"))
        self.uploads = self.temporary / "uploads"
        self.uploads.mkdir()

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def films(self) -> list[str]:
        """Films below the folder, as paths from it, sorted; links aren't followed, hidden ones are left out."""
        return list(self._films())

    def _films(self) -> dict[str, str]:
        """Path from the folder as text -> as it is on the disk."""
        if self.folder is None:
            return {}
        films: dict[str, str] = {}
        count = 0
        for where, folders, names in os.walk(self.folder):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(names):
                count += 1
                path = Path(where, name)
                if path.suffix.lower() in SUFFIXES and not name.startswith(".") and not path.is_symlink():
                    inside = str(path.relative_to(self.folder))
                    films[as_text(inside)] = inside
            if len(films) >= MOST_LISTED or count >= MOST_LOOKED_AT:
                break
        return dict(islice(films.items(), MOST_LISTED))

    def find(self, name: str) -> Path:
        """The file of a name as `listed` gives it.

        Raises NotFound for whatever isn't a plain file below the folder: an absolute path, one that climbs out
        with "..", one through a link, or none at all; without telling which.
        """
        refusal = NotFound(
            "there is no film of that name in the studio's folder",
            path=name[:200],
            remedy="Choose one of the list, or start the studio with --folder.",
        )
        if (
            self.folder is None
            or not name
            or "\0" in name
            or Path(name).is_absolute()
            or ".." in Path(name).parts
        ):
            raise refusal
        path = self.folder / name
        if not os.path.exists(path):  # bytes in it that are no text
            path = self.folder / self._films().get(name, name)
        try:
            # the same when resolved: no part of it is a link, to wherever
            if path.resolve(strict=True) != path or not path.is_file() or path.suffix.lower() not in SUFFIXES:
                raise refusal
        except (OSError, RuntimeError, ValueError):
            raise refusal from None
        return path

    def is_upload(self, path: Path) -> bool:
        return path.is_relative_to(self.uploads)

    def check_size(self, size: int | None) -> None:
        """Raise TooLarge for an upload of `size` bytes beyond the limit; None is unknown."""
        if size is not None and size > self.most:
            raise TooLarge(
                f"it has {_amount(size)}, and uploads may have {_amount(self.most)}",
                remedy="Put it into a folder, and start `videoscore studio --folder` there: nothing is "
                "copied then.",
            )

    async def keep(self, name: str, blocks: AsyncIterable[bytes], size: int | None) -> Path:
        """Write an upload to the temporary folder; its path.

        size : as announced, checked before a byte is read; what comes is counted all the same.
        Raises TooLarge, UsageError or OSError; then nothing of it stays.
        """
        self.check_size(size)
        base = re.sub(r"[^\w. -]", "_", Path(name.replace("\\", "/")).name)[-80:].lstrip(".") or "film"
        if Path(base).suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"{base!r} isn't named like a video", remedy=f"Known are {', '.join(sorted(SUFFIXES))}."
            )
        if size is not None and size > shutil.disk_usage(self.uploads).free:
            raise TooLarge(f"it has {_amount(size)}, more than the disk has left", remedy="Free some space.")
        folder = Path(tempfile.mkdtemp(dir=self.uploads))
        path, got = folder / base, 0
        try:
            with path.open("xb") as file:
                async for block in blocks:
                    got += len(block)
                    self.check_size(got)
                    file.write(block)
            if size is not None and got != size:
                raise UsageError("the upload was broken off", remedy="Try it again.")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return path


def _amount(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MB"
