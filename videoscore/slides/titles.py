"""Titles and captions: which words, which font, and the picture of them that MoviePy draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import UsageError
from videoscore.file_names import shown
from videoscore.settings.fields import SlideOptions
from videoscore.slides.photo import Photo

TITLE, CAPTION = 0.085, 0.035  # height of the letters, in heights of the frame
MARGIN = 0.05  # below a caption, and beside the longest line
STROKE = 0.06  # of the letters' dark rim, in their height: to be read on any photograph


@dataclass(frozen=True, eq=False)
class Lettering:
    """A text as it lies on a frame. rgb : uint8 (h, w, 3); opacity : (h, w, 1) in [0, 1]; left, top : pixels."""

    rgb: NDArray[np.uint8]
    opacity: NDArray[np.float32]
    left: int
    top: int


def font_file(options: SlideOptions) -> Path:
    """The font of titles and captions. Raises UsageError when it can't be read."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    path = Path(options.font) if options.font else Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    try:
        FT2Font(str(path))
    except (OSError, RuntimeError) as error:
        raise UsageError(
            "--font: it can't be read as a font", path=path, remedy="Give a TTF or OTF file."
        ) from error
    return path


def caption(photo: Photo, options: SlideOptions) -> str:
    """What stands under a photograph, in one line; "" for nothing."""
    if options.captions == "name":
        return shown(photo.path.stem)
    if options.captions == "date":
        return photo.taken.date().isoformat() if photo.has_date else ""
    return shown(photo.description) if options.captions == "description" else ""


def missing_letters(texts: list[str], font: Path) -> str:
    """The letters of `texts` that the font hasn't, each once."""
    from matplotlib.ft2font import FT2Font

    there = FT2Font(str(font)).get_charmap()
    return "".join(sorted({c for text in texts for c in text if not c.isspace() and ord(c) not in there}))


def lettering(moviepy: Any, text: str, font: Path, frame: tuple[int, int], title: bool) -> Lettering:
    """A title in the middle of the frame (width, height), or a caption at its foot; long ones are broken into lines."""
    size = round((TITLE if title else CAPTION) * frame[1])
    rim = max(1, round(STROKE * size))
    clip = moviepy.TextClip(
        font=str(font),
        text=text,
        font_size=size,
        color="white",
        stroke_color="black",
        stroke_width=rim,
        method="caption",
        text_align="center",
        size=(round(frame[0] * (1 - 2 * MARGIN)), None),
        margin=(0, size // 3),  # below the line, too: else what hangs from letters is cut off
    )
    rgb = np.asarray(clip.get_frame(0), np.uint8)
    opacity = np.asarray(clip.mask.get_frame(0), np.float32)[..., None]
    clip.close()
    # a text too long for the frame keeps its beginning
    rgb, opacity = rgb[: frame[1]], opacity[: frame[1]]
    high, wide = rgb.shape[:2]
    top = (frame[1] - high) // 2 if title else max(0, round(frame[1] * (1 - MARGIN)) - high)
    return Lettering(rgb, opacity, (frame[0] - wide) // 2, top)


def lay(frame: NDArray[np.uint8], text: Lettering, opacity: float) -> None:
    """Put a text onto a frame (h, w, 3), in place."""
    if opacity <= 0:
        return
    high, wide = text.rgb.shape[:2]
    part = frame[text.top : text.top + high, text.left : text.left + wide]
    share = text.opacity * np.float32(opacity)
    part[:] = (part * (1 - share) + text.rgb * share + 0.5).astype(np.uint8)
