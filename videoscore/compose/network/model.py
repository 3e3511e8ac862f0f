"""The composer's network: a Music Transformer that takes one step a note.

Where Huang et al. (2018, "Music Transformer") learn relative attention, this one
rotates queries and keys (Su et al. 2021, "RoFormer"): half of the heads by the
distance in notes, the other half by the distance in musical time, so that "the
same beat four bars ago" is a fixed direction whatever lies between. Both are
relative, extrapolate, and leave a plain KV cache.

A step is a bar line or a note. Its input is the sum of its fields' embeddings and
of the condition of the bar in which it stands (`videoscore.compose.network.steps`). The
heads predict the next step field by field: onset in the bar (or "bar line"), then
role, pitch and duration, each knowing those before it.
"""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from typing import cast

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from videoscore.compose.network.steps import CHORDS, DURATION_CLASSES, FEATURES, POSITIONS, ROLES

BARLINE = POSITIONS  # class of the onset head: no further note in this bar


@dataclass(frozen=True)
class ComposerConfig:
    """width : d_model; heads must be even (half of them listen to musical time)."""

    width: int = 256
    layers: int = 6
    heads: int = 8
    dropout: float = 0.0

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class Clock(nn.Module):
    """Rotary angles of two clocks: note index for the first half of the heads, quarters for the rest."""

    def __init__(self, heads: int, head_dim: int) -> None:
        super().__init__()
        pairs = head_dim // 2
        span = torch.arange(pairs) / pairs
        by_index = 1e4**-span  # RoFormer's
        by_time = 2 * math.pi / (0.5 * 512**span)  # wavelengths from half a quarter to 64 bars of 4/4
        rates = torch.stack([by_index] * (heads // 2) + [by_time] * (heads // 2))
        self.register_buffer("rates", rates, persistent=False)  # (heads, pairs)
        self.rates: Tensor
        self.each = heads // 2

    def forward(self, index: Tensor, quarters: Tensor) -> tuple[Tensor, Tensor]:
        """index, quarters: (B, T) float -> cos, sin (B, heads, T, pairs)."""
        when = torch.stack([index, quarters], 1).repeat_interleave(self.each, 1)  # (B, heads, T)
        angle = when[..., None] * self.rates[:, None, :]
        return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x: (B, heads, T, head_dim), rotated pair by pair."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Cache:
    """Keys and values of the steps read so far, in buffers that are written in place.

    keys, values : (layers, B, heads, room, head_dim); of row r the first `lengths[r]` steps are filled.
    """

    def __init__(self, config: ComposerConfig, rows: int, room: int) -> None:
        shape = (config.layers, rows, config.heads, room, config.width // config.heads)
        self.keys, self.values = torch.zeros(shape), torch.zeros(shape)
        self.lengths = [0] * rows

    @property
    def rows(self) -> int:
        return self.keys.shape[1]

    @property
    def room(self) -> int:
        return self.keys.shape[3]

    def grown(self, room: int) -> Cache:
        """The same in buffers with more room."""
        return self._filled(list(range(self.rows)), self.lengths, room)

    def rearranged(self, rows: list[int], lengths: list[int]) -> Cache:
        """A cache of the given rows (repeats allowed), each cut back to so many steps."""
        return self._filled(rows, lengths, self.room)

    def _filled(self, rows: list[int], lengths: list[int], room: int) -> Cache:
        other, end = copy.copy(self), max(lengths)
        layers, _, heads, _, each = self.keys.shape
        other.keys, other.values = (torch.zeros(layers, len(rows), heads, room, each) for _ in range(2))
        other.keys[:, :, :, :end] = self.keys[:, rows, :, :end]
        other.values[:, :, :, :end] = self.values[:, rows, :, :end]
        other.lengths = list(lengths)
        return other

    def forget(self, row: int, steps: int) -> None:
        """Drop the oldest steps of a row."""
        end = self.lengths[row]
        for buffer in (self.keys, self.values):
            buffer[:, row, :, : end - steps] = buffer[:, row, :, steps:end].clone()
        self.lengths[row] = end - steps

    def add(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Write one step's keys and values (B, heads, 1, head_dim); the layer's so far, and which of them
        count (B, 1, 1, steps), None when all do."""
        end = max(self.lengths) + 1
        keys, values = self.keys[layer], self.values[layer]
        if min(self.lengths) + 1 == end:
            keys[:, :, end - 1 : end], values[:, :, end - 1 : end] = k, v
            return keys[:, :, :end], values[:, :, :end], None
        last = torch.tensor(self.lengths)
        rows = torch.arange(self.rows)
        keys[rows, :, last], values[rows, :, last] = k[:, :, 0], v[:, :, 0]
        counts = torch.arange(end) <= last[:, None]
        return keys[:, :, :end], values[:, :, :end], counts[:, None, None]

    def advance(self) -> None:
        """The step that was written in every layer counts from now on."""
        self.lengths = [n + 1 for n in self.lengths]


class Block(nn.Module):
    def __init__(self, c: ComposerConfig) -> None:
        super().__init__()
        self.heads, self.drop = c.heads, c.dropout
        self.norm1, self.norm2 = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.qkv = nn.Linear(c.width, 3 * c.width, bias=False)
        self.out = nn.Linear(c.width, c.width, bias=False)
        self.up = nn.Linear(c.width, 4 * c.width)
        self.down = nn.Linear(4 * c.width, c.width)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, cache: Cache | None = None, layer: int = 0
    ) -> Tensor:
        """x: (B, T, width); with a cache T is 1 and the cache holds the steps before."""
        B, T, D = x.shape
        q, k, v = (
            self.qkv(self.norm1(x)).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )  # (B, heads, T, hd)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        counts = None
        if cache is not None:
            k, v, counts = cache.add(layer, k, v)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=counts, is_causal=cache is None)
        x = x + F.dropout(self.out(y.transpose(1, 2).reshape(B, T, D)), self.drop, self.training)
        return x + F.dropout(self.down(F.gelu(self.up(self.norm2(x)))), self.drop, self.training)


class FieldHead(nn.Module):
    """One field of the next step, from the state and the fields before it; feeds its answer on."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, width)
        self.logits = nn.Linear(width, classes)
        self.answer = nn.Embedding(classes, width)

    def forward(self, state: Tensor) -> Tensor:
        return self.logits(F.gelu(self.mix(self.norm(state))))


class Composer(nn.Module):
    """Parameters of `forward` (all (B, T) int64 unless said otherwise): see `Steps` in steps.py."""

    def __init__(self, config: ComposerConfig) -> None:
        super().__init__()
        self.config = c = config
        self.position = nn.Embedding(POSITIONS + 1, c.width)  # BARLINE: the step opens a bar
        self.role = nn.Embedding(ROLES + 1, c.width)  # ROLES: none, at bar lines
        self.pitch = nn.Embedding(128 + 1, c.width)
        self.duration = nn.Embedding(DURATION_CLASSES + 1, c.width)
        self.chord, self.next_chord = nn.Embedding(CHORDS, c.width), nn.Embedding(CHORDS, c.width)
        self.features = nn.Sequential(nn.Linear(FEATURES, c.width), nn.GELU(), nn.Linear(c.width, c.width))
        self.clock = Clock(c.heads, c.width // c.heads)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        sizes = (POSITIONS + 1, ROLES, 128, DURATION_CLASSES)
        self.heads = nn.ModuleList(FieldHead(c.width, n) for n in sizes)
        self.apply(_initialise)
        for name, p in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * c.layers))  # GPT-2's residual scaling

    def embed(self, s: dict[str, Tensor]) -> Tensor:
        """Steps and their bar's condition -> (B, T, width). s["features"]: (B, T, FEATURES) float."""
        fields = self.position(s["position"]) + self.role(s["role"]) + self.pitch(s["pitch"])
        fields = fields + self.duration(s["duration"])
        bar = self.chord(s["chord"]) + self.next_chord(s["next_chord"]) + self.features(s["features"])
        return fields + bar

    def forward(self, s: dict[str, Tensor], cache: Cache | None = None) -> Tensor:
        """States after each step (B, T, width).

        s["index"], s["quarters"]: (B, T) float, the two clocks. With a cache T is 1: the step sees what
        the cache holds, and is added to it.
        """
        x = F.dropout(self.embed(s), self.config.dropout, self.training)
        cos, sin = self.clock(s["index"], s["quarters"])
        for layer, block in enumerate(self.blocks):
            x = block(x, cos, sin, cache, layer)
        if cache is not None:
            cache.advance()
        return self.norm(x)

    def head(self, field: int) -> FieldHead:
        """The head of onset 0, role 1, pitch 2 or duration 3."""
        return cast(FieldHead, self.heads[field])

    def loss(self, s: dict[str, Tensor]) -> Tensor:
        """Negative log-likelihood in nats a field: (4,) sums over onset, role, pitch, duration, and the
        number of predicted steps and notes as entries 4 and 5. Targets below 0 are not counted."""
        state, losses = self.forward(s)[:, :-1], []
        valid = s["valid"][:, 1:]
        for field, name in enumerate(("position", "role", "pitch", "duration")):
            head, target = self.head(field), s[name][:, 1:]
            counted = valid if name == "position" else valid & (s["position"][:, 1:] != BARLINE)
            picked, wanted = state[counted], target[counted]
            losses.append(F.cross_entropy(head(picked).float(), wanted, reduction="sum"))
            known = target.clamp(max=head.answer.num_embeddings - 1)
            state = state + head.answer(known)
        notes = (valid & (s["position"][:, 1:] != BARLINE)).sum()
        return torch.stack([*losses, valid.sum().float(), notes.float()])


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
