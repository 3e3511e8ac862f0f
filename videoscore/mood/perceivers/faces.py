"""The face perceiver: find faces, read each, follow people through the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from videoscore.errors import NoFace
from videoscore.mood.faces.crop import face_crop
from videoscore.mood.faces.finder import FaceFinder
from videoscore.mood.faces.models import load_face_model
from videoscore.mood.faces.people import Glimpse, People, people
from videoscore.mood.faces.person import Array
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.perceivers.stills import scene
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame

SIDE = 48  # pixels of a crop, as in FER2013
VOTE = {
    "cnn-fer": 20
}  # samples over which this model's emotions are put to the vote, as in the study that it is from


class FacePerceiver:
    """Mood of the faces in a film.

    Raises SetupError when the weights of the finder or of the model can't be read.
    """

    name = "face"

    def __init__(self, options: PerceiveOptions) -> None:
        self.finder, self.model = FaceFinder(), load_face_model(options.face_model)
        self.vote = VOTE.get(options.face_model, 0)
        self.stills = scene(options) if options.fallback == "scene" else None

    def look(self, frames: Sequence[Frame]) -> list[tuple[Glimpse, Array | None]]:
        """The faces of each frame, and the fallback's glimpse of it where one is wanted."""
        spare = [None] * len(frames) if self.stills is None else self.stills.look(frames)
        return list(zip(self.glimpses(frames), spare))

    def glimpses(self, frames: Sequence[Frame]) -> list[Glimpse]:
        boxes = self.finder.find([f.rgb for f in frames])
        crops = [face_crop(f.rgb, face, SIDE) for f, faces in zip(frames, boxes) for face in faces]
        readings = self.model.read(np.stack(crops) if crops else np.empty((0, SIDE, SIDE), np.uint8))
        out, start = [], 0
        for frame, faces in zip(frames, boxes):
            own = slice(start, start + len(faces))
            start += len(faces)
            out.append(
                Glimpse(
                    tuple(faces),
                    float(frame.rgb.shape[0] * frame.rgb.shape[1]),
                    readings.valence[own],
                    readings.arousal[own],
                    readings.confidence[own],
                    None if readings.emotions is None else readings.emotions[own],
                )
            )
        return out

    def follow(self, t: Array, glimpses: Sequence[Glimpse], cuts: Sequence[Cut]) -> People:
        """The film's people over time."""
        return people(t, glimpses, cuts, self.vote)

    def moods(self, seen: People) -> Array:
        """(n, 8) probabilities of the eight moods."""
        return octant_probabilities(seen.valence, seen.arousal, self.model.spread)

    def read(
        self, t: Array, glimpses: Sequence[tuple[Glimpse, Array | None]], cuts: Sequence[Cut]
    ) -> Reading:
        """Raises NoFace when no sample shows a face, unless there is a fallback."""
        following = self.follow(t, [g for g, _ in glimpses], cuts)
        if not following.count.any():
            if self.stills is None:
                raise NoFace(
                    "no face was found", remedy="Use --perceiver auto or scene, or add --fallback scene."
                )
            spare = self.stills.read(t, [s for _, s in glimpses], cuts)
            remark = "no face was found: the mood is that of the scenes (--fallback scene)"
            return replace(spare, remarks=(remark, *spare.remarks))
        # a face of few pixels is read badly
        confidence = following.confidence * (0.5 + 0.5 * following.prominence)
        return Reading(
            following.valence,
            following.arousal,
            self.moods(following),
            confidence,
            (following.count > 0).astype(float),
            shares={"face": np.ones(len(t))},
        )
