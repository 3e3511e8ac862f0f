"""What the autoencoder of melodies learns, as a course of the training loop (`videoscore.research.run`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.compose.latent.network import NONE, MelodyVAE, Shape, history
from videoscore.compose.latent.steps import CHORD_TABLE, FIRST, HOLD, TOKENS
from videoscore.research.latent.data import Melodies, used
from videoscore.research.run import Run, device

CHECKED = 256  # held-out melodies on which a run is measured as it goes


@dataclass(frozen=True)
class Recipe:
    """batch : melodies. rate : the highest of Adam; it falls as a cosine to `last_rate` of it. weight : of the
    Kullback-Leibler divergence, reached after `rise` of the budget. free : nats a melody that cost nothing ("free
    bits", Kingma et al. 2016; MusicVAE leaves 256 bits to sixteen bars). blank : share of the decoder's tokens that
    are hidden from it, so that it asks the vector. seed : of everything."""

    batch: int = 32
    rate: float = 2e-3
    last_rate: float = 0.05
    weight: float = 0.2
    rise: float = 0.3
    free: float = 177.0
    blank: float = 0.15
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Batch:
    """Melodies as the network takes them; mask : (b, 1, STEPS) which steps there are."""

    tokens: Tensor
    chords: Tensor
    metre: Tensor
    mask: Tensor


def batch_of(m: Melodies, rows: NDArray[np.int64], where: torch.device) -> Batch:
    return Batch(
        torch.from_numpy(m.tokens[rows].astype(np.int64)).to(where),
        torch.from_numpy(CHORD_TABLE[m.chords[rows].astype(int)]).to(where),
        torch.from_numpy(m.beats[rows].astype(np.int64) - 3).to(where),
        torch.from_numpy(used(m.beats[rows])[:, None]).to(where),
    )


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(b,) Kullback-Leibler divergence of the posteriors from the prior, nats."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum((1, 2))


class VAECourse:
    """The autoencoder on the training melodies."""

    def __init__(self, melodies: Melodies, recipe: Recipe, shape: Shape | None = None) -> None:
        self.recipe, self.where = recipe, device()
        self.learnt = melodies.where(~melodies.held_out)
        self.check = melodies.where(melodies.held_out)
        torch.manual_seed(recipe.seed)
        self.net = MelodyVAE(shape).to(self.where)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=recipe.rate)
        self.settings: dict[str, Any] = {
            **asdict(recipe),
            **asdict(self.net.shape),
            "melodies": len(self.learnt),
        }

    def update(self, step: int, spent: float) -> Mapping[str, float]:
        r = self.recipe
        rng = np.random.default_rng([r.seed, 1, step])
        torch.manual_seed(int(rng.integers(2**62)))
        for group in self.optimiser.param_groups:
            wave = 0.5 * (1 + math.cos(math.pi * min(1.0, spent)))
            group["lr"] = r.rate * (r.last_rate + (1 - r.last_rate) * wave)
        x = batch_of(
            self.learnt,
            rng.choice(len(self.learnt), min(r.batch, len(self.learnt)), replace=False),
            self.where,
        )
        self.net.train()
        mean, log_variance = self.net.encode(x.tokens, x.chords, x.metre)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        plans = self.net.conduct(z, x.chords, x.metre)
        last, since = history(x.tokens)
        blank = torch.rand(last.shape, device=self.where) < r.blank
        logits = self.net.logits(plans, torch.where(blank, NONE, last), since)
        loss = F.cross_entropy(logits.reshape(-1, TOKENS), x.tokens.reshape(-1), reduction="none")
        error = (loss.view_as(x.tokens) * x.mask).sum((1, 2)).mean()  # nats a melody
        kl = divergence(mean, log_variance)
        weight = r.weight * min(1.0, spent / r.rise)
        total = error + weight * F.relu(kl - r.free).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (total / 100).backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        return {"error": float(error.detach()), "kl": float(kl.detach().mean())}

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        return {"step": run.step, "seconds": round(run.seconds, 1), **losses}

    def measure(self, run: Run) -> dict[str, Any]:
        some = self.check.where(np.arange(min(len(self.check), CHECKED)))
        return {"step": run.step, "held out": reconstruction(self.net, some)}

    def state(self) -> dict[str, Any]:
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])


@torch.inference_mode()
def codes(net: MelodyVAE, m: Melodies, batch: int = 128) -> tuple[Tensor, Tensor]:
    """Mean and log variance of the posterior of every melody, (n, latent) each."""
    net.eval()
    out = []
    for at in range(0, len(m), batch):
        x = batch_of(m, np.arange(at, min(len(m), at + batch)), next(net.parameters()).device)
        out.append(net.encode(x.tokens, x.chords, x.metre))
    return torch.cat([o[0] for o in out]), torch.cat([o[1] for o in out])


@torch.inference_mode()
def decoded(
    net: MelodyVAE,
    z: Tensor,
    m: Melodies,
    seed: int | None = None,
    temperature: float = 1.0,
    batch: int = 128,
) -> NDArray[np.uint8]:
    """(n, BARS, STEPS) tokens that the decoder writes by itself from vectors (n, latent) over the chords of `m`.

    seed : of chance at every step; None: the likeliest token. Steps beyond a bar's last hold.
    """
    net.eval()
    draws = None
    if seed is not None:
        draws = torch.from_numpy(np.random.default_rng([seed, 7]).random(m.tokens.shape, np.float32))
    out = []
    for at in range(0, len(m), batch):
        rows = np.arange(at, min(len(m), at + batch))
        x = batch_of(m, rows, z.device)
        plans = net.conduct(z[rows], x.chords, x.metre)
        tokens = net.decode(plans, temperature, None if draws is None else draws[rows])
        out.append(torch.where(x.mask, tokens, HOLD).numpy().astype(np.uint8))
    return np.concatenate(out)


def reconstruction(net: MelodyVAE, m: Melodies) -> dict[str, float]:
    """How much of melodies comes back from their vectors: see `agreement`."""
    mean, log_variance = codes(net, m)
    report = agreement(decoded(net, mean, m), m)
    return {**report, "kl": float(divergence(mean, log_variance).mean())}


def agreement(tokens: NDArray[np.uint8], m: Melodies) -> dict[str, float]:
    """Of (n, BARS, STEPS) tokens with those of `m`: share of equal steps; F1 of onsets, and of onsets with their
    pitch; share of the pitches that are right where both begin a note."""
    mask = np.broadcast_to(used(m.beats)[:, None], m.tokens.shape)
    a, b = tokens[mask], m.tokens[mask]
    begins = (a >= FIRST), (b >= FIRST)
    both = begins[0] & begins[1]
    count = max(1, int(begins[0].sum() + begins[1].sum()))
    return {
        "steps": float((a == b).mean()),
        "onsets": 2 * float(both.sum()) / count,
        "notes": 2 * float((both & (a == b)).sum()) / count,
        "pitches": float((a == b)[both].mean()) if both.any() else 0.0,
    }
