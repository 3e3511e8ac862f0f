"""Title cards and credits carry no mood; pictures with a line of letters on them do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from videoscore.errors import SetupError
from videoscore.mood.perceivers.scene import ScenePerceiver
from videoscore.mood.perceivers.titles import TitleHead, load
from videoscore.video.frames import Frame


def frames(*pictures: np.ndarray) -> list[Frame]:
    return [Frame(Fraction(k), np.ascontiguousarray(p), 0.0) for k, p in enumerate(pictures)]


@pytest.fixture(scope="module")
def scene() -> ScenePerceiver:
    return ScenePerceiver(threads=1)


def landscape(seed: int) -> np.ndarray:
    """Sky, hills and grass with some texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:216, 0:384]
    hills = 110 + 25 * np.sin(x / 47 + seed) + 10 * np.sin(x / 13)
    rgb = np.where(
        (y < hills)[..., None],
        np.array([120, 170, 230]) - y[..., None] * 0.3,
        np.array([60, 120, 40]) + (y[..., None] - 100) * 0.3,
    )
    return np.clip(rgb + rng.normal(0, 14, (216, 384, 1)), 0, 255).astype(np.uint8)


def test_drawn_cards_are_recognised_and_landscapes_are_not(scene):
    pytest.importorskip("matplotlib")
    from videoscore.research.titles.train import captioned, card, fonts

    random = np.random.default_rng(11)  # not that of the training
    cards = [card(random, fonts()) for _ in range(12)]
    pictures = [landscape(k) for k in range(3)] + [
        captioned(random, landscape(k), fonts()) for k in range(3, 6)
    ]
    seen = scene.perceive(frames(*cards, *pictures)).seen
    assert (seen[:12] < 0.5).mean() >= 0.9
    assert (seen[12:] > 0.5).all()


def test_the_head_is_kept_and_read_again(tmp_path):
    head = TitleHead(np.linspace(-1, 1, 9, dtype=np.float32), 0.25)
    head.save(tmp_path / "t.safetensors")
    again = load(tmp_path / "t.safetensors")
    x = np.random.default_rng(0).normal(0, 0.2, (5, 9)).astype(np.float32)
    assert again.probability(x) == pytest.approx(head.probability(x), abs=2e-3)
    assert [p.name for p in tmp_path.iterdir()] == ["t.safetensors"]


def test_missing_weights_are_a_fault_of_the_set_up(tmp_path):
    (tmp_path / "text.safetensors").write_text("no weights")
    for name in ("none.safetensors", "text.safetensors"):
        with pytest.raises(SetupError, match="Reinstall videoscore"):
            load(tmp_path / name)
