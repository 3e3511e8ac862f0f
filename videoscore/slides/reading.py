"""Reads photographs: JPEG, PNG, WebP, HEIC and what else Pillow knows, upright and in sRGB.

Pillow, and pillow-heif for HEIC, come with the extra `slideshow`; they are imported when a photograph is read.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from videoscore.errors import InputError, NotFound, SetupError
from videoscore.file_names import as_text

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
    ]
)
MOST_PIXELS = 178_956_970  # Pillow refuses more, as a bomb
# EXIF: the directory of the camera's own tags; when it was taken, digitised, changed; what is seen
_CAMERA, _TAKEN, _DIGITISED, _CHANGED, _DESCRIPTION = 0x8769, 0x9003, 0x9004, 0x0132, 0x010E
_REMEDY = 'Run: pip install "videoscore[slideshow]"'


@dataclass(frozen=True)
class Label:
    """What a photograph's file says of it. taken : None where it doesn't say. description : in one line, or ""."""

    width: int
    height: int
    taken: datetime | None
    description: str


@cache
def library() -> Any:
    """Pillow's `Image`, able to read HEIC. Raises SetupError without the extra."""
    try:
        from PIL import Image
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise SetupError(f"{error.name or 'Pillow'} is missing", remedy=_REMEDY) from error
    register_heif_opener()
    return Image


def read(path: Path, width: int, height: int) -> tuple[Image, Label]:
    """A photograph, upright, RGB in sRGB, no larger than is needed to cover width x height pixels, and its label.

    What is transparent becomes white. Raises InputError, with what is wrong, when it can't be read.
    """
    images = library()
    try:
        with images.open(path) as image:
            label = _label(image)
            if image.width * image.height > MOST_PIXELS:
                raise InputError("it has too many pixels", path=path, remedy="Make it smaller.")
            profile = image.info.get("icc_profile")
            image.draft("RGB", _covering(image.size, max(width, height), max(width, height)))  # JPEG: a part
            image.load()
            opaque = _opaque(_upright(image))
    except (InputError, SetupError, MemoryError):
        raise
    except Exception as error:  # a broken file breaks a decoder in any way it likes
        why = " ".join(str(error).replace(str(path), "").split()) or type(error).__name__
        remedy = "Copy it again, or leave it out."
        if "cannot identify" in why:
            why = "no picture that can be read"
        if not path.exists():
            raise NotFound("no such file", path=path, remedy="Check the name and the folder.") from error
        raise InputError(why[:200], path=path, remedy=remedy) from error
    size = _covering(opaque.size, width, height)
    if size[0] < opaque.width:
        opaque = opaque.resize(size, images.Resampling.LANCZOS, reducing_gap=3.0)
    return _in_srgb(opaque, profile), label


def _covering(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The size at which a picture just covers width x height; its own where it is smaller."""
    scale = min(1.0, max(width / size[0], height / size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _opaque(image: Image) -> Image:
    """8 bits a channel, on white: RGB, or CMYK."""
    images = library()
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits of grey
        values = np.asarray(image, np.float64)
        top = 65535.0 if image.mode.startswith("I") else max(float(values.max()), 1e-9)
        image = images.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = images.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        return ground.convert("RGB")
    return image if image.mode in ("RGB", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """Telephones store Display P3 and cameras Adobe RGB, which would look pale or gaudy as they are."""
    if profile:
        from PIL import ImageCms

        # a damaged profile, or one of another kind of pixels, says nothing
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if changed is not None:
                return changed
    return image.convert("RGB")


def _label(image: Image) -> Label:
    exif = image.getexif()
    own = exif.get_ifd(_CAMERA)
    taken = next(
        (t for text in (own.get(_TAKEN), own.get(_DIGITISED), exif.get(_CHANGED)) if (t := _time(text))), None
    )
    width, height = image.size
    if exif.get(0x0112) in (5, 6, 7, 8):  # on its side
        width, height = height, width
    words = exif.get(_DESCRIPTION)
    return Label(width, height, taken, " ".join(words.split()) if isinstance(words, str) else "")


def _time(text: object) -> datetime | None:
    """EXIF writes "2024:03:12 18:01:59"; cameras without a set clock zeros or blanks."""
    try:
        return datetime.strptime(str(text).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


# ---------------------------------------------------------------- which


def find(names: Iterable[str | Path], order: str) -> tuple[list[Path], tuple[str, ...]]:
    """The files that are meant, and remarks on what was left out.

    names : photographs, and folders whose photographs are taken by name (not those of folders in them).
    order : "given", else by name. Raises NotFound.
    """
    paths: list[Path] = []
    remarks = []
    for path in map(Path, names):
        if path.is_dir():
            members = [p for p in sorted(path.iterdir(), key=by_name) if p.is_file() and p.name[0] != "."]
            photos = [p for p in members if p.suffix.lower() in SUFFIXES]
            if len(members) > len(photos):
                remarks.append(f"{as_text(path)}: {len(members) - len(photos)} files that are no photographs")
            paths += photos
        elif path.is_file():
            paths.append(path)
        else:
            raise NotFound("no such file", path=path, remedy="Check the name and the folder.")
    return (paths if order == "given" else sorted(paths, key=by_name)), tuple(remarks)


def by_name(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A key that puts photo9 before photo10, as people do."""
    parts = re.findall(r"\d+|\D+", as_text(path.name).casefold())
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], str(path)
