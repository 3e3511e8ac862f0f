"""What a preview shows: the analysis of a film, and where people speak in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.cues.sheet import Cue
from videoscore.mood.circle import MOODS
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.soundtrack import listen
from videoscore.pipeline.watch import Analysis, Region, analyze
from videoscore.progress import Progress, silent
from videoscore.settings.fields import Options

# One colour a mood, around the circle, wherever videoscore shows moods. Neighbours differ in lightness, so that
# they are told apart in deutan, protan and grey sight, too.
COLOURS = dict(
    zip(MOODS, ("#F5C518", "#F0803C", "#C8323C", "#7A1F5C", "#2E2A6B", "#4C6A92", "#7FB3C8", "#A8D08D"))
)


@dataclass(frozen=True)
class Timeline:
    """analysis : what was seen. speech : seconds from the first picture in which somebody speaks, sorted."""

    analysis: Analysis
    speech: Sequence[Region] = ()

    @property
    def duration(self) -> Fraction:
        return self.analysis.media.duration


def watch(
    input: str | Path, options: Options | None = None, *, progress: Progress = silent, **settings: Any
) -> Timeline:
    """Watch a film, and listen to it. Parameters and errors are those of `videoscore.analyze`."""
    analysis = analyze(input, options, progress=progress, **settings)
    return Timeline(analysis, listen(analysis.media, Clock(progress)))


def label(cue: Cue, width: float, letter: float) -> str:
    """The name of a cue where it fits into `width`, else its number, else nothing."""
    number = cue.name.split()[0] if cue.name.split() else ""
    return next((text for text in (cue.name, number) if len(text) <= int(width / letter)), "")


def letters(text: str, width: float, letter: float) -> str:
    """As much of `text` as fits into `width`, where a letter takes `letter`; shortened with an ellipsis."""
    room = int(width / letter)
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room >= 4 else ""
