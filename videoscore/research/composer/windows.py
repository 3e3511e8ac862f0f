"""Training windows for the composer, drawn from the corpus that `videoscore.research.composer.corpus` builds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.network.steps import (
    DURATION_CLASSES,
    GRID,
    POSITIONS,
    ROLES,
    duration_class,
    features,
)
from videoscore.compose.plan.harmony import Harmony, count
from videoscore.music.score import Role

BARLINE = POSITIONS


@dataclass(frozen=True)
class Augment:
    """Chances a window: to forget V/A (so that guidance has something to compare with), to forget the
    chords, to silence each role; and the spread of small changes to tempo (octaves) and V/A."""

    forget_mood: float = 0.15
    forget_chords: float = 0.15
    silence_role: float = 0.12
    silence_drums: float = 0.4
    tempo_sd: float = 0.08
    mood_sd: float = 0.05


class Corpus:
    """The corpus as one stream of steps: every bar is its bar line and then its notes.

    Windows never cross a segment (a run of bars in one key and metre).
    """

    def __init__(self, path: Path, split: int) -> None:
        z = dict(np.load(path, allow_pickle=False).items())
        self.bars = {k[4:]: v for k, v in z.items() if k.startswith("bar_")}
        self.sets = z["piece_set"]
        bars = len(self.bars["piece"])
        self.kept_bar = kept_bar = z["piece_split"][self.bars["piece"]] == split
        notes = np.flatnonzero(kept_bar[z["note_bar"]])
        lines = np.flatnonzero(kept_bar)
        self.step_bar = np.concatenate([lines, z["note_bar"][notes]])
        order = np.lexsort((np.r_[np.full(len(lines), -1), np.arange(len(notes))], self.step_bar))
        fill = len(lines)

        def column(at_line: int, of_note: NDArray) -> NDArray[np.int64]:
            return np.concatenate([np.full(fill, at_line), of_note]).astype(np.int64)[order]

        self.step_bar = self.step_bar[order]
        self.position = column(BARLINE, z["note_pos"][notes])
        self.role = column(ROLES, z["note_role"][notes])
        self.pitch = column(128, z["note_pitch"][notes])
        self.duration = column(DURATION_CLASSES, duration_class(z["note_dur"][notes]))
        self._place_bars(bars)
        self._index_segments()

    def _place_bars(self, bars: int) -> None:
        """Bar times in quarters, and how far each bar is from its segment's and its piece's ends."""
        b = self.bars
        ends = np.cumsum(b["len"])
        self.bar_quarters = (ends - b["len"]) / GRID
        number = np.arange(bars)
        for name, owner in (("segment", b["segment"]), ("piece", b["piece"])):
            first = np.r_[True, owner[1:] != owner[:-1]]
            start = number[first][np.cumsum(first) - 1]
            last = np.r_[number[first][1:] - 1, bars - 1][np.cumsum(first) - 1]
            if name == "segment":
                self.since_segment, self.until_segment = number - start, last - number
            else:
                self.until_piece = last - number
        here, after = b["chord"][:-1], b["chord"][1:]
        same = b["segment"][:-1] == b["segment"][1:]
        self.next_chord = np.r_[np.where(same, after, here), b["chord"][-1:]].astype(np.int64)

    def _index_segments(self) -> None:
        owner = self.bars["segment"][self.step_bar]
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        self.segments = np.stack([starts, np.r_[starts[1:], len(owner)]], 1)
        keep = self.segments[:, 1] - self.segments[:, 0] >= 24
        self.segments = self.segments[keep]
        lengths = self.segments[:, 1] - self.segments[:, 0]
        bar = self.step_bar[self.segments[:, 0]]
        mood = np.stack([self.bars["valence"][bar], self.bars["arousal"][bar]], 1)
        cell = np.clip(((mood + 1) * 3).astype(int), 0, 5) @ np.array([6, 1])
        share = np.bincount(cell, weights=lengths, minlength=36) / lengths.sum()
        rare = (share[cell] * 36).clip(0.05) ** -0.5  # half-way to a flat V/A plane
        weight = lengths * np.minimum(rare, 3.0)
        self.weights = weight / weight.sum()

    def harmony(self) -> Harmony:
        """The chord chain of this split's bars."""
        b, kept = self.bars, self.kept_bar
        follows = (b["segment"][:-1] == b["segment"][1:]) & kept[:-1]
        return count(b["chord"].astype(int), follows, b["minor"].astype(bool), b["valence"])

    def window(self, rng: np.random.Generator, steps: int) -> slice:
        """A window of at most `steps` steps that begins on a bar line."""
        start, end = self.segments[rng.choice(len(self.segments), p=self.weights)]
        if rng.random() < 0.75 and end - start > steps // 2:
            first = rng.integers(start, end - min(end - start, steps // 2) + 1)
            lines = np.flatnonzero(self.position[start : first + 1] == BARLINE)
            start = start + lines[-1]
        return slice(int(start), int(min(end, start + steps)))

    def example(self, w: slice, rng: np.random.Generator | None, augment: Augment) -> dict[str, NDArray]:
        """One window as arrays (T,) and features (T, FEATURES); no change is made without `rng`."""
        keep = np.ones(w.stop - w.start, bool)
        role, bar = self.role[w], self.step_bar[w]
        known, chords, tempo, shift = True, 1, 0.0, np.zeros(2)
        if rng is not None:
            chance = np.where(np.arange(ROLES) == Role.DRUMS, augment.silence_drums, augment.silence_role)
            silent = rng.random(ROLES) < chance
            keep = ~np.r_[silent, False][role]
            if (role[keep] < ROLES).sum() < 0.25 * (role < ROLES).sum():
                keep[:] = True
            known, chords = rng.random() > augment.forget_mood, int(rng.random() > augment.forget_chords)
            tempo, shift = rng.normal() * augment.tempo_sd, rng.normal(size=2) * augment.mood_sd
        role, bar = role[keep], bar[keep]
        b = self.bars
        played = np.zeros((bar[-1] - bar[0] + 1, ROLES), bool)
        notes = role < ROLES
        played[bar[notes] - bar[0], role[notes]] = True
        here = np.unique(bar)
        valence = np.clip(b["valence"][here] + shift[0], -1, 1)
        arousal = np.clip(b["arousal"][here] + shift[1], -1, 1)
        table = features(
            b["len"][here],
            b["den"][here] == 8,
            b["tempo"][here] * 2**tempo,
            b["minor"][here],
            valence,
            arousal,
            np.full(len(here), known),
            self.since_segment[here],
            self.until_segment[here],
            self.until_piece[here],
            played[here - bar[0]],
        )
        row = np.searchsorted(here, bar)
        position = self.position[w][keep]
        quarters = (
            self.bar_quarters[bar]
            - self.bar_quarters[bar[0]]
            + np.where(position < BARLINE, position, 0) / GRID
        )
        return {
            "position": position,
            "role": role,
            "pitch": self.pitch[w][keep],
            "duration": self.duration[w][keep],
            "chord": b["chord"][bar].astype(np.int64) * chords,
            "next_chord": self.next_chord[bar] * chords,
            "features": table[row],
            "index": np.arange(len(bar), dtype=np.float32),
            "quarters": quarters.astype(np.float32),
            "valid": np.ones(len(bar), bool),
        }

    def batches(
        self, rng: np.random.Generator, steps: int, budget: int, augment: Augment
    ) -> Iterator[dict[str, NDArray]]:
        """Endless padded batches of about `budget` steps, windows of like length together."""
        while True:
            pool = sorted((self.window(rng, steps) for _ in range(128)), key=lambda w: w.stop - w.start)
            groups: list[list[slice]] = [[]]
            for w in pool:
                if (len(groups[-1]) + 1) * (w.stop - w.start) > budget:
                    groups.append([])
                groups[-1].append(w)
            for g in rng.permutation(len(groups)):
                yield collate([self.example(w, rng, augment) for w in groups[g]])

    def fixed(
        self, steps: int, budget: int, most: int, of_set: str | None = None
    ) -> list[dict[str, NDArray]]:
        """Batches of consecutive, unchanged windows, for measuring; `of_set` limits them to one set."""
        windows = []
        for start, end in self.segments:
            piece = self.bars["piece"][self.step_bar[start]]
            if of_set is None or str(self.sets[piece]) == of_set:
                windows += [slice(int(s), int(min(end, s + steps))) for s in range(start, end, steps)]
        windows = [w for w in windows if w.stop - w.start >= 24]
        windows = windows[:: max(1, len(windows) * steps // most)]
        per = max(1, budget // steps)
        examples = [self.example(w, None, Augment()) for w in sorted(windows, key=lambda w: w.stop - w.start)]
        return [collate(examples[i : i + per]) for i in range(0, len(examples), per)]


def collate(examples: list[dict[str, NDArray]]) -> dict[str, NDArray]:
    """Examples padded at the end to one length; padding is not `valid`."""
    T = max(len(e["position"]) for e in examples)
    out = {}
    for name, like in examples[0].items():
        table = np.zeros((len(examples), T, *like.shape[1:]), like.dtype)
        for row, e in zip(table, examples, strict=True):
            row[: len(e[name])] = e[name]
        out[name] = table
    return out
