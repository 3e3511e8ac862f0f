"""Pictures with ratings of valence and arousal: OASIS, rated frames, and stills of rated clips.

Three tables, each in a folder: oasis.csv (people's means and groups of themes), rated.csv (file, valence, arousal,
kind,
group) and clips.csv (file, v1 a1 ... v4 a4 at `MOMENTS` of a clip's length, mood1, mood2, source). Ratings run from 1
to 7 and are standardised as the octants are defined (`videoscore.mood.perceivers.head`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, NotFound
from videoscore.mood.perceivers.head import MIDDLE, UNIT
from videoscore.mood.visible import content_box

Picture = NDArray[np.uint8]

MOMENTS = (0.12, 0.37, 0.63, 0.88)  # of a clip's length, where it was rated
STILLS = (0.04, 0.12, 0.21, 0.29, 0.37, 0.5, 0.63, 0.71, 0.8, 0.88, 0.96)  # taken of each clip
SIDE = 384  # longest side of a still, pixels: as a film is sampled
COLUMNS = {
    "oasis.csv": ("file", "group", "valence_mean", "arousal_mean"),
    "rated.csv": ("file", "group", "kind", "valence", "arousal"),
    "clips.csv": ("file", "source", "mood1", "mood2", *(f"{x}{k}" for k in range(1, 5) for x in "va")),
}
SEVERAL_FILMS = ("sarahselby/autobiopic",)  # sources whose clips are scenes of different films


@dataclass(frozen=True)
class Rated:
    """A picture, or a moment of a clip, and what it was rated.

    path : of a picture or a video. moment : share of the video's length, None for a picture. y : standardised valence
    and arousal. kind : oasis, photo, drawn or clip. group : the source, never to be in two folds.
    exact : whether this very picture was rated; between the rated moments of a clip ratings are interpolated.
    """

    path: Path
    moment: float | None
    y: tuple[float, float]
    kind: str
    group: str
    exact: bool = True


def standard(valence: float, arousal: float) -> tuple[float, float]:
    """Ratings on 1..7 -> standardised."""
    return (valence - MIDDLE[0]) / UNIT[0], (arousal - MIDDLE[1]) / UNIT[1]


def read_rows(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one of the tables in `COLUMNS`. Raises NotFound, InputError."""
    path = folder / name
    needs = f"It must have the columns {', '.join(COLUMNS[name])}."
    if not path.is_file():
        raise NotFound("there is no table of ratings", path=path, remedy=needs)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or any(column not in rows[0] for column in COLUMNS[name]):
        raise InputError("this is no table of ratings", path=path, remedy=needs)
    return rows


def oasis(folder: Path) -> list[Rated]:
    """People's means of every OASIS photograph."""
    return [
        Rated(
            folder / r["file"],
            None,
            standard(float(r["valence_mean"]), float(r["arousal_mean"])),
            "oasis",
            f"oasis:{r['group']}",
        )
        for r in read_rows(folder, "oasis.csv")
    ]


def frames(folder: Path) -> list[Rated]:
    """Rated frames, photographs and drawn ones."""
    return [
        Rated(
            folder / r["file"],
            None,
            standard(float(r["valence"]), float(r["arousal"])),
            r["kind"],
            r["group"].removeprefix("frames:"),
        )
        for r in read_rows(folder, "rated.csv")
    ]


def clip_group(row: dict[str, str]) -> str:
    """The source of a clip; a folder of scenes of many films counts as many."""
    return f"{row['source']}/{row['file']}" if row["source"] in SEVERAL_FILMS else row["source"]


def moments(row: dict[str, str]) -> NDArray[np.float64]:
    """(4, 2) standardised valence and arousal at `MOMENTS` of a row of clips.csv."""
    return np.array([standard(float(row[f"v{k}"]), float(row[f"a{k}"])) for k in range(1, 5)])


def stills(folder: Path) -> list[Rated]:
    """`STILLS` of every rated clip, the ratings between its moments interpolated, the outer ones held."""
    out = []
    for row in read_rows(folder, "clips.csv"):
        y = moments(row)
        for moment in STILLS:
            point = (
                float(np.interp(moment, MOMENTS, y[:, 0])),
                float(np.interp(moment, MOMENTS, y[:, 1])),
            )
            out.append(Rated(folder / row["file"], moment, point, "clip", clip_group(row), moment in MOMENTS))
    return out


def load(items: Sequence[Rated], say: Callable[[str], None] = lambda line: None) -> Iterator[Picture]:
    """The pictures of `items` in order, (h, w, 3), black borders cut off. Stills of one video must follow one another.

    Raises NotFound, BrokenVideo.
    """
    video, pictures = None, {}
    for i, item in enumerate(items):
        if i % 500 == 0:
            say(f"picture {i} of {len(items)}")
        if item.moment is None:
            yield read_picture(item.path)
        else:
            if video != item.path:
                wanted = [o.moment for o in items if o.path == item.path and o.moment is not None]
                video, pictures = item.path, at_moments(item.path, wanted)
            yield within_borders(pictures[item.moment])


def read_picture(path: Path) -> Picture:
    """A picture file as (h, w, 3), the longer side `SIDE` at most, black borders cut off.

    Raises NotFound, and OSError or ValueError for what is no readable picture.
    """
    from PIL import Image

    if not path.is_file():
        raise NotFound("a listed picture is missing", path=path, remedy="Unpack the data again.")
    try:
        with Image.open(path) as image:
            image.thumbnail((SIDE, SIDE))
            return within_borders(np.asarray(image.convert("RGB")))
    except (Image.DecompressionBombError, SyntaxError, EOFError) as error:  # Pillow's own ways to say broken
        raise OSError(str(error)) from error


def within_borders(picture: Picture) -> Picture:
    """(h, w, 3) without black borders."""
    return np.ascontiguousarray(picture[content_box(picture)])


def at_moments(path: Path, shares: list[float]) -> dict[float, Picture]:
    """Pictures of a video at shares of its length."""
    from videoscore.video.probe import probe
    from videoscore.video.sample import sample

    media = probe(path)
    out: dict[float, Picture] = {}
    far: dict[float, float] = {}
    for frame in sample(media, Fraction(1, 4), SIDE):
        for share in shares:
            apart = abs(float(frame.t) - share * float(media.duration))
            if apart < far.get(share, float("inf")):
                far[share], out[share] = apart, frame.rgb
    return out
