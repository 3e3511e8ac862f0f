"""Faces cut out of their pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.mood.faces.crop import EYES_AND_MOUTH, face_crop, framing
from videoscore.mood.faces.person import Face

NOSE = (0.5, 0.6)


def placed(centre: complex, side: float, roll: float) -> Face:
    """A face whose eyes and mouth lie exactly as the framing wants them in a square so placed."""
    at = np.insert(EYES_AND_MOUTH, 2, NOSE, axis=0) - 0.5
    points = (at @ np.array([1, 1j])) * side * np.exp(1j * roll) + centre
    marks = np.stack([points.real, points.imag], 1)
    (x0, y0), (x1, y1) = marks.min(0), marks.max(0)
    return Face((x0, y0, x1, y1), 0.99, marks)


def dots(face: Face, height: int = 300, width: int = 400, radius: float = 4.0) -> np.ndarray:
    """A grey picture with a white disc at each eye and mouth corner."""
    y, x = np.mgrid[:height, :width] + 0.5
    near = [np.hypot(x - px, y - py) < radius for px, py in face.landmarks[[0, 1, 3, 4]]]
    picture = np.where(np.any(near, 0), 255, 100).astype(np.uint8)
    return np.repeat(picture[:, :, None], 3, 2)


def brightest(crop: np.ndarray) -> np.ndarray:
    """Centres of the four bright spots, in sides of the crop, upper ones first, from the left."""
    size = len(crop)
    spots = []
    for rows in (slice(0, size * 6 // 10), slice(size * 6 // 10, size)):
        for columns in (slice(0, size // 2), slice(size // 2, size)):
            weight = crop[rows, columns].astype(float) - 100
            y, x = np.mgrid[rows, columns] + 0.5
            spots.append([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])
    return np.array(spots) / size


@pytest.mark.parametrize("roll", [0.0, 0.5, -1.2])
@pytest.mark.parametrize(("side", "size"), [(160, 48), (160, 160), (90, 128)])
def test_eyes_and_mouth_fall_into_their_places(side: float, size: int, roll: float) -> None:
    face = placed(200 + 150j, side, roll)
    crop = face_crop(dots(face), face, size)
    assert crop.shape == (size, size)
    assert crop.dtype == np.uint8
    assert brightest(crop) == pytest.approx(EYES_AND_MOUTH, abs=0.01)


@settings(max_examples=50, deadline=None)
@given(st.complex_numbers(max_magnitude=500), st.floats(5, 400), st.floats(-3, 3))
def test_framing_is_the_square_that_placed_the_face(centre: complex, side: float, roll: float) -> None:
    found = framing(placed(centre, side, roll))
    assert complex(*found.centre) == pytest.approx(centre, abs=1e-6)
    assert (found.side, found.roll) == pytest.approx((side, roll), abs=1e-6)


def test_half_profile_keeps_scale_and_stays_upright() -> None:
    face = placed(200 + 150j, 100, 0)
    marks = face.landmarks.copy()
    marks[:, 0] = (marks[:, 0] - 200) * 0.5 + 200
    turned = framing(Face(face.box, 0.99, marks))
    assert turned.roll == pytest.approx(0, abs=1e-6)
    assert turned.side > 80  # the eyes alone would say 50


def test_upright_square_of_whole_pixels_is_a_plain_cut() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (120, 140, 3), np.uint8)
    crop = face_crop(picture, placed(70 + 60j, 48, 0), 48, channels=3)
    assert np.abs(crop.astype(int) - picture[36:84, 46:94]).max() <= 1


def test_shrinking_takes_the_mean() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[::2] = 200  # single bright lines would flicker if pixels were skipped
    crop = face_crop(picture, placed(100 + 100j, 160, 0), 40)
    assert np.abs(crop.astype(int) - 100).max() <= 2


def test_grey_weighs_the_colours_as_luma() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[:] = (250, 100, 20)
    assert (
        face_crop(picture, placed(30 + 30j, 40, 0.3), 24) == round(0.299 * 250 + 0.587 * 100 + 0.114 * 20)
    ).all()
    assert (face_crop(picture, placed(30 + 30j, 40, 0.3), 24, channels=3) == (250, 100, 20)).all()


@pytest.mark.parametrize("centre", [0j, 59 + 30j, 500 + 500j, -90 - 10j])
def test_border_goes_on_outside_the_picture(centre: complex) -> None:
    left = np.full((60, 60, 3), 50, np.uint8)
    left[:, 30:] = 180
    crop = face_crop(left, placed(centre, 40, 0), 20)
    expected = {0j: (50, 50), 59 + 30j: (180, 180), 500 + 500j: (180, 180), -90 - 10j: (50, 50)}[centre]
    assert (crop[0, 0], crop[-1, -1]) == expected


def test_landmarks_in_one_point_still_give_a_picture() -> None:
    face = Face((10, 10, 20, 20), 0.9, np.full((5, 2), 15.0))
    assert face_crop(np.full((40, 40, 3), 77, np.uint8), face, 16).tolist() == [[77] * 16] * 16


def test_odd_wishes_are_refused() -> None:
    face = placed(20 + 20j, 20, 0)
    with pytest.raises(ValueError, match="channels"):
        face_crop(np.zeros((40, 40, 3), np.uint8), face, 16, channels=2)
