"""Where one looks in a photograph: at its faces, else at what stands out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from videoscore.mood.faces.person import Face
from videoscore.mood.visible import Picture, luma
from videoscore.slides.photo import Focus

SURE = 0.9  # confidence from which a face counts: what leads the eye may not be a pattern in a curtain
LARGE = 0.15  # area of a face, in shares of the largest, from which it belongs to those that are shown
SIDE = 64  # pixels; the spectral residual is computed on small pictures
BLUR = 2.5  # pixels of these


def focus(picture: Picture, faces: Sequence[Face]) -> Focus:
    """picture : uint8 (h, w, 3). faces : that were found in it."""
    height, width = picture.shape[:2]
    sure = [f for f in faces if f.confidence >= SURE]
    shown = [f for f in sure if f.area >= LARGE * max(f.area for f in sure)]
    if not shown:
        x, y = _centre(saliency(picture))
        return Focus(x, y)
    boxes = np.clip(np.array([f.box for f in shown]) / [width, height, width, height], 0, 1)
    x0, y0 = boxes[:, :2].min(0).tolist()
    x1, y1 = boxes[:, 2:].max(0).tolist()
    return Focus((x0 + x1) / 2, (y0 + y1) / 2, (x0, y0, x1, y1))


def saliency(picture: Picture) -> NDArray[np.float64]:
    """(`SIDE`, `SIDE`) how much each place stands out, summing to 1.

    The spectral residual (Hou & Zhang 2007, "Saliency detection: a spectral residual approach", CVPR): what of the
    logarithm of the amplitude spectrum its local mean doesn't explain, with the phases as they are.
    """
    small = _shrunk(luma(picture))
    spectrum = np.fft.fft2(small)
    amplitude = np.log(np.abs(spectrum) + 1e-9)
    residual = amplitude - uniform_filter(amplitude, 3, mode="wrap")
    stands_out = gaussian_filter(np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2, BLUR)
    total = float(stands_out.sum())
    even = np.full((SIDE, SIDE), 1 / SIDE**2)
    return stands_out / total if np.isfinite(total) and total > 0 and np.ptp(small) > 1 else even


def _shrunk(light: NDArray[np.float32]) -> NDArray[np.float64]:
    """(h, w) -> (`SIDE`, `SIDE`), each the mean of the pixels that fall into it; small pictures are repeated."""
    rows = np.linspace(0, light.shape[0], SIDE + 1)
    columns = np.linspace(0, light.shape[1], SIDE + 1)
    sums = np.pad(light.astype(float).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    y0, x0 = rows[:-1].astype(int), columns[:-1].astype(int)
    y1 = np.maximum(y0 + 1, rows[1:].astype(int))
    x1 = np.maximum(x0 + 1, columns[1:].astype(int))
    area = np.outer(y1 - y0, x1 - x0)
    inside = sums[y1][:, x1] - sums[y0][:, x1] - sums[y1][:, x0] + sums[y0][:, x0]
    return np.asarray(inside / area, float)


def _centre(weights: NDArray[np.float64]) -> tuple[float, float]:
    """The mean place (x, y) of the tenth that stands out most: the mean of all would always be the middle."""
    top = np.where(weights >= np.quantile(weights, 0.9), weights, 0.0)
    top /= top.sum()
    places = (np.arange(SIDE) + 0.5) / SIDE
    return float(top.sum(0) @ places), float(top.sum(1) @ places)
