"""Views of every rated picture, as far as the lower stages of a backbone take them.

These stages stay as published, so what they make of a view is worked out once and kept: training then costs only
the upper stages, which on a CPU are a fourth of the work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.perceivers.backbone import (
    LITE,
    LOWER,
    EfficientNetLite,
    channels,
    feature_size,
    half_precision,
)
from videoscore.mood.perceivers.scene import ASPECTS, SHAPES, prepare, shape_of
from videoscore.research.scene.augment import augment
from videoscore.research.scene.oasis import backbone_weights
from videoscore.research.scene.rated import Rated, load

VIEWS = 6  # of each picture: as it is, mirrored, and four that `augment` makes
STRIDE = 16  # of the lower stages together

Half = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Bank:
    """n pictures, `VIEWS` of each.

    digest : of the pictures and their views. shape : (n,) index into `ASPECTS`. row : (n,) where the picture stands in
    `maps`. maps : one array (m, VIEWS, c, h, w) for each shape. pooled : (n, VIEWS, d) of the lower stages. published :
    (n, d) features of the pictures as they are by the backbone as published.
    """

    digest: str
    shape: NDArray[np.int64]
    row: NDArray[np.int64]
    maps: Sequence[Half]
    pooled: Half
    published: Half

    def batch(
        self, pictures: NDArray[np.int64], views: NDArray[np.int64]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(k,) pictures of one shape -> what `EfficientNetLite.upper` takes."""
        maps = self.maps[int(self.shape[pictures[0]])]
        x = np.stack([maps[self.row[i], v] for i, v in zip(pictures, views)])
        tensor = torch.from_numpy(x).to(torch.bfloat16 if half_precision() else torch.float32)
        return torch.from_numpy(self.pooled[pictures, views]).float(), tensor.contiguous(
            memory_format=torch.channels_last
        )


def backbone(name: str) -> EfficientNetLite:
    """One as published, frozen. Raises SetupError when its package isn't installed."""
    net = EfficientNetLite(LITE[name])
    net.load_state_dict({k.removeprefix(f"{name}."): v.float() for k, v in backbone_weights((name,)).items()})
    net.requires_grad_(False)
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def bank(
    items: Sequence[Rated], name: str, folder: Path, say: Callable[[str], None] = lambda line: None
) -> Bank:
    """The views of `items` through the lower stages of backbone `name`; kept in `folder`, and read from there.

    About 50 views a second and core. Chance hangs on a picture's place in `items` alone.
    Raises NotFound, BrokenVideo, SetupError.
    """
    listing = json.dumps([[[str(i.path.name), i.moment, i.group] for i in items], SHAPES[name], VIEWS])
    digest = hashlib.sha256(listing.encode()).hexdigest()[:12]
    place = folder / f"bank_{name}_{digest}"
    if not (place / "pooled.npy").is_file():
        place.mkdir(parents=True, exist_ok=True)
        _fill(items, backbone(name), place, say)
    index = np.load(place / "index.npz")
    maps = [np.load(place / f"maps{k}.npy", mmap_mode="r") for k in range(len(ASPECTS))]
    pooled, published = np.load(place / "pooled.npy"), np.load(place / "published.npy")
    return Bank(digest, index["shape"], index["row"], maps, pooled, published)


def _fill(items: Sequence[Rated], net: EfficientNetLite, place: Path, say: Callable[[str], None]) -> None:
    width = channels(net.config)
    shape = np.array([shape_of(*picture.shape[:2]) for picture in load(items)], np.int64)
    row = np.zeros(len(items), np.int64)
    maps = []
    for k, (h, w) in enumerate(SHAPES[net.config.name]):
        members = np.flatnonzero(shape == k)
        row[members] = np.arange(len(members))
        size = (len(members), VIEWS, width[LOWER - 1], h // STRIDE, w // STRIDE)
        maps.append(np.lib.format.open_memmap(place / f"maps{k}.npy", "w+", np.float16, size))
    np.savez(place / "index.npz", shape=shape, row=row)
    pooled = np.zeros((len(items), VIEWS, 2 * sum(width[:LOWER])), np.float16)
    published = np.zeros((len(items), feature_size(net.config)), np.float16)
    half = half_precision()
    for i, picture in enumerate(load(items, say)):
        views = [picture, np.ascontiguousarray(picture[:, ::-1])]
        views += [augment(picture, np.random.default_rng([i, v])) for v in range(2, VIEWS)]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            below, x = net.lower(prepare(views, SHAPES[net.config.name][shape[i]]))
            published[i] = net.upper(below[:1], x[:1])[0].numpy().astype(np.float16)
        maps[shape[i]][row[i]] = x.float().numpy().astype(np.float16)
        pooled[i] = below.numpy().astype(np.float16)
    for array in maps:
        array.flush()
    np.save(place / "published.npy", published)
    np.save(place / "pooled.npy", pooled)  # last: it says that the bank is whole
