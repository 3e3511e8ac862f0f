"""The two losses that say whether a tune has a feeling: pitch and density, of what the decoder writes.

Both are taken from the probabilities of the steps of a melody that is drawn as the composer draws it, so that they
measure what will be heard and have a slope in the latent vector.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from videoscore.compose.latent.feelings import DENSITY_MEAN, DENSITY_SPREAD, PITCH_MEAN, PITCH_SPREAD
from videoscore.compose.latent.model import TEMPERATURE
from videoscore.compose.latent.network import MelodyVAE
from videoscore.compose.latent.steps import FIRST, HIGH, LOW, STEPS, TURN

SPAN = 4  # bars in which notes are counted
# What a note costs by its place in the chord: the root nothing, third and fifth little, all others much.
OUTSIDE, INSIDE, ROOT = 1.0, 0.1, 0.0
# Share of that cost in the pitch loss; the tunes themselves pay it for a third of their notes.
HARMONY = 0.5


def note_costs(chords: Tensor) -> Tensor:
    """(b, n, STEPS, HIGH - LOW + 1) cost of every pitch at every step, over (b, n, 2, CHORD_FEATURES) chords."""
    tones, root = chords[..., :12], chords[..., 12:]
    none = tones.sum(-1, keepdim=True) == 0  # no chord is known: nothing costs
    by_class = torch.where(tones > 0, INSIDE, OUTSIDE)
    by_class = torch.where(root > 0, ROOT, by_class)
    by_class = torch.where(none, 0.0, by_class)
    pitches = torch.arange(LOW, HIGH + 1, device=chords.device) % 12
    cost = by_class[..., pitches]  # (b, n, 2, pitches)
    return torch.cat(
        [cost[:, :, :1].expand(-1, -1, TURN, -1), cost[:, :, 1:].expand(-1, -1, STEPS - TURN, -1)], 2
    )


def pitch_loss(share: Tensor, chords: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    """(b,) squared distance of the mean pitch from `target` (b,) in standard deviations, and the mean cost of a note.

    share : (b, n, STEPS, TOKENS) probabilities. mask : (b, 1, STEPS) which steps there are.
    """
    notes = share[..., FIRST:] * mask[..., None]
    count = notes.sum((1, 2, 3)).clamp(min=1.0)
    pitches = torch.arange(LOW, HIGH + 1, device=share.device, dtype=share.dtype)
    mean = (notes * pitches).sum((1, 2, 3)) / count
    cost = (notes * note_costs(chords)).sum((1, 2, 3)) / count
    return ((mean - PITCH_MEAN) / PITCH_SPREAD - target) ** 2 + HARMONY * cost


def density_loss(share: Tensor, mask: Tensor, beats: Tensor, target: Tensor) -> Tensor:
    """(b,) squared distance of the notes a quarter from `target` (b,), mean over the tune and its spans of `SPAN` bars.

    Distances are those of logarithms in standard deviations.
    """
    notes = (share[..., FIRST:].sum(-1) * mask).sum(-1)  # (b, n)
    spans = notes.unflatten(1, (-1, SPAN)).sum(-1) / (SPAN * beats[:, None])
    whole = spans.mean(1, keepdim=True)
    rows = (torch.log(torch.cat([whole, spans], 1).clamp(min=0.05)) - DENSITY_MEAN) / DENSITY_SPREAD
    squares = (rows - target[:, None]) ** 2
    return 0.5 * squares[:, 0] + 0.5 * squares[:, 1:].mean(1)


def feeling_loss(
    net: MelodyVAE, z: Tensor, chords: Tensor, metre: Tensor, mask: Tensor, goal: Tensor
) -> tuple[Tensor, Tensor]:
    """Pitch and density loss, (b,) each, of what the decoder writes from z; goal : (b, 2) both targets.

    A melody is drawn as the composer draws it; what counts are the probabilities that its steps had, at the
    temperature at which they were drawn. Their sums have the same mean as the counts of what is drawn, and a slope.
    """
    plans = net.conduct(z, chords, metre)
    draws = torch.rand(*chords.shape[:2], STEPS, device=z.device)
    tokens = net.decode(plans, TEMPERATURE, draws)
    share = F.softmax(net.taught(plans, tokens) / TEMPERATURE, -1)
    beats = (metre + 3).float()
    return pitch_loss(share, chords, mask, goal[:, 0]), density_loss(share, mask, beats, goal[:, 1])


def real_or_not(logit: Tensor, real: float) -> Tensor:
    """Mean cross entropy of logits whose truth is `real`."""
    return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, real))
