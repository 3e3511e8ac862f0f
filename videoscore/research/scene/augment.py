"""What films do to a picture: cropped, graded, grey, grainy, dark, compressed, blurred, drawn. numpy and Pillow."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Picture = NDArray[np.uint8]
Random = np.random.Generator

LEAST_CROP = 0.55  # of the area
OUTLINE = 190  # level of the inverted edges under which a line is drawn
# how often each is done; what changes the mood itself, darkness most of all, is done rarely and mildly
MIRROR, GRADE, GREY, GRAIN, DARK, COMPRESSED, BLUR, DRAWN = 0.5, 0.6, 0.12, 0.2, 0.08, 0.35, 0.12, 0.08


def augment(picture: Picture, random: Random) -> Picture:
    """(h, w, 3) -> another view of it, of another size."""
    image = Image.fromarray(crop(picture, random))
    if random.random() < MIRROR:
        image = ImageOps.mirror(image)
    if random.random() < DRAWN:
        image = drawn(image, random)
    if random.random() < GRADE:
        image = grade(image, random)
    if random.random() < GREY:
        image = grey(image, random)
    if random.random() < DARK:
        image = ImageEnhance.Brightness(image).enhance(float(random.uniform(0.45, 0.8)))
    if random.random() < BLUR:
        image = image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.5, 1.8))))
    if random.random() < GRAIN:
        x = np.asarray(image).astype(np.float32)
        x += random.normal(0, random.uniform(3, 14), (*x.shape[:2], 1)).astype(np.float32)
        image = Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))
    if random.random() < COMPRESSED:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(random.integers(12, 60)))
        image = Image.open(buffer).convert("RGB")
    return np.asarray(image)


def crop(picture: Picture, random: Random) -> Picture:
    """A part of `LEAST_CROP` of the area or more, its shape changed by a fifth at most."""
    h, w = picture.shape[:2]
    area = random.uniform(LEAST_CROP, 1.0)
    squeeze = np.exp(random.uniform(-0.2, 0.2))
    height = min(h, max(16, int(h * np.sqrt(area / squeeze))))
    width = min(w, max(16, int(w * np.sqrt(area * squeeze))))
    y, x = int(random.integers(h - height + 1)), int(random.integers(w - width + 1))
    return np.ascontiguousarray(picture[y : y + height, x : x + width])


def grade(image: Image.Image, random: Random) -> Image.Image:
    """Contrast, saturation, a curve of brightness and a tint, as a colourist would."""
    image = ImageEnhance.Contrast(image).enhance(float(random.uniform(0.75, 1.3)))
    image = ImageEnhance.Color(image).enhance(float(random.uniform(0.5, 1.4)))
    x = (np.asarray(image).astype(np.float32) / 255) ** np.float32(np.exp(random.uniform(-0.25, 0.25)))
    x = x * np.exp(random.uniform(-0.1, 0.1, 3)).astype(np.float32)
    return Image.fromarray(np.clip(255 * x, 0, 255).astype(np.uint8))


def grey(image: Image.Image, random: Random) -> Image.Image:
    """Black and white, or toned as old prints are."""
    plain = ImageOps.grayscale(image)
    if random.random() < 0.3:
        return ImageOps.colorize(plain, (10, 5, 0), (255, 240, 205))
    return plain.convert("RGB")


def drawn(image: Image.Image, random: Random) -> Image.Image:
    """Flat areas and dark outlines, in the manner of a cel."""
    flat = image.filter(ImageFilter.MedianFilter(5)).quantize(int(random.integers(10, 32))).convert("RGB")
    lines = ImageOps.invert(ImageOps.grayscale(image).filter(ImageFilter.FIND_EDGES))
    mask = (np.asarray(lines)[..., None] > OUTLINE).astype(np.float32)
    x = np.asarray(flat).astype(np.float32) * (0.35 + 0.65 * mask)
    return Image.fromarray(x.astype(np.uint8))
