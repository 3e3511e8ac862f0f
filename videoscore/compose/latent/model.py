"""The trained networks of the latent composer, from their file and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from videoscore.compose.latent.actor import Actor
from videoscore.compose.latent.network import MelodyVAE
from videoscore.compose.latent.steps import BARS
from videoscore.errors import SetupError
from videoscore.resources import weight_file

WEIGHTS = weight_file("latent")
PARTS = ("melody", "vectors", "actor", "before")
TEMPERATURE = 0.8  # of the decoder's steps, wherever it draws


class Vectors(nn.Module):
    """Where the vectors of real melodies lie: a normal distribution over all of their parts together, fitted when the
    autoencoder was trained (Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", section 4). So bars
    that are alike in real melodies are alike in what is drawn from it."""

    mean: Tensor  # (latent,)
    factor: Tensor  # (latent, latent), lower triangular

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(latent))
        self.register_buffer("factor", torch.eye(latent))

    def forward(self, chance: Tensor) -> Tensor:
        """(b, BARS, part) vectors from (b, latent) standard normal numbers."""
        return (self.mean + chance @ self.factor.T).unflatten(-1, (BARS, -1))


@dataclass(frozen=True, eq=False)
class Model:
    """melody : the autoencoder. vectors : of real melodies. actor : moves a vector toward a feeling. before : the actor
    before it was trained with the pitch and density of what is decoded, which `videoscore evaluate latent` compares."""

    melody: MelodyVAE
    vectors: Vectors
    actor: Actor
    before: Actor

    def tensors(self) -> Mapping[str, Tensor]:
        """All weights by name, float16."""
        return {
            f"{name}.{key}": value.detach().cpu().half().contiguous()
            for name in PARTS
            for key, value in getattr(self, name).state_dict().items()
        }


def blank() -> Model:
    """A model that has learnt nothing."""
    melody = MelodyVAE()
    return Model(melody, Vectors(melody.latent), Actor(melody.latent), Actor(melody.latent))


@lru_cache(maxsize=1)
def load(path: Path = WEIGHTS) -> Model:
    """Raises SetupError when the weights are missing or aren't the latent composer's."""
    model = blank()
    try:
        arrays = load_file(path)
        for name in PARTS:
            own = {
                k.removeprefix(f"{name}."): v.float() for k, v in arrays.items() if k.startswith(f"{name}.")
            }
            getattr(model, name).load_state_dict(own)
            getattr(model, name).eval().requires_grad_(False)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise SetupError(
            f"the latent composer's weights can't be read ({type(error).__name__})",
            path=path,
            remedy="Reinstall videoscore, or train them with `videoscore train latent`.",
        ) from error
    return model


def save(path: Path, model: Model) -> None:
    save_file(dict(model.tensors()), path)


@torch.inference_mode()
def decode(net: MelodyVAE, z: Tensor, chords: Tensor, beats: int, draws: Tensor) -> Tensor:
    """(n, STEPS) tokens of one melody of n bars. z : (n, part). chords : (n, 2, CHORD_FEATURES). draws : (n, STEPS)
    in [0, 1). In one thread, so that the same vector always gives the same tune."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        plans = net.conduct(z[None], chords[None], torch.tensor([beats - 3]))
        return net.decode(plans, TEMPERATURE, draws[None])[0]
    finally:
        torch.set_num_threads(threads)
