"""MIDI files of one's own with a table of valence and energy, for the corpus and the tagger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("symusic", reason="the training extra is not installed")

from test_corpus import write_notes, write_tune

from videoscore.cli.main import commands
from videoscore.cli.teller import Teller
from videoscore.errors import NotFound, UsageError
from videoscore.research.composer import corpus
from videoscore.research.composer.labelled import Label, five_class, read_labels
from videoscore.research.tagger import data as affect

MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six files, five of them pieces of their own, one without a beat."""
    root = tmp_path_factory.mktemp("own")
    for name, up, repeats in (
        ("a/one.mid", 0, 2),
        ("a/two.MIDI", 2, 3),
        (f"b/d/{MD5}.mid", 3, 4),
        ("b/same.mid", 4, 5),
        ("same.mid", 5, 6),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        path = root / name
        write_tune(path.with_suffix(".mid"), up, repeats)
        path.with_suffix(".mid").rename(path)
    loose = np.cumsum(np.random.default_rng(1).uniform(0.07, 0.3, 200))
    write_notes(
        root / "loose.mid", [(0, False, [(60 + k % 12, 80, float(t), 0.2) for k, t in enumerate(loose)])]
    )
    return root


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_the_five_classes():
    cells = {
        (0.8, 0.6): "Happiness",
        (0.6, 0.8): "Surprise",
        (0.6, 0.6): "Surprise",
        (0.5, 0.5): "Surprise",
        (0.2, 0.9): "Anger",
        (0.2, 0.2): "Sadness",
        (0.9, 0.1): "Others",
    }
    assert {cell: five_class(*cell) for cell in cells} == cells
    assert Label(1.0, 0.0).point == (1.0, -1.0) and Label(0.5, 0.5).point == (0.0, 0.0)


def test_files_are_found_by_path_name_or_md5_and_the_rest_is_counted(folder, tmp_path):
    text = f"""file,title,Valence,energy
a/one.mid,x,0.9,0.6
two,y,0.1,0.9
{MD5},z,0.2,0.2
same.mid,in the root,0.5,0.5
a/same.mid,nowhere,0.5,0.5
same,which one,0.5,0.5
one,again,0.1,0.1
loose.mid,bad,nan,0.5
loose.mid,bad,0.5,1.5
loose.mid,bad,,0.5
,none,0.5,0.5
"""
    found = read_labels(table(tmp_path, text), folder)
    assert {path.relative_to(folder).as_posix(): label for path, label in found.labels.items()} == {
        "a/one.mid": Label(0.9, 0.6),
        "a/two.MIDI": Label(0.1, 0.9),
        f"b/d/{MD5}.mid": Label(0.2, 0.2),
        "same.mid": Label(0.5, 0.5),
    }
    assert {fault: list(names) for fault, names in found.faults.items()} == {
        "no such file": ["a/same.mid"],
        "several files of that name": ["same"],
        "named again": ["one"],
        "valence or energy not within 0 and 1": ["loose.mid"] * 3,
        "no name in the line": ["line 12"],
    }
    assert found.other == 2
    told = list(found.told())
    assert "4 labelled" in told[0] and "Happiness 1" in told[0] and "2 without a label" in told[0]
    assert any("no such file: 1 (a/same.mid)" in line for line in told)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("file,valence\na,1\n", "no column energy"),
        ("name,valence,energy\na,1,1\n", "no column file"),
        ("", "no column valence and no energy and no file"),
        ("md5,valence,energy\nnone,1,1\n", "no such file: 1 (none)"),
        ("md5;valence;energy\n", "it is empty"),
    ],
)
def test_a_table_that_labels_nothing_says_why(folder, tmp_path, text, hint):
    path = table(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_labels(path, folder)
    assert hint in str(caught.value) and caught.value.path == path
    with pytest.raises(NotFound):
        read_labels(tmp_path / "none.csv", folder)


def test_the_corpus_takes_the_labels_of_the_table(folder, tmp_path, capsys):
    labels = table(
        tmp_path,
        "file;valence;energy\na/one.mid;0.9;0.6\na/two.MIDI;0.1;0.9\nb/same.mid;0.2;0.25\n"
        "loose.mid;0.5;0.5\ngone.mid;0.5;0.5\n",
    )
    commands.main(
        [
            "train",
            "corpus",
            "--labels",
            str(labels),
            "--folder",
            str(folder),
            "--out",
            str(tmp_path / "c.npz"),
            "--workers",
            "1",
        ],
        standalone_mode=False,
        obj=Teller(),
    )
    said = capsys.readouterr().out
    assert "no such file: 1 (gone.mid)" in said and "loose.mid: no beat" in said and "c.npz: written" in said
    arrays = dict(np.load(tmp_path / "c.npz", allow_pickle=False))
    assert arrays["piece_name"].tolist() == ["a/one", "a/two", "b/same"]
    assert arrays["piece_set"].tolist() == ["labelled"] * 3
    assert arrays["piece_class"].tolist() == ["Happiness", "Anger", "Sadness"]
    for number, point in enumerate([(0.8, 0.2), (-0.8, 0.8), (-0.6, -0.5)]):
        bars = arrays["bar_piece"] == number
        assert bars.sum() > 8
        assert arrays["bar_valence"][bars] == pytest.approx(point[0]) and arrays["bar_arousal"][
            bars
        ] == pytest.approx(point[1])
    assert len(set(arrays["piece_split"].tolist())) == 1  # one tune begins all three: one side


def test_both_kinds_of_pieces_go_into_one_corpus(folder, tmp_path):
    (tmp_path / "openscore_lieder").mkdir()
    write_tune(tmp_path / "openscore_lieder" / "A,_B__Songs__1_Star__lc1.mid", up=6, repeats=7)
    found = read_labels(table(tmp_path, "path,valence,energy\na/one.mid,1,1\n"), folder)
    corpus.build(tmp_path, tmp_path / "c.npz", workers=1, table=found)
    arrays = dict(np.load(tmp_path / "c.npz", allow_pickle=False))
    assert arrays["piece_set"].tolist() == ["openscore_lieder", "labelled"]
    assert arrays["piece_class"].tolist() == ["", "Surprise"]
    valence = arrays["bar_valence"]
    assert (valence[arrays["bar_piece"] == 1] == 1).all() and (
        np.abs(valence[arrays["bar_piece"] == 0]) < 1
    ).all()


def test_the_tagger_gets_the_pieces_as_rows(folder, tmp_path):
    labels = "file,valence,energy\na/one.mid,0.9,0.6\nb/same.mid,0.4,0.1\nbroken.mid,0.5,0.5\n"
    (folder / "broken.mid").write_bytes(b"MThd nonsense")
    found = read_labels(table(tmp_path, labels), folder)
    said: list[str] = []
    rows = affect._labelled(found, said.append)
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("labelled", "own:a/one.mid", True),
        ("labelled", "own:b/same.mid", True),
    ]
    assert rows[0][3] == pytest.approx((0.8, 0.2)) and rows[0][4] == pytest.approx((1.0, 0.2 / 0.35))
    assert len(said) == 1 and "broken.mid" in said[0]
    with pytest.raises(NotFound, match="emopia_dev"):
        affect.read(tmp_path, found)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--out", "c.npz"], "--music"),
        (["--labels", "l.csv", "--out", "c.npz"], "belong together"),
        (["--folder", ".", "--music", ".", "--out", "c.npz"], "belong together"),
    ],
)
def test_half_a_request_is_refused(tmp_path, monkeypatch, words, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "l.csv").write_text("file,valence,energy\n")
    with pytest.raises(UsageError, match=hint):
        commands.main(["train", "corpus", *words], standalone_mode=False, obj=Teller())
