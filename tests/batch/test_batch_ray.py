"""The Ray executor: against a stand-in for Ray, and against Ray itself where it is installed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from batches import INLINE, batch, films, left_in, states
from fake_ray import FakeRay

from videoscore.batch.ledger import PARTS
from videoscore.batch.request import Request
from videoscore.errors import SetupError

ORDERS = {"a": "fine", "b": "die", "c": "broken", "d": "fine"}
RAY = Request(executor="ray", jobs=2)


def test_the_same_ledger_and_files_as_in_this_process(tmp_path, monkeypatch):
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    films(tmp_path / "in", **ORDERS, e="hang")
    report = batch(tmp_path / "in", tmp_path / "ray", replace(RAY, limit=0.5, address="auto"))
    assert states(tmp_path / "ray") == {
        "a.mp4": "scored",
        "b.mp4": "failed",
        "c.mp4": "failed",
        "d.mp4": "scored",
        "e.mp4": "failed",
    }
    errors = {Path(line.input).name: line.error for line in report.lines}
    assert (errors["b.mp4"], errors["c.mp4"], errors["e.mp4"]) == ("WorkerLost", "BrokenVideo", "TimeLimit")
    assert ray.asked["address"] == "auto" and not ray.alive and ray.killed >= 3
    assert not (tmp_path / "ray" / PARTS).exists()
    films(tmp_path / "again", a="fine", d="fine")
    batch(tmp_path / "again", tmp_path / "inline", INLINE)
    for name in left_in(tmp_path / "inline"):
        assert (tmp_path / "inline" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes()


def test_without_ray_or_a_cluster_it_says_what_to_do(tmp_path, monkeypatch):
    films(tmp_path / "in", a="fine")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SetupError, match="pip install"):
        batch(tmp_path / "in", tmp_path / "out", RAY)
    monkeypatch.setitem(sys.modules, "ray", FakeRay(unreachable=True))
    with pytest.raises(SetupError, match="nobody there"):
        batch(tmp_path / "in", tmp_path / "out", RAY)


@pytest.mark.slow
def test_ray_itself(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=":")  # for the stub
    films(tmp_path / "in", **ORDERS)
    batch(tmp_path / "in", tmp_path / "out", RAY)
    assert states(tmp_path / "out") == {
        "a.mp4": "scored",
        "b.mp4": "failed",
        "c.mp4": "failed",
        "d.mp4": "scored",
    }
    assert not (tmp_path / "out" / PARTS).exists()
