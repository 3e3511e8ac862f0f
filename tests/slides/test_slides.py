"""The parts of a slide show: what is read, in which order, how long, and which part of a photograph is seen."""

from __future__ import annotations

import io
import os
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from drawn import drawn_face
from hypothesis import given
from hypothesis import strategies as st

from videoscore.compose.compose import compose
from videoscore.errors import InputError
from videoscore.mood.faces.finder import FaceFinder
from videoscore.settings.build import build
from videoscore.slides.focus import focus
from videoscore.slides.motion import UPRIGHT, motion
from videoscore.slides.order import arrange, flow
from videoscore.slides.pace import beats, changes, sheet_for
from videoscore.slides.photo import Focus, Photo
from videoscore.slides.reading import find

MIDDLE = Focus(0.5, 0.5)


def photo(valence: float, arousal: float, name: str = "a.jpg", day: int = 1) -> Photo:
    return Photo(Path(name), 400, 300, MIDDLE, valence, arousal, 0.5, datetime(2024, 5, day), True)


plane = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=40)


# ---------------------------------------------------------------- order


@given(plane)
def test_moods_that_flow_show_every_photograph_once_and_no_further_apart(points):
    at = np.array(points)
    order = flow(at)
    assert sorted(order) == list(range(len(at)))

    def length(way: list[int]) -> float:
        return float(np.linalg.norm(np.diff(at[way], axis=0), axis=1).sum())

    nearest, left = [int(at[:, 1].argmin())], set(range(len(at))) - {int(at[:, 1].argmin())}
    while left:
        nearest.append(min(sorted(left), key=lambda k: float(np.linalg.norm(at[k] - at[nearest[-1]]))))
        left.remove(nearest[-1])
    assert length(order) <= length(nearest) + 1e-9
    assert at[order[0], 1] <= at[order[-1], 1]


def test_two_moods_mixed_are_parted():
    photos = [photo(0.7, -0.4) if k % 2 else photo(-0.6, 0.5) for k in range(12)]
    moods = [p.valence > 0 for p in arrange(photos, "mood")]
    assert sum(a != b for a, b in pairwise(moods)) == 1


def test_by_time_and_by_name(tmp_path):
    photos = [photo(0, 0, f"{k}.jpg", day) for k, day in enumerate((5, 2, 9))]
    assert [p.taken.day for p in arrange(photos, "time")] == [2, 5, 9]
    for name in ("img10.JPG", "img9.jpg", "Img1.png", ".hidden.jpg", "a.mov"):
        (tmp_path / name).write_bytes(b"x")
    paths, remarks = find([tmp_path], "given")
    assert [p.name for p in paths] == ["Img1.png", "img9.jpg", "img10.JPG"]
    assert len(remarks) == 1 and "1 files" in remarks[0]
    given_order, _ = find([tmp_path / "img10.JPG", tmp_path / "img9.jpg"], "given")
    assert [p.name for p in given_order] == ["img10.JPG", "img9.jpg"]
    by_name, _ = find([tmp_path / "img10.JPG", tmp_path / "img9.jpg"], "name")
    assert [p.name for p in by_name] == ["img9.jpg", "img10.JPG"]


# ---------------------------------------------------------------- time


@given(plane, st.integers(1, 12), st.sampled_from([24, 25, 30]), st.integers(0, 99))
def test_photographs_have_whole_bars_and_cues_whole_pictures(points, seconds, fps, seed):
    photos = [photo(*p) for p in points]
    plan = sheet_for(photos, build(photo_seconds=seconds, fps=fps, seed=seed))
    assert sum(plan.counts) == len(photos)
    for cue, count in zip(plan.sheet.cues, plan.counts, strict=True):
        assert cue.meter.bars % count == 0
        assert (cue.start * fps).denominator == (cue.end * fps).denominator == 1
        shown = cue.duration / count
        assert (
            seconds / 2.5 <= shown <= seconds * 2.5 + Fraction(5)
        )  # a slow bar may be longer than a short wish


