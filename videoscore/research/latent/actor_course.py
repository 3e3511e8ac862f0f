"""How the actor learns to move a vector toward a feeling, and two critics to know real melodies' vectors.

First they learn by themselves. The critic of realism knows the vectors of melodies that are labelled near a feeling's
place from those of chance and of the actor; the critic of continuity knows neighbouring spans of bars of one melody
from spans of two melodies, and from those of chance and of the actor. The actor moves vectors until both take them for
real, and no further than it must. Then the actor is trained anew from there with the pitch and density losses of what
is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videoscore.compose.latent.actor import CONDITIONS, WIDTH, Actor, conditions
from videoscore.compose.latent.feelings import FEELINGS
from videoscore.compose.latent.model import Vectors
from videoscore.compose.latent.network import MelodyVAE
from videoscore.research.latent.course import batch_of, codes
from videoscore.research.latent.data import Melodies
from videoscore.research.latent.losses import SPAN, feeling_loss, real_or_not
from videoscore.research.latent.targets import label_weights
from videoscore.research.run import Run, device

NEAR = 0.2  # standard deviation, on the plane, of the weights of melodies around a feeling's place
PARTS = ("actor", "realism", "continuity")
WRONG = 0.5  # share of real vectors under another feeling's name in what the critic is to refuse


class Critic(nn.Module):
    """(b,) logits that rows (b, size) are of real melodies."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(size, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, rows: Tensor) -> Tensor:
        logit: Tensor = self.body(rows)[:, 0]
        return logit


def named(z: Tensor, condition: Tensor) -> Tensor:
    """(b, .) what the critic of realism sees: vectors z (b, BARS, part) under their conditions."""
    return torch.cat([z.flatten(1), condition], -1)


def neighbours(z: Tensor, other: Tensor | None = None) -> Tensor:
    """(., 2 SPAN part) what the critic of continuity sees: every span of bars with the next, of z (b, BARS, part).

    other : vectors of other melodies, from which the next is taken instead.
    """
    spans = z.unflatten(1, (-1, SPAN)).flatten(2)
    after = spans if other is None else other.unflatten(1, (-1, SPAN)).flatten(2)
    return torch.cat([spans[:, :-1], after[:, 1:]], -1).flatten(0, 1)


@dataclass(frozen=True)
class ActorRecipe:
    """batch : vectors. realism, continuity, feeling : weights of the critics and of the pitch and density losses;
    feeling 0: nothing is decoded. nearness : weight of the way that a vector is moved."""

    batch: int = 64
    rate: float = 1e-3
    realism: float = 1.0
    continuity: float = 1.0
    nearness: float = 0.01
    feeling: float = 0.0
    seed: int = 0


