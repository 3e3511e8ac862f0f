"""Reading faces: stored weights, calibration, confidence, the vote of a track."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.errors import SetupError, UsageError
from videoscore.mood.faces import stored
from videoscore.mood.faces.emotions import EMOTIONS, VECTORS, embed, majority
from videoscore.mood.faces.models import MODELS, confidence, interpret, load_face_model
from videoscore.mood.faces.nets import NETS, fold, folded
from videoscore.mood.faces.stored import Calibration, Header
from videoscore.mood.octants import Spread
from videoscore.resources import weight_file

CALIBRATION = Calibration(1.0, Spread(1, 1, 0.2, 0.2, 0), (0.1, 0.3, 0.6), (0.05, 0.2, 0.5), 0.5)


def one_hot(*labels: int) -> np.ndarray:
    return np.eye(7)[list(labels)]


@pytest.mark.parametrize("name", NETS)
def test_folding_changes_nothing(name: str) -> None:
    torch.manual_seed(0)
    net = NETS[name](5, 0.1)
    x = torch.randn(8, 1, 48, 48)
    net.train()
    for _ in range(3):
        net(x)  # so that the norms have seen something
    net.eval()
    before = net(x)
    folded_net = folded(name, 5, 0.1)
    folded_net.load_state_dict(fold(net).state_dict(), assign=True)
    torch.testing.assert_close(folded_net.eval()(x), before, rtol=1e-4, atol=1e-5)


def test_eight_bits_lose_at_most_half_a_step() -> None:
    torch.manual_seed(0)
    weights = {"a": torch.randn(6, 4, 3, 3), "b": torch.randn(6), "zero": torch.zeros(3, 5)}
    back = stored.unpack(stored.pack(weights))
    step = weights["a"].abs().amax((1, 2, 3), keepdim=True) / 127
    assert ((back["a"] - weights["a"]).abs() <= 0.5001 * step).all()
    torch.testing.assert_close(back["b"], weights["b"])
    assert not back["zero"].any()
    torch.testing.assert_close(
        stored.unpack(stored.pack(weights, 16))["a"], weights["a"], rtol=1e-3, atol=1e-3
    )


def test_header_comes_back() -> None:
    header = Header("vgg16-fer", 0.5, 14, CALIBRATION)
    assert Header.of(header.text()) == header


@pytest.mark.parametrize("name", MODELS)
def test_installed_models_read(name: str) -> None:
    model = load_face_model(name)
    crops = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)
    seen = model.read(crops)
    for values in (seen.valence, seen.arousal):
        assert values.shape == (5,) and np.abs(values).max() <= 1
    assert seen.confidence.shape == (5,) and (seen.confidence >= 0).all() and (seen.confidence <= 1).all()
    assert model.moods(seen).shape == (5, 8)
    np.testing.assert_allclose(model.moods(seen).sum(1), 1)
    if name == "resnet34-va":
        assert seen.emotions is None
    else:
        np.testing.assert_allclose(seen.emotions.sum(1), 1)
        np.testing.assert_allclose(embed(seen.emotions), np.stack([seen.valence, seen.arousal], 1))
    # neither the mirror image nor the company changes what is read
    np.testing.assert_allclose(model.read(crops[:, :, ::-1]).valence, seen.valence, atol=1e-4)
    np.testing.assert_allclose(model.read(crops[3:4]).arousal, seen.arousal[3:4], atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_no_faces_no_readings(name: str) -> None:
    seen = load_face_model(name).read(np.zeros((0, 48, 48), np.uint8))
    assert len(seen) == 0 and seen.confidence.shape == (0,)
    assert (seen.emotions is None) == (name == "resnet34-va")


def test_faces_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="48"):
        load_face_model("cnn-fer").read(np.zeros((1, 64, 64), np.uint8))


def test_unknown_model() -> None:
    with pytest.raises(UsageError, match="Choose from vgg16-fer"):
        load_face_model("vgg19")


def test_missing_and_broken_weights(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SetupError, match="train face --model cnn-fer"):
        load_face_model("cnn-fer", tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0 no header at all")
    with pytest.raises(SetupError):
        load_face_model("cnn-fer", broken)


def test_weights_of_another_model() -> None:
    with pytest.raises(SetupError):
        load_face_model("cnn-fer", weight_file("vgg16-fer"))


def test_sure_logits_are_their_vector() -> None:
    outputs = np.zeros((7, 2, 14))
    outputs[np.arange(7), :, 7 + np.arange(7)] = 60
    outputs[:, :, 0] = 99  # the label's head has no say
    seen = interpret(outputs, CALIBRATION)
    np.testing.assert_allclose(np.stack([seen.valence, seen.arousal], 1), VECTORS, atol=1e-9)
    np.testing.assert_allclose(seen.confidence, 0.9)  # no spread: the first knot's error over `blind`


def test_confidence_falls_as_the_hint_grows() -> None:
    falling = confidence(np.linspace(0, 1, 50), CALIBRATION)
    assert (np.diff(falling) <= 0).all() and falling[0] == 0.9 and falling[-1] == 0


def test_regressor_is_sure_where_both_mirror_images_agree() -> None:
    outputs = np.array([[[0.2, 0.1], [0.2, 0.1]], [[0.9, 0.1], [-0.5, 0.1]]])
    seen = interpret(outputs, CALIBRATION)
    assert seen.emotions is None
    np.testing.assert_allclose(seen.valence, [0.2, 0.2])
    assert seen.confidence[0] > seen.confidence[1] == 0


def test_a_flicker_is_outvoted() -> None:
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    track = one_hot(*[happy] * 15, sad, *[happy] * 15)
    assert (majority(track).argmax(1) == happy).all()


def test_a_turn_stays_in_its_place() -> None:
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    voted = majority(one_hot(*[sad] * 30, *[happy] * 30)).argmax(1)
    assert (voted[:30] == sad).all() and (voted[31:] == happy).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 30))
def test_majority_counts_the_window(labels: list[int], window: int) -> None:
    voted = majority(one_hot(*labels) if labels else np.zeros((0, 7)), window)
    assert voted.shape == (len(labels), 7)
    for i, row in enumerate(voted):
        around = labels[max(i - window // 2, 0) : i + window - window // 2]
        np.testing.assert_allclose(row, np.bincount(around, minlength=7) / len(around), atol=1e-9)
