"""The face finder's weights.

    python -m videoscore.research.faces.finder_weights --package WHEEL --out videoscore/weights

They aren't trained here but taken over, once, from the PyPI wheel of facenet-pytorch (MIT): WHEEL is the file
that `pip download --no-deps facenet-pytorch==2.6.0` leaves, or a folder with its three .pt files.
"""

from __future__ import annotations

import argparse
import io
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from videoscore.errors import NotFound, SetupError
from videoscore.mood.faces.mtcnn import networks
from videoscore.research.weights import write_weights

SOURCE = "facenet-pytorch 2.6.0 (Tim Esler, MIT), ported by way of David Sandberg's facenet from the authors' Caffe"
HEADS = {"1": "is_face", "2": "correction", "3": "landmarks"}  # the digit at the end of their names

State = Mapping[str, torch.Tensor]


def convert(package: Path, out: Path) -> Path:
    """Write the three networks as one file of float16 tensors and how they came about as json beside it.

    package : wheel or folder. out : a folder, which gets finder.safetensors, or the file itself. Returns the
    weights' path. Raises NotFound, SetupError (no such weights inside), OSError.
    """
    path = out if out.suffix == ".safetensors" else out / "finder.safetensors"
    tensors: dict[str, torch.Tensor] = {}
    for name, net in networks().items():
        try:
            net.load_state_dict(rename(_state(package, f"{name}net.pt"), net))
        except (RuntimeError, KeyError, StopIteration, pickle.UnpicklingError) as error:
            raise SetupError(
                f"no {name}net.pt of facenet-pytorch inside",
                path=package,
                remedy="Get it with `pip download --no-deps facenet-pytorch==2.6.0`.",
            ) from error
        tensors |= {f"{name}.{key}": value.half() for key, value in net.state_dict().items()}
    return write_weights(
        path,
        partial(save_file, tensors, metadata={"networks": "MTCNN"}),
        {
            "command": f"python -m videoscore.research.faces.finder_weights --package {package} --out {out}",
            "source": SOURCE,
            "parameters": sum(t.numel() for t in tensors.values()),
        },
    )


def rename(theirs: State, net: nn.Module) -> dict[str, torch.Tensor]:
    """Their tensors under our names. The layers stand in the same order; their names end in a digit for a head.

    Their dense layers read a picture by columns, (width, height, channel); ours read (channel, height, width).
    """
    layers: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in theirs.items():
        layer, _, kind = key.rpartition(".")
        layers.setdefault(layer, {})[kind] = value
    body = (values for layer, values in layers.items() if "_" not in layer)
    state: dict[str, torch.Tensor] = {}
    channels = 0
    for key in dict.fromkeys(k.rpartition(".")[0] for k in net.state_dict()):
        if key.startswith("body."):
            values = next(body)
        else:
            values = next(v for layer, v in layers.items() if "_" in layer and HEADS[layer[-1]] == key)
        weight = values["weight"]
        if key.startswith("body.") and weight.ndim == 2:
            side = round((weight.shape[1] / channels) ** 0.5)
            values["weight"] = weight.unflatten(1, (side, side, channels)).permute(0, 3, 2, 1).flatten(1)
        elif weight.ndim == 4:
            channels = weight.shape[0]
        state |= {f"{key}.{kind}": value for kind, value in values.items()}
    return state


def _state(package: Path, name: str) -> State:
    """Tensors of one .pt file; nothing in it is run."""
    if package.is_dir():
        paths = sorted(package.rglob(name))
        if not paths:
            raise NotFound(
                f"no {name} in it", path=package, remedy="Unpack the wheel of facenet-pytorch there."
            )
        raw = paths[0].read_bytes()
    else:
        try:
            with zipfile.ZipFile(package) as wheel:
                raw = wheel.read(next(n for n in wheel.namelist() if n.endswith(f"/{name}")))
        except (OSError, zipfile.BadZipFile) as error:
            raise NotFound(
                "not a wheel that can be read", path=package, remedy="Download it again."
            ) from error
    state: State = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    return state


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="videoscore.research.faces.finder_weights", description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="wheel of facenet-pytorch, or its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder or file of the weights")
    args = parser.parse_args(argv)
    path = convert(args.package, args.out)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
