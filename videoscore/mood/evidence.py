"""What a picture shows beside its subject: how much of it can be read, how bright and colourful it is. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.visible import content_box, luma, visibility
from videoscore.video.frames import Frame

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of n sampled pictures.

    visible : (n,) in [0, 1], 0 for black and plain pictures and for title cards (`mood.visible`).
    motion : (n,) as in `Frame`. brightness : (n,) mean luma, 0..1. colour : (n,) `colourfulness`, 0..about 1.
    loudness : (n,) LUFS of the sound around each, None without sound.
    """

    visible: Array
    motion: Array
    brightness: Array
    colour: Array
    loudness: Array | None = None


def colourfulness(rgb: Picture) -> float:
    """Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images", eq. 19 (their M3), over 100.

    0 for grey, about .33 for moderately and .82 for extremely colourful pictures (their table 2).
    """
    red, green, blue = rgb[::2, ::2].reshape(-1, 3).astype(np.float32).T
    a, b = red - green, (red + green) / 2 - blue
    return float(np.hypot(a.std(), b.std()) + 0.3 * np.hypot(a.mean(), b.mean())) / 100


def look(frames: Sequence[Frame]) -> list[tuple[float, float, float, float]]:
    """(visible, motion, brightness, colour) of each frame, inside black borders."""
    rows = []
    for frame in frames:
        inside = frame.rgb[content_box(frame.rgb)]
        rows.append(
            (visibility(frame.rgb), frame.motion, float(luma(inside).mean()) / 255, colourfulness(inside))
        )
    return rows
