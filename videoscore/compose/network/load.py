"""The trained composer from its weight file."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from videoscore.compose.network.model import Composer, ComposerConfig
from videoscore.compose.plan.harmony import Harmony
from videoscore.errors import SetupError
from videoscore.resources import weight_file

WEIGHTS = weight_file("composer")
HARMONY = "harmony.table"


@lru_cache(maxsize=2)
def load_composer(path: Path = WEIGHTS) -> tuple[Composer, Harmony]:
    """The network in evaluation mode (float32) and the chord chain that was counted with it.

    Raises SetupError when the file is missing or isn't a composer's.
    """
    try:
        with safe_open(path, "pt") as file:
            config = ComposerConfig(**json.loads((file.metadata() or {})["config"]))
            tensors = {k: file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise SetupError(
            f"the composer's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train composer`.",
        ) from error
    harmony = Harmony(tensors.pop(HARMONY).double().numpy().astype(np.float64))
    model = Composer(config)
    model.load_state_dict(tensors)
    model.requires_grad_(False)
    return model.eval(), harmony
