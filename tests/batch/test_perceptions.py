"""The cache of perceptions, and how many workers fit."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoscore.batch.perceptions import PerceptionCache, key
from videoscore.mood.curve import MoodCurve
from videoscore.mood.perceive import Perception
from videoscore.settings.build import build
from videoscore.video.frames import Cut
from videoscore.workers.capacity import NEEDS, free_memory, share, workers_that_fit


def perception(n: int = 5, seed: int = 0) -> Perception:
    rng = np.random.default_rng(seed)
    curve = MoodCurve(
        np.arange(n) / 3,
        rng.uniform(-1, 1, n),
        rng.uniform(-1, 1, n),
        rng.dirichlet(np.ones(8), n),
        rng.uniform(0, 1, n),
    )
    return Perception(
        curve,
        (Cut(Fraction(1001, 30000), 0.7),),
        {"scene": rng.uniform(0, 1, n), "held": np.zeros(n)},
        ("it is dark",),
    )


def test_what_comes_back_is_what_was_kept(tmp_path):
    store, seen = PerceptionCache(tmp_path / "c"), perception()
    assert store.find("k") is None
    store.keep("k", seen)
    back = store.find("k")
    for name in ("t", "valence", "arousal", "moods", "confidence"):
        assert np.array_equal(getattr(back.curve, name), getattr(seen.curve, name))
    assert (back.cuts, back.remarks, list(back.shares)) == (seen.cuts, seen.remarks, ["scene", "held"])
    assert np.array_equal(back.shares["scene"], seen.shares["scene"])
    assert [p.name for p in (tmp_path / "c").iterdir()] == ["k.npz"]


def test_it_stays_within_its_bound_and_drops_what_was_used_longest_ago(tmp_path):
    store = PerceptionCache(tmp_path)
    for n, name in enumerate("abc"):
        store.keep(name, perception(seed=n))
        os.utime(tmp_path / f"{name}.npz", (n, n))
    size = (tmp_path / "a.npz").stat().st_size
    assert store.find("a") is not None  # used now
    PerceptionCache(tmp_path, int(3.5 * size)).keep("d", perception(seed=4))
    assert {p.stem for p in tmp_path.iterdir()} == {"a", "c", "d"}
    PerceptionCache(tmp_path / "none", 0).keep("a", perception())
    assert not (tmp_path / "none").exists()


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_a_damaged_entry_is_no_entry(tmp_path_factory, junk, at):
    folder = tmp_path_factory.mktemp("cache")
    store = PerceptionCache(folder)
    store.keep("k", perception())
    path = folder / "k.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    found = store.find("k")  # raises nothing
    assert found is None or len(found.curve) == 5
    path.write_bytes(junk)
    assert store.find("k") is None and not path.exists()


def test_an_entry_with_a_pickle_in_it_is_not_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "boom"),)

    np.savez(tmp_path / "k.npz", about=np.array([Bomb()], dtype=object), allow_pickle=True)
    assert PerceptionCache(tmp_path).find("k") is None
    assert not (tmp_path / "boom").exists()


def test_the_name_of_an_entry_depends_on_the_watching_alone():
    base = key("content", build())
    assert key("content", build(preset="piano", seed=4, smooth=2, loudness=-20)) == base
    assert key("other", build()) != base
    assert key("content", build(sample_every="1")) != base
    assert key("content", build(perceiver="scene")) != base


@pytest.mark.parametrize(
    ("count", "memory", "fit"),
    [(4, None, 4), (4, 10 * NEEDS, 4), (4, 2 * NEEDS, 2), (4, 1000, 1), (1, 10 * NEEDS, 1)],
)
def test_workers_fit_cores_and_memory(count, memory, fit):
    assert workers_that_fit(count, memory) == fit


def test_memory_is_what_the_container_leaves(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    assert free_memory(tmp_path / "none", meminfo) == 8000 * 1024
    for name, text in (
        ("memory.max", "5000000"),
        ("memory.current", "3000000"),
        ("memory.stat", "inactive_file 500"),
    ):
        (tmp_path / name).write_text(text + "\n")
    assert free_memory(tmp_path, meminfo) == 2000500
    assert free_memory(tmp_path / "none", tmp_path / "none") is None


@given(st.integers(1, 9), st.integers(1, 9))
def test_shares_use_every_core(slots, cores):
    available = list(range(10, 10 + cores))
    shares = [share(k, slots, available) for k in range(slots)]
    assert all(shares)
    if slots <= cores:
        assert sorted(c for s in shares for c in s) == available
