"""Measure the composer: does it do what it was asked, and is it music? ``videoscore evaluate composer``.

What each figure means stands with its function: `hits`, `following`, `overlap`, `copies`, `cost`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoscore.compose.compose import Roles, compose_many
from videoscore.music.score import Score
from videoscore.research.composer import copies, cost
from videoscore.research.composer.following import following, pieces
from videoscore.research.composer.hit_rates import JUDGES, by_mood, judged, rates
from videoscore.research.composer.overlap import compare, stuck
from videoscore.research.composer.real_music import HELD_OUT, TRAINED, Corpus
from videoscore.research.composer.sheets import CONTROLS, SHIPPED, Task, Way, corners, octants
from videoscore.research.composer.texture import passage
from videoscore.settings.fields import ComposeOptions

MOOD_SHARE = 0.4  # cues for the eight moods, as a share of those for the corners
REAL = 400  # passages of real music
LONG_PASSAGE = 75.0  # seconds; for the figures of form

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What is measured. cues : for the corners of the V/A plane; pieces : with a mood that moves; seconds : length of
    a cue; probe, long : seconds of music that are written to take the time and the memory.

    corpus : what it was trained on, as ``videoscore train corpus`` writes it; without it there is nothing to compare
    with, and copies are not looked for.
    """

    cues: int = 200
    pieces: int = 32
    seconds: int = 30
    probe: int = 20
    long: int = 600
    seed: int = 1
    corpus: Path | None = None
    roles: Roles | None = None
    options: ComposeOptions = ComposeOptions()


def write(way: Way, tasks: Sequence[Task], settings: Settings) -> list[Score]:
    """What one way makes of the tasks."""
    scores = compose_many([way.sheet(t) for t in tasks], settings.options, settings.roles)
    return [way.after(s, t) if way.after else s for s, t in zip(scores, tasks)]


def hit(tasks: Sequence[Task], scores: Sequence[Score], octants: bool = False) -> dict:
    """Hit rates by every judge."""
    return {judge: rates(judged(judge, scores), _asked(tasks), octants) for judge in JUDGES}


def _asked(tasks: Sequence[Task]) -> np.ndarray:
    return np.array([(t.valence, t.arousal) for t in tasks])


def evaluate(settings: Settings, say: Say = lambda _: None) -> dict:
    """All figures as one dictionary; see `composer_table.lines` for the printed form."""
    corner, mood = (
        of(n, settings.seconds, settings.seed)
        for of, n in ((corners, settings.cues), (octants, round(settings.cues * MOOD_SHARE)))
    )
    report: dict = {
        "cues": len(corner),
        "cues for moods": len(mood),
        "seconds": settings.seconds,
        "seed": settings.seed,
        "corners": {},
        "moods": {},
    }
    all_scores: list[Score] = []
    clock = time.perf_counter()
    for way in (SHIPPED, *CONTROLS):
        say(f"{way.name}: {len(corner)} cues")
        scores = write(way, corner, settings)
        report["corners"][way.name] = hit(corner, scores)
        if way is SHIPPED:
            all_scores = scores
            report["together"] = len(corner) * settings.seconds / (time.perf_counter() - clock)
    scores = write(SHIPPED, mood, settings)
    report["moods"][SHIPPED.name] = hit(mood, scores, octants=True)
    report["by mood"] = by_mood(judged(JUDGES[0], scores), _asked(mood))
    say(f"following: {settings.pieces} pieces")
    long = _following(settings, report)
    report["density"] = _density(corner, all_scores)
    _texture(all_scores, long, settings, report, say)
    say("speed and memory")
    report["long"] = settings.long
    report["pace"] = cost.speed(settings.probe, settings.options)
    report["memory"] = cost.memory(settings.long, settings.options)
    return report


def _following(settings: Settings, report: dict) -> list[Score]:
    """The pieces, as shipped."""
    sheets = pieces(settings.pieces, settings.seed * 100_000 + 90_000)
    report["pieces"] = len(sheets)
    scores = compose_many([m.sheet for m in sheets], settings.options, settings.roles)
    report["following"] = {SHIPPED.name: {judge: following(sheets, scores, judge) for judge in JUDGES}}
    return scores


def _density(tasks: Sequence[Task], scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Notes a second, drums too, median and most, for each mood asked for."""
    densities: dict[str, list[float]] = {}
    for t, s in zip(tasks, scores):
        densities.setdefault(f"({t.valence:+.1f}, {t.arousal:+.1f})", []).append(
            len(s.notes) / float(s.duration)
        )
    return {mood: {"median": float(np.median(x)), "most": max(x)} for mood, x in densities.items()}


def _texture(
    written: Sequence[Score], long: Sequence[Score], settings: Settings, report: dict, say: Say
) -> None:
    """What was written, beside held-out music, and what it has in common with the music it was trained on."""
    mine, mine_long = [passage(s) for s in written], [passage(s) for s in long]
    report["stuck"] = stuck([*mine, *mine_long])
    if settings.corpus is None:
        return
    say("comparing with real music")
    real = Corpus(settings.corpus)
    held_out_passages = real.passages(HELD_OUT, settings.seconds, REAL)
    trained_passages = real.passages(TRAINED, settings.seconds, REAL, seed=1)
    report["stuck in real music"] = stuck(held_out_passages)
    report["texture"] = compare(mine, held_out_passages, trained_passages) | compare(
        mine_long,
        real.passages(HELD_OUT, LONG_PASSAGE, REAL),
        real.passages(TRAINED, LONG_PASSAGE, REAL, seed=1),
        form=True,
    )
    trained = real.pieces(TRAINED)
    report["copies"] = {}
    for name, line in (("melody", copies.melody), ("all notes", copies.texture)):
        known_lines = [line(p) for p in trained]
        for whose, heap in (("written", [*mine, *mine_long]), ("held out", held_out_passages)):
            runs = copies.longest_shared([line(p) for p in heap], known_lines)
            report["copies"].setdefault(name, {})[whose] = copies.summary(runs)
