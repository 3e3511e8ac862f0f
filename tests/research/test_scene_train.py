"""Training and evaluation of the scene model: folds, head, measures, tables, tuning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from media import DATA, make_clip, picture

from videoscore.errors import NotFound, UsageError

OASIS = DATA.parents[1] / "data" / "oasis"


def test_folds_keep_groups_together_and_are_even():
    from videoscore.research.folds import grouped_folds

    rng = np.random.default_rng(0)
    groups = np.array([f"g{k}" for k in rng.integers(0, 60, 400)])
    folds = grouped_folds(groups, 10, 1)
    assert all(len(set(folds[groups == g])) == 1 for g in np.unique(groups))
    sizes = np.bincount(folds, minlength=10)
    assert sizes.min() > 25 and sizes.max() < 60
    assert (folds == grouped_folds(groups, 10, 1)).all() and (folds != grouped_folds(groups, 10, 2)).any()


def test_a_head_learns_survives_packing_and_is_calibrated():
    from videoscore.mood.perceivers.backbone import LITE, feature_size
    from videoscore.mood.perceivers.head import pack, unpack
    from videoscore.research.scene.head_fit import calibrated, doubting, fit

    rng = np.random.default_rng(0)
    n, d = 240, feature_size(LITE["lite1"])
    cause = rng.normal(size=(n, 2))
    x = (cause @ rng.normal(size=(2, d)) + rng.normal(size=(n, d))).astype(np.float32)
    y = cause + 0.3 * rng.normal(size=(n, 2))
    folds, unseen, weight = np.arange(180) // 3 % 5, np.zeros((180, 2)), np.ones(180)
    for k in range(5):
        part = fit(x[:180][folds != k], y[:180][folds != k], weight[folds != k], ("lite1",), 0)
        unseen[folds == k] = part.point(x[:180][folds == k])
    head = calibrated(fit(x[:180], y[:180], weight, ("lite1",), 0), unseen, y[:180])
    doubt = np.append(np.eye(d, dtype=np.float32)[0], np.float32(0.5))  # the first feature tells the error
    head = unpack(pack(doubting(head, doubt, x[:180, 0] + 0.5)))
    point, confidence = head.predict(x[180:])
    for i in range(2):
        assert np.corrcoef(point[:, i], y[180:, i])[0, 1] > 0.85
    assert point.std(0) == pytest.approx(y[180:].std(0), rel=0.2)
    assert np.corrcoef(confidence, x[180:, 0])[0, 1] < -0.9
    assert confidence.min() >= 0.1 and confidence.max() == pytest.approx(1.0)


def test_what_a_kind_of_picture_has_of_its_own_is_learned_and_a_still_tells_its_kind():
    from videoscore.mood.perceivers.backbone import LITE, feature_size
    from videoscore.mood.perceivers.head import FILM, KINDS, PEOPLE, STILL
    from videoscore.research.scene.head_fit import fit

    rng = np.random.default_rng(1)
    n, d = 600, feature_size(LITE["lite1"])
    kinds = rng.integers(0, 4, n).astype(np.uint8)
    cause, drawn = rng.normal(size=(n, 2)), (kinds == KINDS.index("drawn")) * 2.0 - 1
    x = np.column_stack([cause, 4 * drawn]) @ rng.normal(size=(3, d)) + 0.3 * rng.normal(size=(n, d))
    y = cause + np.where(kinds == KINDS.index("clip"), 1.0, 0.0)[:, None]  # moments of films are rated higher
    head = fit(x[:400].astype(np.float32), y[:400], np.ones(400), ("lite1",), 0, kinds[:400])
    rest, photo = x[400:].astype(np.float32), kinds[400:] == KINDS.index("photo")
    film, still, people = (head.point(rest, like) for like in (FILM, STILL, PEOPLE))
    assert (film[photo] - still[photo]).mean() > 0.3 and (film - people).mean() > 0.3
    sure = head.similarity(rest) @ head.drawn + head.drawn_bias
    assert ((sure > 0.5) == (kinds[400:] == KINDS.index("drawn"))).mean() > 0.95
    plain = fit(x[:400].astype(np.float32), y[:400], np.ones(400), ("lite1",), 0)
    assert (plain.point(rest, FILM) == plain.point(rest, STILL)).all()


def test_measures_of_a_perfect_and_of_a_blind_reader():
    from videoscore.research.scene.evaluate import chance, measures, octants

    rng = np.random.default_rng(0)
    y = rng.normal(size=(500, 2))
    moods = np.eye(8)[octants(y)] * 0.93 + 0.07 / 8
    perfect = measures(y, y, moods / moods.sum(1, keepdims=True))
    for name in ("r valence", "CCC arousal", "octant", "octant, balanced", "within one octant", "quadrant"):
        assert perfect[name] == pytest.approx(1.0)
    blind = measures(y, rng.normal(size=(500, 2)), np.full((500, 8), 1 / 8))
    assert abs(blind["r valence"]) < 0.15 and abs(blind["octant"] - 1 / 8) < 0.06
    assert blind["log loss of the moods"] == pytest.approx(np.log(8))
    assert chance(y)["within one octant"] == pytest.approx(3 / 8, abs=0.08)
    assert measures(y, 0.5 * y, moods)["CCC valence"] == pytest.approx(0.8, abs=0.01)


def test_a_temperature_comes_from_the_other_folds_and_helps_the_too_sure():
    from videoscore.research.scene.evaluate import log_loss, temper

    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(8), 900)
    truth = np.array([rng.choice(8, p=row) for row in p])
    sure = p**3 / (p**3).sum(1, keepdims=True)
    folds = np.arange(900) % 3
    better = temper(sure, truth, folds)
    assert (
        better.sum(1) == pytest.approx(np.ones(900)) and log_loss(better, truth) < log_loss(sure, truth) - 0.1
    )
    moved = np.where(folds == 0, (truth + 4) % 8, truth)
    assert temper(sure, moved, folds)[folds == 0] == pytest.approx(better[folds == 0])


def test_pictures_of_an_evaluation_are_drawn(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    pytest.importorskip("matplotlib")
    from videoscore.research.scene.mood_pictures import bins, confusion, curves, reliability

    rng = np.random.default_rng(0)
    moods, truth = rng.dirichlet(np.ones(8), 100), rng.integers(0, 8, 100)
    sure, right = bins(np.eye(8)[truth], truth)
    assert sure == pytest.approx(np.ones(10)) and right == pytest.approx(np.ones(10))
    confusion(rng.integers(0, 9, (8, 8)).tolist(), tmp_path / "sub" / "confusion.png", "made")
    reliability(moods, moods, truth, tmp_path / "reliability.png", "made")
    entry = {f"{m} {p}": 0.5 for m in ("octant", "log loss") for p in ("seen", "unseen")}
    entries = [{"epoch": 1, **entry}, {"epoch": 2, "loss": 2.0}, {"epoch": 3, **entry}]
    curves({"deep": {"fold0": entries, "fold1": entries[:1]}, "none yet": {}}, tmp_path / "curves.png")
    for name in ("sub/confusion.png", "reliability.png", "curves.png"):
        with Image.open(tmp_path / name) as image:
            assert min(image.size) > 200


def test_octants_are_those_of_the_circle():
    from videoscore.mood.circle import octant
    from videoscore.research.scene.evaluate import octants

    y = np.random.default_rng(1).normal(size=(200, 2))
    assert [octant(*p) for p in y] == octants(y).tolist()


def test_training_without_photographs_says_where(tmp_path):
    from videoscore.research.scene.train import tables

    with pytest.raises(NotFound, match=r"oasis\.csv"):
        tables(tmp_path, tmp_path, tmp_path)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not (OASIS / "oasis.csv").is_file(), reason="needs oasis_dev unpacked in ../data/oasis")
def test_the_installed_model_reads_the_photographs_it_learned_from():
    from videoscore.research.scene.evaluate import evaluate_frames
    from videoscore.research.scene.rated import oasis

    report = evaluate_frames(oasis(OASIS))
    figures, without = report["parts"]["OASIS"], report["chance"]["OASIS"]
    assert figures["r valence"] > 0.8 and figures["r arousal"] > 0.8
    assert figures["octant"] > without["octant"] + 0.2


def test_rated_tables_are_read_and_their_faults_told(tmp_path):
    from PIL import Image

    from videoscore.errors import InputError
    from videoscore.research.scene.rated import frames as rated_frames
    from videoscore.research.scene.rated import load, stills

    Image.fromarray(picture("field")).save(tmp_path / "a.png")
    (tmp_path / "rated.csv").write_text(
        "file,valence,arousal,kind,group,source\na.png,5.76,2.89,photo,frames:someone/else,x\n"
    )
    [item] = rated_frames(tmp_path)
    assert item.y == pytest.approx((1.0, -1.0)) and item.group == "someone/else" and item.exact
    assert next(load([item])).shape == (146, 260, 3)
    make_clip(tmp_path / "c.mp4", seconds=4, fps=10)
    head = "file,seconds,v1,a1,v2,a2,v3,a3,v4,a4,mood1,mood2,source\n"
    (tmp_path / "clips.csv").write_text(head + "c.mp4,4,4.52,3.7,5.76,3.7,5.76,3.7,4.52,3.7,Happy,Tired,s\n")
    moments = stills(tmp_path)
    assert [m.y[0] for m in moments if m.exact] == pytest.approx([0, 1, 1, 0])
    assert all(-1e-9 <= m.y[0] <= 1 + 1e-9 for m in moments) and len(list(load(moments))) == len(moments)
    (tmp_path / "rated.csv").write_text("file,valence\na.png,5\n")
    with pytest.raises(InputError, match="no table of ratings"):
        rated_frames(tmp_path)
    with pytest.raises(NotFound, match="no table of ratings"):
        rated_frames(tmp_path / "elsewhere")


def test_each_picture_is_read_as_what_it_is():
    from pathlib import Path

    from videoscore.research.scene.rated import Rated
    from videoscore.research.scene.train import read_as

    class Head:
        def point(self, x, like):
            return np.column_stack([x[:, 0], np.full(len(x), ("people", "still", "film").index(like))])

    kinds = ("clip", "oasis", "drawn", "photo", "clip")
    items = [Rated(Path("p"), None, (0, 0), kind, "g") for kind in kinds]
    x = np.arange(5, dtype=np.float32)[:, None]
    assert read_as(Head(), items, x).tolist() == [[0, 2], [1, 0], [2, 1], [3, 1], [4, 2]]


def test_views_of_a_picture_hang_on_the_seed_alone_and_stay_pictures():
    from videoscore.research.scene.augment import augment

    for seed in range(40):
        one, two = (augment(picture("field"), np.random.default_rng([seed, 1])) for _ in range(2))
        assert one.dtype == np.uint8 and one.ndim == 3 and min(one.shape[:2]) >= 16
        assert (one == two).all()


def test_a_tuning_stopped_and_taken_up_again_ends_where_the_unbroken_one_does(tmp_path):
    from PIL import Image

    from videoscore.research.run import Budget, Run
    from videoscore.research.scene.bank import bank
    from videoscore.research.scene.rated import Rated
    from videoscore.research.scene.tune import Tuning

    rng = np.random.default_rng(0)
    items = []
    for k in range(6):
        Image.fromarray(rng.integers(0, 255, (60, 90, 3)).astype(np.uint8)).save(tmp_path / f"{k}.png")
        items.append(Rated(tmp_path / f"{k}.png", None, (k / 3 - 1, 1 - k / 3), "photo", f"g{k}"))
    views = bank(items, "lite1", tmp_path)
    assert views.pooled.shape[:2] == (6, 6) and (bank(items, "lite1", tmp_path).pooled == views.pooled).all()

    def run(folder: str, most: int | None, seed: int = 0) -> Tuning:
        course = Tuning("lite1", items, views, np.arange(6), 3, seed, "all")
        Run(course, tmp_path / folder, Budget(updates=course.updates, entry=1)).go(most=most)
        return course

    whole = run("one", None)
    run("two", 1)
    again = run("two", None)
    assert again.read(np.arange(6))[0] == pytest.approx(whole.read(np.arange(6))[0], abs=1e-5)
    with pytest.raises(UsageError, match="seed 0"):
        run("two", None, seed=3)
    others = [replace(i, y=(0.0, 0.0)) for i in items]
    with pytest.raises(UsageError, match="ratings"):
        Run(Tuning("lite1", others, views, np.arange(6), 3, 0, "all"), tmp_path / "two", Budget(updates=1))
    tuned = whole.average.net.state_dict()
    from videoscore.research.scene.bank import backbone

    published = backbone("lite1").state_dict()
    assert all(
        (tuned[k] == published[k]).all() for k in published if k.startswith(("stem", "stages.0", "stages.3"))
    )
    assert any((tuned[k] != published[k]).any() for k in published if k.startswith("stages.6"))
