"""What is known of one photograph before it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Focus:
    """Where one looks in a photograph: x and y from 0 to 1, from its upper left corner.

    box : (x0, y0, x1, y1), likewise, around all faces; None where there is none.
    """

    x: float
    y: float
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Photo:
    """A photograph that can be read.

    width, height : pixels, upright. valence, arousal : [-1, 1]. confidence : of these, [0, 1].
    taken : when, by its EXIF, else by its file (`has_date` False). description : that it carries, or "".
    """

    path: Path
    width: int
    height: int
    focus: Focus
    valence: float
    arousal: float
    confidence: float
    taken: datetime
    has_date: bool
    description: str = ""
