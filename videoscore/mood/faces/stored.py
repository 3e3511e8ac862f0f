"""Files of face models: safetensors of small numbers, with the calibration in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from videoscore.mood.octants import Spread

SCALE = ".scale"


@dataclass(frozen=True)
class Calibration:
    """What held-out faces taught about a model's numbers.

    temperature : logits are divided by it before they become probabilities (Guo et al. 2017, "On Calibration
        of Modern Neural Networks"); 1 for a model without classes.
    spread : of the true valence and arousal around a reading, see `videoscore.mood.octants`.
    hint, error : knots; a reading whose hint is so large is expected to be so far from the truth on the plane.
        The hint is the standard deviation on the plane of an emotion model's probabilities, or a regressor's
        distance between a face's reading and its mirror image's. error rises with hint.
    blind : how far from the truth the best guess without looking is expected to be.
    """

    temperature: float
    spread: Spread
    hint: tuple[float, ...]
    error: tuple[float, ...]
    blind: float


@dataclass(frozen=True)
class Header:
    model: str
    width: float
    outputs: int
    calibration: Calibration

    def text(self) -> dict[str, str]:
        """As the metadata of a safetensors file: one entry, since several are written in any order."""
        return {"face model": json.dumps(asdict(self), sort_keys=True)}

    @staticmethod
    def of(text: Mapping[str, str]) -> Header:
        """Raises KeyError, TypeError, ValueError when it is no such header."""
        raw = json.loads(text["face model"])
        calibration = raw["calibration"]
        calibration |= {
            "spread": Spread(**calibration["spread"]),
            "hint": tuple(calibration["hint"]),
            "error": tuple(calibration["error"]),
        }
        return Header(**raw | {"calibration": Calibration(**calibration)})


def pack(weights: Mapping[str, Tensor], bits: int = 8) -> dict[str, Tensor]:
    """bits 8: matrices become int8 with one float32 scale for each output channel; 16: float16. Vectors stay
    float32, they weigh nothing."""
    packed = {}
    for name, w in weights.items():
        if w.ndim < 2:
            packed[name] = w.float().contiguous()
        elif bits == 16:
            packed[name] = w.half().contiguous()
        else:
            scale = (w.abs().amax(tuple(range(1, w.ndim))) / 127).clamp(min=1e-12)
            packed[name] = (w / scale.reshape(-1, *[1] * (w.ndim - 1))).round().to(torch.int8).contiguous()
            packed[name + SCALE] = scale.float().contiguous()
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `pack` was given, to within half a step, float32."""
    weights = {}
    for name, w in packed.items():
        if name.endswith(SCALE):
            continue
        scale = packed.get(name + SCALE)
        weights[name] = w.float() if scale is None else w.float() * scale.reshape(-1, *[1] * (w.ndim - 1))
    return weights


def read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Header and float32 weights. Raises OSError, SafetensorError, KeyError, TypeError, ValueError."""
    with safe_open(path, "pt") as file:
        header = Header.of(file.metadata() or {})
        return header, unpack({k: file.get_tensor(k) for k in file.keys()})  # noqa: SIM118 (it is no dict)
