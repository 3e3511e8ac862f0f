"""Scenes and faces together: the default perceiver.

A sample's point is the scene's, drawn to the faces' by

    share = FACE * confidence_face * prominence

for valence and for arousal by its own FACE, which were fitted on rated clips, and more in a close-up (`face_share` of
`videoscore.mood.time_model`).
prominence runs from 0 (no face, or a tiny one) to 1 (a close-up). Where there is no scene to be read, a title card for
one, the face is all there is. Where the two disagree the sample is trusted less, by DOUBT times half their distance
times twice the smaller share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from videoscore.mood.faces.people import People
from videoscore.mood.perceivers.faces import FacePerceiver
from videoscore.mood.perceivers.perceiver import Array, Reading
from videoscore.mood.perceivers.stills import scene
from videoscore.mood.time_model import load
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame

DOUBT = 0.5


class AutoPerceiver:
    """Mood of scenes and faces, weighed against each other in every sample.

    Raises SetupError when weights can't be read.
    """

    name = "auto"

    def __init__(self, options: PerceiveOptions) -> None:
        self.scene, self.face = scene(options), FacePerceiver(options)

    def look(self, frames: Sequence[Frame]) -> list[tuple[Any, Any]]:
        return list(zip(self.scene.look(frames), self.face.glimpses(frames)))

    def read(self, t: Array, glimpses: Sequence[tuple[Any, Any]], cuts: Sequence[Cut]) -> Reading:
        stills = self.scene.read(t, [s for s, _ in glimpses], cuts)
        faces = self.face.follow(t, [f for _, f in glimpses], cuts)
        return blend(stills, faces, self.face.moods(faces))


def blend(stills: Reading, faces: People, moods: Array) -> Reading:
    """One reading of the two, as the module says. moods : (n, 8) those of the faces."""
    model = load()
    here = (faces.count > 0).astype(float)
    strength = np.clip(faces.confidence * faces.prominence * here, 0, 1)  # (n,)
    # what the scene doesn't show, a face may
    shares = model.face_share(strength)  # (n, 2)
    shares = stills.seen[:, None] * shares + (1 - stills.seen[:, None]) * (strength > 0)[:, None]
    share = shares.mean(1)
    apart = np.minimum(np.hypot(stills.valence - faces.valence, stills.arousal - faces.arousal) / 2, 1)
    confidence = (1 - share) * stills.confidence + share * faces.confidence
    confidence *= 1 - DOUBT * apart * here * 2 * np.minimum(share, 1 - share)
    return Reading(
        (1 - shares[:, 0]) * stills.valence + shares[:, 0] * faces.valence,
        (1 - shares[:, 1]) * stills.arousal + shares[:, 1] * faces.arousal,
        (1 - share)[:, None] * stills.moods + share[:, None] * moods,
        confidence,
        seen=np.maximum(stills.seen, here * faces.prominence),
        shares={"scene": 1 - share, "face": share},
        remarks=stills.remarks,
    )