class ActorCourse:
    """Actor and critics in the latent space of a trained autoencoder. spread : of the vectors of real melodies."""

    def __init__(self, net: MelodyVAE, vectors: Vectors, melodies: Melodies, recipe: ActorRecipe) -> None:
        self.net, self.recipe, self.where = net.eval().requires_grad_(False), recipe, device()
        self.learnt = melodies.where(~melodies.held_out)
        self.spread = vectors.to(self.where)
        self.mean, self.log_variance = (t.clone() for t in codes(net, self.learnt))
        self.weights = label_weights(self.learnt, NEAR).cumsum(1)
        torch.manual_seed(recipe.seed)
        self.actor = Actor(net.latent).to(self.where)
        self.realism = Critic(net.latent + CONDITIONS).to(self.where)
        self.continuity = Critic(2 * SPAN * net.shape.part).to(self.where)
        learn = partial(torch.optim.Adam, lr=recipe.rate, betas=(0.5, 0.9))
        self.optimisers = [
            learn(self.actor.parameters()),
            learn([*self.realism.parameters(), *self.continuity.parameters()]),
        ]
        self.settings: dict[str, Any] = {**asdict(recipe), "melodies": len(self.learnt)}

    def begin_with(self, other: ActorCourse) -> None:
        """Take the actor and critics of another course."""
        for name in PARTS:
            getattr(self, name).load_state_dict(getattr(other, name).state_dict())

    def update(self, step: int, spent: float) -> Mapping[str, float]:
        r = self.recipe
        rng = np.random.default_rng([r.seed, 3, step])
        torch.manual_seed(int(rng.integers(2**62)))
        feelings = torch.from_numpy(rng.integers(len(FEELINGS), size=r.batch))
        rows = self._rows(feelings.numpy(), rng)
        shift = torch.from_numpy(-self.learnt.shift[rows].astype(np.float32))
        condition = conditions(feelings, shift)
        real, start = self._vectors(rows), self._starts(rng)
        wrong = torch.from_numpy(rng.integers(1, len(FEELINGS), size=r.batch))
        other = conditions((feelings + wrong) % len(FEELINGS), shift)
        moved = self.actor(start, condition)
        told = self._criticise(real, start, moved.detach(), condition, other)
        realism = real_or_not(self.realism(named(moved, condition)), 1.0)
        continuity = real_or_not(self.continuity(neighbours(moved)), 1.0)
        way = torch.log1p((moved - start) ** 2).sum((1, 2)).mean()
        loss = r.realism * realism + r.continuity * continuity + r.nearness * way
        losses = {
            "critics": told,
            "realism": float(realism.detach()),
            "continuity": float(continuity.detach()),
            "way": float(way.detach()),
        }
        if r.feeling:
            x = batch_of(self.learnt, rows, self.where)
            pitch, density = feeling_loss(self.net, moved, x.chords, x.metre, x.mask, condition[:, -2:])
            loss = loss + r.feeling * (pitch + density).mean()
            losses |= {"pitch": float(pitch.detach().mean()), "density": float(density.detach().mean())}
        self.optimisers[0].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.actor.parameters(), 5.0)
        self.optimisers[0].step()
        return losses

    def _criticise(
        self, real: Tensor, start: Tensor, moved: Tensor, condition: Tensor, other: Tensor
    ) -> float:
        """One step of both critics."""
        loss = real_or_not(self.realism(named(real, condition)), 0.9)
        loss = loss + 0.5 * real_or_not(self.realism(named(moved, condition)), 0.0)
        loss = loss + 0.5 * real_or_not(self.realism(named(start, condition)), 0.0)
        loss = loss + WRONG * real_or_not(self.realism(named(real, other)), 0.0)
        loss = loss + real_or_not(self.continuity(neighbours(real)), 0.9)
        for rows in (neighbours(real, real.roll(1, 0)), neighbours(moved), neighbours(start)):
            loss = loss + real_or_not(self.continuity(rows), 0.0) / 3
        self.optimisers[1].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers[1].step()
        return float(loss.detach())

    def _rows(self, feelings: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """A melody for each feeling, by its labels."""
        last = len(self.learnt) - 1
        draws = rng.random(len(feelings))
        return np.array([min(last, int(self.weights[f].searchsorted(u))) for f, u in zip(feelings, draws)])

    def _vectors(self, rows: NDArray[np.int64]) -> Tensor:
        mean, log_variance = self.mean[rows], self.log_variance[rows]
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()

    def _starts(self, rng: np.random.Generator) -> Tensor:
        """Half of them by chance from the spread of real melodies, half of melodies of any feeling."""
        half = self.recipe.batch // 2
        rows = rng.integers(len(self.learnt), size=self.recipe.batch - half)
        chance = torch.randn(half, self.net.latent, device=self.where)
        return torch.cat([self.spread(chance), self._vectors(rows)])

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        return {"step": run.step, "seconds": round(run.seconds, 1), **losses}

    def measure(self, run: Run) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in PARTS}
        return {**parts, "optimisers": [o.state_dict() for o in self.optimisers]}

    def load(self, state: Mapping[str, Any]) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
