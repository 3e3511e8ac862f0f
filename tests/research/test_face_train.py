"""Training face models: the same weights after a break, what is drawn how often, files that load."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from faces import write_fer2013

from videoscore.errors import InputError, UsageError
from videoscore.mood.faces.models import load_face_model
from videoscore.research.agreement import concordance, four_measures
from videoscore.research.faces.autoencoder import AutoencoderCourse, AutoencoderOptions, disc
from videoscore.research.faces.course import FaceOptions
from videoscore.research.faces.data import TEST, TRAIN, VALID, read_fer2013
from videoscore.research.faces.evaluate import evaluate, table
from videoscore.research.faces.export import spread_of
from videoscore.research.faces.train import EmotionCourse, draws, train
from videoscore.research.faces.valence_arousal import PointCourse, cells, over, point_loss, under


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    return write_fer2013(tmp_path_factory.mktemp("faces") / "faces.npz")


def options(model: str, **more) -> FaceOptions:  # type: ignore[no-untyped-def]
    small = {"vgg16-fer": 0.06, "cnn-fer": 0.1, "resnet34-va": 0.06}[model]
    return FaceOptions(
        model=model, width=small, batch=8, epochs=4 * 8 / 700, autoencoder_epochs=2 * 8 / 700, **more
    )


@pytest.mark.parametrize("model,way", [("cnn-fer", "plain"), ("resnet34-va", "generated")])
def test_a_resumed_run_ends_in_the_same_weights(data: Path, tmp_path: Path, model: str, way: str) -> None:
    faces, how = read_fer2013(data), options(model, way=way)
    kind = PointCourse if model == "resnet34-va" else EmotionCourse
    straight = kind(faces, tmp_path / "straight", how)
    straight.run.go(lambda entry: None, most=4)
    kind(faces, tmp_path / "broken", how).run.go(lambda entry: None, most=2)
    resumed = kind(faces, tmp_path / "broken", how)
    assert resumed.run.step == 2
    resumed.run.go(lambda entry: None, most=2)
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    for name, value in straight.average.items():
        assert torch.equal(value, resumed.average[name]), name


def test_another_seed_is_another_network(data: Path, tmp_path: Path) -> None:
    faces = read_fer2013(data)
    nets = []
    for seed in (0, 1):
        run = EmotionCourse(faces, tmp_path / str(seed), options("cnn-fer", seed=seed))
        run.run.go(lambda entry: None, most=2)
        nets.append(run.net.state_dict()["head.weight"])
    assert not torch.equal(*nets)


def test_a_folder_of_another_run_is_refused(data: Path, tmp_path: Path) -> None:
    faces = read_fer2013(data)
    EmotionCourse(faces, tmp_path, options("cnn-fer")).run.save()
    with pytest.raises(UsageError, match="model cnn-fer"):
        EmotionCourse(faces, tmp_path, options("vgg16-fer"))
    with pytest.raises(UsageError, match=r"seed 0 \(not 3\)"):
        EmotionCourse(faces, tmp_path, options("cnn-fer", seed=3))
    AutoencoderCourse(faces, tmp_path / "drawn", AutoencoderOptions(batch=4)).run.save()
    with pytest.raises(UsageError, match=r"seed 0 \(not 3\)"):
        AutoencoderCourse(faces, tmp_path / "drawn", AutoencoderOptions(batch=4, seed=3))


@pytest.mark.parametrize("wrong", [{"model": "vgg19"}, {"way": "sideways"}])
def test_wrong_options(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="Choose from"):
        FaceOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["cnn-fer", "resnet34-va"])
def test_trained_weights_load_and_are_measured(data: Path, tmp_path: Path, model: str) -> None:
    out, seen = tmp_path / f"{model}.safetensors", []
    assert train(data, tmp_path / "run", out, options(model), "the command", seen.append) == out
    facts = json.loads(out.with_suffix(".json").read_text())
    assert (
        facts["command"] == "the command" and facts["updates"] >= 4 and facts["bytes"] == out.stat().st_size
    )
    assert any("train" in entry or "done" in entry for entry in seen)
    again = train(data, tmp_path / "run", tmp_path / "again.safetensors", options(model))
    assert again is not None and again.read_bytes() == out.read_bytes()
    report = evaluate(data, model, tmp_path / "pictures", weights=out)
    found = report["models"][model]
    assert report["faces"] == 150 and set(found["point"]) == {"RMSE", "CORR", "CCC", "SAGR"}
    assert (tmp_path / "pictures" / "face_cnn-fer.png").exists() == (model == "cnn-fer") == ("label" in found)
    assert "RMSE, V / A" in table(report)
    assert load_face_model(model, out).calibration.blind > 0


@pytest.mark.slow
def test_it_learns(data: Path, tmp_path: Path) -> None:
    """Blots are easy: a network that doesn't find them has a broken trainer."""
    how = FaceOptions(model="resnet34-va", width=0.06, batch=32, epochs=8)
    run = PointCourse(read_fer2013(data), tmp_path, how)
    before = run.figures()["CCC v"]
    run.run.go(lambda entry: None)
    assert run.figures()["CCC v"] > before + 0.3


