"""The scene model: backbone, head, perceiver, the perceive stage and its training code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from media import DATA, make_clip, picture

from videoscore.errors import BrokenVideo, SetupError, UsageError
from videoscore.mood.perceive import BATCH, perceive
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.perceivers.registry import PERCEIVERS, get_perceiver
from videoscore.resources import PACKAGE
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut, Frame
from videoscore.video.probe import probe

OASIS = DATA.parents[1] / "data" / "oasis"


@pytest.fixture(scope="module")
def scene():
    from videoscore.mood.perceivers.scene import ScenePerceiver

    return ScenePerceiver()


def frames(*pictures: np.ndarray, every: float = 0.5, cuts: tuple[Cut, ...] = ()) -> list[Frame]:
    return [Frame(Fraction(i * every), p, 0.05, cuts if i == 1 else ()) for i, p in enumerate(pictures)]


def features(scene, pictures: list[np.ndarray], half: bool) -> np.ndarray:
    before, scene.backbones.half = scene.backbones.half, half
    try:
        return scene.backbones.features(pictures)
    finally:
        scene.backbones.half = before


# ---------------------------------------------------------------- perceiver


def test_golden_outputs(scene):
    seen = scene.perceive(frames(picture("field"), picture("alley")))
    assert seen.valence == pytest.approx([-0.065, -0.366], abs=0.06)  # bfloat16 moves them by .05
    assert seen.arousal == pytest.approx([-0.208, -0.386], abs=0.06)
    assert seen.moods.sum(1) == pytest.approx([1, 1])
    assert ((seen.confidence >= 0) & (seen.confidence <= 1)).all()  # drawn pictures pass for title cards


def test_a_batch_says_what_each_picture_says_alone(scene):
    batch = frames(picture("field"), picture("alley"), picture("field", 200, 120), picture("alley", 120, 160))
    together = scene.perceive(batch)
    for i, frame in enumerate(batch):
        alone = scene.perceive([frame])
        for name in ("valence", "arousal", "moods", "confidence"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i], abs=2e-3)


def test_bfloat16_changes_readings_little(scene):
    pictures = [picture("field"), picture("alley")]
    plain, half = (scene.head.predict(features(scene, pictures, on))[0] for on in (False, True))
    assert half == pytest.approx(plain, abs=0.15)  # standardised: .06 of the plane


def test_borders_change_little(scene):
    plain = picture("field")
    boxed = np.pad(plain, ((40, 40), (0, 0), (0, 0)))
    a, b = scene.perceive(frames(plain)), scene.perceive(frames(boxed))
    assert b.valence == pytest.approx(a.valence, abs=1e-3) and b.arousal == pytest.approx(a.arousal, abs=1e-3)


def test_black_and_white_is_not_taken_for_gloom(scene):
    grey = np.repeat(picture("field").mean(2, keepdims=True), 3, 2).astype(np.uint8)
    plain, faded = scene.perceive(frames(picture("field"), grey)).valence
    assert faded > plain - 0.4  # people rate it lower, too, but a field in the sun isn't sad for being grey


def test_extreme_shapes_and_tiny_pictures_are_read(scene):
    tiny = np.random.default_rng(0).integers(0, 255, (1, 1, 3)).astype(np.uint8)
    seen = scene.perceive(frames(tiny, picture("field", 10, 260), picture("field", 260, 8)))
    assert len(seen) == 3 and np.isfinite(seen.moods).all() and (np.abs(seen.valence) <= 1).all()


def test_no_frames_no_readings(scene):
    assert len(scene.perceive([])) == 0


def test_threads_are_given_back(tmp_path):
    import torch

    from videoscore.mood.perceivers.scene import ScenePerceiver

    before = torch.get_num_threads()
    ScenePerceiver(threads=1).perceive(frames(picture("field")))
    assert torch.get_num_threads() == before


# ---------------------------------------------------------------- registry


def test_unknown_perceiver_is_a_usage_error_with_a_hint():
    with pytest.raises(UsageError, match="Did you mean scene"):
        get_perceiver("scenes")


def test_shapes_suit_the_networks_and_each_network_gets_its_own(scene, monkeypatch):
    import videoscore.mood.perceivers.scene as module

    for name, shapes in module.SHAPES.items():
        assert name in module.BACKBONES and len(shapes) == len(module.ASPECTS)
        for (h, w), aspect in zip(shapes, module.ASPECTS):
            assert h % 32 == w % 32 == 0 and w / h == pytest.approx(aspect, rel=0.1)
    sizes, prepare = [], module.prepare

    def watched(pictures, shape):
        sizes.append(shape)
        return prepare(pictures, shape)

    monkeypatch.setattr(module, "prepare", watched)
    scene.perceive(frames(picture("field", 180, 320)))
    assert sizes == [module.SHAPES[name][0] for name in module.BACKBONES]


def test_titles_and_the_time_model_belong_to_the_scene_model():
    """They are fitted on what it sees: another scene model needs others."""
    weights = PACKAGE / "weights"
    scene, titles, time = (
        json.loads((weights / f"{n}.json").read_text()) for n in ("scene", "titles", "time")
    )
    assert titles["scene"] == time["scene"] == scene["sha256"]


def test_missing_or_foreign_weights_say_so(tmp_path):
    from videoscore.mood.perceivers.scene import ScenePerceiver

    with pytest.raises(SetupError, match="scene model's weights"):
        ScenePerceiver(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(SetupError, match="train scene"):
        ScenePerceiver(tmp_path / "text.safetensors")


def test_weights_for_other_sizes_of_pictures_are_refused(tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    from videoscore.mood.perceivers.scene import WEIGHTS, ScenePerceiver

    with safe_open(WEIGHTS, "pt") as file:
        facts = file.metadata()
    sizes = json.dumps({"lite2": [[64, 64]], "lite1": [[64, 64]]})
    save_file(load_file(WEIGHTS), tmp_path / "other.safetensors", metadata={**facts, "shapes": sizes})
    with pytest.raises(SetupError, match="train scene"):
        ScenePerceiver(tmp_path / "other.safetensors")


def test_torch_is_imported_only_with_a_model():
    code = (
        "import sys, videoscore.mood.perceive, videoscore.mood.perceivers.registry, videoscore.mood.fusion;"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_registered_perceiver_exists():
    from importlib import import_module

    for entry in PERCEIVERS.values():
        module, factory = entry.split(":")
        assert callable(getattr(import_module(module), factory))


# ---------------------------------------------------------------- the stage


class Counter:
    """A perceiver that says how bright a picture is, and remembers the largest batch."""

    name = "counter"
    most = 0

    def look(self, frames):
        self.most = max(self.most, len(frames))
        return [f.rgb.mean() / 255 for f in frames]

    def read(self, t, glimpses, cuts):
        bright = np.array(glimpses)
        return Reading(bright, bright, np.full((len(bright), 8), 1 / 8), *np.ones((2, len(bright))))


@pytest.fixture
def film(tmp_path):
    return probe(make_clip(tmp_path / "film.mp4", seconds=4, fps=10).path)


def test_pictures_are_not_kept(film):
    import weakref

    alive: list[weakref.ref] = []
    most = 0

    def stream() -> Iterator[Frame]:
        nonlocal most
        for i in range(100):
            rgb = picture("alley", 36, 64)
            alive.append(weakref.ref(rgb))
            yield Frame(Fraction(i, 25), rgb, 0.05)
            most = max(most, sum(r() is not None for r in alive))

    seen = perceive(stream(), film, PerceiveOptions(), perceiver=Counter())
    assert len(seen.curve) == 100
    assert most <= 2 * BATCH + 1


def test_cuts_times_and_progress_come_through(film):
    told: list[tuple[str, float, float]] = []
    cuts = (Cut(Fraction(1, 4), 0.5), Cut(Fraction(1, 2), 1.0))
    pictures = frames(*[picture("field", 36, 64)] * 8, cuts=cuts)
    counter = Counter()
    seen = perceive(iter(pictures), film, PerceiveOptions(), lambda *x: told.append(x), counter)
    assert seen.cuts == cuts
    assert seen.curve.t == pytest.approx(np.arange(8) * 0.5)
    assert counter.most == BATCH
    assert told[-1] == ("perceive", 4.0, 4.0) and [d for _, d, _ in told] == sorted(d for _, d, _ in told)


def test_no_frames_at_all_is_a_broken_video(film):
    with pytest.raises(BrokenVideo):
        perceive(iter(()), film, PerceiveOptions(), perceiver=Counter())


def test_black_and_single_frames_give_a_curve(film):
    scene = get_perceiver("scene")
    black = np.zeros((80, 120, 3), np.uint8)
    dark = perceive(iter(frames(black, black, black)), film, PerceiveOptions(), perceiver=scene).curve
    assert dark.confidence == pytest.approx(np.zeros(3)) and dark.valence == pytest.approx(np.zeros(3))
    one = perceive(iter(frames(picture("field"))), film, PerceiveOptions(), perceiver=scene).curve
    assert len(one) == 1 and np.isfinite([one.valence[0], one.arousal[0], *one.moods[0]]).all()
