"""Train the latent composer: the autoencoder of melodies, then the actor and its critics in its latent space.

`videoscore train latent --corpus corpus.npz --run FOLDER --out FILE`; the corpus is that of
`videoscore train corpus`. docs/models/latent.md says how good it is.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

from videoscore.compose.latent.model import Model, Vectors, save
from videoscore.compose.latent.network import MelodyVAE, Shape
from videoscore.research.latent.actor_course import ActorCourse, ActorRecipe
from videoscore.research.latent.course import Recipe, VAECourse, codes, reconstruction
from videoscore.research.latent.data import Melodies, melodies
from videoscore.research.run import Budget, Log, Run
from videoscore.research.weights import write_weights

AUTOENCODER, BEFORE, ACTOR = "autoencoder", "before", "actor"  # folders of the run
FIRST_UPDATES, FEELING_UPDATES = 1000, 500  # of the actor, without and with what is decoded


def autoencoder(
    m: Melodies, run: Path, minutes: float, seed: int, log: Log, shape: Shape | None = None
) -> VAECourse:
    """The first stage, in its folder of the run; it goes on where it stopped."""
    course = VAECourse(m, Recipe(seed=seed), shape)
    Run(course, run / AUTOENCODER, Budget(0.0, minutes)).go(log)
    return course


@torch.inference_mode()
def fit_vectors(net: MelodyVAE, m: Melodies) -> Vectors:
    """Mean and covariance of the posteriors of all melodies together."""
    mean, log_variance = (t.flatten(1).double() for t in codes(net, m))
    covariance = torch.cov(mean.T) + torch.diag(log_variance.exp().mean(0))
    out = Vectors(net.latent)
    out.mean.copy_(mean.mean(0).float())
    out.factor.copy_(torch.linalg.cholesky(covariance).float())
    return out


def train(
    corpus: Path, run: Path, out: Path, minutes: float, seed: int, command: str, log: Log = lambda entry: None
) -> dict[str, float]:
    """All stages, and the weights at `out`. Every stage goes on where it stopped; a finished one isn't made again.

    minutes : of training time of the autoencoder, over every resume. Returns how much of held-out melodies comes back
    (`videoscore.research.latent.course.agreement`).
    """
    clock = time.monotonic()
    m = melodies(corpus)
    course = autoencoder(m, run, minutes, seed, log)
    model, figures = actors(course.net, m, run, seed, log)
    held_out = m.where(m.held_out)
    figures |= reconstruction(course.net, held_out)
    pieces = len(set(m.piece[~m.held_out].tolist()))
    facts = {
        "command": command,
        "seed": seed,
        "data": f"{len(m) - len(held_out)} windows of sixteen bars, of melodies of {pieces} pieces",
        "minutes": {"autoencoder": minutes, "this command": round((time.monotonic() - clock) / 60, 1)},
        "figures": figures,
    }
    write_weights(out, lambda path: save(path, model), facts)
    return figures


def actors(
    net: MelodyVAE, m: Melodies, run: Path, seed: int, log: Log, updates: tuple[int, int] | None = None
) -> tuple[Model, dict[str, float]]:
    """The later stages: where real vectors lie, the actor, and the actor again with what is decoded."""
    first_updates, feeling_updates = updates or (FIRST_UPDATES, FEELING_UPDATES)
    vectors = fit_vectors(net, m.where(~m.held_out))
    first = ActorCourse(net, vectors, m, ActorRecipe(seed=seed))
    Run(first, run / BEFORE, Budget(first_updates, entry=250)).go(log)
    again = ActorCourse(net, vectors, m, ActorRecipe(batch=32, feeling=1.0, seed=seed))
    again.begin_with(first)
    last = Run(again, run / ACTOR, Budget(feeling_updates, entry=50))
    last.go(log)
    return Model(net, vectors, again.actor, first.actor), {"actor updates": last.step}
