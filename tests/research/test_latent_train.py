"""How the latent composer is trained and measured, on a corpus made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from videoscore.compose.latent.feelings import FEELINGS
from videoscore.compose.latent.network import Shape
from videoscore.compose.latent.steps import BARS, FIRST, HOLD, LOW, REST, STEPS
from videoscore.research.latent import train as training
from videoscore.research.latent.course import Recipe, VAECourse, agreement, codes, decoded
from videoscore.research.latent.data import Melodies, density, mean_pitch, melodies
from videoscore.research.latent.evaluate import evaluate, hits, table
from videoscore.research.run import Budget, Run

pytest.importorskip("sklearn", reason="the training extra is not installed")
from videoscore.research.latent import evaluate as evaluation
from videoscore.research.latent import realism
from videoscore.research.latent.realism import told_apart

BAR = 96  # units of a bar of four quarters


def write_corpus(path: Path, pieces: int, bars: int = 20, sets: tuple[str, ...] = ("openhymnal",)) -> Path:
    """Pieces of quarters, a tune of their own each, over C major; every third is held out."""
    rng = np.random.default_rng(4)
    note = {name: [] for name in ("bar", "pos", "role", "pitch", "dur", "vel")}
    for bar in range(pieces * bars):
        for beat in range(4):
            row = (bar, 24 * beat, 0, int(rng.integers(60, 84)), 24, 80)
            for name, value in zip(note, row):
                note[name].append(value)
        for name, value in zip(note, (bar, 0, 2, 48, 96, 60)):
            note[name].append(value)
    count = pieces * bars
    piece = np.repeat(np.arange(pieces), bars)
    np.savez(
        path,
        **{f"note_{name}": np.array(values) for name, values in note.items()},
        bar_piece=piece,
        bar_len=np.full(count, BAR),
        bar_segment=piece,
        bar_chord=np.ones(count, np.int8),
        bar_shift=np.full(count, 2),
        bar_valence=np.repeat(rng.uniform(-1, 1, pieces), bars),
        bar_arousal=np.repeat(rng.uniform(-1, 1, pieces), bars),
        piece_set=np.array([sets[k % len(sets)] for k in range(pieces)]),
        piece_split=np.arange(pieces) % 3 == 0,
    )
    return path


def random_tunes(count: int, seed: int = 0) -> Melodies:
    """Melodies of eighths and quarters over no chord."""
    rng = np.random.default_rng(seed)
    tokens = np.full((count, BARS, STEPS), HOLD, np.uint8)
    tokens[:, :, ::4] = rng.integers(FIRST + 12, FIRST + 24, size=(count, BARS, 4))
    eighths = rng.random((count, BARS, 4)) < 0.5
    tokens[:, :, 2::4] = np.where(eighths, rng.integers(FIRST + 12, FIRST + 24, size=eighths.shape), HOLD)
    zero = np.zeros(count, np.float32)
    return Melodies(
        tokens,
        np.zeros((count, BARS, 2), np.int8),
        np.full(count, 4, np.int8),
        np.arange(count, dtype=np.int32),
        np.zeros(count, bool),
        zero,
        zero,
        np.zeros(count, np.int8),
    )


def test_melodies_are_windows_of_sixteen_bars_of_free_sets(tmp_path):
    corpus = write_corpus(
        tmp_path / "corpus.npz", 6, bars=21, sets=("openhymnal", "film_and_game", "mutopia_full")
    )
    m = melodies(corpus)
    assert len(m) == 4 * 2 and set(m.piece.tolist()) == {0, 2, 3, 5}  # film_and_game asks for credit
    assert set(m.piece[m.held_out].tolist()) == {0, 3}
    assert set(melodies(corpus, sets=("",)).piece.tolist()) == set(range(6))
    with np.load(corpus) as file:
        tune = file["note_pitch"][(file["note_role"] == 0) & (file["note_bar"] < BARS)]
    begins = m.tokens[0][m.tokens[0] >= FIRST].astype(int)
    assert (begins - FIRST + LOW == tune).all() and (m.tokens[0][:, ::4] >= FIRST).all()
    assert REST not in m.tokens and density(m.tokens, m.beats) == pytest.approx(1.0)
    assert mean_pitch(m.tokens[:1])[0] == pytest.approx(tune.mean())


def test_the_vector_holds_the_melody(tmp_path):
    """After a minute of learning tunes come back from their own vectors and not from another's."""
    m = random_tunes(24)
    m = Melodies(*(np.concatenate([getattr(m, n)] * 2) for n in Melodies.__dataclass_fields__))
    m.held_out[24:] = True
    course = VAECourse(m, Recipe(batch=16, weight=0.02, blank=0.0, rate=5e-3), Shape(24, 96, 32, 96, 64))
    Run(course, tmp_path, Budget(200)).go()
    some = m.where(np.arange(24))
    mean, _ = codes(course.net, some)
    own, other = (agreement(decoded(course.net, z, some), some) for z in (mean, mean.roll(1, 0)))
    assert own["notes"] > 0.35 > 0.15 > other["notes"] and own["onsets"] > other["onsets"]


def test_a_tune_meets_its_feeling_within_half_a_standard_deviation():
    m = random_tunes(4)
    pitch, notes = mean_pitch(m.tokens)[0], density(m.tokens, m.beats)[0]
    errors = [(abs(pitch - f.pitch) / 4.9, abs(np.log(notes / f.density)) / 0.447) for f in FEELINGS]
    for k, (high, many) in enumerate(errors):
        row = hits(m.tokens[:1], m.where(np.arange(1)), np.array([k]))
        assert (row["pitch"], row["density"]) == (high <= 0.5, many <= 0.5)
        assert row["both"] == min(row["pitch"], row["density"])
    silent = np.full_like(m.tokens, HOLD)
    assert hits(silent, m, np.zeros(4, int)) == {"pitch": 0.0, "density": 0.0, "both": 0.0}


def test_what_is_alike_is_not_told_apart_and_what_is_not_is():
    one, two = random_tunes(60, 1), random_tunes(60, 2)
    busy = random_tunes(60, 3)
    busy.tokens[:, :, 1::2] = FIRST + 40
    assert 0.3 < told_apart(one, two, 0) < 0.7 and told_apart(one, busy, 0) > 0.9


def test_training_and_evaluation_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "FIRST_UPDATES", 3)
    monkeypatch.setattr(training, "FEELING_UPDATES", 2)
    monkeypatch.setattr(evaluation, "STEPS", 2)
    monkeypatch.setattr(realism, "TREES", 10)
    corpus = write_corpus(tmp_path / "corpus.npz", 30)
    out = tmp_path / "latent.safetensors"
    figures = training.train(corpus, tmp_path / "run", out, 0.05, 3, "videoscore train latent ...")
    facts = json.loads(out.with_suffix(".json").read_text())
    assert facts["figures"] == figures and facts["seed"] == 3 and "20 pieces" in facts["data"]
    again = tmp_path / "again.safetensors"
    training.train(corpus, tmp_path / "run", again, 0.05, 3, "videoscore train latent ...")
    assert again.read_bytes() == out.read_bytes()  # all stages were finished
    report = evaluate(corpus, out, 5, 1, tmp_path / "rolls.png")
    assert (tmp_path / "rolls.png").stat().st_size > 10_000
    ways = report["ways"]
    assert {"real", "prior", "gradient steps", "actor before re-training", "actor"} <= ways.keys()
    for row in (*ways.values(), *report["feelings"].values()):
        assert all(0 <= row[name] <= 1 for name in ("pitch", "density", "both"))
    text = table(report)
    assert all(f.name in text for f in FEELINGS) and "told apart" in text
