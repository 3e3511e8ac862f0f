"""Distillation of the deep CNN: what a student may know of a held-out fold, and the whole way in small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
Image = pytest.importorskip("PIL.Image")

from videoscore.errors import NotFound, UsageError  # noqa: E402
from videoscore.mood.perceivers.backbone import LITE, feature_size  # noqa: E402
from videoscore.mood.perceivers.deep import DeepPerceiver  # noqa: E402
from videoscore.mood.perceivers.scene import BACKBONES  # noqa: E402
from videoscore.research.deep import distil  # noqa: E402
from videoscore.research.deep.distil import Classroom, gather, out_of_fold, principal, soft_labels  # noqa: E402
from videoscore.research.deep.lessons import Recipe  # noqa: E402
from videoscore.research.deep.views import STORED  # noqa: E402
from videoscore.research.folds import grouped_folds  # noqa: E402
from videoscore.research.scene.oasis import octants  # noqa: E402
from videoscore.research.scene.rated import Rated  # noqa: E402

RATED, UNLABELLED = 60, 16
KINDS = ("oasis", "photo", "drawn", "clip")
WIDTH = sum(feature_size(LITE[name]) for name in BACKBONES)


@pytest.fixture(scope="module")
def room() -> Classroom:
    rng = np.random.default_rng(0)
    n = RATED + UNLABELLED
    x = rng.normal(size=(n, WIDTH)).astype(np.float16)
    items = [
        Rated(Path(f"{i}.png"), None, (float(x[i, 0]), float(x[i, 1])), KINDS[i % 4], f"source {i // 3}")
        for i in range(RATED)
    ]
    folds = grouped_folds(np.array([i.group for i in items]), 5, 0)
    pictures = rng.integers(0, 255, (n, STORED, STORED, 3)).astype(np.uint8)
    return Classroom(pictures, items, folds, x, principal(x, 12))


def test_soft_labels_know_nothing_of_unseen_ratings(room):
    seen, unseen = np.flatnonzero(room.folds != 0), np.flatnonzero(room.folds == 0)
    moods, points = soft_labels(room, seen, 0)
    others = [
        replace(item, y=(-3 * item.y[0], -3 * item.y[1])) if k in unseen else item
        for k, item in enumerate(room.rated)
    ]
    again, points_again = soft_labels(replace(room, rated=others), seen, 0)
    assert (again == moods).all() and (points_again == points).all()
    assert (moods[unseen] == 0).all()  # and nothing is said of them
    known = np.concatenate([seen, np.arange(RATED, RATED + UNLABELLED)])
    assert moods[known].sum(1) == pytest.approx(np.ones(len(known)), abs=1e-5)
    assert (moods[seen].argmax(1) == octants(room.y[seen])).mean() > 0.9


def test_what_a_fold_is_read_as_hangs_on_no_rating_of_its_own(room):
    everyone, own = np.arange(RATED), np.flatnonzero(room.folds == 1)
    before = out_of_fold(room, everyone, 0)
    turned = [replace(i, y=(-2 * i.y[0], 3.0)) if k in own else i for k, i in enumerate(room.rated)]
    after = out_of_fold(replace(room, rated=turned), everyone, 0)
    assert (after[own] == before[own]).all() and not (after == before).all()


def test_components_are_the_same_again_and_carry_the_features(room):
    again = principal(room.features, 12)
    assert again == pytest.approx(room.components) and (again**2).mean() == pytest.approx(1.0, abs=1e-4)
    apart = np.corrcoef(again.T) - np.eye(12)
    assert np.abs(apart).max() < 0.05


def test_pictures_that_are_rated_are_not_unlabelled_and_broken_ones_are_named(tmp_path, monkeypatch):
    class Brightness:
        """Stands for the backbones: every number is a picture's brightness."""

        def __init__(self, weights: object) -> None:
            pass

        def features(self, pictures):
            return np.array([np.full(WIDTH, p.mean()) for p in pictures], np.float32)

    monkeypatch.setattr(distil, "Backbones", Brightness)
    monkeypatch.setattr(distil, "backbone_weights", dict)
    monkeypatch.setattr(distil, "principal", lambda x, count: x[:, :1].astype(np.float32))
    folder = tmp_path / "photographs"
    folder.mkdir()
    for i in range(6):
        Image.fromarray(np.full((30, 40, 3), 40 * i, np.uint8)).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    items = [Rated(folder / f"{i}.png", None, (0.1 * i, 0.2), "photo", f"source {i}") for i in (1, 3)]
    items.append(replace(items[0], exact=False))  # a rating that was interpolated
    said: list[str] = []
    room = gather(items, folder, tmp_path / "school", 0, said.append)
    assert len(room.rated) == 2 and len(room.pictures) == len(room.features) == 6
    assert room.pictures[:, 0, 0, 0].tolist() == [40, 120, 0, 80, 160, 200]
    assert any("broken.png" in line for line in said)
    monkeypatch.setattr(distil, "Backbones", None)  # nothing is looked at again, nor opened
    monkeypatch.setattr(distil, "read_picture", None)
    again = gather(items, folder, tmp_path / "school", 0)
    assert (again.pictures == room.pictures).all() and (again.features == room.features).all()
    with pytest.raises(NotFound, match="missing"):
        gather([replace(items[0], path=folder / "gone.png")], folder, tmp_path / "school", 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no pictures"):
        gather(items, tmp_path / "empty", tmp_path / "school", 0)


@pytest.mark.slow
def test_the_whole_way_in_small(room, tmp_path, monkeypatch):
    import videoscore.research.deep.evaluate as evaluate
    import videoscore.research.deep.train as train

    monkeypatch.setattr(train, "gather", lambda *args: room)
    short = Recipe(epochs=1, batch=32)
    run, recipes = tmp_path / "run", (short, short, short)
    (run / train.SCHOOL).mkdir(parents=True)
    path = train.train(room.rated, tmp_path, tmp_path / "w.safetensors", run, stages=(short, short))
    assert json.loads(path.with_suffix(".json").read_text())["parameters"] == 2_344_296
    assert not DeepPerceiver(path).net.config.norm
    report = evaluate.compare(
        room.rated, tmp_path, run, recipes=recipes, scratch=True, pictures=tmp_path / "drawn"
    )
    assert set(report["models"]) == {
        "deep, distilled",
        "deep, from scratch",
        "shallow, from scratch",
        "teacher",
    }
    assert report["count"] == {
        "frames": 30,
        "photographs": 15,
        "drawn": 15,
        "OASIS": 15,
        "stills of clips": 15,
    }
    assert "shallow" in evaluate.table(report)
    assert np.array(report["confusion"]).sum() == RATED
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir()) == [
        "deep_confusion.png",
        "deep_curves.png",
        "deep_reliability.png",
    ]
    before = (run / "fold0" / "log.jsonl").read_text()
    evaluate.compare(room.rated, tmp_path, run, recipes=recipes)  # nothing is trained again
    assert (run / "fold0" / "log.jsonl").read_text() == before
