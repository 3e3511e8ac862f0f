"""Of two runs on one output one succeeds, and what it wrote stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import command_environment
from media import Clip

from videoscore import files
from videoscore.errors import OutputExists
from videoscore.files import place
from videoscore.pipeline.outputs import publish


def made(folder: Path, word: str) -> dict[str, Path]:
    folder.mkdir()
    (folder / "cues").write_text(word)
    (folder / "stems").mkdir()
    (folder / "stems" / "a.wav").write_text(word)
    return {"cues": folder / "cues", "stems": folder / "stems"}


def test_one_of_many_at_once(tmp_path: Path) -> None:
    begin, outcomes = threading.Barrier(8), []

    def run(word: str) -> None:
        part = tmp_path / f"part{word}"
        part.write_text(word)
        begin.wait()
        try:
            place(part, tmp_path / "out", overwrite=False)
            outcomes.append(word)
        except OutputExists:
            pass

    threads = [threading.Thread(target=run, args=(str(k),)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1 and (tmp_path / "out").read_text() == outcomes[0]


def test_where_the_disk_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    for word in ("first", "second"):
        (tmp_path / word).write_text(word)
    place(tmp_path / "first", tmp_path / "out", overwrite=False)
    with pytest.raises(OutputExists):
        place(tmp_path / "second", tmp_path / "out", overwrite=False)
    assert (tmp_path / "out").read_text() == "first"
    place(tmp_path / "second", tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "second"


def test_all_is_published_or_nothing(tmp_path: Path) -> None:
    places = {"cues": tmp_path / "film.cues.json", "stems": tmp_path / "film.stems"}
    publish(made(tmp_path / "one", "one"), {"stems": places["stems"]}, overwrite=False)
    with pytest.raises(OutputExists):
        publish(made(tmp_path / "two", "two"), places, overwrite=False)
    assert not places["cues"].exists() and (places["stems"] / "a.wav").read_text() == "one"
    publish(made(tmp_path / "three", "three"), places, overwrite=True)
    assert (places["stems"] / "a.wav").read_text() == places["cues"].read_text() == "three"


def test_every_file_that_is_written_alone_is_new_too(tmp_path: Path) -> None:
    """A second run that checked its name before the first one was done."""
    with files.whole(tmp_path / "a.png", overwrite=False) as part:
        part.write_text("first")
    with pytest.raises(OutputExists), files.whole(tmp_path / "a.png", overwrite=False) as part:
        part.write_text("second")
    with pytest.raises(OutputExists):
        files.write_text(tmp_path / "a.png", "third", overwrite=False)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["first"]
    files.write_text(tmp_path / "a.png", "fourth")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["fourth"]


@pytest.mark.slow
def test_two_scores_at_once(film: Clip, tmp_path: Path) -> None:
    os.link(film.path, tmp_path / "film.mp4")
    command = [sys.executable, "-m", "videoscore", "film.mp4", "-o", "two.mp4", "--keep", "midi"]
    runs = [
        subprocess.Popen(
            [*command, "--seed", seed], cwd=tmp_path, env=command_environment(), stderr=subprocess.PIPE
        )
        for seed in "12"
    ]
    words = [run.communicate()[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 4], words
    seed = "12"[[run.returncode for run in runs].index(0)]
    assert f'"seed": {seed}' in (tmp_path / "two.cues.json").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "two.cues.json", "two.mid", "two.mp4"]