def test_fer2013_parts_and_points(data: Path) -> None:
    faces = read_fer2013(data)
    assert (faces.part == TEST).sum() == 150 and (faces.part == VALID).sum() > 10
    assert (faces.part == TRAIN).sum() > 600
    np.testing.assert_allclose(faces.votes.sum(1), 1, atol=1e-6)
    assert (faces.votes.argmax(1) == faces.label).all()
    for part in (TRAIN, VALID):
        assert not np.isin(faces.group[faces.part == part], faces.group[faces.part == TEST]).any()


def test_rare_classes_are_drawn_more_often() -> None:
    label = np.array([0] * 90 + [1] * 10)
    of_rare = [draws(label, power)[label == 1].sum() for power in (0, 0.5, 1)]
    np.testing.assert_allclose([of_rare[0], of_rare[2]], [0.1, 0.5])
    assert of_rare[0] < of_rare[1] < of_rare[2]


def test_under_and_over_even_out_the_plane() -> None:
    point = np.concatenate(
        [np.tile([0.05, 0.05], (300, 1)), np.tile([0.55, 0.35], (60, 1)), np.tile([-0.55, 0.15], (20, 1))]
    )
    cell = cells(point)
    assert np.bincount(cell[under(point) > 0]).tolist() == [20, 60, 60]
    np.testing.assert_allclose(np.bincount(cell, over(point)), 1 / 3)


def test_a_lonely_face_is_not_drawn_for_ever() -> None:
    point = np.concatenate([np.tile([0.05, 0.05], (100, 1)), [[0.9, 0.2]]])
    assert over(point)[-1] == pytest.approx(1 / 11)


def test_disc_is_uniform() -> None:
    points = disc(20000, torch.Generator().manual_seed(0)).numpy()
    radius = np.hypot(*points.T)
    assert radius.max() <= 1 and abs((radius < 0.5).mean() - 0.25) < 0.02  # a quarter of the area
    assert np.abs(points.mean(0)).max() < 0.02


def test_point_loss_is_least_at_the_truth() -> None:
    truth = torch.rand(64, 2) * 2 - 1
    assert point_loss(truth, truth) < 1e-5 < point_loss(truth * 0.5, truth) < point_loss(-truth, truth)


def test_measures() -> None:
    truth = np.array([[0.5, 0.1], [-0.5, 0.2], [0.25, 0.4], [0.0, -0.3]])
    same = four_measures(truth, truth)
    assert same["RMSE"] == (0, 0) and same["CCC"] == pytest.approx((1, 1)) and same["SAGR"] == (1, 1)
    shifted = four_measures(truth, truth + np.array([0.6, 0]))
    assert shifted["CORR"][0] == pytest.approx(1) and shifted["CCC"][0] < 0.8
    assert shifted["SAGR"][0] == pytest.approx(2 / 3)  # the neutral face has no sign
    assert concordance(truth[:, 0], np.zeros(4)) == 0


def test_spread_of_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(0)
    read = rng.normal(0, 0.4, (20000, 2))
    noise = rng.multivariate_normal([0, 0], [[0.04, 0.01], [0.01, 0.09]], len(read))
    found = spread_of(read, read * [0.8, 0.5] + noise)
    assert (found.shrink_v, found.shrink_a) == pytest.approx((0.8, 0.5), abs=0.02)
    assert (found.sd_v, found.sd_a) == pytest.approx((0.2, 0.3), abs=0.01)
    assert found.correlation == pytest.approx(1 / 6, abs=0.03)


def test_autoencoder_state_comes_back(data: Path, tmp_path: Path) -> None:
    faces, how = read_fer2013(data), AutoencoderOptions(epochs=1, batch=4)
    straight = AutoencoderCourse(faces, tmp_path / "a", how)
    straight.run.go(lambda entry: None, most=2)
    AutoencoderCourse(faces, tmp_path / "b", how).run.go(lambda entry: None, most=1)
    resumed = AutoencoderCourse(faces, tmp_path / "b", how)
    resumed.run.go(lambda entry: None, most=1)
    for name, value in straight.parts.state_dict().items():
        assert torch.equal(value, resumed.parts.state_dict()[name]), name


def test_too_few_faces(data: Path, tmp_path: Path) -> None:
    faces = read_fer2013(data)
    with pytest.raises(InputError, match="too few"):
        EmotionCourse(faces.take(faces.part == TEST), tmp_path, options("cnn-fer"))
