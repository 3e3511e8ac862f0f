"""A drawn face, so that the finder's tests need no photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def drawn_face(height: int, width: int, side: float, x: float, y: float) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): head, hair, eyes, brows, nose and mouth about (x, y); side : of the head, pixels."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    u, v = (columns - x) / side, (rows - y) / side
    picture = np.empty((height, width, 3))
    picture[:] = (110, 130, 150)

    def oval(cx: float, cy: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        picture[((u - cx) / rx) ** 2 + ((v - cy) / ry) ** 2 < 1] = colour

    oval(0, 0.75, 0.75, 0.35, (60, 60, 90))  # shoulders
    oval(0, 0.45, 0.18, 0.3, (190, 145, 120))  # neck
    oval(0, -0.12, 0.46, 0.55, (60, 40, 30))  # hair
    oval(0, 0, 0.38, 0.5, (225, 180, 150))  # face
    for s in (-1, 1):
        oval(0.17 * s, -0.1, 0.1, 0.06, (170, 120, 100))  # socket
        oval(0.17 * s, -0.19, 0.11, 0.022, (70, 45, 35))
        oval(0.17 * s, -0.09, 0.075, 0.038, (245, 245, 240))
        oval(0.17 * s, -0.09, 0.036, 0.038, (50, 35, 30))
        oval(0.05 * s, 0.115, 0.022, 0.015, (110, 70, 60))
    oval(0.01, 0.02, 0.025, 0.1, (240, 200, 170))
    oval(0, 0.12, 0.075, 0.03, (195, 140, 115))
    oval(0, 0.27, 0.15, 0.05, (170, 70, 70))
    oval(0, 0.26, 0.11, 0.015, (110, 40, 45))
    shade = 1 - 0.25 * np.clip(np.abs(u) * 2, 0, 1)[:, :, None] ** 2
    return gaussian_filter(picture * shade, (side / 80, side / 80, 0)).clip(0, 255).astype(np.uint8)
