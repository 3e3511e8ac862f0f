"""Faces linked over time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.mood.faces.person import Face
from videoscore.mood.faces.tracks import LONE, MEMORY, SURE, Track, track


def face(x: float, y: float = 50, size: float = 40, confidence: float = 0.99) -> Face:
    """A face by its centre."""
    half = size / 2
    marks = np.array([[-8, -6], [8, -6], [0, 0], [-6, 8], [6, 8]]) * size / 40 + [x, y]
    return Face((x - half, y - half, x + half, y + half), confidence, marks)


def times(n: int, every: float = 0.5) -> np.ndarray:
    return np.arange(n) * every


def pairs(tracks: list[Track]) -> list[list[tuple[int, int]]]:
    return [list(zip(one.sample.tolist(), one.face.tolist())) for one in tracks]


def test_two_people_who_walk_by_each_other_keep_their_tracks() -> None:
    there = [face(40 + 30 * i, y=40) for i in range(6)]
    back = [face(200 - 30 * i, y=80, size=60) for i in range(6)]
    found = [[a, b] if i % 2 else [b, a] for i, (a, b) in enumerate(zip(there, back))]
    tracks = track(times(6), found)
    own = [[found[i][j] for i, j in one] for one in pairs(tracks)]
    assert sorted(own, key=lambda one: one[0].box) == [there, back]


def test_nearest_pairs_are_not_taken_first_when_that_loses_one() -> None:
    before, after = [face(100), face(140)], [face(125), face(165)]
    assert pairs(track(times(2), [before, after])) == [[(0, 0), (1, 0)], [(0, 1), (1, 1)]]


@pytest.mark.parametrize(("missed", "tracks"), [(1, 1), (2, 1), (3, 2)])
def test_track_lives_through_two_missed_samples(missed: int, tracks: int) -> None:
    assert 3 * 0.5 < MEMORY < 4 * 0.5
    found = [[face(50)], [face(50)], *[[]] * missed, [face(55)], [face(55)]]
    assert len(track(times(len(found)), found)) == tracks


def test_samples_far_apart_still_link_to_the_next() -> None:
    assert pairs(track(times(3, every=10.0), [[face(50)], [face(60)], [face(55)]])) == [
        [(0, 0), (1, 0), (2, 0)]
    ]


def test_track_ends_at_a_cut() -> None:
    found = [[face(50)], [face(55)], [face(85)], [face(90)]]
    assert len(track(times(4), found)) == 1
    assert pairs(track(times(4), found, cuts=[0.9])) == [[(0, 0), (1, 0)], [(2, 0), (3, 0)]]


def test_face_in_the_same_place_after_a_cut_goes_on() -> None:
    found = [[face(50)], [face(55)], [face(57)], [face(60)]]
    assert len(track(times(4), found, cuts=[0.9])) == 1


@pytest.mark.parametrize("other", [face(50 + 40 * 2), face(50, size=100), face(50, y=150)])
def test_too_far_or_too_unlike_is_another(other: Face) -> None:
    assert len(track(times(4), [[face(50)], [face(50)], [other], [other]])) == 2


@pytest.mark.parametrize(
    ("confidence", "kept"),
    [
        ([LONE], 1),
        ([LONE - 0.01], 0),
        ([SURE, 0.7], 1),
        ([0.75, SURE - 0.01, 0.8], 0),
        ([0.7, 0.71, 0.99], 1),
    ],
)
def test_unsure_finds_alone_are_dropped(confidence: list[float], kept: int) -> None:
    found = [[face(50, confidence=c)] for c in confidence]
    assert len(track(times(len(found)), found)) == kept


def test_nothing_found() -> None:
    assert track(np.empty(0), []) == []
    assert track(times(3), [[], [], []]) == []
    with pytest.raises(ValueError, match="as many"):
        track(times(2), [[]])


coordinate = st.floats(0, 300)
faces = st.builds(face, coordinate, coordinate, st.floats(8, 120), st.floats(0.7, 1.0))
films = st.lists(st.lists(faces, max_size=4), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(films, st.lists(st.floats(0, 4), max_size=3), st.randoms(use_true_random=False))
def test_each_face_once_times_increase_and_order_is_nothing(film, cuts, random) -> None:
    t = times(len(film))
    tracks = track(t, film, cuts)
    taken = [pair for one in pairs(tracks) for pair in one]
    assert len(taken) == len(set(taken))
    assert all(0 <= j < len(film[i]) for i, j in taken)
    assert all((np.diff(t[one.sample]) > 0).all() for one in tracks)
    shuffled = [random.sample(found, len(found)) for found in film]
    random.shuffle(cuts)
    again = track(t, shuffled, cuts)
    assert [[film[i][j].box for i, j in one] for one in pairs(tracks)] == [
        [shuffled[i][j].box for i, j in one] for one in pairs(again)
    ]
