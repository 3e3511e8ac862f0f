"""Does the face-generating autoencoder draw what it is asked for? A model trained on real faces reads along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoscore.mood.faces.models import FaceModel
from videoscore.train.autoencoder import AutoencoderOptions, AutoencoderRun, Drawer, disc
from videoscore.train.faces import VALID, FaceSet

# of the picture: valence, arousal; the last but two lie where no face of FER+ does
COLUMNS = ((-0.9, 0.4), (-0.6, 0.6), (-0.6, -0.3), (0.0, 0.0), (0.4, 0.7), (0.8, 0.5), (0.6, -0.5), (0.0, -0.9))
PERSONS = 5


def obedience(faces: FaceSet, run: Path, reader: FaceModel, options: AutoencoderOptions, count: int = 1000,
              seed: int = 0, picture: Path | None = None) -> dict[str, Any]:
    """Draw faces of the validation part with expressions from the disc, and read them.

    run : folder of a finished `AutoencoderRun` with these options. picture : a .png that gets `PERSONS` persons
    with the expressions `COLUMNS`, after the person redrawn with their own. (No photograph: it may be published.)
    Returns "asked": correlation (valence, arousal) of what was asked for with what is read; "asked, near": the
    same for points where the training faces lie (each asked for that of another face); "own": of the
    photographed expression, which should be gone, with what is read; "real": of the true points of the same
    faces with what is read in them, which is the most that the reader can see; "error": mean absolute
    difference of a face's pixels and its reconstruction's, 0..255.
    """
    model = AutoencoderRun(faces, run, options).model
    valid = faces.take((faces.part == VALID) & np.isfinite(faces.point).all(1))
    drawer = Drawer(model, valid.pixels)
    rng = np.random.default_rng(seed)
    who = rng.choice(len(valid), count)
    anywhere = disc(count, torch.Generator().manual_seed(seed))
    near = torch.from_numpy(valid.point[rng.permutation(len(valid))[np.arange(count) % len(valid)]])
    own = valid.point[who]
    seen, seen_near = _read(reader, _draw(drawer, who, anywhere)), _read(reader, _draw(drawer, who, near))
    again = _draw(drawer, np.arange(len(valid)), torch.from_numpy(valid.point))
    if picture is not None:
        _picture(drawer, valid, rng.choice(len(valid), PERSONS, replace=False), picture)
    return {"asked": _correlations(anywhere.numpy(), seen), "asked, near": _correlations(near.numpy(), seen_near),
            "own": _correlations(own, seen), "real": _correlations(valid.point, _read(reader, valid.pixels)),
            "error": float(np.abs(again.astype(float) - valid.pixels).mean())}


def _draw(drawer: Drawer, who: NDArray[Any], points: torch.Tensor) -> NDArray[np.uint8]:
    return ((drawer.draw(who, points) + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()[:, 0]


def _read(reader: FaceModel, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    seen = reader.read(pixels)
    return np.stack([seen.valence, seen.arousal], 1)


def _correlations(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    return float(np.corrcoef(a[:, 0], b[:, 0])[0, 1]), float(np.corrcoef(a[:, 1], b[:, 1])[0, 1])


def _picture(drawer: Drawer, valid: FaceSet, who: NDArray[Any], path: Path) -> None:
    from videoscore.evaluate.face_pictures import grid

    columns = [_draw(drawer, who, torch.from_numpy(valid.point[who]))]
    columns += [_draw(drawer, who, torch.tensor([point] * len(who))) for point in COLUMNS]
    grid(np.stack(columns, 1), ["redrawn", *(f"{v:+.1f} {a:+.1f}" for v, a in COLUMNS)], path)
