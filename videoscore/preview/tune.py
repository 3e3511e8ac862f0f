"""Which smoothing window and shortest cue suit a film: the analysis is done once, smoothing and spotting often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from videoscore.cues.sheet import CueSheet
from videoscore.cues.spot.spot import spot
from videoscore.mood.curve import MoodCurve
from videoscore.mood.smooth import smooth
from videoscore.perform.orchestrate.preset_edit import with_values
from videoscore.pipeline.watch import Analysis
from videoscore.settings.fields import Options, SpotOptions

WINDOWS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)  # seconds
SHORTEST = (Fraction(4), Fraction(8), Fraction(16))  # seconds
# A boundary within this many seconds of another setting's is the same one.
SAME = 1.0
# What a recommendation weighs, in units of one point of the plane's deviation: see `Trial.cost`.
RESTLESS, UNSTABLE, OFF_CUT, PACE = 0.25, 0.25, 0.15, 2.0
EQUAL = 0.02  # costs that differ by less say nothing


@dataclass(frozen=True)
class Trial:
    """One setting and what comes of it.

    cues : how many. mean_length : seconds. on_cuts : share of the boundaries that lie on a cut (1 without any).
    changes : boundaries a minute. deviation : confidence-weighted mean distance on the plane between what was read
    and the mean of the cue it lies in. stability : mean share of boundaries that neighbouring settings agree on.
    """

    window: float
    min_cue: Fraction
    cues: int
    mean_length: float
    on_cuts: float
    changes: float
    deviation: float
    stability: float
    sheet: CueSheet

    @property
    def cost(self) -> float:
        """Deviation, plus what makes music restless: many changes (beyond `PACE` a minute), boundaries off the
        cuts, and boundaries that another setting would put elsewhere. The weights are our choice."""
        return (
            self.deviation
            + RESTLESS * max(0.0, self.changes - PACE) / PACE
            + UNSTABLE * (1 - self.stability)
            + OFF_CUT * (1 - self.on_cuts)
        )


@dataclass(frozen=True)
class Tuning:
    """trials : in the order of windows, then shortest cues. best : the recommended one. reason : why, in a sentence."""

    trials: tuple[Trial, ...]
    best: Trial
    reason: str


def tune(
    analysis: Analysis,
    options: Options | None = None,
    windows: Sequence[float] = WINDOWS,
    shortest: Sequence[Fraction] = SHORTEST,
) -> Tuning:
    """Try every window with every shortest cue.

    seen : from `videoscore.analyze`. options : everything else, by default the defaults. windows, shortest :
    seconds; a film shorter than two of the shortest cue leaves only the first.
    """
    options = options or Options()
    duration = analysis.media.duration
    usable = [s for s in shortest if 2 * s <= duration] or list(shortest[:1])
    grid: dict[tuple[int, int], CueSheet] = {}
    for i, window in enumerate(windows):
        curve = smooth(analysis.raw, analysis.cuts, replace(options.smooth, window=window))
        for k, least in enumerate(usable):
            limits = _limits(options.spot, least)
            grid[i, k] = spot(
                curve,
                analysis.cuts,
                duration,
                limits,
                source=analysis.sheet.source,
                seed=analysis.sheet.seed,
                preset=analysis.sheet.preset,
            )
    trials = tuple(
        _trial(analysis, windows[i], usable[k], sheet, _beside(grid, i, k)) for (i, k), sheet in grid.items()
    )
    # of settings that are as good, the one nearest to what is set
    best = min(
        trials,
        key=lambda t: (
            round(t.cost / EQUAL),
            abs(np.log(t.window / max(options.smooth.window, 0.5))),
            abs(t.min_cue - options.spot.min_cue),
        ),
    )
    return Tuning(trials, best, _reason(best, trials))


def _limits(limits: SpotOptions, least: Fraction) -> SpotOptions:
    return replace(limits, min_cue=least, max_cue=max(limits.max_cue, 3 * least))


def _beside(grid: dict[tuple[int, int], CueSheet], i: int, k: int) -> list[CueSheet]:
    """The sheets of the next smaller and larger window."""
    return [grid[j, k] for j in (i - 1, i + 1) if (j, k) in grid]


def _trial(
    analysis: Analysis, window: float, least: Fraction, sheet: CueSheet, beside: Sequence[CueSheet]
) -> Trial:
    starts = [c.start for c in sheet.cues[1:]]
    cuts = {c.t for c in analysis.cuts}
    minutes = float(analysis.media.duration) / 60
    agreements = [_agreement(starts, [c.start for c in other.cues[1:]]) for other in beside]
    return Trial(
        window,
        least,
        len(sheet.cues),
        float(sheet.duration) / len(sheet.cues),
        sum(t in cuts for t in starts) / len(starts) if starts else 1.0,
        len(starts) / minutes,
        deviation(analysis.raw, sheet),
        float(np.mean(agreements)) if agreements else 1.0,
        sheet,
    )


def _agreement(a: Sequence[Fraction], b: Sequence[Fraction]) -> float:
    """Dice coefficient of two lists of boundaries; 1 where both are empty."""
    if not a and not b:
        return 1.0
    matches = sum(any(abs(x - y) <= SAME for y in b) for x in a) + sum(
        any(abs(x - y) <= SAME for x in a) for y in b
    )
    return matches / (len(a) + len(b))


def deviation(raw: MoodCurve, sheet: CueSheet) -> float:
    """Mean distance on the V/A plane of the raw samples from the mean of their cue, weighted by confidence."""
    starts = np.array([float(c.start) for c in sheet.cues])
    cue = np.clip(np.searchsorted(starts, raw.t, side="right") - 1, 0, len(starts) - 1)
    points, weight = np.stack([raw.valence, raw.arousal], 1), np.maximum(raw.confidence, 1e-3)
    total = 0.0
    for k in np.unique(cue):
        here = cue == k
        mean = np.average(points[here], axis=0, weights=weight[here])
        total += float((weight[here] * np.linalg.norm(points[here] - mean, axis=1)).sum())
    return total / float(weight.sum())


def _reason(best: Trial, trials: Sequence[Trial]) -> str:
    least = min(t.deviation for t in trials)
    setting = f"A window of {best.window:g} s with cues of {float(best.min_cue):g} s or more"
    fit = f"the moods lie {best.deviation:.2f} from their cue's mean (the least of all settings: {least:.2f})"
    if best.cues == 1:
        return f"{setting}: the film is one cue, and {fit}."
    return (
        f"{setting}: {best.changes:.1f} changes a minute, {best.on_cuts:.0%} of them on cuts, "
        f"{best.stability:.0%} of the boundaries stay where a neighbouring window puts them, and {fit}."
    )


def preset_text(tuning: Tuning, base: Path) -> str:
    """The text of the preset file `base` with the two recommended settings in it, and all else as it is.

    Raises PresetError when they can't be put into it.
    """
    best = tuning.best
    return with_values(base, {"smooth": {"window": best.window}, "spot": {"min_cue": float(best.min_cue)}})


def draw(tuning: Tuning, path: Path) -> None:
    """Window against segmentation: one strip a window, its cues in the colours of their moods. PNG or SVG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from videoscore.preview.timeline import COLOURS

    groups = sorted({t.min_cue for t in tuning.trials})
    whole = Figure(figsize=(12.8, 1.0 + 0.28 * len(tuning.trials)), dpi=100, layout="constrained")
    FigureCanvasAgg(whole)
    panels = whole.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
    for axes, least in zip(panels, groups):
        trials = [t for t in tuning.trials if t.min_cue == least]
        for row, trial in enumerate(trials):
            is_best = trial == tuning.best
            for cue in trial.sheet.cues:
                axes.barh(
                    row,
                    float(cue.duration),
                    left=float(cue.start),
                    height=0.9,
                    color=COLOURS[cue.mood],
                    alpha=1.0 if is_best else 0.6,
                    edgecolor="black",
                    lw=1.8 if is_best else 0.5,
                )
        axes.set_yticks(
            range(len(trials)),
            [f"{t.window:g} s{'  <' if t == tuning.best else ''}" for t in trials],
            fontsize=8,
        )
        axes.invert_yaxis()
        axes.set_title(f"cues of {float(least):g} s or more, by smoothing window", fontsize=9, loc="left")
        axes.set_xlim(0, float(trials[0].sheet.duration))
    panels[-1].set_xlabel("seconds", fontsize=9)
    whole.savefig(path)
