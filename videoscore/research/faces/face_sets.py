"""Labelled faces from disk: FER2013 as an array file, AffectNet and AFEW-VA as folders of pictures."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, NotFound
from videoscore.mood.faces.crop import face_crop
from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.mood.faces.person import Face
from videoscore.research.faces.data import (
    NO_LABEL,
    SIDE,
    TEST,
    TRAIN,
    VALID,
    VALID_SHARE,
    FaceSet,
    read_fer2013,
)

Say = Callable[[str], None]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels

# AffectNet numbers its expressions so (Mollahosseini et al. 2017); 7 is contempt, the rest are no emotions
AFFECTNET = {0: "neutral", 1: "happy", 2: "sad", 3: "surprise", 4: "fear", 5: "disgust", 6: "angry"}
AFEW_RANGE = 10.0  # AFEW-VA rates from -10 to 10 (Kossaifi et al. 2017)
AFEW_TEST_SHARE = 0.2  # it has no test part of its own
# of the 68 landmarks (Sagonas et al. 2013, "300 faces in-the-wild challenge"): those that `LANDMARKS` names
EYES, NOSE, MOUTH = (slice(36, 42), slice(42, 48)), 30, (48, 54)


@dataclass
class _Rows:
    """Faces found so far, and how many rows were no use."""

    pixels: list[NDArray[np.uint8]] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    point: list[tuple[float, float]] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    skipped: int = 0

    def add(
        self, pixels: NDArray[np.uint8], label: int, point: tuple[float, float], part: int, group: str
    ) -> None:
        self.pixels.append(pixels)
        self.label.append(label)
        self.point.append(point)
        self.part.append(part)
        self.group.append(group)

    def faces(self, path: Path, say: Say) -> FaceSet:
        """Raises InputError when there are none."""
        if self.skipped:
            say(f"{path}: {self.skipped} rows skipped (no picture, no face or no valid label)")
        if not self.pixels:
            raise InputError(
                f"no face in it can be used ({self.skipped} rows skipped)",
                path=path,
                remedy="Check that the pictures lie where the annotations say.",
            )
        label = np.array(self.label, np.uint8)
        votes = np.zeros((len(label), len(EMOTIONS)), np.float32)
        labelled = label != NO_LABEL
        votes[np.flatnonzero(labelled), label[labelled]] = 1
        return FaceSet(
            np.stack(self.pixels),
            label,
            votes,
            np.array(self.point, np.float32),
            np.array(self.part, np.uint8),
            np.unique(self.group, return_inverse=True)[1].astype(np.int64),
        )


def read_faces(path: Path, say: Say = lambda line: None) -> FaceSet:
    """A set of faces, by what lies at `path`.

    A file: FER2013 with FER+ (see `read_fer2013`). A folder: AffectNet (`read_affectnet`) or AFEW-VA
    (`read_afew`). A face with one emotion but no votes gets all votes for that one.
    Raises NotFound, InputError.
    """
    if not path.exists():
        raise NotFound(
            "there is no such set of faces", path=path, remedy="Name a file or folder that exists."
        )
    if path.is_file():
        return read_fer2013(path)
    if next(path.glob("*/*.json"), None) is not None:
        return read_afew(path, say)
    return read_affectnet(path, say)


def read_affectnet(folder: Path, say: Say = lambda line: None) -> FaceSet:
    """AffectNet in either form.

    That of 2017: CSV files with subDirectory_filePath, face_x, face_y, face_width, face_height, expression,
    valence, arousal; -2 marks a face without valence and arousal. Pictures are looked for beside the CSV and in
    Manually_Annotated_Images/. A CSV with "valid" in its name is the test part.
    The later one: `annotations/ID_val.npy`, `ID_aro.npy`, `ID_exp.npy` with `images/ID.jpg`, in the folder or in
    folders of it; one with "val" in its name is the test part.

    Of the rest, a share `VALID_SHARE` is the validation part. Rows that can't be used are skipped and told to
    `say`. Raises InputError when none can.
    """
    rows = _Rows()
    tables = sorted(folder.glob("*.csv"))
    annotated = sorted(p for p in [folder / "annotations", *folder.glob("*/annotations")] if p.is_dir())
    if not tables and not annotated:
        raise InputError(
            "this is no set of faces",
            path=folder,
            remedy="Name an .npz file of FER2013, or a folder of AffectNet or AFEW-VA.",
        )
    for table in tables:
        _read_table(table, rows)
    for part in annotated:
        _read_annotations(part, rows)
    return rows.faces(folder, say)


def _read_table(table: Path, rows: _Rows) -> None:
    test = "valid" in table.stem.lower()
    with open(table, newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.DictReader(file):
            try:
                name = row["subDirectory_filePath"]
                x, y, w, h = (float(row[k]) for k in ("face_x", "face_y", "face_width", "face_height"))
                label, point = _affect(int(row["expression"]), float(row["valence"]), float(row["arousal"]))
                pixels = _crop(_found(table.parent, name), (x, y, x + w, y + h))
            except (KeyError, TypeError, ValueError, OSError):
                rows.skipped += 1
                continue
            rows.add(pixels, label, point, TEST if test else _part(name), name)


def _read_annotations(annotations: Path, rows: _Rows) -> None:
    test = "val" in annotations.parent.name.lower()
    for file in sorted(annotations.glob("*_exp.npy")):
        name = file.name.removesuffix("_exp.npy")
        try:
            values = [float(np.load(annotations / f"{name}_{k}.npy")) for k in ("exp", "val", "aro")]
            label, point = _affect(int(values[0]), values[1], values[2])
            pixels = _crop(annotations.parent / "images" / f"{name}.jpg", None)
        except (TypeError, ValueError, OSError):
            rows.skipped += 1
            continue
        rows.add(pixels, label, point, TEST if test else _part(name), name)


def _affect(expression: int, valence: float, arousal: float) -> tuple[int, tuple[float, float]]:
    """Label and point; raises ValueError for a row without either."""
    emotion = AFFECTNET.get(expression)
    label = NO_LABEL if emotion is None else EMOTIONS.index(emotion)
    inside = max(abs(valence), abs(arousal)) <= 1
    if label == NO_LABEL and not inside:
        raise ValueError("neither an emotion nor a point")
    return label, (valence, arousal) if inside else (np.nan, np.nan)


def read_afew(folder: Path, say: Say = lambda line: None) -> FaceSet:
    """AFEW-VA: folders NNN with NNN.json (frames -> valence, arousal in -10..10, 68 landmarks) and NNN/FFFFF.png.

    A clip is a group, and lies in one part as a whole: of the clips `AFEW_TEST_SHARE` are the test part and
    `VALID_SHARE` the validation part. There are no emotions in it. Rows that can't be used are skipped and told
    to `say`. Raises InputError when none can.
    """
    rows = _Rows()
    for sheet in sorted(folder.glob("*/*.json")):
        clip = sheet.parent.name
        for frame, values in _afew_frames(sheet, rows):
            try:
                point = float(values["valence"]) / AFEW_RANGE, float(values["arousal"]) / AFEW_RANGE
                if not max(map(abs, point)) <= 1:
                    raise ValueError("off the scale")
                pixels = _framed(sheet.parent / f"{frame}.png", np.array(values["landmarks"], float))
            except (KeyError, TypeError, ValueError, OSError):
                rows.skipped += 1
                continue
            rows.add(pixels, NO_LABEL, point, _part(clip, AFEW_TEST_SHARE), clip)
    return rows.faces(folder, say)


def _afew_frames(sheet: Path, rows: _Rows) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        frames = json.loads(sheet.read_text(encoding="utf-8"))["frames"]
        yield from sorted(frames.items())
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        rows.skipped += 1


def _framed(path: Path, landmarks: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture and its 68 landmarks -> the face, framed as a film's are. Raises OSError, ValueError."""
    from PIL import Image

    if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
        raise ValueError("not 68 landmarks")
    five = np.array([*(landmarks[eye].mean(0) for eye in EYES), landmarks[NOSE], *landmarks[list(MOUTH)]])
    (x0, y0), (x1, y1) = landmarks.min(0), landmarks.max(0)
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB"))
    return face_crop(rgb, Face((x0, y0, x1, y1), 1.0, five), SIDE)


def _found(beside: Path, name: str) -> Path:
    """Raises OSError when it is nowhere."""
    for place in (beside, beside / "Manually_Annotated_Images", beside / "images"):
        if (place / name).is_file():
            return place / name
    raise OSError(f"no {name}")


def _crop(path: Path, box: Box | None) -> NDArray[np.uint8]:
    """A picture, or a box of it, as (48, 48) grey. Raises OSError, ValueError."""
    from PIL import Image

    with Image.open(path) as picture:
        if box is not None and not (box[2] - box[0] >= 8 and box[3] - box[1] >= 8):
            raise ValueError("no face there")
        grey = picture.convert("L")
        whole = grey if box is None else grey.crop(tuple(round(e) for e in box))  # type: ignore[arg-type]
        return np.asarray(
            whole.resize(
                (SIDE, SIDE), Image.Resampling.BOX if min(whole.size) > SIDE else Image.Resampling.BICUBIC
            ),
            np.uint8,
        )


def _part(name: str, test: float = 0.0) -> int:
    """By a hash of the name, so that it is the same on every machine."""
    place = zlib.crc32(name.encode()) / 2**32
    return TEST if place < test else VALID if place < test + VALID_SHARE else TRAIN
