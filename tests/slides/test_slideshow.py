"""The slide show as a user sees and hears it: photographs drawn here, the command as a process, the film decoded."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import Said, run_command
from measure import downbeats
from numpy.typing import NDArray

pytest.importorskip("moviepy", reason='needs the extra: pip install "videoscore[slideshow]"')
pytest.importorskip("pillow_heif", reason='needs the extra: pip install "videoscore[slideshow]"')

import pillow_heif
from PIL import Image

import videoscore
from videoscore.errors import InputError, OutputExists
from videoscore.stages import probe

COLOURS = {
    "photo1": (200, 40, 40),
    "photo2": (40, 170, 60),
    "photo3": (40, 60, 200),
    "photo4": (210, 190, 40),
}
UPRIGHT = (150, 40, 160)  # photo10, by its EXIF


def plain(colour: tuple[int, int, int], width: int = 480, height: int = 270) -> Image.Image:
    """A photograph of one colour, with some grain."""
    grain = np.random.default_rng(sum(colour)).integers(-6, 7, (height, width, 1))
    return Image.fromarray((np.array(colour) + grain).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photographs in four forms, an upright one that is stored on its side, a broken one, and something else."""
    folder = tmp_path_factory.mktemp("album")
    plain(COLOURS["photo1"]).save(folder / "photo1.jpg", quality=95)
    plain(COLOURS["photo2"]).save(folder / "photo2.png")
    pillow_heif.from_pillow(plain(COLOURS["photo3"])).save(folder / "photo3.heic", quality=95)
    plain(COLOURS["photo4"]).save(folder / "photo4.webp", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    side = plain(UPRIGHT, 400, 300)
    side.paste((250, 250, 250), (0, 0, 200, 300))  # its left half is the upper one when it is upright
    side.save(folder / "photo10.jpg", quality=95, exif=exif)
    whole = io.BytesIO()
    plain((9, 9, 9)).save(whole, "JPEG")
    (folder / "photo5.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (folder / "list.txt").write_text("no photograph")
    return folder


@pytest.fixture(scope="module")
def made(album: Path) -> tuple[Said, Path]:
    film = album.parent / "made" / "film.mp4"
    film.parent.mkdir(exist_ok=True)
    said = run_command(
        *("slideshow", album, "-o", film, "--height", "720", "--photo-seconds", "2", "--zoom", "1.1"),
        *("--dissolve", "0.8", "--keep", "midi", "--seed", "3", "--json"),
    )
    assert said.code == 0, said.err
    return said, film


def frames(film: Path) -> list[tuple[Fraction, NDArray[np.float64]]]:
    """(time, RGB of the middle of the picture) of all frames."""
    out = []
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            small = frame.reformat(64, 36, "rgb24").to_ndarray()
            out.append((frame.pts * stream.time_base, small[14:22, 28:36].mean((0, 1)).astype(float)))
    return out


def test_the_film_is_what_was_asked_for(made):
    said, film = made
    media = probe(film)
    assert (media.video.codec, media.video.width, media.video.height) == ("h264", 1280, 720)
    assert media.video.frame_duration == Fraction(1, 25)
    assert [a.codec for a in media.audio] == ["aac"]
    assert float(media.duration) == pytest.approx(said.result["duration"], abs=1e-9)
    assert said.result["loudness"] == pytest.approx(-14, abs=1)


def test_photographs_come_in_the_order_of_their_names_and_the_broken_one_is_told_of(made, album):
    said, _ = made
    order = [Path(p["file"]).name for p in said.result["photos"]]
    assert order == ["photo1.jpg", "photo2.png", "photo3.heic", "photo4.webp", "photo10.jpg"]
    assert len(said.result["skipped"]) == 1 and "photo5.jpg" in said.result["skipped"][0]
    assert any("photo5.jpg" in remark for remark in said.result["remarks"])
    assert any("1 files that are no photographs" in remark for remark in said.result["remarks"])


def test_every_photograph_changes_on_a_beat_of_the_music_that_is_heard(made):
    """The times at which one colour has half become the next, against the bar lines of the MIDI file."""
    said, film = made
    seen = frames(film)
    bars = [float(t) for t in downbeats(film.with_suffix(".mid"))]
    wanted = [*COLOURS.values()]
    largest = 0.0
    for k, (before, after) in enumerate(zip(wanted, wanted[1:]), 1):
        start = said.result["photos"][k]["start"]
        step = np.array(after, float) - before
        near = [
            (float(t), float((rgb - before) @ step / (step @ step)))
            for t, rgb in seen
            if abs(t - start) < 0.6
        ]
        t, share = zip(*near)
        half = float(np.interp(0.5, share, t))
        assert share[0] < 0.1 and share[-1] > 0.9, "it dissolves"
        largest = max(largest, min(abs(half - bar) for bar in bars))
    assert largest <= 1 / 25, f"{largest * 1000:.1f} ms from the nearest bar line"
    assert said.result["off_beat"] <= 1 / 50 + 1e-9


def test_an_upright_photograph_is_turned_and_stands_on_a_blurred_ground(made):
    _, film = made
    with av.open(str(film)) as container:
        last = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)][-20].astype(float)
    assert last[40:200, 600:680].mean() > 230, "the white half is up"
    assert np.abs(last[520:680, 600:680].mean((0, 1)) - UPRIGHT).max() < 12
    beside = last[:, 40:240]
    assert beside.mean() < 0.8 * last[:, 600:680].mean(), "the ground is darker"
    assert np.abs(np.diff(beside.mean((1, 2)))).max() < 4, "and blurred: it has no edge"


