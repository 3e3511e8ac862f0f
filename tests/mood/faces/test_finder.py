"""The face finder and its weights."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import drawn_face
from hypothesis import given
from hypothesis import strategies as st
from media import DATA
from safetensors.torch import load_file

from videoscore.errors import NotFound, SetupError
from videoscore.mood.faces.finder import WEIGHTS, FaceFinder, cut_out, levels
from videoscore.mood.faces.mtcnn import networks
from videoscore.mood.faces.person import Face
from videoscore.mood.faces.rectangles import overlap
from videoscore.research.faces.finder_weights import convert
from videoscore.video.probe import probe
from videoscore.video.sample import sample

CLIPS = DATA / "video" / "clips"

# What facenet-pytorch 2.6.0 (its own code and weights, smallest face 16) finds in the same drawings: arguments of
# `drawn_face`, box, landmarks. It rounds boxes to whole pixels before it looks at them, we don't: a pixel or two of
# difference is that.
GOLDEN = [
    (
        (160, 200, 90, 104.0, 70.0),
        [71.5, 24.5, 136.5, 114.9],
        [[89.7, 61.8], [119.5, 61.8], [104.7, 78.0], [92.8, 94.6], [117.1, 95.0]],
    ),
    (
        (160, 200, 60, 150.0, 60.0),
        [129.9, 29.7, 172.5, 89.7],
        [[141.0, 54.5], [160.8, 54.6], [150.9, 65.8], [142.7, 76.4], [159.9, 76.3]],
    ),
    (
        (160, 200, 30, 50.0, 60.0),
        [40.9, 46.3, 60.8, 75.4],
        [[45.5, 57.0], [55.3, 56.9], [50.6, 62.9], [46.5, 68.4], [54.6, 68.2]],
    ),
    (
        (240, 320, 150, 170.0, 110.0),
        [115.9, 33.8, 226.5, 184.2],
        [[145.8, 96.5], [196.2, 96.2], [171.0, 122.9], [150.6, 150.6], [193.6, 150.0]],
    ),
]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(threads=1)


def only(faces: list[Face]) -> Face:
    assert len(faces) == 1
    return faces[0]


@pytest.mark.parametrize(("drawing", "box", "landmarks"), GOLDEN)
def test_finds_what_the_reference_finds(finder: FaceFinder, drawing, box, landmarks) -> None:
    face = only(finder.find([drawn_face(*drawing)])[0])
    assert np.abs(np.array(face.box) - box).max() <= max(3, 0.03 * drawing[2])
    assert np.abs(face.landmarks - landmarks).max() <= max(2, 0.045 * drawing[2])
    assert face.confidence > 0.95


@pytest.mark.parametrize("side", [26, 40, 75, 130, 190])
def test_eyes_and_mouth_lie_where_they_were_drawn(finder: FaceFinder, side: int) -> None:
    x, y = 170.0, 125.0
    face = only(finder.find([drawn_face(260, 340, side, x, y)])[0])
    true = np.array([[-0.17, -0.09], [0.17, -0.09]]) * side + [x, y]
    assert np.abs(face.landmarks[:2] - true).max() < 0.04 * side + 0.5
    assert np.abs(face.landmarks[3:].mean(0) - [x, y + 0.27 * side]).max() < 0.05 * side + 0.5


def test_two_faces_of_different_size(finder: FaceFinder) -> None:
    picture = drawn_face(200, 300, 110, 90, 90)
    picture[:, 180:] = drawn_face(200, 120, 40, 60, 110)
    left, right = sorted(finder.find([picture])[0], key=lambda f: f.box)
    assert left.landmarks[:, 0].mean() == pytest.approx(90, abs=4)
    assert right.landmarks[:, 0].mean() == pytest.approx(240, abs=3)
    assert 2 < (left.area / right.area) ** 0.5 < 3.5


def test_no_face_in_plain_noisy_or_shaded_pictures(finder: FaceFinder) -> None:
    rng = np.random.default_rng(0)
    shade = np.broadcast_to(np.linspace(0, 255, 200)[None, :, None], (120, 200, 3)).astype(np.uint8)
    pictures = [
        np.zeros((120, 200, 3), np.uint8),
        np.full((120, 200, 3), 255, np.uint8),
        shade,
        rng.integers(0, 256, (120, 200, 3), np.uint8),
    ]
    assert finder.find(pictures) == [[], [], [], []]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (11, 40), (16, 16), (17, 400)])
def test_tiny_pictures_are_no_trouble(finder: FaceFinder, shape: tuple[int, int]) -> None:
    assert finder.find([np.full((*shape, 3), 90, np.uint8)]) == [[]]


def test_nothing_to_look_at(finder: FaceFinder) -> None:
    assert finder.find([]) == []


def test_other_pictures_in_the_batch_and_threads_change_nothing(finder: FaceFinder) -> None:
    drawings = [drawn_face(120, 160, side, x, 55) for side, x in ((40, 60), (70, 90), (60, 120), (30, 40))]
    drawings.insert(1, np.zeros((120, 160, 3), np.uint8))
    drawings.insert(3, drawn_face(150, 130, 60, 60, 60))
    alone = [finder.find([one])[0] for one in drawings]
    assert [len(faces) for faces in alone] == [1, 0, 1, 1, 1, 1]
    for threads in (1, 3):
        together = FaceFinder(threads=threads).find(drawings)
        for mine, theirs in zip(alone, together):
            assert len(mine) == len(theirs)
            for a, b in zip(mine, theirs):
                assert b.box == pytest.approx(a.box, abs=1e-2)
                assert b.landmarks == pytest.approx(a.landmarks, abs=1e-2)
                assert b.confidence == pytest.approx(a.confidence, abs=1e-4)


def test_smallest_and_confidence_are_limits(finder: FaceFinder) -> None:
    picture = drawn_face(120, 160, 40, 80, 55)
    face = only(finder.find([picture])[0])
    assert FaceFinder(threads=1, smallest=80).find([picture]) == [[]]
    assert FaceFinder(threads=1, confidence=min(1.0, face.confidence + 1e-3)).find([picture]) == [[]]


# ---------------------------------------------------------------- its parts


@given(st.integers(1, 800), st.integers(1, 800), st.integers(12, 60))
def test_levels_shrink_to_the_patch(height: int, width: int, smallest: int) -> None:
    sizes = list(levels(height, width, smallest))
    assert bool(sizes) == (min(height, width) >= smallest)
    assert all(min(size) >= 12 for size in sizes)
    assert sizes == sorted(sizes, reverse=True)


def test_cut_out_of_whole_pixels_is_a_plain_cut() -> None:
    x = torch.rand(3, 3, 40, 50)
    got = cut_out([x], np.array([2, 0]), np.array([[10.0, 5, 34, 29], [-12, 20, 12, 44]]), 24)
    assert torch.allclose(got[0], x[2, :, 5:29, 10:34], atol=1e-5)
    assert torch.allclose(got[1, :, :20, 12:], x[0, :, 20:, :12], atol=1e-5)
    assert torch.allclose(got[1, :, :20, :12], x[0, :, 20:, :1].expand(3, 20, 12), atol=1e-5)


corners = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 50)] * 2).map(
    lambda c: np.array([c[0], c[1], c[0] + c[2], c[1] + c[3]])
)


@given(corners, corners)
def test_overlap(a: np.ndarray, b: np.ndarray) -> None:
    assert 0 <= overlap(a, b) <= overlap(a, b, of_smaller=True) <= 1 + 1e-9
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, a + 1000) == 0


# ---------------------------------------------------------------- weights


def test_unreadable_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="face finder"):
        FaceFinder(tmp_path / "none.safetensors")
    other = tmp_path / "finder.safetensors"
    other.write_bytes(b"not weights")
    with pytest.raises(SetupError, match=r"finder\.safetensors"):
        FaceFinder(other)
    with pytest.raises(SetupError):
        FaceFinder(WEIGHTS.with_name("scene.safetensors"))


def theirs(net: torch.nn.Module, size: int) -> dict[str, torch.Tensor]:
    """A network's tensors as facenet-pytorch names them and orders the dense ones (by columns)."""
    state = net.state_dict()
    out, layer, channels = {}, 0, 0
    for key in dict.fromkeys(k.rpartition(".")[0] for k in state):
        weight = state[f"{key}.weight"]
        if weight.ndim == 4 and key.startswith("body."):
            layer, channels, name = layer + 1, len(weight), f"conv{layer + 1}"
        elif key.startswith("body.") and weight.ndim == 2:
            layer, name = layer + 1, f"dense{layer + 1}"
            weight = weight.unflatten(1, (channels, size, size)).permute(0, 3, 2, 1).flatten(1)
        elif key.startswith("body."):
            name = f"prelu{layer}"
        else:
            name = f"dense{layer + 1}_{['is_face', 'correction', 'landmarks'].index(key) + 1}"
        out[f"{name}.weight"] = weight
        if f"{key}.bias" in state:
            out[f"{name}.bias"] = state[f"{key}.bias"]
    return out


