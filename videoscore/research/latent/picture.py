"""Piano rolls of decoded tunes: a row of small ones for every feeling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from videoscore.compose.latent.feelings import FEELINGS, feeling_index
from videoscore.compose.latent.steps import STEP, tones_of
from videoscore.research.latent.data import Melodies

LOW, HIGH = 52, 96  # MIDI, of every roll


def draw(tunes: Mapping[str, Melodies], path: Path) -> Path:
    """Write a picture of tunes by the names of their feelings, at the pitches at which they sound."""
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    columns = max(len(m) for m in tunes.values())
    figure = Figure(figsize=(1.75 * columns, 0.95 * len(tunes)), dpi=100)
    axes = figure.subplots(len(tunes), columns, squeeze=False)
    for row, (name, m) in zip(axes, tunes.items()):
        feeling = FEELINGS[feeling_index(name)]
        for k, axis in enumerate(row):
            axis.set(xticks=[], yticks=[], ylim=(LOW, HIGH))
            if k >= len(m):
                continue
            beats = int(m.beats[k])
            end = len(m.tokens[k]) * 4 * beats
            tones = tones_of(m.tokens[k].astype(np.int64), beats)
            lines = [
                (
                    (t.start / STEP, t.pitch - m.shift[k]),
                    ((t.start + t.length) / STEP - 0.3, t.pitch - m.shift[k]),
                )
                for t in tones
            ]
            axis.axhline(feeling.pitch, color="0.85", linewidth=0.8)
            axis.add_collection(LineCollection(lines, colors="C0", linewidths=1.6))
            axis.set_xlim(0, end)
        row[0].set_ylabel(f"{name}\n{feeling.density:.2f}", fontsize=7)
    figure.tight_layout(pad=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
