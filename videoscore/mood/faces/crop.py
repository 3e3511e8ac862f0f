"""A face cut out of its picture as the pictures of FER2013 are: upright, eyes and mouth always in their places.

The framing was measured, not assumed: the finder's landmarks in 242 pictures of FER2013 and 192 of muxspace, whose
medians agree within .01 of the picture's side (docs/models/finder.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from videoscore.mood.faces.person import Array, Face, Picture

# Where FER2013's pictures have eyes and mouth corners, in sides of the picture, made symmetric.
EYES_AND_MOUTH = np.array([[0.315, 0.392], [0.685, 0.392], [0.347, 0.797], [0.653, 0.797]])
CORNERS = [0, 1, 3, 4]  # which landmarks these are; the nose moves as the head turns
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as in grey JPEGs


@dataclass(frozen=True)
class Framing:
    """A square in a picture. centre : x, y in pixels. side : pixels. roll : radians clockwise off the upright."""

    centre: tuple[float, float]
    side: float
    roll: float


def framing(face: Face) -> Framing:
    """The square in which the face's eyes and mouth come nearest to their places.

    Rotation is the least-squares one (a face in half profile still has its mouth under its eyes, so both tell it);
    scale is the ratio of the landmarks' spreads, which shrinks less when the head turns than the distance of the
    eyes does.
    """
    at = face.landmarks[CORNERS] @ np.array([1, 1j])  # (4,) as complex numbers
    home = EYES_AND_MOUTH @ np.array([1, 1j])
    spread, spread_home = (np.sqrt(np.mean(np.abs(p - p.mean()) ** 2)) for p in (at, home))
    side = max(float(spread / spread_home), 1.0)
    roll = float(np.angle(np.vdot(home - home.mean(), at - at.mean())))
    centre = at.mean() + side * np.exp(1j * roll) * (0.5 + 0.5j - home.mean())
    return Framing((float(centre.real), float(centre.imag)), side, roll)


def face_crop(rgb: Picture, face: Face, size: int, channels: int = 1) -> Picture:
    """The face, upright and framed as in FER2013.

    rgb : uint8 (h, w, 3). size : side of the result in pixels. channels : 1 for grey (size, size), 3 for RGB
    (size, size, 3); uint8. Where the frame leaves the picture, the picture's border goes on. Every pixel is the mean
    of what it covers.
    """
    if channels not in (1, 3) or size < 1:
        raise ValueError("a face has 1 or 3 channels and at least one pixel")
    square = framing(face)
    fine = size * max(1, int(np.ceil(square.side / size)))  # samples a side, at most a pixel apart
    steps = ((np.arange(fine) + 0.5) / fine - 0.5) * square.side
    positions = (steps[None, :] + 1j * steps[:, None]) * np.exp(1j * square.roll) + complex(*square.centre)
    window, x0, y0 = _window(rgb, positions)
    planes = [window @ LUMA] if channels == 1 else list(np.moveaxis(window, 2, 0))
    at = [positions.imag - 0.5 - y0, positions.real - 0.5 - x0]  # pixel centres lie half a pixel inside
    read = [map_coordinates(p, at, order=1, mode="nearest") for p in planes]
    small = [p.reshape(size, fine // size, size, fine // size).mean((1, 3)) for p in read]
    out = np.rint(np.stack(small, 2)).clip(0, 255).astype(np.uint8)
    return out[:, :, 0] if channels == 1 else out


def _window(rgb: Picture, points: np.ndarray) -> tuple[Array, int, int]:
    """The part of the picture that is needed to read it at `points` (complex), its left and its upper edge."""
    height, width = rgb.shape[:2]
    x0, x1 = np.clip([points.real.min() - 2, points.real.max() + 2], 0, width).astype(int)
    y0, y1 = np.clip([points.imag.min() - 2, points.imag.max() + 2], 0, height).astype(int)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return rgb[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].astype(np.float64), x0, y0
