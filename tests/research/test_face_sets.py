"""AffectNet and AFEW-VA folders, whole and broken."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from videoscore.errors import InputError, NotFound
from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.research.faces.course import FaceOptions
from videoscore.research.faces.data import NO_LABEL, TEST
from videoscore.research.faces.face_sets import read_faces
from videoscore.research.faces.train import EmotionCourse

FIELDS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "expression",
    "valence",
    "arousal",
)


def picture(path: Path, size: tuple[int, int] = (80, 60), grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), 10, np.uint8)
    pixels[10:50, 20:60] = grey  # the face's box
    Image.fromarray(pixels).save(path)


def write_table(path: Path, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(rows)


def test_affectnet_of_2017(tmp_path: Path) -> None:
    for place in ("1/a.png", "1/b.png", "1/c.png"):
        picture(tmp_path / "Manually_Annotated_Images" / place)
    picture(tmp_path / "2/d.png")
    write_table(
        tmp_path / "training.csv",
        [
            ("1/a.png", 20, 10, 40, 40, 1, 0.7, 0.3),
            ("1/b.png", 20, 10, 40, 40, 7, -0.4, 0.2),  # contempt: a point without an emotion
            ("1/c.png", 20, 10, 40, 40, 6, -2, -2),  # an emotion without a point
            ("1/c.png", 20, 10, 40, 40, 9, -2, -2),  # uncertain: neither
            ("1/none.png", 20, 10, 40, 40, 1, 0.5, 0.5),
            ("1/a.png", "NULL", 10, 40, 40, 1, 0.5, 0.5),
            ("1/a.png", 20, 10, 0, 0, 1, 0.5, 0.5),
        ],
    )
    write_table(tmp_path / "validation.csv", [("2/d.png", 20, 10, 40, 40, 2, -0.6, -0.2)])
    said: list[str] = []
    faces = read_faces(tmp_path, said.append)
    assert len(faces) == 4 and "4 rows skipped" in said[0]
    names = [None if k == NO_LABEL else EMOTIONS[k] for k in faces.label]
    assert names == ["happy", None, "angry", "sad"]
    np.testing.assert_allclose(faces.point[[0, 1, 3]], [(0.7, 0.3), (-0.4, 0.2), (-0.6, -0.2)], atol=1e-6)
    assert np.isnan(faces.point[2]).all() and (faces.part == TEST).tolist() == [False, False, False, True]
    assert faces.votes.sum(1).tolist() == [1, 0, 1, 1]
    assert faces.pixels.shape == (4, 48, 48) and (faces.pixels == 90).all()  # the box, nothing around it


def test_affectnet_with_arrays(tmp_path: Path) -> None:
    for part, number, values in (
        ("train_set", 7, (3, 0.4, 0.7)),
        ("val_set", 8, (0, 0.0, 0.0)),
        ("val_set", 9, (0, 0.1, -0.1)),
    ):
        folder = tmp_path / part / "annotations"
        folder.mkdir(parents=True, exist_ok=True)
        for kind, value in zip(("exp", "val", "aro"), values):
            np.save(folder / f"{number}_{kind}.npy", np.array(str(value)))
        if number != 9:  # one picture is missing
            picture(tmp_path / part / "images" / f"{number}.jpg")
    said: list[str] = []
    faces = read_faces(tmp_path, said.append)
    assert [EMOTIONS[k] for k in faces.label] == ["surprise", "neutral"]
    np.testing.assert_allclose(faces.point, [(0.4, 0.7), (0, 0)], atol=1e-6)
    assert (faces.part == TEST).tolist() == [False, True] and "1 rows skipped" in said[0]


def landmarks() -> list[list[float]]:
    """68 points of an upright face: eyes, nose and mouth where FER2013 would have them in an 80-pixel square."""
    points = np.full((68, 2), 40.0)
    points[36:42], points[42:48] = (0.315 * 80, 0.392 * 80), (0.685 * 80, 0.392 * 80)
    points[30], points[48], points[54] = (40, 45), (0.347 * 80, 0.797 * 80), (0.653 * 80, 0.797 * 80)
    return points.tolist()


def write_clip(folder: Path, clip: str, frames: dict[str, tuple[float, float]]) -> None:
    sheet = {
        "video_id": clip,
        "frames": {
            name: {"valence": v, "arousal": a, "landmarks": landmarks()} for name, (v, a) in frames.items()
        },
    }
    for k, name in enumerate(frames):
        path = folder / clip / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((80, 80), 50 + 10 * k, np.uint8)).save(path)
    (folder / clip / f"{clip}.json").write_text(json.dumps(sheet))


def test_afew_va(tmp_path: Path) -> None:
    write_clip(tmp_path, "001", {"00000": (5, -3), "00001": (6, -2), "00002": (70, 0)})  # off the scale
    write_clip(tmp_path, "002", {"00000": (-10, 10)})
    (tmp_path / "003").mkdir()
    (tmp_path / "003" / "003.json").write_text("{ not json")
    (tmp_path / "001" / "00001.png").write_bytes(b"no picture")
    said: list[str] = []
    faces = read_faces(tmp_path, said.append)
    np.testing.assert_allclose(faces.point, [(0.5, -0.3), (-1, 1)], atol=1e-6)
    assert (faces.label == NO_LABEL).all() and not faces.votes.any() and "3 rows skipped" in said[0]
    assert faces.group[0] != faces.group[1] and (faces.pixels[0] == 50).all()


def test_a_clip_lies_in_one_part(tmp_path: Path) -> None:
    for k in range(12):
        write_clip(tmp_path, f"{k:03d}", {"00000": (k - 5, 1), "00001": (k - 5, 2)})
    faces = read_faces(tmp_path)
    assert len(faces) == 24
    for group in np.unique(faces.group):
        assert len(np.unique(faces.part[faces.group == group])) == 1


def test_emotion_models_need_emotions(tmp_path: Path) -> None:
    write_clip(tmp_path, "001", {"00000": (5, -3)})
    with pytest.raises(InputError, match="resnet34-va"):
        EmotionCourse(read_faces(tmp_path), tmp_path / "run", FaceOptions(model="cnn-fer"))


def test_nothing_usable(tmp_path: Path) -> None:
    write_table(tmp_path / "training.csv", [("none.png", 0, 0, 40, 40, 1, 0.5, 0.5)])
    with pytest.raises(InputError, match="1 rows skipped"):
        read_faces(tmp_path)


def test_no_set_of_faces(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="AffectNet"):
        read_faces(tmp_path)
    with pytest.raises(NotFound):
        read_faces(tmp_path / "nowhere")
    (tmp_path / "faces.npz").write_bytes(b"no array")
    with pytest.raises(InputError):
        read_faces(tmp_path / "faces.npz")
