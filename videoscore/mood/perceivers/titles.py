"""Is this picture a title card or a page of credits? A linear head on the scene model's features.

`videoscore.research.titles.train` says how it was trained, docs/models/scene.md how well it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import SetupError
from videoscore.resources import weight_file

WEIGHTS = weight_file("titles")
# The head's answer (-1 photograph, 1 card) below and above which a picture surely is, or surely isn't, readable.
RAMP = (-0.45, 0.05)


@dataclass(frozen=True, eq=False)
class TitleHead:
    """weight : (d,) and bias of a linear function that is about 1 for cards and -1 for photographs."""

    weight: NDArray[np.float32]
    bias: float

    def probability(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, d) features of the scene model's `Backbones` -> (n,) in [0, 1], .5 in the middle of `RAMP`."""
        return np.interp(x @ self.weight + self.bias, RAMP, (0, 1))

    def save(self, path: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"weight": self.weight.astype(np.float16), "bias": np.array([self.bias], np.float32)}, path)


@lru_cache(maxsize=2)
def load(path: Path = WEIGHTS) -> TitleHead:
    """Raises SetupError when the weights are missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
        return TitleHead(tensors["weight"].astype(np.float32), float(tensors["bias"][0]))
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise SetupError(
            f"the title recogniser's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train titles`.",
        ) from error
