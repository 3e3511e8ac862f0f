"""Real music to compare with: passages and whole pieces of the composer's corpus, drums left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.music.score import Role
from videoscore.research.composer.corpus import load_arrays
from videoscore.research.composer.durations import GRID
from videoscore.research.composer.texture import Passage

TRAINED, HELD_OUT = 0, 1
LEAST_NOTES = 8


class Corpus:
    """What `videoscore.research.composer.corpus` built, as passages. Pitches are key-normalised."""

    def __init__(self, path: Path) -> None:
        z = load_arrays(path)
        note = {k: z[f"note_{k}"].astype(np.int64) for k in ("bar", "pos", "role", "pitch", "dur")}
        pitched = note["role"] != Role.DRUMS
        self.note = {k: v[pitched] for k, v in note.items()}
        self.length = z["bar_len"].astype(np.int64)  # 1/24 quarters
        self.seconds = self.length / GRID * 60 / z["bar_tempo"]
        self.piece = z["bar_piece"].astype(np.int64)
        self.split: NDArray[np.int64] = z["piece_split"].astype(np.int64)
        self.begins = np.cumsum(self.length) - self.length
        self.first = np.searchsorted(self.note["bar"], np.arange(len(self.length) + 1))

    def cut(self, begin: int, end: int) -> Passage:
        """The bars `begin` <= number < `end`."""
        n = slice(self.first[begin], self.first[end])
        bar = self.note["bar"][n]
        onset = self.begins[bar] - self.begins[begin] + self.note["pos"][n]
        bars = (
            np.append(self.begins[begin:end], self.begins[end - 1] + self.length[end - 1])
            - self.begins[begin]
        )
        order = np.argsort(onset, kind="stable")
        duration, pitch, role = (self.note[k][n][order] for k in ("dur", "pitch", "role"))
        return Passage(onset[order], duration, pitch, role, float(self.seconds[begin:end].sum()), bars)

    def pieces(self, split: int) -> list[Passage]:
        """Every piece of a split."""
        edges = np.flatnonzero(np.r_[True, np.diff(self.piece) != 0, True]).tolist()
        return [self.cut(a, b) for a, b in zip(edges, edges[1:]) if self.split[self.piece[a]] == split]

    def passages(self, split: int, seconds: float, most: int, seed: int = 0) -> list[Passage]:
        """Up to `most` stretches of about `seconds` each, drawn by lot from the bars of a split."""
        rng, out = np.random.default_rng(seed), []
        clock = np.append(0, np.cumsum(self.seconds))
        for begin in rng.permutation(np.flatnonzero(self.split[self.piece] == split)):
            end = int(np.searchsorted(clock, clock[begin] + seconds))
            if end >= len(self.piece) or self.piece[begin] != self.piece[end - 1] or end == begin:
                continue
            passage = self.cut(int(begin), end)
            if len(passage.onset) >= LEAST_NOTES:
                out.append(passage)
            if len(out) == most:
                break
        return out
