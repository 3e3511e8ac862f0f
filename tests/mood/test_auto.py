"""Faces over time, and faces against scenes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("videoscore.mood.faces.tracks")

from videoscore.errors import NoFace
from videoscore.mood.faces.people import Glimpse, People, people
from videoscore.mood.faces.person import Face
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.auto import blend
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.settings.fields import PerceiveOptions


def face(x: float = 100, y: float = 60, side: float = 60) -> Face:
    points = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]) * side + (x, y)
    return Face((x, y, x + side, y + side), 0.99, points)


def glimpse(*seen: tuple[Face, float]) -> Glimpse:
    """Faces with their valence; arousal .2, confidence .8, in a picture of 384 x 216."""
    k = len(seen)
    return Glimpse(
        tuple(f for f, _ in seen),
        384 * 216.0,
        np.array([v for _, v in seen]),
        np.full(k, 0.2),
        np.full(k, 0.8),
    )


def times(n: int) -> np.ndarray:
    return np.arange(n) * 0.5


def test_a_gap_in_one_persons_track_is_bridged():
    glimpses = [glimpse((face(), v)) for v in (0.0, 0.2, 0.4)] + [glimpse()] + [glimpse((face(), 0.8))]
    seen = people(times(5), glimpses, ())
    assert seen.count.tolist() == [1] * 5
    assert seen.valence == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


def test_people_weigh_by_the_area_of_their_faces():
    big, small = face(40, 40, 90), face(250, 60, 45)
    seen = people(times(6), [glimpse((big, 0.8), (small, -0.7))] * 6, ())
    assert seen.count.tolist() == [2] * 6
    assert seen.valence == pytest.approx(np.full(6, (4 * 0.8 - 0.7) / 5))


def test_where_nobody_is_there_is_no_confidence():
    seen = people(times(9), [glimpse((face(), 0.5))] * 3 + [glimpse()] * 6, ())
    assert (seen.confidence[:3] == pytest.approx([0.8] * 3)) and (seen.confidence[5:] == 0).all()
    assert (seen.prominence[5:] == 0).all() and (seen.prominence[:3] > 0.5).all()


def scenes(valence: float, n: int = 5, confidence: float = 0.8) -> Reading:
    v, a = np.full(n, valence), np.full(n, 0.1)
    return Reading(v, a, octant_probabilities(v, a), np.full(n, confidence), np.ones(n))


def crowd(valence: float, prominence: float, n: int = 5, confidence: float = 0.8) -> People:
    here = int(prominence > 0)
    return People(
        np.full(n, valence),
        np.full(n, 0.1),
        np.full(n, confidence * here),
        np.full(n, prominence),
        np.full(n, here),
    )


def blended(scene: float, face: float, prominence: float, **more: float) -> Reading:
    faces = crowd(face, prominence, **more)
    return blend(scenes(scene), faces, octant_probabilities(faces.valence, faces.arousal))


def test_without_faces_it_is_the_scene():
    out = blended(0.4, 0.0, 0.0)
    assert out.valence == pytest.approx(np.full(5, 0.4)) and out.confidence == pytest.approx(np.full(5, 0.8))
    assert out.moods == pytest.approx(scenes(0.4).moods) and (out.shares["face"] == 0).all()


def test_a_close_up_that_contradicts_the_scene_wins():
    out = blended(-0.6, 0.7, 1.0)
    assert (out.valence > 0.4).all() and (out.shares["face"] > 0.75).all()


def test_a_face_counts_more_the_larger_it_is():
    shares = [blended(-0.3, 0.5, p).shares["face"][0] for p in (0.0, 0.2, 0.5, 1.0)]
    assert shares == sorted(shares) and shares[0] == 0


def test_disagreement_costs_confidence_and_agreement_averages():
    agreeing, opposed = blended(0.5, 0.5, 0.55), blended(-0.9, 0.9, 0.55)
    assert agreeing.confidence[0] == pytest.approx(0.8) and opposed.confidence[0] < 0.6
    near = blended(0.4, 0.5, 0.55)
    assert 0.3 < near.shares["face"][0] < 0.7


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_the_blend_lies_between_its_sources(scene, face, prominence, confidence):
    out = blended(scene, face, prominence, confidence=confidence)
    assert (out.valence >= min(scene, face if prominence > 0 else scene) - 1e-9).all()
    assert (out.valence <= max(scene, face if prominence > 0 else scene) + 1e-9).all()
    assert (out.shares["scene"] + out.shares["face"]) == pytest.approx(np.ones(5))
    assert (
        out.moods.sum(1) == pytest.approx(np.ones(5))
        and ((out.confidence >= 0) & (out.confidence <= 1)).all()
    )


def test_a_film_without_faces_is_refused_or_falls_back():
    perceiver = pytest.importorskip("videoscore.mood.perceivers.faces")

    class Quiet:
        """A fallback that reads one mood throughout."""

        name = "scene"

        def look(self, frames):
            return [None] * len(frames)

        def read(self, t, glimpses, cuts):
            return scenes(0.3, len(t))

    alone = object.__new__(perceiver.FacePerceiver)
    alone.vote, alone.stills = 0, None
    nothing = [(glimpse(), None)] * 4
    with pytest.raises(NoFace, match="--fallback scene") as caught:
        alone.read(times(4), nothing, ())
    assert caught.value.exit_code == 6
    alone.stills = Quiet()
    seen = alone.read(times(4), nothing, ())
    assert seen.valence == pytest.approx(np.full(4, 0.3)) and "no face" in seen.remarks[0]


def test_the_default_is_auto():
    assert PerceiveOptions().perceiver == "auto"
