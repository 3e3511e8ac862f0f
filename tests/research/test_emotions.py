"""The five-class table: what is asked for, and how it is counted."""

from __future__ import annotations

import pytest
from conftest import run_command

from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.research.composer.emotions import CLASSES, asked, class_of, confusion


def test_each_emotion_asks_for_its_class_and_every_class_is_asked_for():
    assert {w.emotion: w.music for w in asked()} == {
        "angry": "Anger",
        "disgust": "Anger",
        "fear": "Anger",
        "happy": "Happiness",
        "sad": "Sadness",
        "surprise": "Surprise",
        "neutral": "Others",
    }
    assert {w.music for w in asked()} == set(CLASSES)
    assert class_of(1.4, 1.2) == "Happiness", "judges may hear beyond the plane"


def test_right_and_chance():
    wishes = asked()
    perfect = confusion(wishes, [w.music for w in wishes])
    assert perfect["right"] == pytest.approx(1) and perfect["balanced"] == pytest.approx(1)
    assert perfect["chance"] == pytest.approx((3 / 7) ** 2 + 4 / 49)
    assert set(perfect["by_emotion"]) == set(EMOTIONS)
    deaf = confusion(wishes, ["Anger"] * len(wishes))
    assert deaf["right"] == pytest.approx(deaf["chance"]) == pytest.approx(3 / 7)
    assert deaf["balanced"] == pytest.approx(1 / 5), "one class right of five"
    assert deaf["counts"]["Sadness"]["Anger"] == 1


@pytest.mark.slow
def test_the_command_prints_both_tables():
    said = run_command("evaluate", "emotions", "--cues", "1", "--seconds", "8", "--json")
    assert said.code == 0, said.err
    for judge in ("judge", "judge_blind"):
        counts = said.result[judge]["counts"]
        assert sum(sum(row.values()) for row in counts.values()) == 7
        assert sum(counts["Anger"].values()) == 3