def test_a_photograph_moves(tmp_path):
    """Stripes come apart as the camera goes closer."""
    rows = np.repeat(np.arange(1080) // 54 % 2 * 200 + 20, 1920).reshape(1080, 1920).astype(np.uint8)
    Image.fromarray(rows).save(tmp_path / "stripes.png")
    film = tmp_path / "film.mp4"
    videoscore.slideshow([tmp_path / "stripes.png"], film, photo_seconds=2, zoom=1.4, height=720)
    with av.open(str(film)) as container:
        pictures = [f.to_ndarray(format="gray")[:, 640].astype(int) for f in container.decode(video=0)]
    edges = [int(np.diff(line > 120).sum()) for line in (pictures[0], pictures[-1])]
    assert edges[1] < 0.85 * edges[0]


def test_a_title_and_captions_are_seen_and_letters_that_the_font_lacks_are_told_of(tmp_path):
    for name in ("one", "two"):
        plain((60, 60, 60)).save(tmp_path / f"{name}.jpg")
    film = tmp_path / "film.mp4"
    result = videoscore.slideshow(
        [tmp_path], film, photo_seconds=2, zoom=1, height=720, title="Summer 여름", captions="name"
    )
    with av.open(str(film)) as container:
        first = [f.to_ndarray(format="gray") for f in container.decode(video=0)][25]
    assert (first[300:420, 400:900] > 200).sum() > 500, "the title, white in the middle"
    assert (first[640:700, 560:720] > 200).sum() > 50, "the caption below it"
    assert first[100:250].max() < 100
    assert any("여" in remark for remark in result.remarks)


def test_nothing_is_overwritten_and_nothing_half_written_stays(album, tmp_path):
    there = tmp_path / "there.mp4"
    there.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        videoscore.slideshow([album], there)
    assert there.read_bytes() == b"mine"
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing")
    with pytest.raises(InputError):
        videoscore.slideshow([broken], tmp_path / "film.mp4")
    assert {p.name for p in tmp_path.iterdir()} == {"there.mp4", "broken.jpg"}


def test_errors_are_one_line_and_a_code(album, tmp_path):
    for arguments, code, words in (
        ((album, "-o", tmp_path / "film.gif"), 4, "no name of a film"),
        ((tmp_path, "-o", tmp_path / "film.mp4"), 3, "no photographs"),
        ((tmp_path / "none", "-o", tmp_path / "film.mp4"), 3, "no such file"),
        ((album, "-o", tmp_path / "film.mp4", "--order", "size"), 2, "is no choice"),
        ((album, "-o", tmp_path / "film.mp4", "--title", "x", "--font", album / "list.txt"), 2, "font"),
    ):
        said = run_command("slideshow", *arguments)
        assert said.code == code, said.err
        assert words in said.err and said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_remedy_is_named(album, tmp_path, monkeypatch):
    from videoscore.errors import SetupError

    monkeypatch.setitem(__import__("sys").modules, "moviepy", None)
    with pytest.raises(SetupError, match=r"videoscore\[slideshow\]"):
        videoscore.slideshow([album], tmp_path / "film.mp4")
