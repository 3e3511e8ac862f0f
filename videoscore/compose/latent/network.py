"""The hierarchical variational autoencoder of melodies.

A bidirectional encoder reads the bars, each by itself and then in their order; a conductor reads the latent vector bar
by bar and makes a plan for each; a decoder writes every bar from its plan alone (Roberts et al. 2018, section 3.2).
Two things differ from theirs, so that much comes back of a melody that was not learnt: the latent vector has a part for
each bar, and within a bar the decoder knows only which pitch began last and how long ago, so it has to ask the vector.
Encoder, conductor and decoder know the chords, two a bar, so that the vector need not hold them (as in Simon et al.
2018, "Learning a Latent Space of Multitrack Measures").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.compose.latent.steps import BARS, CHORD_FEATURES, FIRST, HOLD, STEPS, TOKENS, TURN

METRES = (3, 4)  # quarters of a bar
NONE = TOKENS  # what begins a bar: no pitch yet


@dataclass(frozen=True)
class Shape:
    """Widths of the network. part : of the latent vector, a bar."""

    part: int = 24
    bar: int = 192
    piece: int = 128
    conductor: int = 256
    step: int = 128


class MelodyVAE(nn.Module):
    """Batches of b melodies of n bars: tokens (b, n, STEPS), chords (b, n, 2, CHORD_FEATURES), metre (b,) 0 for three
    beats a bar and 1 for four, latent vectors z (b, n, part)."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = s = shape or Shape()
        self.reader = nn.EmbeddingBag(STEPS * TOKENS, s.bar, mode="sum")
        self.context = nn.Linear(2 * CHORD_FEATURES + len(METRES), s.bar)
        self.bar = nn.Linear(s.bar, s.bar)
        self.piece = nn.GRU(s.bar, s.piece, batch_first=True, bidirectional=True)
        self.moments = nn.Linear(s.bar + 2 * s.piece, 2 * s.part)
        self.enter = nn.Linear(s.part + 2 * CHORD_FEATURES + len(METRES), s.conductor)
        self.conductor = nn.GRU(s.conductor, s.conductor, batch_first=True)
        self.plan = nn.Linear(2 * s.conductor, s.conductor)
        self.place = nn.Linear(s.conductor, STEPS * s.step)
        self.last = nn.Embedding(TOKENS + 1, s.step)
        self.since = nn.Embedding(STEPS + 1, s.step)
        self.inner = nn.Linear(s.step, s.step)
        self.out = nn.Linear(s.step, TOKENS)

    @property
    def latent(self) -> int:
        """Length of the latent vector of a melody."""
        return BARS * self.shape.part

    def encode(self, tokens: Tensor, chords: Tensor, metre: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, (b, n, part) each."""
        b, n, _ = tokens.shape
        rows = tokens + torch.arange(STEPS, device=tokens.device) * TOKENS
        bars = self.reader(rows.view(b * n, STEPS)).view(b, n, -1) + self.context(_context(chords, metre))
        bars = F.relu(self.bar(F.relu(bars)))
        inside, _ = self.piece(bars)
        mean, log_variance = self.moments(torch.cat([bars, inside], -1)).chunk(2, -1)
        return mean, log_variance.clamp(-8.0, 4.0)

    def conduct(self, z: Tensor, chords: Tensor, metre: Tensor) -> Tensor:
        """(b, n, STEPS, step) a plan for every step of every bar."""
        x = F.relu(self.enter(torch.cat([z, _context(chords, metre)], -1)))
        so_far, _ = self.conductor(x)
        plan = F.relu(self.plan(torch.cat([x, so_far], -1)))
        return self.place(plan).unflatten(-1, (STEPS, -1))

    def logits(self, plans: Tensor, last: Tensor, since: Tensor) -> Tensor:
        """(..., TOKENS) of steps with plans (..., step), where it is known of each which token began a note last in
        its bar, or NONE, and how many steps ago (`history`)."""
        x = F.relu(plans + self.last(last) + self.since(since))
        return self.out(x + F.relu(self.inner(x)))

    def taught(self, plans: Tensor, tokens: Tensor) -> Tensor:
        """(b, n, STEPS, TOKENS) logits of every step of known melodies."""
        return self.logits(plans, *history(tokens))

    @torch.no_grad()
    def decode(self, plans: Tensor, temperature: float, draws: Tensor | None) -> Tensor:
        """(b, n, STEPS) tokens. draws : (b, n, STEPS) in [0, 1), what chance says at each step; none: the likeliest
        token every time."""
        last = torch.full(plans.shape[:2], NONE, device=plans.device)
        since = torch.zeros_like(last)
        out = []
        for k in range(STEPS):
            logits = self.logits(plans[:, :, k], last, since)
            if draws is None:
                token = logits.argmax(-1)
            else:
                share = F.softmax(logits / temperature, -1).cumsum(-1)
                token = (share < draws[:, :, k, None]).sum(-1).clamp(max=TOKENS - 1)
            out.append(token)
            last = torch.where(token == HOLD, last, token)
            since = torch.where(token == HOLD, since + 1, 1)
        return torch.stack(out, 2)


def history(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Of every step of (b, n, STEPS) tokens: the last one in its bar before it that isn't HOLD, or NONE, and how many
    steps ago that was (from the bar's beginning where there is none)."""
    at = torch.arange(STEPS, device=tokens.device).expand_as(tokens)
    event = torch.where(tokens != HOLD, at, -1).cummax(-1).values  # the last event up to and with a step
    before = F.pad(event[..., :-1], (1, 0), value=-1)
    last = torch.where(before >= 0, tokens.gather(-1, before.clamp(min=0)), NONE)
    return last, torch.where(before >= 0, at - before, at)


def _context(chords: Tensor, metre: Tensor) -> Tensor:
    """(b, n, .) chords and metre of every bar."""
    b, n = chords.shape[:2]
    beat = F.one_hot(metre, len(METRES)).float().unsqueeze(1).expand(b, n, -1)
    return torch.cat([chords.flatten(2), beat], -1)


__all__ = ["BARS", "FIRST", "METRES", "TURN", "MelodyVAE", "Shape", "history"]