def test_changes_are_bar_lines_of_the_music_that_was_written():
    photos = [photo(0.6, -0.3)] * 5 + [photo(-0.5, 0.6)] * 4 + [photo(-0.4, -0.5)] * 3
    plan = sheet_for(photos, build())
    assert len(plan.counts) > 1
    score = compose(plan.sheet, build().compose)
    times = changes(score, plan.counts)
    assert len(times) == 12 and times[0] == 0 and list(times) == sorted(set(times))
    lines = [score.tempo.seconds(s.start + k * s.beats * 480) for s in score.sections for k in range(s.bars)]
    assert set(times) <= set(lines) <= set(beats(score))
    cues = {float(c.start) for c in plan.sheet.cues}
    assert all(min(abs(float(t) - c) for t in times) < 1e-5 for c in cues), "a cue begins with a photograph"


# ---------------------------------------------------------------- place


@given(
    st.integers(40, 6000),
    st.integers(40, 6000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(1, 1.5),
    st.booleans(),
)
def test_what_is_seen_lies_in_the_photograph_and_has_the_windows_shape(width, height, x, y, zoom, inward):
    m = motion((width, height), (1920, 1080), Focus(x, y), zoom, inward)
    wide, high = m.window[2] - m.window[0], m.window[3] - m.window[1]
    for share in (0.0, 0.3, 1.0):
        x0, y0, x1, y1 = m.at(share)
        assert -1e-6 <= x0 < x1 <= width + 1e-6 and -1e-6 <= y0 < y1 <= height + 1e-6
        assert (x1 - x0) / (y1 - y0) == pytest.approx(wide / high, rel=0.02)
    assert m.on_ground(1920, 1080) == (width / height < UPRIGHT)
    if width / height < UPRIGHT and width * 1080 / height >= 40:
        assert wide / high == pytest.approx(width / height, rel=0.05)


@given(st.floats(0.05, 0.6), st.floats(0.05, 0.5), st.floats(0.05, 0.25), st.booleans())
def test_faces_stay_in_the_picture_to_the_end(x0, y0, side, inward):
    box = (x0, y0, x0 + side, y0 + 1.3 * side)
    m = motion((4000, 3000), (1920, 1080), Focus(x0 + side / 2, y0 + 0.65 * side, box), 1.5, inward)
    close = m.end if inward else m.begin
    assert close[0] <= box[0] * 4000 + 1e-6 and close[2] >= box[2] * 4000 - 1e-6
    assert close[1] <= box[1] * 3000 + 1e-6 and close[3] >= box[3] * 3000 - 1e-6


@pytest.mark.parametrize("x", [110, 280])
def test_one_looks_at_a_face(x):
    picture = drawn_face(288, 384, 100, x, 120)
    here = focus(picture, FaceFinder().find([picture])[0])
    assert here.box is not None
    assert here.x == pytest.approx(x / 384, abs=0.06) and here.y == pytest.approx(120 / 288, abs=0.1)


@pytest.mark.parametrize(("x", "y"), [(70, 60), (300, 200)])
def test_one_looks_at_what_stands_out(x, y):
    picture = np.random.default_rng(1).integers(110, 130, (288, 384, 3)).astype(np.uint8)
    picture[y - 20 : y + 20, x - 20 : x + 20] = (230, 40, 40)
    here = focus(picture, [])
    assert here.box is None
    assert abs(here.x - x / 384) < 0.12 and abs(here.y - y / 288) < 0.12
    even = focus(np.full((100, 100, 3), 90, np.uint8), [])
    assert (even.x, even.y) == pytest.approx((0.5, 0.5), abs=0.05)


# ---------------------------------------------------------------- reading


@pytest.fixture
def pillow():
    pytest.importorskip("pillow_heif", reason='needs the extra: pip install "videoscore[slideshow]"')
    from PIL import Image

    return Image


def test_every_kind_of_pixels_becomes_rgb(tmp_path, pillow):
    from videoscore.slides.reading import read

    ramp = np.tile(np.linspace(0, 255, 64), (48, 1))
    grey = pillow.fromarray(ramp.astype(np.uint8))
    clear = grey.convert("RGBA")
    clear.putalpha(0)
    deep = pillow.fromarray((ramp * 257).round().astype(np.uint16))
    for name, image, expected in (
        ("grey.png", grey, ramp),
        ("palette.png", grey.convert("RGB").quantize(64), ramp),
        ("deep.png", deep, ramp),
        ("cmyk.jpg", grey.convert("CMYK"), ramp),
        ("clear.png", clear, np.full((48, 64), 255)),
    ):
        image.save(tmp_path / name)
        out, _ = read(tmp_path / name, 64, 48)
        assert out.mode == "RGB"
        # a palette of 64 and the inks of a JPEG are coarser than a grey
        assert np.abs(np.asarray(out).mean(2) - expected).mean() < 4, name


def test_a_large_photograph_is_read_small_and_upright_with_its_label(tmp_path, pillow):
    from videoscore.slides.reading import read

    exif = pillow.Exif()
    exif[0x0112], exif[0x010E] = 8, "On the  beach\n"
    exif.get_ifd(0x8769)[0x9003] = "2023:07:09 18:05:30"
    pillow.new("RGB", (3000, 2000), (10, 200, 30)).save(tmp_path / "a.jpg", exif=exif)
    image, label = read(tmp_path / "a.jpg", 320, 240)
    assert (label.width, label.height) == (2000, 3000) and image.size == (320, 480)
    assert label.taken == datetime(2023, 7, 9, 18, 5, 30) and label.description == "On the beach"


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "bomb", "zeros"])
def test_what_cant_be_read_is_one_typed_error(tmp_path, pillow, kind):
    from videoscore.slides.reading import read

    whole = io.BytesIO()
    pillow.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(whole, "PNG")
    data = whole.getvalue()
    bomb = data[:16] + (60000).to_bytes(4, "big") * 2 + data[24:]
    path = tmp_path / "a.png"
    path.write_bytes(
        {"cut": data[:9000], "text": b"hello", "empty": b"", "bomb": bomb, "zeros": data[:100] + bytes(9000)}[
            kind
        ]
    )
    with pytest.raises(InputError) as error:
        read(path, 100, 100)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


