"""Training of the eight-mood CNNs: pictures, the resumable loop, mood folders, distillation's parts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from videoscore.errors import NotFound, UsageError
from videoscore.mood.circle import MOODS

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from videoscore.mood.perceivers.deep import DeepConfig, DeepPerceiver, MoodCNN  # noqa: E402
from videoscore.research.deep.folders import read_folders, train_folder  # noqa: E402
from videoscore.research.deep.lessons import DeepCourse, Lessons, Recipe, Student  # noqa: E402
from videoscore.research.deep.views import STORED, augmented_views, find_pictures, read_squares  # noqa: E402

SMALL = DeepConfig(convolutions=1, norm=True)


def coloured(k: int, i: int) -> np.ndarray:
    """Pictures that tell their mood by their hue."""
    rng = np.random.default_rng([k, i])
    base = 128 + 100 * np.cos(2 * np.pi * (k / 8 + np.arange(3) / 3))
    return (base + rng.normal(0, 12, (20, 24, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture
def sorted_pictures(tmp_path):
    for k, mood in enumerate(MOODS):
        folder = tmp_path / "own" / (mood.upper() if k % 2 else mood.lower()) / "some"
        folder.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(coloured(k, i)).save(folder / f"{i}.png")
    return tmp_path / "own"


def lessons(n: int = 6) -> Lessons:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (n, STORED, STORED, 3)).astype(np.uint8)
    return Lessons(pictures, np.arange(n), np.eye(8, dtype=np.float32)[np.arange(n) % 8])


def student(seed: int = 0) -> Student:
    torch.manual_seed(seed)
    return Student(MoodCNN(SMALL))


# ---------------------------------------------------------------- pictures


def test_pictures_are_kept_and_read_again_only_when_they_changed(tmp_path):
    for i in range(3):
        Image.fromarray(coloured(i, 0)).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    (tmp_path / ".hidden.png").write_bytes(b"nor this")
    paths = find_pictures(tmp_path)
    assert [p.name for p in paths] == ["0.png", "1.png", "2.png", "3.png"]
    pictures, readable = read_squares(paths, tmp_path / "kept.npy")
    assert readable.tolist() == [True, True, True, False] and pictures.shape == (4, STORED, STORED, 3)
    again, readable_again = read_squares(paths, tmp_path / "kept.npy")
    assert (again == pictures).all() and (readable_again == readable).all()
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "3.png")
    assert read_squares(paths, tmp_path / "kept.npy")[1].all()
    assert not list(tmp_path.glob("*.part*"))


def test_views_depend_on_their_seed_alone():
    x = torch.from_numpy(lessons(4).pictures)
    a, b, c = (augmented_views(x, np.random.default_rng(s)) for s in (1, 1, 2))
    assert a.shape == (4, 3, 128, 128) and torch.equal(a, b) and not torch.equal(a, c)
    assert float(a.min()) >= -1 and float(a.max()) <= 1


# ---------------------------------------------------------------- the loop


def test_a_run_that_was_broken_off_ends_like_an_unbroken_one(tmp_path):
    recipe = Recipe(epochs=2, batch=2, seed=5)
    straight = DeepCourse(student(), lessons(), recipe, tmp_path / "straight").go()
    first = DeepCourse(student(), lessons(), recipe, tmp_path / "broken")
    first.go(most=4)  # in the middle of the second epoch
    second = DeepCourse(student(seed=9), lessons(), recipe, tmp_path / "broken")
    assert second.run.step == 4
    resumed = second.go()
    for (name, a), b in zip(straight.state_dict().items(), resumed.state_dict().values()):
        assert torch.equal(a, b), name
    logs = [
        [json.loads(line)["loss"] for line in (tmp_path / d / "log.jsonl").read_text().splitlines()]
        for d in ("straight", "broken")
    ]
    assert len(logs[0]) == 2 and logs[0] == logs[1]


def test_another_recipe_does_not_go_on_in_the_same_folder(tmp_path):
    DeepCourse(student(), lessons(), Recipe(epochs=1, batch=8), tmp_path).go(most=1)
    with pytest.raises(UsageError, match="--run"):
        DeepCourse(student(), lessons(), Recipe(epochs=1, batch=8, seed=1), tmp_path)


def test_other_lessons_are_not_learned_in_the_same_folder(tmp_path):
    base = lessons()
    DeepCourse(student(), base, Recipe(epochs=1, batch=8), tmp_path).go(most=1)
    for other in (replace(base, moods=base.moods[::-1]), replace(base, rows=base.rows[::-1])):
        with pytest.raises(UsageError, match="lessons"):
            DeepCourse(student(), other, Recipe(epochs=1, batch=8), tmp_path)


def test_frozen_blocks_stay_and_lessons_begin_behind_them(tmp_path):
    pupil = student()
    pupil = Student(pupil.net, frozen=3)
    before = {k: v.clone() for k, v in pupil.net.state_dict().items()}
    base = lessons()
    middle = np.random.default_rng(1).random((2, 6, 64, 16, 16)).astype(np.float16)
    after = (
        DeepCourse(
            pupil,
            Lessons(base.pictures, base.rows, base.moods, halfway=middle),
            Recipe(epochs=1, batch=3),
            tmp_path,
        )
        .go()
        .state_dict()
    )
    for k in before:
        still = k.startswith(tuple(f"{part}.{i}." for part in ("blocks", "norms") for i in range(3)))
        assert torch.equal(before[k], after[k]) == still, k


def test_features_can_be_the_only_lesson(tmp_path):
    colours = np.random.default_rng(2).integers(0, 255, (16, 1, 1, 3))
    pictures = np.broadcast_to(colours, (16, STORED, STORED, 3)).astype(np.uint8)
    features = (colours[:, 0, 0] / 127.5 - 1).astype(np.float32)
    torch.manual_seed(0)
    pupil = Student(MoodCNN(DeepConfig(1, 0.0, 0.0, True)), 3)
    DeepCourse(
        pupil,
        Lessons(pictures, np.arange(16), features=features),
        Recipe(epochs=8, batch=8, rate=1e-3),
        tmp_path,
    ).go()
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.5 * losses[0]


# ---------------------------------------------------------------- mood folders


def test_mood_folders_train_a_network_that_the_perceiver_loads(sorted_pictures, tmp_path):
    (sorted_pictures / "happy" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    said: list[str] = []
    found = train_folder(
        sorted_pictures, tmp_path / "own.safetensors", tmp_path / "run", "shallow", 2, 0, said.append
    )
    assert found["pictures"] == 24 and found["held out"] == 8 and found["unreadable"] == 1
    assert 0 <= found["accuracy"] <= found["within one"] <= 1 and found["chance"] == pytest.approx(1 / 8)
    assert any("broken.jpg" in line for line in said)
    assert DeepPerceiver(tmp_path / "own.safetensors").net.config.convolutions == 1
    facts = json.loads((tmp_path / "own.json").read_text())
    assert facts["unreadable"] == 1 and facts["sha256"]
    assert not list(tmp_path.rglob("*.part*"))


def test_the_split_depends_on_the_seed_alone_and_holds_every_mood(sorted_pictures):
    a, b = read_folders(sorted_pictures, seed=1), read_folders(sorted_pictures, seed=1)
    assert (a.held_out == b.held_out).all()
    assert np.bincount(a.mood[a.held_out], minlength=8).tolist() == [1] * 8


@pytest.mark.parametrize("wrong", ["missing", "empty", "unreadable"])
def test_a_mood_without_pictures_is_named(sorted_pictures, wrong):
    folder = sorted_pictures / "angry" / "some"
    for path in folder.iterdir():
        path.write_bytes(b"") if wrong == "unreadable" else path.unlink()
    if wrong == "missing":
        folder.rmdir()
        folder.parent.rmdir()
    with pytest.raises(UsageError, match=r"too few pictures of Angry \(0\)"):
        read_folders(sorted_pictures)


def test_wrong_names_say_the_way_out(sorted_pictures, tmp_path):
    with pytest.raises(NotFound, match="mood folders"):
        read_folders(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="deep, shallow"):
        train_folder(sorted_pictures, tmp_path / "o.safetensors", tmp_path / "run", "wide")
