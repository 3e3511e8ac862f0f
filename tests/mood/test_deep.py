"""The eight-mood CNNs: the networks, the `deep` perceiver, calibration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from media import picture

from videoscore.errors import SetupError
from videoscore.mood.circle import MOODS
from videoscore.video.frames import Frame

torch = pytest.importorskip("torch")

from videoscore.mood.perceivers.deep import (  # noqa: E402
    CONFIGS,
    Calibration,
    DeepConfig,
    DeepPerceiver,
    MoodCNN,
    load,
    plane,
    probabilities,
    save,
    without_norm,
)
from videoscore.research.deep.calibrate import across, from_moods, from_ratings, temperature  # noqa: E402


def frame(rgb: np.ndarray) -> Frame:
    return Frame(Fraction(0), rgb, 0.0)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> DeepPerceiver:
    torch.manual_seed(3)
    net = MoodCNN(CONFIGS["shallow"])
    torch.nn.init.normal_(net.moods.weight, std=0.3)
    path = tmp_path_factory.mktemp("weights") / "net.safetensors"
    save(path, net, Calibration(1.5, (2.0, 1.5), (0.1, -0.1), 0.4))
    return DeepPerceiver(path)


# ---------------------------------------------------------------- networks


def test_the_deep_network_has_the_published_size():
    assert sum(p.numel() for p in MoodCNN(CONFIGS["deep"]).parameters()) == 2_344_296
    assert sum(p.numel() for p in MoodCNN(CONFIGS["shallow"]).parameters()) < 2_344_296


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_networks_give_eight_numbers_a_picture(kind):
    net = MoodCNN(CONFIGS[kind]).eval()
    with torch.inference_mode():
        assert net(torch.zeros(2, 3, 128, 128)).shape == (2, 8)


def test_merging_batch_norm_changes_nothing():
    torch.manual_seed(0)
    net = MoodCNN(DeepConfig(norm=True, drop_block=0.0, drop_dense=0.0))
    torch.nn.init.normal_(net.moods.weight)
    net.train()
    for _ in range(3):
        net(torch.randn(4, 3, 128, 128) * 2 + 0.5)  # so that the running means are some
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    net.eval()
    x = torch.randn(2, 3, 128, 128)
    plain = without_norm(net)
    assert sum(p.numel() for p in plain.parameters()) == 2_344_296
    with torch.inference_mode():
        assert torch.allclose(plain(x), net(x), atol=1e-3, rtol=1e-3)


def test_starting_halfway_is_the_same_as_going_all_the_way():
    torch.manual_seed(1)
    net = MoodCNN(CONFIGS["deep"]).eval()
    x = torch.randn(2, 3, 128, 128)
    with torch.inference_mode():
        assert torch.allclose(net.look(net.convolve(x, 0, 3), 3), net.look(x), atol=1e-4)


# ---------------------------------------------------------------- perceiver


def test_golden_outputs_of_the_shipped_weights():
    seen = DeepPerceiver().perceive([frame(picture("field")), frame(picture("alley"))])
    assert seen.valence == pytest.approx([0.451, -0.289], abs=0.02)
    assert seen.arousal == pytest.approx([-0.298, -0.549], abs=0.02)
    assert seen.moods[0] == pytest.approx([0.131, 0.031, 0.006, 0.003, 0.007, 0.081, 0.398, 0.345], abs=0.005)
    assert seen.confidence == pytest.approx([0.786, 0.854], abs=0.02)


def test_a_batch_says_what_each_picture_says_alone(untrained):
    pictures = (picture("field"), picture("alley"), picture("field", 200, 120), picture("alley", 9, 90))
    batch = [frame(p) for p in pictures]
    together = untrained.perceive(batch)
    assert together.moods.sum(1) == pytest.approx(np.ones(4))
    assert len({round(v, 6) for v in together.valence}) == 4  # it does look at them
    for i, one in enumerate(batch):
        alone = untrained.perceive([one])
        for name in ("valence", "arousal", "moods", "confidence"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i], abs=1e-6)


def test_black_borders_change_nothing(untrained):
    plain = picture("field")
    boxed = np.pad(plain, ((40, 40), (0, 0), (0, 0)))
    a, b = untrained.perceive([frame(plain)]), untrained.perceive([frame(boxed)])
    assert b.moods == pytest.approx(a.moods, abs=1e-4)


def test_no_frames_no_readings(untrained):
    seen = untrained.perceive([])
    assert len(seen) == 0 and seen.moods.shape == (0, 8)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    torch.manual_seed(0)
    net, calibration = MoodCNN(CONFIGS["deep"]).eval(), Calibration(1.25, (2.5, 1.5), (0.05, -0.1), 0.3)
    save(tmp_path / "w.safetensors", net, calibration)
    again, read = load(tmp_path / "w.safetensors")
    assert read == calibration and again.config == net.config
    x = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        assert torch.allclose(again(x), net(x), atol=0.02)  # float16 in the file


def test_missing_or_foreign_weights_say_so(tmp_path):
    with pytest.raises(SetupError, match="deep model's weights"):
        DeepPerceiver(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(SetupError, match="train deep"):
        DeepPerceiver(tmp_path / "text.safetensors")


# ---------------------------------------------------------------- calibration


def confident(n: int, k: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits k times as sure as they may be, with the moods drawn from what they should say."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1, (n, 8))
    p = probabilities(z, 1.0)
    truth = np.array([rng.choice(8, p=row) for row in p])
    return z * k, truth


@pytest.mark.parametrize("k", [0.5, 1.0, 3.0])
def test_temperature_undoes_false_certainty(k):
    z, truth = confident(4000, k)
    assert temperature(z, truth) == pytest.approx(k, rel=0.1)


def test_readings_get_the_spread_of_the_ratings():
    z, truth = confident(2000, 1.0)
    angle = np.radians(22.5 + 45 * truth)
    y = np.stack([1.2 * np.cos(angle) + 0.3, 0.8 * np.sin(angle)], 1)
    calibration = from_ratings(z, y, truth)
    point = plane(probabilities(z, calibration.temperature), calibration) * 2.5
    assert point.mean(0) == pytest.approx(y.mean(0), abs=1e-6) and point.std(0) == pytest.approx(
        y.std(0), rel=1e-6
    )


def test_without_ratings_readings_get_the_typical_radius():
    z, truth = confident(500, 1.0)
    calibration = from_moods(z, truth)
    point = plane(probabilities(z, calibration.temperature), calibration)
    assert np.hypot(*point.T).mean() == pytest.approx(0.6)


def test_a_fold_is_calibrated_without_its_own_labels():
    z, truth = confident(400, 2.0)
    y = np.random.default_rng(1).normal(0, 1, (400, 2))
    folds = np.arange(400) % 4
    moods, points, _ = across(z, y, truth, folds)
    changed = y.copy()
    changed[folds == 2] += 5
    shuffled = truth.copy()
    shuffled[folds == 2] = (shuffled[folds == 2] + 3) % 8
    other_moods, other_points, _ = across(z, changed, shuffled, folds)
    assert other_moods[folds == 2] == pytest.approx(moods[folds == 2])
    assert other_points[folds == 2] == pytest.approx(points[folds == 2])
    assert np.abs(other_points[folds == 1] - points[folds == 1]).max() > 0.1


def test_moods_come_in_the_order_of_the_circle():
    sure = np.full((8, 8), -20.0)
    np.fill_diagonal(sure, 20.0)
    for k, (v, a) in enumerate(plane(probabilities(sure, 1.0), Calibration())):
        assert np.degrees(np.arctan2(a, v)) % 360 == pytest.approx(22.5 + 45 * k), MOODS[k]
