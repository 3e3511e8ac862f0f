"""What a moment is worth beside its picture: the film's level, and how the weights are fitted."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.errors import SetupError
from videoscore.mood.time_model import TimeModel, around, load, save


def test_the_level_is_the_weighted_mean_around():
    t = np.array([0.0, 10.0, 20.0, 100.0])
    values, weight = np.array([[1.0], [3.0], [5.0], [9.0]]), np.array([1.0, 1.0, 0.0, 0.0])
    assert around(t, values, weight)[:, 0] == pytest.approx([2, 2, 2, 9], abs=1e-4)
    assert around(t, values, np.zeros(4), seconds=5)[:, 0] == pytest.approx([1, 3, 5, 9])


@given(st.integers(1, 30), st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_the_level_lies_between_what_it_is_the_mean_of(n, seed):
    rng = np.random.default_rng(seed)
    t, values = np.cumsum(rng.uniform(0.1, 20, n)), rng.uniform(-1, 1, (n, 2))
    level = around(t, values, rng.uniform(0, 1, n))
    assert (level >= values.min(0) - 1e-6).all() and (level <= values.max(0) + 1e-6).all()


def test_the_installed_weights_have_the_signs_of_the_literature():
    model = load()
    for name in ("motion", "motion_level", "cutting", "sound"):
        assert getattr(model, name)[0] >= 0
    assert model.brightness[0] >= 0 >= model.brightness[1] and (model.colour >= 0).all()
    assert (model.face >= 0).all() and (model.face <= 1).all()
    calm, wild = np.array([[0.4, -0.3], [-0.4, 0.3]])
    one, two = (model.place(np.zeros(1), p[None], np.ones(1))[0] for p in (calm, wild))
    assert one[0] > two[0] and one[1] < two[1]


def test_weights_are_stored_whole_and_foreign_files_refused(tmp_path):
    model = load()
    save(tmp_path / "own.safetensors", replace(model, sound=np.array([0.5])))
    again = load(tmp_path / "own.safetensors")
    assert all(
        getattr(again, f.name) == pytest.approx(getattr(model, f.name))
        for f in fields(TimeModel)
        if f.name != "sound"
    )
    assert again.sound[0] == 0.5
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(SetupError, match="train time"):
        load(tmp_path / "text.safetensors")


def test_a_fit_learns_what_moves_the_ratings_and_leaves_out_what_it_is_told_to():
    from videoscore.mood.evidence import Evidence
    from videoscore.mood.faces.people import People
    from videoscore.research.scene.time_fit import Watched, cross_validate, fit, read

    rng = np.random.default_rng(0)
    clips, t = [], np.arange(41) * 0.5
    for k in range(60):
        point = rng.uniform(-0.5, 0.5, 2) + 0.05 * rng.normal(size=(41, 2))
        motion = np.full(41, np.exp(rng.uniform(-6, 0)))
        evidence = Evidence(np.ones(41), motion, np.full(41, 0.4), np.full(41, 0.3), None)
        nobody = np.zeros(41)
        gauge = np.tanh(np.log((motion[0] + 0.01) / 0.06))
        y = np.tile([point[:, 0].mean(), 0.5 * point[:, 1].mean() + 0.3 * gauge], (4, 1))
        people = People(nobody, nobody, nobody, nobody, nobody.astype(np.int64))
        clips.append(
            Watched(
                f"{k}.mp4",
                f"source {k // 3}",
                ("Happy", "Tired"),
                y,
                t,
                20.5,
                evidence,
                (),
                people,
                point,
                np.ones(41),
                np.ones(41),
            )
        )
    model = fit(clips)
    assert model.motion[0] + model.motion_level[0] == pytest.approx(0.3, abs=0.1)
    assert (model.face == 0).all()
    with_motion = np.concatenate(cross_validate(clips, 0)[0])
    without = np.concatenate(cross_validate(clips, 0, without=("motion", "motion_level"))[0])
    y = np.concatenate([c.y for c in clips])
    assert (
        np.corrcoef(with_motion[:, 1], y[:, 1])[0, 1] > 0.97 > np.corrcoef(without[:, 1], y[:, 1])[0, 1] + 0.2
    )
    assert read(model, clips[0]).shape == (4, 2)
