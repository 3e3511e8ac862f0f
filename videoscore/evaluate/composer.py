"""Measure the composer: does it do what it was asked, and is it music? ``videoscore evaluate composer``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from videoscore.compose.compose import Roles, Switches, compose_with_facts
from videoscore.compose.score import Score
from videoscore.config import ComposeOptions
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint
from videoscore.evaluate.texture import FIGURES, Passage, passage
from videoscore.mood.circle import mood_of

CORNERS = ((0.6, 0.6), (-0.6, 0.6), (-0.6, -0.6), (0.6, -0.6))
Say = Callable[[str], None]


@dataclass(frozen=True)
class Hits:
    """Shares of cues whose judged sign of arousal, of valence, and of both agree with what was asked."""

    arousal: float
    valence: float
    quadrant: float


@dataclass(frozen=True)
class Way:
    """One way of writing the same cues. `mood` False hides V/A from the network, but tempo, mode and the
    density corridor still follow them; `guidance` 1 is no guidance."""

    name: str
    mood: bool = True
    guidance: float | None = None


WAYS = (Way("as shipped"), Way("guidance off", guidance=1.0), Way("V/A hidden from the network", mood=False))


@dataclass(frozen=True, eq=False)
class Cues:
    """What one way wrote: one score a cue, beside the V/A asked for and the time it took."""

    scores: list[Score]
    asked: np.ndarray  # (n, 2)
    notes: int
    steps: int
    seconds: float


def cue_sheet(valence: float, arousal: float, seconds: int, seed: int) -> CueSheet:
    """A film of one cue with a constant mood, spotted as the product would: meter and key by its own rules."""
    from videoscore.cues.meter import choose_meter
    from videoscore.cues.spot import plan_keys

    length = Fraction(seconds)
    meter = choose_meter(length, valence, arousal)
    cue = Cue("1M1", Fraction(0), length, "start", mood_of(valence, arousal),
              (CurvePoint(length / 2, valence, arousal),), "C major", meter)
    return CueSheet("asked", length, tuple(plan_keys([cue], seed)), seed=seed)


def write(way: Way, per_corner: int, seconds: int, seed: int, options: ComposeOptions, weights: Path | None,
          roles: Roles | None = None) -> Cues:
    """Write `per_corner` cues for each corner of the V/A plane."""
    if way.guidance is not None:
        options = replace(options, guidance=way.guidance)
    clock = time.perf_counter()
    wanted = [(corner, n) for corner in range(len(CORNERS)) for n in range(per_corner)]
    sheets = [cue_sheet(*CORNERS[c], seconds, seed * 10_000 + c * 1000 + n) for c, n in wanted]
    scores, facts = compose_with_facts(sheets, options, roles, weights=weights, switches=Switches(mood=way.mood))
    asked = np.array([CORNERS[c] for c, _ in wanted])
    return Cues(scores, asked, facts.notes, facts.steps, time.perf_counter() - clock)


def hits(judged: np.ndarray, asked: np.ndarray) -> Hits:
    """judged, asked: (n, 2) valence and arousal; only the signs count."""
    right = (judged >= 0) == (asked >= 0)
    return Hits(float(right[:, 1].mean()), float(right[:, 0].mean()), float(right.all(1).mean()))


def judge_scores(name: str, scores: Sequence[Score]) -> np.ndarray:
    """(n, 2) valence and arousal of each score by a judge."""
    from videoscore.compose.tagger import Tagger, note_arrays

    judge = Tagger.load(name)
    return np.array([judge.predict(note_arrays(s)) for s in scores])


def texture(passages: Sequence[Passage]) -> dict[str, tuple[float, float, float]]:
    """Median, 5th and 95th percentile of every figure."""
    out = {}
    for name, figure in FIGURES.items():
        values = [figure(p) for p in passages if len(p.pitch) >= 8]
        middle, low, high = (float(np.percentile(values, q)) for q in (50, 5, 95))
        out[name] = (middle, low, high)
    return out


def corpus_passages(corpus: Path, seconds: float, most: int, seed: int = 0) -> list[Passage]:
    """Stretches of about `seconds` of real music from the corpus, drums left out."""
    z = np.load(corpus, allow_pickle=False)
    ticks = z["bar_len"].astype(np.int64)
    length = ticks / 24 * 60 / z["bar_tempo"]
    first = np.searchsorted(z["note_bar"], np.arange(len(ticks) + 1))
    starts = np.cumsum(ticks) - ticks
    rng, out = np.random.default_rng(seed), []
    for b in rng.permutation(len(ticks)):
        stop = int(b + np.searchsorted(np.cumsum(length[b : b + 200]), seconds)) + 1
        if stop > len(ticks) or z["bar_piece"][b] != z["bar_piece"][stop - 1]:
            continue
        n = slice(first[b], first[stop])
        pitched = z["note_role"][n] != 5
        bar = z["note_bar"][n][pitched]
        onset = starts[bar] - starts[b] + z["note_pos"][n][pitched]
        if len(onset) >= 8:
            out.append(Passage(onset, z["note_dur"][n][pitched].astype(np.int64), z["note_pitch"][n][pitched]
                               .astype(np.int64), z["note_role"][n][pitched].astype(np.int64),
                               float(length[b:stop].sum())))
        if len(out) == most:
            break
    return out


def speed(seconds: int, options: ComposeOptions, weights: Path | None) -> dict[str, float]:
    """Notes a second on one core with and without KV cache, on the same cue (and so the same notes)."""
    sheet = cue_sheet(0.3, 0.3, seconds, 1)
    out = {}
    for name, cached in (("with cache", True), ("without cache", False)):
        clock = time.perf_counter()
        _, facts = compose_with_facts([sheet], options, weights=weights, switches=Switches(cached=cached))
        out[name] = facts.notes / (time.perf_counter() - clock)
    return out


def evaluate(per_corner: int = 20, seconds: int = 30, seed: int = 1, options: ComposeOptions | None = None,
             weights: Path | None = None, corpus: Path | None = None, roles: Roles | None = None) -> dict:
    """All figures as one dictionary; see `lines` for the printed form."""
    options = options or ComposeOptions()
    report: dict = {"cues": 4 * per_corner, "seconds": seconds, "seed": seed, "ways": {}}
    for way in WAYS:
        cues = write(way, per_corner, seconds, seed, options, weights, roles)
        entry: dict = {"notes a second of writing": cues.notes / cues.seconds}
        for judge in ("judge", "judge_blind"):
            entry[judge] = asdict(hits(judge_scores(judge, cues.scores), cues.asked))
        if way is WAYS[0]:
            passages = [passage(s) for s in cues.scores]
            report["texture"] = texture(passages)
            report["densest cue (notes/s, drums too)"] = max(len(s.notes) / float(s.duration) for s in cues.scores)
        report["ways"][way.name] = entry
    if corpus is not None:
        report["texture of the corpus"] = texture(corpus_passages(corpus, seconds, 400))
    report["writing speed (notes/s, one core)"] = speed(60, options, weights)
    return report


def lines(report: dict) -> Iterator[str]:
    """The report as text, a line at a time."""
    from videoscore.compose.tagger import Tagger

    yield f"{report['cues']} cues of {report['seconds']} s over the four V/A corners, seed {report['seed']}"
    yield f"{'':34}{'judge':12}{'arousal':>9}{'valence':>9}{'quadrant':>9}"
    for name, entry in report["ways"].items():
        for judge in ("judge", "judge_blind"):
            h = entry[judge]
            yield f"{name:34}{judge:12}{h['arousal']:9.2f}{h['valence']:9.2f}{h['quadrant']:9.2f}"
    yield f"{'chance':34}{'':12}{0.5:9.2f}{0.5:9.2f}{0.25:9.2f}"
    for judge in ("judge", "judge_blind"):
        ceiling = Tagger.load(judge).ceiling
        if ceiling:
            yield (f"{'real songs it did not see':34}{judge:12}{ceiling['arousal']:9.2f}"
                   f"{ceiling['valence']:9.2f}{ceiling['quadrant']:9.2f}")
    yield ""
    real = report.get("texture of the corpus", {})
    yield f"{'figure: median (5 % .. 95 %)':34}{'written':>26}{'corpus' if real else '':>26}"
    for name, row in report["texture"].items():
        told = "".join(f"{m:10.2f} ({a:5.2f} ..{b:6.2f})" for m, a, b in ([row, real[name]] if real else [row]))
        yield f"{name:34}{told}"
    yield f"densest cue: {report['densest cue (notes/s, drums too)']:.1f} notes/s, drums too"
    pace = report["writing speed (notes/s, one core)"]
    yield f"written on one core: {pace['with cache']:.0f} notes/s with KV cache, {pace['without cache']:.0f} without"
