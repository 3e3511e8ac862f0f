"""Scenes and faces together: the default perceiver.

Each source gets a weight a sample,

    face  = confidence_face  * prominence
    scene = confidence_scene * (1 - HIDDEN * prominence)

where prominence runs from 0 (no face, or a tiny one) to 1 (a close-up, which leaves little scene to see). The
weights are raised to the power 1 + SHARPER * d, d being half the distance of the two readings on the plane: where
they agree they are averaged, where they don't the stronger takes over, since the middle of two opposite moods
is neither. The result is trusted less by DOUBT * d times the share of the weaker. The constants were set by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from videoscore.mood.faces.people import People
from videoscore.mood.perceivers.faces import FacePerceiver
from videoscore.mood.perceivers.perceiver import Array, Reading
from videoscore.mood.perceivers.stills import scene
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame

HIDDEN = 0.9
SHARPER = 2.0
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
    apart = np.minimum(np.hypot(stills.valence - faces.valence, stills.arousal - faces.arousal) / 2, 1)
    apart = np.where(faces.count > 0, apart, 0.0)
    power = 1 + SHARPER * apart
    here = (faces.count > 0).astype(float)
    face = (faces.confidence * faces.prominence) ** power * here
    still = (stills.confidence * (1 - HIDDEN * faces.prominence)) ** power * stills.seen
    total = face + still
    share = np.divide(face, total, out=np.zeros_like(face), where=total > 0)  # (n,) of the face
    confidence = (1 - share) * stills.confidence + share * faces.confidence
    confidence *= 1 - DOUBT * apart * 2 * np.minimum(share, 1 - share)
    return Reading(
        (1 - share) * stills.valence + share * faces.valence,
        (1 - share) * stills.arousal + share * faces.arousal,
        (1 - share)[:, None] * stills.moods + share[:, None] * moods,
        confidence,
        seen=np.maximum(stills.seen, here * faces.prominence),
        shares={"scene": 1 - share, "face": share},
        remarks=stills.remarks,
    )
