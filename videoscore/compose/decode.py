"""Sampling from the composer: KV cache, classifier-free guidance, takes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoscore.compose.hand import BARLINE, NO, Hand, Written, roles_of
from videoscore.compose.model import Cache, Composer
from videoscore.compose.plan import PlannedBar
from videoscore.compose.steps import DURATION_CLASSES, DURATIONS, GRID, ROLES, duration_class, features

MEMORY = 512  # steps kept in the cache when it is cut back: as many as a training window has
SLACK = 256  # steps it may grow beyond that
RUNAWAY = 96  # steps a bar: beyond it only the bar line is left


@dataclass(frozen=True)
class Sampling:
    """temperature > 0; top_p in (0, 1]; guidance 1 is none (Ho & Salimans 2022, eq. 6 with w = guidance - 1)."""

    temperature: float = 0.95
    top_p: float = 0.95
    guidance: float = 2.0
    mood: bool = True  # False: the network hears no V/A at all (a control for the evaluation)


class Decoder:
    """Writes cue after cue with one cache, so that every cue hears what came before it."""

    def __init__(self, model: Composer, bars: Sequence[PlannedBar], sampling: Sampling, cached: bool = True) -> None:
        self.model, self.bars, self.sampling, self.cached = model, bars, sampling, cached
        self.guided = sampling.guidance != 1.0 and sampling.mood
        starts = np.cumsum([0, *(b.plan.length for b in bars)]) / GRID
        self.quarters = starts.tolist()
        self.cache: Cache | None = None
        self.history: list[dict[str, Tensor]] = []  # only without cache, to be read anew at every step
        self.index = self.start = 0
        self.marks: list[int] = []
        self.steps = 0
        self._features: dict[tuple[int, bool], NDArray[np.float32]] = {}

    def bar_features(self, number: int, known: bool) -> NDArray[np.float32]:
        """(FEATURES,) condition of a bar; `known` False hides V/A."""
        key = (number, known)
        if key not in self._features:
            p = self.bars[number].plan
            self._features[key] = features(
                np.array([p.length]), np.array([p.compound]), np.array([p.bpm]), np.array([p.minor]),
                np.array([p.valence or 0.0]), np.array([p.arousal or 0.0]), np.array([known]),
                np.array([p.since]), np.array([p.until]), np.array([p.to_end]), roles_of(p.roles)[None],
            )[0]
        return self._features[key]

    def write(self, hands: list[Hand]) -> None:
        """Write one cue with every hand, in lockstep; the cache then holds all takes (see `keep`)."""
        self.marks, self.start = [0] * len(hands), self.index
        for hand in hands:
            hand.open_bar()
        state = self._feed(hands, [None] * len(hands))
        while not all(h.done for h in hands):
            chosen = self._choose(state, hands)
            for n, (hand, note) in enumerate(zip(hands, chosen)):
                if hand.done:
                    continue
                if note is None:
                    hand.open_bar()
                    if hand.done:
                        self.marks[n] = self.index - self.start
                else:
                    hand.write(note)
            if not all(h.done for h in hands):
                state = self._feed(hands, chosen)

    def keep(self, best: int, takes: int) -> None:
        """Go on from take `best` alone: forget what the others wrote, and cut the cache back."""
        rows = [best, best + takes] if self.guided else [best]  # what it wrote, with and without V/A heard
        surplus = self.index - self.start - self.marks[best]
        self.index -= surplus
        if self.cache is not None:
            if takes == 1:
                self.cache.length -= surplus
            else:
                self.cache = self.cache.rearranged(rows, 0, self.cache.length - surplus)
        else:
            kept = self.history[: len(self.history) - surplus] if surplus else self.history
            self.history = [{k: v[rows] for k, v in h.items()} for h in kept]

    # -- one step --

    def _feed(self, hands: list[Hand], notes: list[Written | None]) -> Tensor:
        """Read one step a take; the state after it (rows, width)."""
        fields = [(BARLINE, ROLES, 128, DURATION_CLASSES) if n is None else
                  (n.position, n.role, n.pitch, int(duration_class(np.array(n.duration)))) for n in notes]
        numbers = [min(h.bar, h.stop - 1) for h in hands]
        copies = 2 if self.guided else 1
        table = torch.tensor(fields * copies).T[:, :, None]
        plans = [self.bars[b].plan for b in numbers]
        heard = [(b, self.sampling.mood) for b in numbers] + [(b, False) for b in numbers] * (copies - 1)
        when = [self.quarters[b] + (0 if f[0] == BARLINE else f[0]) / GRID for b, f in zip(numbers, fields)]
        step = dict(zip(("position", "role", "pitch", "duration"), table)) | {
            "chord": torch.tensor([p.chord for p in plans] * copies)[:, None],
            "next_chord": torch.tensor([p.next_chord for p in plans] * copies)[:, None],
            "features": torch.from_numpy(np.stack([self.bar_features(b, k) for b, k in heard]))[:, None],
            "index": torch.full((len(table[0]), 1), float(self.index)),
            "quarters": torch.tensor(when * copies, dtype=torch.float32)[:, None],
        }
        self.index += 1
        self.steps += len(hands)
        if not self.cached:
            return self._reread(step)
        return self.model(step, self._room(len(table[0])))[:, -1]

    def _room(self, rows: int) -> Cache:
        """The cache, with as many rows as are fed and room for a step."""
        if self.cache is None:
            self.cache = Cache(self.model.config, rows, MEMORY + SLACK)
        if self.cache.rows != rows:
            spread = rows // self.cache.rows
            every = [r for r in range(self.cache.rows) for _ in range(spread)]
            self.cache = self.cache.rearranged(every, 0, self.cache.length)
        if self.cache.full:
            self.cache = self.cache.rearranged(list(range(rows)), SLACK, self.cache.length)
        return self.cache

    def _reread(self, step: dict[str, Tensor]) -> Tensor:
        """Without cache: everything within memory is computed again (for measuring the cache's worth)."""
        rows = step["position"].shape[0]
        past = [{k: v.repeat_interleave(rows // v.shape[0], 0) for k, v in h.items()} for h in self.history[-MEMORY:]]
        self.history = [*past, step]
        whole = {k: torch.cat([h[k] for h in self.history], 1) for k in step}
        return self.model(whole)[:, -1]

    def _choose(self, state: Tensor, hands: list[Hand]) -> list[Written | None]:
        """The next step of every take: a note, or None for the bar line."""
        takes = len(hands)
        forced: list[Written | None] = [h.queue[0] if h.queue and not h.done else None for h in hands]
        queued = [bool(h.queue) and not h.done for h in hands]
        for hand, q in zip(hands, queued):
            if q:
                hand.queue = hand.queue[1:]
        if all(q or h.done for q, h in zip(queued, hands)):
            return [None if w is None else replace(w, bar=h.bar) for w, h in zip(forced, hands)]

        def ask(field: int, state: Tensor, mask: list[NDArray]) -> tuple[list[int], Tensor]:
            head = self.model.head(field)
            logits = self._guide(head(state), takes)
            picked = [0 if h.done else self._draw(row + m, h.rng) for row, m, h in zip(logits, mask, hands)]
            answer = head.answer(torch.tensor(picked * (2 if self.guided else 1)))
            return picked, state + answer

        onset, state = ask(0, state, [_bias(self._onsets(h)) for h in hands])
        where = [min(p, BARLINE - 1) for p in onset]
        role, state = ask(1, state, [_bias(_some(h.role_mask(p))) for h, p in zip(hands, where)])
        pitch, state = ask(2, state, [h.pitch_bias(p, r) for h, p, r in zip(hands, where, role)])
        length, state = ask(3, state, [_bias(h.duration_mask(p)) for h, p in zip(hands, where)])
        out: list[Written | None] = []
        for n, hand in enumerate(hands):
            replayed = forced[n]
            if queued[n]:
                out.append(None if replayed is None else replace(replayed, bar=hand.bar))
            elif onset[n] == BARLINE:
                out.append(None)
            else:
                out.append(Written(hand.bar, onset[n], role[n], pitch[n], int(DURATIONS[length[n]])))
        return out

    @staticmethod
    def _onsets(hand: Hand) -> NDArray[np.bool_]:
        mask = hand.onset_mask()
        if len(hand.here) >= RUNAWAY:
            mask[:] = False
            mask[BARLINE] = True
        return mask

    def _guide(self, logits: Tensor, takes: int) -> NDArray[np.float64]:
        """Logits pushed away from what the network would write without V/A."""
        x = logits.double().numpy()
        if self.guided:
            x = x[takes:] + self.sampling.guidance * (x[:takes] - x[takes:])
        return x

    def _draw(self, logits: NDArray[np.float64], rng: np.random.Generator) -> int:
        """Nucleus sampling (Holtzman et al. 2020)."""
        x = logits / self.sampling.temperature
        p = np.exp(x - x.max())
        p /= p.sum()
        order = np.argsort(-p, kind="stable")
        mass = np.cumsum(p[order])
        cut = int(np.searchsorted(mass, self.sampling.top_p)) + 1
        return int(order[np.searchsorted(mass[:cut], rng.random() * mass[cut - 1])])


def _bias(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(mask, 0.0, NO)


def _some(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A finished take asks for nothing; any answer will do for it."""
    return mask if mask.any() else np.ones_like(mask)
