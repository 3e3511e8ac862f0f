"""What the composer writes with is mined as it says: figures that are kept, cells of tunes, grooves of drummers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from videoscore.compose.bank import chunks, load_bank
from videoscore.compose.passages import load_passages
from videoscore.errors import SetupError
from videoscore.music.score import Role
from videoscore.research.composer.figures import mine
from videoscore.research.composer.grooves import mine_grooves
from videoscore.research.composer.train import train

ALBERTI = ((0, 60), (12, 67), (24, 64), (36, 67), (48, 60), (60, 67), (72, 64), (84, 67))
TUNE = ((0, 72), (48, 74), (72, 76))


def corpus(path, pieces: int = 3, held_out: int = 0, bars: int = 4):
    """Pieces of C major whose accompaniment is an Alberti bass, moved by an octave from piece to piece."""
    rows = []
    for bar in range(pieces * bars):
        for onset, pitch in ALBERTI:
            rows.append((bar, onset, Role.ACCOMPANIMENT, pitch, 12))
        for onset, pitch in TUNE:
            rows.append((bar, onset, Role.MELODY, pitch, 24))
        rows.append((bar, 0, Role.BASS, 48, 96))
    table = np.array(rows)
    count = pieces * bars
    np.savez(
        path,
        note_bar=table[:, 0], note_pos=table[:, 1], note_role=table[:, 2], note_pitch=table[:, 3],
        note_dur=table[:, 4], note_vel=np.full(len(table), 80), bar_tempo=np.full(count, 100.0),
        piece_set=np.array(["own"] * pieces), bar_len=np.full(count, 96), bar_den=np.full(count, 4),
        bar_minor=np.zeros(count, int),
        bar_chord=np.ones(count, int), bar_segment=np.zeros(count, int), bar_valence=np.full(count, 0.5),
        bar_arousal=np.full(count, 0.25), bar_piece=np.repeat(np.arange(pieces), bars),
        piece_name=np.array([f"p{k}" for k in range(pieces)]),
        piece_split=np.array([0] * (pieces - held_out) + [1] * held_out),
    )  # fmt: skip
    return path


def test_a_figure_is_found_in_chord_relative_form(tmp_path):
    numbers = mine(corpus(tmp_path / "c.npz"), tmp_path / "f.json")
    stock = json.loads((tmp_path / "f.json").read_text())
    whole = [
        [0, 12, 0],
        [12, 12, 2],
        [24, 12, 1],
        [36, 12, 2],
        [48, 12, 0],
        [60, 12, 2],
        [72, 12, 1],
        [84, 12, 2],
    ]
    assert stock["figures"]["96"] == [{"pieces": 3, "valence": 0.5, "arousal": 0.25, "notes": whole}]
    assert [row["notes"] for row in stock["figures"]["48"]] == [whole[:4]]
    assert stock["cells"]["96"] == [[3, [[0, 24, 0], [48, 24, 1], [72, 24, 2]]]]
    assert numbers == {"figures": 2, "cells": 1, "grooves": 0}


def test_what_one_piece_alone_has_is_left_out_and_held_out_pieces_are_not_read(tmp_path):
    assert mine(corpus(tmp_path / "c.npz", pieces=1), tmp_path / "f.json")["figures"] == 0
    assert mine(corpus(tmp_path / "d.npz", pieces=3, held_out=2), tmp_path / "f.json")["figures"] == 0


def test_a_groove_is_what_most_bars_have(tmp_path):
    import symusic

    track = symusic.Track(name="drums", is_drum=True)
    for bar in range(6):
        for quarter in range(4):
            at = 480 * (4 * bar + quarter)
            track.notes.append(symusic.Note(at + 7, 100, 42, 80))  # a hair late, as drummers play
            track.notes.append(symusic.Note(at, 100, 36 if quarter % 2 == 0 else 38, 110))
        if bar == 2:
            track.notes.append(symusic.Note(480 * 4 * bar + 240, 100, 49, 127))
    score = symusic.Score(480)
    score.tracks.append(track)
    score.dump_midi(str(tmp_path / "1_rock_100_beat_4-4.mid"))
    grooves = mine_grooves(tmp_path)["96"]
    assert len(grooves) == 1 and grooves[0]["style"] == "rock" and grooves[0]["fill"] == []
    assert [(o, k) for o, k, _ in grooves[0]["strokes"]] == [
        (0, 36), (0, 42), (24, 38), (24, 42), (48, 36), (48, 42), (72, 38), (72, 42)
    ]  # fmt: skip


def test_training_goes_on_from_its_corpus_and_refuses_other_sets(tmp_path):
    from videoscore.errors import UsageError

    run = tmp_path / "run"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    run.mkdir()
    (run / "settings.json").write_text(json.dumps({"music": str((tmp_path / "one").resolve())}))
    corpus(run / "corpus.npz")
    out = tmp_path / "figures.json"
    first = train(tmp_path / "one", run, out, command="videoscore train composer")
    before = out.read_bytes()
    assert train(tmp_path / "one", run, out) == first and out.read_bytes() == before
    facts = json.loads(out.with_suffix(".facts.json").read_text())
    assert (
        facts["passages"] == 0 == len(load_passages(tmp_path / "passages.npz"))
    )  # pieces of four bars have none
    assert facts["figures"] == 2 and len(facts["corpus"]) == 64
    with pytest.raises(UsageError, match="begun with --music"):
        train(tmp_path / "two", run, out)


def test_the_command_says_what_is_missing():
    from videoscore.cli.train import train as command

    done = CliRunner().invoke(command, ["composer", "--music", "/nowhere", "--run", "r", "--out", "f.json"])
    assert done.exit_code == 2 and "/nowhere" in done.output


def test_the_stock_that_ships_is_sound():
    bank = load_bank()
    assert sum(map(len, bank.figures.values())) > 800 and sum(map(len, bank.cells.values())) > 2000
    assert len(bank.grooves["96"]) > 80
    for name, figures in bank.figures.items():
        for figure in figures:
            assert figure.length == int(name.rstrip("c")) and figure.pieces >= 2
            assert all(0 <= o < figure.length and d > 0 and 0 <= r < 6 for o, d, r in figure.notes)
    assert [sum(chunks(beats)) for beats in range(1, 13)] == [24 * beats for beats in range(1, 13)]


def test_a_damaged_stock_is_named(tmp_path, monkeypatch):
    broken = tmp_path / "figures.json"
    broken.write_text('{"figures": {}}')
    monkeypatch.setattr("videoscore.compose.bank.FIGURES", broken)
    load_bank.cache_clear()
    try:
        with pytest.raises(SetupError, match="figures can't be read"):
            load_bank()
    finally:
        load_bank.cache_clear()