@pytest.mark.skipif(os.name != "posix", reason="counts the memory of POSIX")
@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_photographs(tmp_path, pillow):
    """Forty photographs of 12 megapixels, and four: 36 MB each if they were kept."""
    import subprocess
    import sys

    from conftest import command_environment

    pytest.importorskip("moviepy", reason='needs the extra: pip install "videoscore[slideshow]"')
    pillow.effect_noise((4000, 3000), 60).convert("RGB").save(tmp_path / "a.jpg", quality=60)
    for k in range(40):
        os.link(tmp_path / "a.jpg", tmp_path / f"p{k:02d}.jpg")
    code = (
        "import sys; from pathlib import Path; from fractions import Fraction as F; "
        "from videoscore.workers.memory import own_peak; "
        "from videoscore.slides.film import Slide, write_film; from videoscore.slides.photo import *; "
        "from videoscore.settings.fields import SlideOptions; from datetime import datetime; "
        "n = int(sys.argv[1]); "
        "photos = [Photo(Path(f'p{k:02d}.jpg'), 4000, 3000, Focus(.5, .5), 0, 0, 1, datetime.now(), False) "
        "for k in range(n)]; "
        "slides = [Slide(p, F(k, 5), F(k + 1, 5)) for k, p in enumerate(photos)]; "
        "write_film(slides, Path(f'{n}.mp4'), SlideOptions(dissolve=F(1, 10))); "
        "print(own_peak())"
    )
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", code, str(n)],
                cwd=tmp_path,
                env=command_environment(),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for n in (4, 40)
    ]
    assert peaks[1] < peaks[0] + 60 * 2**20
