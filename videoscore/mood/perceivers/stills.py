"""Perceivers that read each picture by itself, in the form of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.perceiver import Array, Perceiver, Reading
from videoscore.mood.time_model import load
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame

COLUMNS = ("valence", "arousal", "moods", "confidence", "seen")


class StillModel(Protocol):
    """`perceive` reads n pictures of any sizes, none depending on another."""

    name: str

    def perceive(self, frames: Sequence[Frame]) -> Reading: ...


class StillPerceiver:
    """A `Perceiver` whose glimpses are rows of the model's readings, see `COLUMNS`."""

    def __init__(self, model: StillModel) -> None:
        self.model, self.name = model, model.name

    def look(self, frames: Sequence[Frame]) -> list[Array]:
        """n frames -> n rows of 12."""
        perception = self.model.perceive(frames)
        return list(np.column_stack([getattr(perception, name) for name in COLUMNS]))

    def read(self, t: Array, glimpses: Sequence[Array], cuts: Sequence[Cut]) -> Reading:
        rows = np.stack(glimpses)
        return Reading(
            rows[:, 0],
            rows[:, 1],
            rows[:, 2:10],
            rows[:, 10],
            rows[:, 11],
            shares={self.name: np.ones(len(rows))},
        )


class FilmPerceiver(StillPerceiver):
    """A `StillPerceiver` that sets every picture against the film's own level, see `videoscore.mood.time_model`."""

    def read(self, t: Array, glimpses: Sequence[Array], cuts: Sequence[Cut]) -> Reading:
        stills = super().read(t, glimpses, cuts)
        model = load()
        plane = model.place(
            t, np.column_stack([stills.valence, stills.arousal]), stills.seen * stills.confidence
        )
        valence, arousal = np.clip(plane, -1, 1).T
        moods = octant_probabilities(plane[:, 0], plane[:, 1], model.uncertainty)
        return replace(stills, valence=valence, arousal=arousal, moods=moods)


def scene(options: PerceiveOptions) -> Perceiver:
    """The scene model, docs/models/scene.md, over a film."""
    from videoscore.mood.perceivers.scene import ScenePerceiver

    return FilmPerceiver(ScenePerceiver())


def deep(options: PerceiveOptions) -> Perceiver:
    """The eight-mood deep CNN, docs/models/deep.md."""
    from videoscore.mood.perceivers.deep import WEIGHTS, DeepPerceiver

    return StillPerceiver(DeepPerceiver(Path(options.mood_weights) if options.mood_weights else WEIGHTS))
