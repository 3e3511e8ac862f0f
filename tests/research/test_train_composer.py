"""The composer's trainer on a corpus small enough to see through."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file
from videoscore.compose.network.steps import DURATION_CLASSES, DURATIONS, ROLES, duration_class
from videoscore.research.composer.windows import BARLINE, Augment, Corpus

BARS = 48


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three pieces of 48 bars, the last held out: an upward scale over a bass note in every bar."""
    bars = 3 * BARS
    bar = np.repeat(np.arange(bars), 9)
    position = np.tile([0, 0, 12, 24, 36, 48, 60, 72, 84], bars)
    role = np.tile([0, 3, 0, 0, 0, 0, 0, 0, 0], bars)
    pitch = np.tile([72, 48, 74, 76, 77, 79, 81, 83, 84], bars)
    number = np.arange(bars)
    path = tmp_path_factory.mktemp("corpus") / "corpus.npz"
    np.savez(
        path,
        note_bar=bar.astype(np.int32),
        note_pos=position.astype(np.int16),
        note_role=role.astype(np.int8),
        note_pitch=pitch.astype(np.int16),
        note_dur=np.full(len(bar), 12, np.int16),
        note_vel=np.full(len(bar), 80, np.int8),
        bar_piece=(number // BARS).astype(np.int32),
        bar_len=np.full(bars, 96, np.int16),
        bar_den=np.full(bars, 4, np.int8),
        bar_tempo=np.full(bars, 120, np.float32),
        bar_chord=np.where(number % 4 == 3, 22, 1).astype(np.int8),
        bar_shift=np.zeros(bars, np.int8),
        bar_minor=np.zeros(bars, np.int8),
        bar_segment=(number // 16).astype(np.int32),
        bar_valence=np.linspace(-1, 1, bars).astype(np.float32),
        bar_arousal=np.linspace(1, -1, bars).astype(np.float32),
        bar_last=(number % BARS == BARS - 1).astype(np.int8),
        piece_name=np.array(["a", "b", "c"]),
        piece_set=np.array(["openscore_lieder"] * 3),
        piece_split=np.array([0, 0, 1]),
    )
    return path


def test_windows_begin_on_a_bar_line_and_stay_in_their_segment(corpus):
    data, rng = Corpus(corpus, 0), np.random.default_rng(0)
    for _ in range(200):
        w = data.window(rng, 64)
        assert data.position[w.start] == BARLINE and 0 < w.stop - w.start <= 64
        assert len(np.unique(data.bars["segment"][data.step_bar[w]])) == 1
        assert data.step_bar[w].max() < 2 * BARS, "the held-out piece is never seen"


def test_an_unchanged_example_is_the_corpus(corpus):
    data = Corpus(corpus, 0)
    e = data.example(slice(0, 20), None, Augment())
    assert e["position"].tolist() == [BARLINE, 0, 0, 12, 24, 36, 48, 60, 72, 84] * 2
    assert e["pitch"][1:10].tolist() == [72, 48, 74, 76, 77, 79, 81, 83, 84]
    assert e["role"][0] == ROLES and e["duration"][0] == DURATION_CLASSES
    assert np.allclose(e["quarters"][10:13], [4, 4, 4]) and e["quarters"][19] == 7.5
    assert np.allclose(e["features"][0, :3], [-1, 1, 1]), "valence, arousal, known"
    assert e["features"][0, -6:].tolist() == [1, 0, 0, 1, 0, 0], "melody and bass play"


def test_a_silenced_role_is_neither_heard_nor_asked_for(corpus):
    data = Corpus(corpus, 0)
    always = Augment(silence_role=0.5, silence_drums=0)
    silenced = [data.example(slice(0, 40), np.random.default_rng(n), always) for n in range(20)]
    without_bass = [e for e in silenced if e["features"][0, -3] == 0 and (e["role"] < ROLES).any()]
    assert without_bass
    assert all(3 not in e["role"] for e in without_bass)


def test_the_chord_chain_knows_what_follows(corpus):
    table = Corpus(corpus, 0).harmony().table
    assert np.allclose(table.sum(-1), 1)
    assert table[0, 1, 22, 1] > 0.8, "G goes to C"


def test_duration_classes_are_their_own_nearest():
    assert (duration_class(DURATIONS) == np.arange(DURATION_CLASSES)).all()


def test_training_learns_resumes_and_exports(corpus, tmp_path):
    from videoscore.compose.network.load import load_composer
    from videoscore.compose.network.model import ComposerConfig

    from videoscore.research.composer.train import TrainOptions, train

    config = ComposerConfig(width=32, layers=1, heads=2)
    options = TrainOptions(updates=60, rate=1e-2, window=64, batch=512, threads=1, checkpoint_every=0.5)
    out = tmp_path / "composer.safetensors"
    train(corpus, tmp_path / "run", None, config, options)
    before = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    longer = TrainOptions(updates=120, rate=1e-2, window=64, batch=512, threads=1, checkpoint_every=5)
    train(corpus, tmp_path / "run", out, config, longer)
    after = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert after["step"] > before["step"], "it went on where it had stopped"
    assert after["openscore_lieder"]["note"] < before["openscore_lieder"]["note"] < 12
    model, harmony = load_composer(out)
    assert model.config == config and np.allclose(harmony.table.sum(-1), 1, atol=1e-2)
    assert load_file(out)["position.weight"].dtype == np.float16
    facts = json.loads(out.with_suffix(".json").read_text())
    assert facts["steps"] == after["step"] and facts["options"]["seed"] == 0
