"""Pictures for the eight-mood CNNs: stored once as small squares, drawn as augmented views of 128 x 128."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from videoscore.mood.perceivers.deep import SIDE
from videoscore.research.scene.rated import read_picture

STORED = 144  # pixels a side; a bit more than is looked at, so that crops stay sharp
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
# Augmentation. Colours carry mood, so they are changed little.
SMALLEST, STRETCH = 0.72, 0.1  # side of a crop; how much wider or taller it may be (log)
LIGHT, CONTRAST, COLOUR = 0.08, 0.12, 0.25
GREY = 0.1  # share of views without colour, so that old films aren't taken for gloomy ones


def find_pictures(folder: Path) -> list[Path]:
    """All picture files under `folder`, in a fixed order; hidden ones and folders are left out."""
    paths = [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
    return sorted(p for p in paths if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) -> (STORED, STORED, 3)."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((STORED, STORED), Image.Resampling.BICUBIC), np.uint8)


def read_squares(
    paths: Sequence[Path], cache: Path | None = None, say: Callable[[str], None] = lambda line: None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """All pictures as (n, STORED, STORED, 3), and (n,) which of them could be read; the others are black.

    cache : a .npy file that keeps the pictures; used again if it lists the very same paths and sizes.
    """
    names = [f"{p}\t{p.stat().st_size}" for p in paths]
    listing = None if cache is None else cache.with_suffix(".txt")
    if cache is not None and listing is not None and cache.is_file() and listing.is_file():
        lines = listing.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        if [line.rpartition("\t")[0] for line in lines] == names:
            return np.load(cache, mmap_mode="r"), np.array([line.endswith("\tread") for line in lines], bool)
    pictures = np.zeros((len(paths), STORED, STORED, 3), np.uint8)
    readable = np.ones(len(paths), bool)
    for i, path in enumerate(paths):
        try:
            pictures[i] = square(read_picture(path))
        except (OSError, ValueError):
            readable[i] = False
        if i % 1000 == 999:
            say(f"{i + 1} of {len(paths)} pictures read")
    if cache is not None and listing is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        part = cache.with_name(f"{cache.name}.part{os.getpid()}.npy")
        np.save(part, pictures)
        listing.unlink(missing_ok=True)  # never an old listing beside new pictures
        os.replace(part, cache)
        state = ("read" if ok else "unreadable" for ok in readable)
        listing.write_text(
            "\n".join(f"{n}\t{s}" for n, s in zip(names, state)), encoding="utf-8", errors="surrogateescape"
        )
    return pictures, readable


def to_input(x: Tensor) -> Tensor:
    """(b, STORED, STORED, 3) uint8 -> (b, 3, STORED, STORED) float32, (RGB - 127.5) / 127.5."""
    return (x.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def plain_views(x: Tensor) -> Tensor:
    """(b, STORED, STORED, 3) uint8 -> (b, 3, 128, 128): the whole picture, as perceivers see it."""
    y = F.interpolate(to_input(x), (SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)
    return y.contiguous(memory_format=torch.channels_last)


def augmented_views(x: Tensor, rng: np.random.Generator) -> Tensor:
    """(b, STORED, STORED, 3) uint8 -> (b, 3, 128, 128): cropped, mirrored and shaded at random."""
    b = len(x)
    side = np.exp(rng.uniform(np.log(SMALLEST), 0, b))
    shape = np.exp(rng.uniform(-STRETCH, STRETCH, b) / 2)
    w, h = np.minimum(side * shape, 1), np.minimum(side / shape, 1)  # shares of the picture
    theta = np.zeros((b, 2, 3), np.float32)
    theta[:, 0, 0] = w * rng.choice((-1, 1), b)
    theta[:, 1, 1] = h
    theta[:, 0, 2] = (1 - w) * rng.uniform(-1, 1, b)
    theta[:, 1, 2] = (1 - h) * rng.uniform(-1, 1, b)
    grid = F.affine_grid(torch.from_numpy(theta).to(x.device), [b, 3, SIDE, SIDE], align_corners=False)
    y = F.grid_sample(to_input(x), grid, mode="bilinear", padding_mode="border", align_corners=False)
    colour = np.where(rng.random(b) < GREY, 0, 1 + rng.uniform(-COLOUR, COLOUR, b))
    one = [
        torch.from_numpy(v.astype(np.float32)).to(x.device).view(b, 1, 1, 1)
        for v in (colour, 1 + rng.uniform(-CONTRAST, CONTRAST, b), 2 * rng.uniform(-LIGHT, LIGHT, b))
    ]
    grey = (y * y.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)  # BT.601 luma
    y = (grey + (y - grey) * one[0]) * one[1] + one[2]
    return y.clamp(-1, 1).contiguous(memory_format=torch.channels_last)
