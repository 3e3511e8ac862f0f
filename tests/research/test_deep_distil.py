"""Distillation of the deep CNN: what a student may know of a held-out fold, and the whole way in small."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from videoscore.mood.perceivers.backbone import LITE, feature_size  # noqa: E402
from videoscore.mood.perceivers.deep import DeepPerceiver  # noqa: E402
from videoscore.mood.perceivers.scene import BACKBONES  # noqa: E402
from videoscore.research.deep.distil import Classroom, principal, soft_labels  # noqa: E402
from videoscore.research.deep.lessons import Recipe  # noqa: E402
from videoscore.research.deep.views import STORED  # noqa: E402
from videoscore.research.scene.oasis import Photographs, octants  # noqa: E402

LABELLED, UNLABELLED = 48, 16


@pytest.fixture(scope="module")
def room() -> Classroom:
    rng = np.random.default_rng(0)
    n, d = LABELLED + UNLABELLED, sum(feature_size(LITE[name]) for name in BACKBONES)
    x = rng.normal(size=(n, d)).astype(np.float32)
    y = x[:LABELLED, :2].astype(float)
    groups = np.array([f"g{i // 2}" for i in range(LABELLED)])
    photographs = Photographs(
        x[:LABELLED], x[:LABELLED], x[:LABELLED] - 0.1, np.zeros(LABELLED, np.float32), y, groups
    )
    pictures = rng.integers(0, 255, (n, STORED, STORED, 3)).astype(np.uint8)
    return Classroom(pictures, photographs, x[LABELLED:].astype(np.float16), principal(x, 12))


def test_soft_labels_know_nothing_of_unseen_ratings(room):
    seen = np.arange(0, LABELLED, 2)
    moods, points = soft_labels(room, seen, 0)
    shuffled = room.photographs.y.copy()
    unseen = np.setdiff1d(np.arange(LABELLED), seen)
    shuffled[unseen] = -3 * shuffled[unseen]
    other = replace(room, photographs=replace(room.photographs, y=shuffled))
    again, points_again = soft_labels(other, seen, 0)
    assert (again == moods).all() and (points_again == points).all()
    assert (moods[unseen] == 0).all()  # and nothing is said of them
    known = np.concatenate([seen, np.arange(LABELLED, LABELLED + UNLABELLED)])
    assert moods[known].sum(1) == pytest.approx(np.ones(len(known)), abs=1e-5)
    assert (moods[seen].argmax(1) == octants(room.photographs.y[seen])).mean() > 0.9


def test_components_are_the_same_again_and_carry_the_features(room):
    x = np.concatenate([room.photographs.plain, room.unlabelled.astype(np.float32)])
    again = principal(x, 12)
    assert again == pytest.approx(principal(x, 12)) and (again**2).mean() == pytest.approx(1.0, abs=1e-4)
    apart = np.corrcoef(again.T) - np.eye(12)
    assert np.abs(apart).max() < 0.05


@pytest.mark.slow
def test_the_whole_way_in_small(room, tmp_path, monkeypatch):
    import videoscore.research.deep.evaluate as evaluate
    import videoscore.research.deep.train as train

    monkeypatch.setattr(train, "gather", lambda *args: room)
    monkeypatch.setattr(evaluate, "gather", lambda *args: room)
    short = Recipe(epochs=1, batch=32)
    run = tmp_path / "run"
    (run / train.SCHOOL).mkdir(parents=True)
    path = train.train(tmp_path, tmp_path, tmp_path / "w.safetensors", run, stages=(short, short))
    assert json.loads(path.with_suffix(".json").read_text())["parameters"] == 2_344_296
    assert not DeepPerceiver(path).net.config.norm
    report = evaluate.compare(
        tmp_path, tmp_path, run, recipes=(short, short, short), pictures=tmp_path / "drawn"
    )
    assert set(report["models"]) == {
        "deep, distilled",
        "deep, from scratch",
        "shallow, from scratch",
        "scene",
    }
    assert "shallow" in evaluate.table(report)
    assert np.array(report["confusion"]).sum() == LABELLED
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir()) == [
        "deep_confusion.png",
        "deep_curves.png",
        "deep_reliability.png",
    ]
    before = (run / "fold0" / "log.jsonl").read_text()
    evaluate.compare(tmp_path, tmp_path, run, recipes=(short, short, short))  # nothing is trained again
    assert (run / "fold0" / "log.jsonl").read_text() == before
