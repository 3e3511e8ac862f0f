"""Train the recogniser of title cards and credits: `videoscore train titles`.

There is no labelled set of title cards, so they are drawn: title cards, intertitles and credits in several fonts on
plain, shaded and vignetted grounds. What isn't one: photographs, as they are, without colour, and with a subtitle or a
caption on them, since a picture under letters still has a mood; and drawn scenery with and without a caption, so that
graphics and animation don't pass for cards. A linear discriminant (ridge) on the scene model's features tells them
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from videoscore.mood.perceivers.scene import load as load_scene
from videoscore.mood.perceivers.titles import WEIGHTS, TitleHead
from videoscore.research.scene.oasis import read_features
from videoscore.research.weights import checksum, write_weights
from videoscore.resources import weight_file

Picture = NDArray[np.uint8]
Random = np.random.Generator

SIZE = (384, 216)
CARDS, CAPTIONED, SCENERY = 600, 200, 300
RIDGE = 3.0
SYLLABLES = (
    "an",
    "ber",
    "co",
    "da",
    "el",
    "fin",
    "go",
    "hart",
    "in",
    "jo",
    "ka",
    "lor",
    "mi",
    "no",
    "or",
    "per",
    "ri",
    "sen",
    "to",
    "ul",
    "ver",
    "wil",
    "ya",
    "zu",
    "The",
    "Of",
    "Film",
    "By",
    "12",
    "1947",
)


def fonts() -> list[str]:
    """Files of the typefaces that matplotlib carries: sans, serif and mono, upright and bold."""
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    return [
        str(folder / f"DejaVu{name}.ttf")
        for name in ("Sans", "Sans-Bold", "Serif", "Serif-Bold", "Serif-Italic", "SansMono")
    ]


def words(random: Random, count: int) -> str:
    text = " ".join("".join(random.choice(SYLLABLES, int(random.integers(1, 4)))) for _ in range(count))
    return [text.upper(), text.title(), text][int(random.integers(3))]


def ground(random: Random) -> Picture:
    """A plain or softly shaded ground of `SIZE`, dark four times out of five."""
    w, h = SIZE
    dark = random.random() < 0.8
    tone = random.uniform(0, 70, 3) if dark else random.uniform(150, 255, 3)
    if random.random() < 0.45:
        tone = np.zeros(3) + (0 if dark else 245)
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    shade = np.zeros((h, w))
    if random.random() < 0.6:
        slope = random.normal(0, 25, 2)
        shade = slope[0] * x + slope[1] * y - random.uniform(0, 60) * (x * x + y * y) / 2
    grain = random.normal(0, random.choice([0.0, 2.0, 5.0]), (h, w))
    return np.clip(tone + (shade + grain)[:, :, None], 0, 255).astype(np.uint8)


def card(random: Random, faces: Sequence[str]) -> Picture:
    """A title, an intertitle or a page of credits."""
    rgb = ground(random)
    bright = rgb.mean() < 128
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    w, h = SIZE
    tint = random.uniform(0, 60, 3) if random.random() < 0.3 else np.zeros(3)
    ink = tuple(int(v) for v in (255 - tint if bright else tint))
    size = int(random.choice([7, 9, 11, 14, 20, 30, 44]))
    font = ImageFont.truetype(str(random.choice(list(faces))), size)
    lines = int(random.integers(1, 4)) if size >= 20 else int(random.integers(2, max(3, h // size - 2)))
    step = size * random.uniform(1.2, 1.8)
    y = (h - lines * step) / 2 if random.random() < 0.6 else random.uniform(-step, h / 3)
    columns = [0.5] if size >= 14 or random.random() < 0.5 else [0.3, 0.7]
    for _ in range(lines):
        for column in columns:
            draw.text(
                (w * column, y), words(random, int(random.integers(1, 5))), fill=ink, font=font, anchor="ma"
            )
        y += step
    if random.random() < 0.15:  # the frame of a silent film's intertitle
        draw.rectangle((14, 12, w - 15, h - 13), outline=ink, width=2)
    return np.asarray(image)


def captioned(random: Random, photograph: Picture, faces: Sequence[str]) -> Picture:
    """A photograph with a line or two of letters on it."""
    image = Image.fromarray(photograph).resize(SIZE)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(random.choice(list(faces))), int(random.choice([10, 14, 18, 30])))
    y = SIZE[1] * random.choice([0.1, 0.45, 0.8, 0.85])
    draw.text(
        (SIZE[0] / 2, y),
        words(random, int(random.integers(2, 6))),
        fill=(255, 255, 255),
        font=font,
        anchor="ma",
        stroke_width=1,
        stroke_fill=(0, 0, 0),
    )
    return np.asarray(image)


def scenery(random: Random) -> Picture:
    """A drawn picture: sky and ground of several tones, and shapes of any number, size and colour."""
    w, h = SIZE
    image = Image.fromarray(np.clip(ground(random) + random.uniform(-30, 90, 3), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)

    def colour() -> tuple[int, ...]:
        return tuple(int(v) for v in random.uniform(0, 255, 3))

    for _ in range(int(random.integers(0, 4))):  # hills
        level, wave = random.uniform(0.2, 0.9) * h, random.uniform(20, 90)
        line = [(x, level + random.uniform(4, 30) * np.sin(x / wave)) for x in range(0, w + 8, 8)]
        draw.polygon([(0, h), *line, (w, h)], fill=colour())
    for _ in range(int(random.choice([2, 6, 15, 40]))):
        x, y = random.uniform(0, w), random.uniform(0, h)
        size = random.uniform(4, 90)
        corners = [(x + random.normal(0, size / 2), y + random.normal(0, size / 2)) for _ in range(3)]
        if random.random() < 0.5:
            draw.ellipse(
                (x - size / 2, y - size / 2, x + size / 2, y + size * random.uniform(0.1, 0.6)), fill=colour()
            )
        else:
            draw.polygon(corners, fill=colour())
    grain = random.normal(0, random.choice([0.0, 4.0, 14.0]), (h, w, 1))
    return np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)


def fit(x: NDArray[np.float32], title: NDArray[np.bool_]) -> TitleHead:
    """Ridge regression onto -1 and 1, both kinds weighing the same; (n, d) features, (n,) truth."""
    mean, scale = x.mean(0), x.std(0) + 1e-3
    z = ((x - mean) / scale).astype(np.float64) / np.sqrt(x.shape[1])
    weight = np.where(title, 0.5 / title.sum(), 0.5 / (~title).sum()) * len(title)
    y = np.where(title, 1.0, -1.0)
    gram = (z @ z.T) * np.sqrt(weight)[:, None] * np.sqrt(weight)[None]
    centred = np.sqrt(weight) * y
    dual = np.linalg.solve(
        gram + np.outer(np.sqrt(weight), np.sqrt(weight)) + RIDGE * np.eye(len(y)), centred
    )
    dual *= np.sqrt(weight)
    slope, bias = z.T @ dual / np.sqrt(x.shape[1]), dual.sum()
    return TitleHead((slope / scale).astype(np.float32), float(bias - mean @ (slope / scale)))


def train(
    data: Path,
    out: Path = WEIGHTS,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, float]:
    """Draw cards, fit and write the head; returns figures on cards in a typeface that was left out.

    data : folder with oasis.csv and its photographs.
    """
    random = np.random.default_rng(seed)
    backbones, _ = load_scene()
    photographs = read_features(data, backbones, say)
    pictures = sorted(data.rglob("*.jpg"))
    kinds = fonts()
    faces = [str(random.choice(kinds)) for _ in range(CARDS + CAPTIONED + SCENERY)]
    images = [card(random, [face]) for face in faces[:CARDS]]
    for face in faces[CARDS:-SCENERY]:
        with Image.open(pictures[int(random.integers(len(pictures)))]) as image:
            images.append(captioned(random, np.asarray(image.convert("RGB")), [face]))
    for k, face in enumerate(faces[-SCENERY:]):
        images.append(scenery(random) if k % 2 else captioned(random, scenery(random), [face]))
    say(f"features of {len(images)} drawn pictures")
    own = np.concatenate([backbones.features(images[k : k + 8]) for k in range(0, len(images), 8)])
    x = np.concatenate([photographs.plain, photographs.grey, own])
    title = np.zeros(len(x), bool)
    title[2 * len(photographs.plain) :][:CARDS] = True
    # judged on a typeface and on themes that the judged head did not see
    themes = np.unique(photographs.groups)
    held_theme = np.isin(photographs.groups, random.choice(themes, len(themes) // 5, replace=False))
    is_test = np.concatenate([held_theme, held_theme, [face == kinds[2] for face in faces]])
    probabilities = fit(x[~is_test], title[~is_test]).probability(x[is_test])
    figures = {
        "found": float((probabilities[title[is_test]] > 0.5).mean()),
        "false": float((probabilities[~title[is_test]] > 0.5).mean()),
        "held out": int(is_test.sum()),
    }
    head = fit(x, title)
    write_weights(
        out,
        head.save,
        {
            "command": f"videoscore train titles --data {data} --out {out} --seed {seed}",
            "seed": seed,
            "data": f"{CARDS} drawn cards, {SCENERY} drawn sceneries, {CAPTIONED} captioned and "
            f"{len(photographs.plain)} plain photographs of OASIS, in colour and grey",
            "figures": figures,
            "scene": checksum(weight_file("scene")),
        },
    )
    return figures
