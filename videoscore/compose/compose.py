"""The compose stage: a cue sheet in, a score out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from videoscore.compose.locked_notes import assembled
from videoscore.compose.plan.plan import Planner
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.music.score import Role, Score
from videoscore.progress import Progress, silent
from videoscore.settings.fields import ComposeOptions

if TYPE_CHECKING:
    from videoscore.compose.resume import Composed
    from videoscore.compose.write.writing import Writing

Roles = Mapping[str, frozenset[Role]]
ROWS = 16  # takes that are read side by side: beyond it a batch gains little and costs 20 MB of cache a row


@dataclass(frozen=True)
class Facts:
    """What writing took. steps: all of all takes, bar lines included."""

    steps: int
    notes: int


@dataclass(frozen=True)
class Switches:
    """What the evaluation turns off to see its worth. mood: the network hears valence and arousal (tempo,
    mode and density limits follow them by rule all the same); cached: it remembers what it read."""

    mood: bool = True
    cached: bool = True


def compose(
    sheet: CueSheet,
    options: ComposeOptions | None = None,
    roles: Roles | None = None,
    progress: Progress = silent,
    weights: Path | None = None,
    known: Composed | None = None,
) -> Score:
    """Write the music of a cue sheet.

    roles : the roles that play in each mood (by name); moods left out get melody, accompaniment and bass.
    Deterministic: the same sheet (with its seed), options, roles and weights give the same notes on the
    same machine. With ``options.takes`` > 1 every cue is written that many times and the take whose
    tagged mood lies nearest to the wanted one is kept. Locked cues keep their notes, which the others hear; where all
    are locked nothing is written, and no weights are needed.

    known : cues that were composed before aren't composed again; the notes are the same, bit for bit.

    Raises SetupError when the weights are missing.
    """
    return compose_with_facts([sheet], options or ComposeOptions(), roles, progress, weights, known=known)[0][
        0
    ]


def compose_many(
    sheets: Sequence[CueSheet],
    options: ComposeOptions | None = None,
    roles: Roles | None = None,
    progress: Progress = silent,
    weights: Path | None = None,
) -> list[Score]:
    """Write many cue sheets side by side, `ROWS` takes at a time: several times as fast as one by one.

    Each score is what `compose` makes of its sheet alone, as far as rounding lets: a batch of another size adds
    its products in another order, which may tip a draw (about one in 100,000). `progress` counts seconds of all
    sheets together. Otherwise as `compose`.
    """
    return compose_with_facts(sheets, options or ComposeOptions(), roles, progress, weights)[0]


def compose_with_facts(
    sheets: Sequence[CueSheet],
    options: ComposeOptions,
    roles: Roles | None = None,
    progress: Progress = silent,
    weights: Path | None = None,
    *,
    switches: Switches = Switches(),
    rows: int = ROWS,
    known: Composed | None = None,
) -> tuple[list[Score], Facts]:
    """`compose_many`, with its counts and the switches that the evaluation needs; `known` is for a single sheet."""
    if all(cue.locked for sheet in sheets for cue in sheet.cues):
        return [assembled(sheet) for sheet in sheets], Facts(0, 0)
    import torch

    from videoscore.compose.network.decode import Decoder, Sampling
    from videoscore.compose.network.load import WEIGHTS, load_composer
    from videoscore.compose.plan.guide import push
    from videoscore.compose.resume import Trail, go_on
    from videoscore.compose.write.realise import realise
    from videoscore.compose.write.writing import Writing

    model, harmony = load_composer(weights or WEIGHTS)
    plans = [Planner(harmony, roles).sheet(sheet) for sheet in sheets]
    writings = [
        Writing(sheet, bars, push(bars, options), options.takes, switches.mood)
        for sheet, bars in zip(sheets, plans)
    ]
    done, total, steps = [0.0], sum(float(s.duration) for s in sheets), 0

    def closed(cue: Cue) -> None:
        done[0] += float(cue.duration)
        progress("compose", done[0], total)

    progress("compose", 0.0, total)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one step is too small to share, and the sum of a shared one may differ
    try:
        with torch.inference_mode():
            for batch in _batches(writings, max(1, rows // options.takes)):
                guided = switches.mood and any(w.push.guided for w in batch)
                decoder = Decoder(model, Sampling(options.temperature), guided, switches.cached)
                if known is not None and len(sheets) == 1 and switches == Switches():
                    trail = Trail(batch[0], (options.temperature, guided), weights or WEIGHTS)
                    go_on(batch[0], decoder, known, trail, closed)
                else:
                    decoder.write(batch, closed)
                steps += decoder.steps
    finally:
        torch.set_num_threads(threads)
    scores = [realise(w.sheet, w.bars, w.page) for w in writings]
    return scores, Facts(steps, sum(len(w.page) for w in writings))


def _batches(writings: Sequence[Writing], size: int) -> list[list[Writing]]:
    """Batches of sheets that take about as long to write, so that few rows wait for the last one."""

    def effort(w: Writing) -> float:
        return sum(b.plan.length / b.plan.bpm * (1.5 + (b.plan.arousal or 0.0)) for b in w.bars)

    order = sorted(writings, key=effort, reverse=True)
    return [order[n : n + size] for n in range(0, len(order), size)]
