"""The compose stage: a cue sheet in, a score out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from videoscore.compose.plan import PlannedBar, Planner
from videoscore.compose.score import Role, Score
from videoscore.config import ComposeOptions
from videoscore.cues.sheet import CueSheet
from videoscore.progress import Progress, silent

if TYPE_CHECKING:
    from videoscore.compose.decode import Decoder
    from videoscore.compose.hand import Written

Roles = Mapping[str, frozenset[Role]]


@dataclass(frozen=True)
class Facts:
    """What writing took. steps: all of all takes, bar lines included."""

    steps: int
    notes: int


def compose(sheet: CueSheet, options: ComposeOptions | None = None, roles: Roles | None = None,
            progress: Progress = silent, weights: Path | None = None) -> Score:
    """Write the music of a cue sheet.

    roles : the roles that play in each mood (by name); moods left out get melody, accompaniment and bass.
    Deterministic: the same sheet (with its seed), options, roles and weights give the same notes on the
    same machine. With ``options.takes`` > 1 every cue is written that many times and the take whose
    tagged mood lies nearest to the wanted one is kept.

    Raises SetupError when the weights are missing.
    """
    return compose_with_facts(sheet, options or ComposeOptions(), roles, progress, weights)[0]


def compose_with_facts(sheet: CueSheet, options: ComposeOptions, roles: Roles | None = None,
                       progress: Progress = silent, weights: Path | None = None, *, cached: bool = True,
                       mood: bool = True) -> tuple[Score, Facts]:
    """`compose`, with its counts, and with the switches that the evaluation needs: `cached` False reads
    the page anew at every step; `mood` False hides valence and arousal from the network."""
    import torch

    from videoscore.compose.decode import Decoder, Sampling
    from videoscore.compose.load import WEIGHTS, load_composer

    model, harmony = load_composer(weights or WEIGHTS)
    bars = Planner(harmony, roles).sheet(sheet)
    sampling = Sampling(temperature=options.temperature, guidance=options.guidance, mood=mood)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one step is too small to share, and the sum of a shared one may differ
    try:
        with torch.inference_mode():
            decoder = Decoder(model, bars, sampling, cached)
            page = _write(sheet, bars, decoder, options.takes, progress)
    finally:
        torch.set_num_threads(threads)
    from videoscore.compose.realise import realise

    return realise(sheet, bars, page), Facts(decoder.steps, len(page))


def _write(sheet: CueSheet, bars: Sequence[PlannedBar], decoder: Decoder, takes: int, progress: Progress
           ) -> list[Written]:
    """The page, cue after cue, each the best of its takes."""
    from videoscore.compose.choose import best_take
    from videoscore.compose.hand import Hand

    page: list[Written] = []
    earlier: dict[int, list[Written]] = {}
    sounding, first = 0.0, 0
    total = float(sheet.duration)
    for number, cue in enumerate(sheet.cues):
        progress("compose", float(cue.start), total)
        stop = first + cue.meter.bars
        seed = (sheet.seed if cue.seed is None else cue.seed) & 0xFFFFFFFF
        hands = [
            Hand(bars, first, stop, np.random.default_rng([seed, number, 2, take]), earlier=dict(earlier),
                 sounding=sounding)
            for take in range(takes)
        ]
        decoder.write(hands)
        best = best_take(cue, bars, [h.page for h in hands]) if takes > 1 else 0
        decoder.keep(best, takes)
        page += hands[best].page
        earlier, sounding = hands[best].earlier, 0.0
        first = stop
    progress("compose", total, total)
    return page