def test_conversion_keeps_what_the_networks_say(tmp_path: Path) -> None:
    torch.manual_seed(0)
    nets = networks()
    with zipfile.ZipFile(tmp_path / "facenet.whl", "w") as wheel:
        for name, net in nets.items():
            raw = io.BytesIO()
            torch.save(theirs(net, 3), raw)
            wheel.writestr(f"facenet_pytorch/data/{name}net.pt", raw.getvalue())
    path = convert(tmp_path / "facenet.whl", tmp_path / "weights")
    assert sorted(p.name for p in path.parent.iterdir()) == ["finder.json", "finder.safetensors"]
    loaded = FaceFinder(path).nets
    for name, side in (("p", 30), ("r", 24), ("o", 48)):
        x = torch.randn(2, 3, side, side)
        for a, b in zip(nets[name](x), loaded[name](x)):
            assert torch.allclose(a, b, atol=5e-3)


def test_conversion_refuses_what_is_no_such_package(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        convert(tmp_path / "none.whl", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("readme", "nothing")
    with pytest.raises(SetupError, match="facenet-pytorch"):
        convert(tmp_path / "other.whl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shipped_weights_are_small_and_whole() -> None:
    assert WEIGHTS.stat().st_size < 1.1e6
    assert {v.dtype for v in load_file(WEIGHTS).values()} == {torch.float16}


# ---------------------------------------------------------------- real pictures

# The reference's landmarks in sampled frames (384 px) of real clips: clip, frame, landmarks.
REAL = [
    (
        "face_woman_emotions_pexels",
        0,
        [[223.9, 105.8], [282.8, 104.1], [246.8, 138.0], [231.2, 168.7], [285.2, 166.0]],
    ),
    (
        "face_woman_emotions_pexels",
        6,
        [[218.3, 114.5], [280.9, 117.6], [246.9, 149.7], [219.8, 180.7], [268.3, 180.3]],
    ),
    ("friday_speech_bw", 4, [[242.9, 59.1], [257.6, 59.4], [244.7, 68.6], [241.5, 75.4], [254.6, 76.1]]),
    ("friday_speech_bw", 6, [[167.3, 146.6], [181.0, 147.3], [179.0, 157.3], [166.9, 165.2], [178.2, 164.9]]),
]


@pytest.mark.data
@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs the clips in ../shared/data")
@pytest.mark.parametrize(("clip", "index", "landmarks"), REAL)
def test_real_faces_as_the_reference_finds_them(finder: FaceFinder, clip: str, index: int, landmarks) -> None:
    frames = sample(probe(CLIPS / f"{clip}.mp4"), Fraction(1, 2), 384)
    frame = next(islice(frames, index, None))
    faces = finder.find([frame.rgb])[0]
    nearest = min(faces, key=lambda f: np.abs(f.landmarks - landmarks).max())
    assert np.abs(nearest.landmarks - landmarks).max() < 0.035 * nearest.area**0.5 + 1.5
