"""Photographs are looked at: their mood, and where one looks in them. A few at a time, so that memory stays level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.errors import InputError
from videoscore.mood.faces.finder import FaceFinder
from videoscore.mood.perceivers.registry import get_perceiver
from videoscore.progress import Progress, silent
from videoscore.settings.fields import PerceiveOptions, SampleOptions
from videoscore.slides.focus import focus
from videoscore.slides.photo import Focus, Photo
from videoscore.slides.reading import Label, read
from videoscore.video.frames import Cut, Frame
from videoscore.workers.capacity import give_back_memory

BATCH = 8
SIDE = SampleOptions().size  # pixels: as large as the pictures of a film that the models read


def look(
    paths: Sequence[Path], perceiver: str, progress: Progress = silent
) -> tuple[list[Photo], tuple[InputError, ...]]:
    """All that can be read, in order, and why the others can't.

    perceiver : "scene", "deep" or "auto". progress : told of ("photos", files done, files in all).
    Raises SetupError when weights or a library are missing.
    """
    model, finder = get_perceiver(perceiver, PerceiveOptions(perceiver=perceiver)), FaceFinder()
    broken: list[InputError] = []
    glimpses: list[Any] = []
    labels: list[tuple[Path, Label]] = []
    places: list[Focus] = []
    readable = _readable(paths, broken, progress)
    while batch := list(islice(readable, BATCH)):
        frames = [frame for _, _, frame in batch]
        glimpses += model.look(frames)
        labels += [(path, label) for path, label, _ in batch]
        places += [focus(f.rgb, faces) for f, faces in zip(frames, finder.find([f.rgb for f in frames]))]
        give_back_memory()  # of the threads that have ended: it was 1.5 GB after 200 photographs
    progress("photos", len(paths), len(paths))
    if not labels:
        return [], tuple(broken)
    # each is a shot of its own: nobody is followed from one to the next
    cuts = [Cut(Fraction(2 * k - 1, 2), 1.0) for k in range(1, len(labels))]
    reading = model.read(np.arange(len(labels), dtype=float), glimpses, cuts)
    sure = reading.confidence * reading.seen
    photos = [
        _photo(path, label, place, float(v), float(a), float(c))
        for (path, label), place, v, a, c in zip(labels, places, reading.valence, reading.arousal, sure)
    ]
    return photos, tuple(broken)


def _readable(
    paths: Sequence[Path], broken: list[InputError], progress: Progress
) -> Iterator[tuple[Path, Label, Frame]]:
    """Small pictures of those that can be read; why the others can't goes to `broken`."""
    for number, path in enumerate(paths):
        progress("photos", number, len(paths))
        try:
            image, label = read(path, 1, SIDE)
        except InputError as error:
            broken.append(error)
            continue
        image.thumbnail((SIDE, SIDE))
        yield path, label, Frame(Fraction(number), np.asarray(image), 0.0)


def _photo(
    path: Path, label: Label, place: Focus, valence: float, arousal: float, confidence: float
) -> Photo:
    taken = label.taken or datetime.fromtimestamp(path.stat().st_mtime)
    return Photo(
        path,
        label.width,
        label.height,
        place,
        valence,
        arousal,
        confidence,
        taken,
        label.taken is not None,
        label.description,
    )
