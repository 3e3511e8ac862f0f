"""Sampling from the composer: sheets and takes side by side, with classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoscore.compose.network.memory import Cached, Memory, Reread, State
from videoscore.compose.network.model import Composer
from videoscore.compose.network.steps import DURATION_CLASSES, DURATIONS, GRID, ROLES, duration_class
from videoscore.compose.write.guard import Guard
from videoscore.compose.write.hand import BARLINE, NO, Hand, Written
from videoscore.compose.write.writing import Writing
from videoscore.cues.sheet import Cue

RUNAWAY = 96  # steps a bar: beyond it only the bar line is left


@dataclass(frozen=True)
class Sampling:
    """temperature > 0; top_p in (0, 1]."""

    temperature: float = 1.0
    top_p: float = 0.98


@dataclass(frozen=True)
class Row:
    """One take of one sheet, which the network reads as one row of a batch."""

    writing: Writing
    take: int

    @property
    def hand(self) -> Hand:
        return self.writing.hands[self.take]

    @property
    def guard(self) -> Guard:
        return self.writing.guards[self.take]

    @property
    def bar(self) -> int:
        return min(self.hand.bar, self.hand.stop - 1)


class Decoder:
    """Writes sheets in lockstep, one step of every take at a time.

    guided : every row has a twin that doesn't hear V/A (Ho & Salimans 2022); the twins are the second half
    of the batch. What is written of a sheet depends on the others by nothing but the rounding of a batch.
    """

    def __init__(self, model: Composer, sampling: Sampling, guided: bool, cached: bool = True) -> None:
        self.model, self.sampling, self.cached = model, sampling, cached
        self.copies = 2 if guided else 1
        self.steps = 0

    def write(
        self,
        writings: Sequence[Writing],
        closed: Callable[[Cue], None] = lambda _: None,
        start: State | None = None,
        turned: Callable[[Memory, int], None] = lambda memory, rows: None,
    ) -> None:
        """Write every sheet to its end; `closed` is told after each cue.

        start : what is remembered of the one sheet that there is, which was resumed. turned : told of the memory, and
        how many takes go on in it, when the next cues have been opened.
        """
        live = [w for w in writings if w.open_cue()]
        if not live:
            return
        rows = [Row(w, take) for w in live for take in range(w.takes)]
        make = Cached if self.cached else Reread
        memory: Memory = make(self.model, self.copies * len(rows))
        if start is not None and isinstance(memory, Cached):
            memory.restore(start, [c for c in range(self.copies) for _ in rows])
        while rows:
            state = self._feed(rows, memory)
            for row, note in self._choose(state, rows):
                row.writing.write(row.take, note)
            if any(w.complete for w in live):
                live, rows = self._turn(live, memory, closed)
                turned(memory, len(rows))

    def _turn(
        self, live: list[Writing], memory: Memory, closed: Callable[[Cue], None]
    ) -> tuple[list[Writing], list[Row]]:
        """Go to the next cue with the sheets whose cue is complete, and let go of those that are finished."""
        kept: list[tuple[int, int]] = []  # of the new rows: which row each was, and its surplus of steps
        rows: list[Row] = []
        before, old = 0, sum(w.takes for w in live)
        for w in live:
            came = [(before + take, 0) for take in range(w.takes)]
            before += w.takes
            if w.complete:
                best, surplus = w.close_cue()
                closed(w.sheet.cues[w.cue])
                came = [(came[best][0], surplus)] * w.takes
                if not w.open_cue():
                    continue
            kept += came
            rows += [Row(w, take) for take in range(w.takes)]
        if rows and kept != [(n, 0) for n in range(old)]:
            memory.rearrange(
                [r + old * c for c in range(self.copies) for r, _ in kept],
                [surplus for _, surplus in kept] * self.copies,
            )
        return [w for w in live if not w.complete], rows

    def _feed(self, rows: Sequence[Row], memory: Memory) -> Tensor:
        """Read what every take wrote last; the states after it (copies * rows, width)."""
        last = [r.writing.last[r.take] for r in rows]
        fields = [
            (BARLINE, ROLES, 128, DURATION_CLASSES)
            if n is None
            else (n.position, n.role, n.pitch, int(duration_class(np.array(n.duration))))
            for n in last
        ]
        plans = [r.writing.bars[r.bar].plan for r in rows]
        when = [
            r.writing.quarters[r.bar] + (0 if f[0] == BARLINE else f[0]) / GRID for r, f in zip(rows, fields)
        ]
        index = [r.writing.index + r.writing.fed for r in rows]
        heard = np.stack([r.writing.features(r.bar, c == 0) for c in range(self.copies) for r in rows])
        table = torch.tensor(fields * self.copies).T[:, :, None]
        step = dict(zip(("position", "role", "pitch", "duration"), table)) | {
            "chord": torch.tensor([p.chord for p in plans] * self.copies)[:, None],
            "next_chord": torch.tensor([p.next_chord for p in plans] * self.copies)[:, None],
            "features": torch.from_numpy(heard)[:, None],
            "index": torch.tensor(index * self.copies, dtype=torch.float32)[:, None],
            "quarters": torch.tensor(when * self.copies, dtype=torch.float32)[:, None],
        }
        for writing in {id(r.writing): r.writing for r in rows}.values():
            writing.fed += 1
        self.steps += len(rows)
        return memory.read(step)

    # -- one step --

    def _choose(self, state: Tensor, rows: Sequence[Row]) -> list[tuple[Row, Written | None]]:
        """The next step of every take that isn't done: a note, or None for the bar line."""
        out: list[tuple[Row, Written | None]] = []
        asking: list[int] = []
        for n, row in enumerate(rows):
            hand = row.hand
            if hand.queue and not hand.done:
                note, *hand.queue = hand.queue
                out.append((row, None if note is None else replace(note, bar=hand.bar)))
            elif not hand.done:
                asking.append(n)
        if asking:
            twins = [n + len(rows) * c for c in range(self.copies) for n in asking]
            out += self._draw_notes(state[twins], [rows[n] for n in asking])
        return out

    def _draw_notes(self, state: Tensor, rows: Sequence[Row]) -> list[tuple[Row, Written | None]]:
        """Draw field after field, each knowing those before it."""
        hands = [r.hand for r in rows]
        weight = np.array([r.writing.push.weight[r.bar] for r in rows])[:, None]

        def ask(field: int, state: Tensor, bias: list[NDArray]) -> tuple[list[int], Tensor]:
            head = self.model.head(field)
            logits = head(state).double().numpy()
            if self.copies == 2:
                aware, blind = logits[: len(rows)], logits[len(rows) :]
                logits = blind + weight * (aware - blind)
            picked = draw(logits + np.stack(bias), self.sampling, [h.rng for h in hands])
            return picked, state + head.answer(torch.tensor(picked * self.copies))

        onset, state = ask(0, state, [_bias(_onsets(h)) for h in hands])
        where = [min(p, BARLINE - 1) for p in onset]
        role, state = ask(1, state, [_bias(_some(h.role_mask(p))) for h, p in zip(hands, where)])
        pitch, state = ask(2, state, [r.guard.pitch_bias(p, part) for r, p, part in zip(rows, where, role)])
        length, state = ask(3, state, [_bias(h.duration_mask(p)) for h, p in zip(hands, where)])
        return [
            (row, None if p == BARLINE else Written(row.hand.bar, p, r, height, int(DURATIONS[d])))
            for row, p, r, height, d in zip(rows, onset, role, pitch, length)
        ]


def draw(logits: NDArray[np.float64], sampling: Sampling, rngs: Sequence[np.random.Generator]) -> list[int]:
    """Nucleus sampling (Holtzman et al. 2020) of one class a row of (rows, classes), each with its own chance."""
    x = logits / sampling.temperature
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    order = np.argsort(-p, axis=1, kind="stable")
    out = []
    for row, ranks, rng in zip(p, order, rngs):
        mass = np.cumsum(row[ranks])
        cut = int(np.searchsorted(mass, sampling.top_p)) + 1
        cut = min(cut, len(mass))
        out.append(int(ranks[np.searchsorted(mass[:cut], rng.random() * mass[cut - 1])]))
    return out


def _onsets(hand: Hand) -> NDArray[np.bool_]:
    mask = hand.onset_mask()
    if len(hand.here) >= RUNAWAY:
        mask[:] = False
        mask[BARLINE] = True
    return mask


def _bias(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(mask, 0.0, NO)


def _some(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Before a bar line no role is left; any answer will do."""
    return mask if mask.any() else np.ones_like(mask)
