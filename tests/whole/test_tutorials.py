"""Each tutorial, as its reader goes through it: files laid out, changes made, commands typed, in order."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, command_environment
from media import packet_hash

from videoscore.cues.file.sheet_file import load

pytestmark = pytest.mark.slow
BLOCK = re.compile(r"<!-- (run|change)(?:: (\S+))? -->\n```\w+\n(.*?)```", re.DOTALL)
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
MOODS = ("Happy", "Dynamic", "Angry", "Anxiety", "Depressed", "Withered", "Tired", "Peaceful")
NEEDS = {"slideshow": ("moviepy", "pillow_heif"), "studio": ("nicegui",), "train-on-your-pictures": ("PIL",)}


def lay_out(folder: Path, name: str) -> None:
    """What a tutorial takes for granted."""
    examples = ROOT / "examples"
    shutil.copy(examples / "day.mp4", folder)
    (folder / "examples").mkdir()
    shutil.copy(examples / "edit_cues.py", folder / "examples")
    if name == "a-folder":
        (folder / "clips").mkdir()
        for number in (1, 2):
            shutil.copy(examples / "day.mp4", folder / "clips" / f"day{number}.mp4")
        (folder / "clips" / "broken.mp4").write_bytes(b"no film")
    if name == "slideshow":
        shutil.copytree(examples / "photos", folder / "photos")
    if name == "your-midi":
        (folder / "midi").mkdir()
    if name == "train-on-your-pictures":
        from PIL import Image

        rng = np.random.default_rng(0)
        for k, mood in enumerate(MOODS):
            (folder / "pictures" / mood).mkdir(parents=True)
            for number in range(12):
                picture = rng.normal(30 * k, 20, (64, 64, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(picture).save(folder / "pictures" / mood / f"{number}.jpg")


def typed(line: str, folder: Path) -> None:
    """Type one line of a tutorial. A server is ended once it says where it is."""
    words = shlex.split(line)
    command = {"videoscore": [sys.executable, "-m", "videoscore"], "python": [sys.executable]}[words[0]]
    environment = command_environment(HOME=str(folder / "home"), VIDEOSCORE_CACHE=str(folder / "cache"))
    if words[1] == "studio":
        return served([*command, *words[1:], "--no-browser"], folder, environment)
    done = subprocess.run(
        [*command, *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    expected = (1,) if "clips" in words and "--dry-run" not in words else (0,)  # one of the clips is broken
    assert done.returncode in expected, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    if words[1] == "doctor":
        assert "LACK" not in done.stdout


def served(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    guard = threading.Timer(300, process.kill)
    guard.start()
    try:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
    finally:
        guard.cancel()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def changed(path: Path, difference: str) -> None:
    text = path.read_text(encoding="utf-8")
    old, new = ("".join(x[1:] + "\n" for x in difference.splitlines() if x[0] in f" {s}") for s in "-+")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def walked(name: str, folder: Path) -> None:
    for missing in (m for m in NEEDS.get(name, ()) if find_spec(m) is None):
        pytest.skip(f"the package {missing} isn't installed")
    lay_out(folder, name)
    (folder / "home").mkdir()
    blocks = BLOCK.findall((ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8"))
    assert blocks
    for kind, file, body in blocks:
        if kind == "change":
            changed(folder / file, body)
        else:
            for line in body.replace("\\\n", " ").splitlines():
                typed(line, folder)


def test_every_tutorial_is_walked():
    here = Path(__file__).read_text(encoding="utf-8")
    assert [t.stem for t in TUTORIALS if f'walked("{t.stem}"' not in here] == []


def test_first_score(tmp_path):
    walked("first-score", tmp_path)
    for made in ("scored.mp4", "other.mp4", "piano.mp4"):
        assert packet_hash(tmp_path / made) == packet_hash(tmp_path / "day.mp4")
    assert [c.mood for c in load(tmp_path / "scored.cues.json").cues] == [
        "Peaceful",
        "Happy",
        "Angry",
        "Tired",
    ]


def test_edit_a_cue(tmp_path):
    walked("edit-a-cue", tmp_path)
    sheet = load(tmp_path / "second.cues.json")
    assert [c.mood for c in sheet.cues] == ["Peaceful", "Happy", "Anxiety", "Tired"]
    assert [c.locked for c in load(tmp_path / "third.cues.json").cues] == [True, True, False, False]
    assert load(tmp_path / "fourth.cues.json").cues[3].mood == "Peaceful"


def test_a_folder(tmp_path):
    walked("a-folder", tmp_path)
    assert {p.name for p in (tmp_path / "scored").glob("*.mp4")} == {"day1.scored.mp4", "day2.scored.mp4"}
    report = json.loads((tmp_path / "scored" / "report.json").read_text())
    assert report["skipped"] == 2 and report["failed"] == 1  # of the second run


def test_your_midi(tmp_path):
    walked("your-midi", tmp_path)
    assert packet_hash(tmp_path / "mine.mp4") == packet_hash(tmp_path / "day.mp4")
    assert (tmp_path / "mine.sqlite").is_file()


def test_train_on_your_pictures(tmp_path):
    walked("train-on-your-pictures", tmp_path)
    assert (tmp_path / "mine.safetensors").stat().st_size > 1000
    assert len((tmp_path / "mood.csv").read_text().splitlines()) > 80


def test_slideshow(tmp_path):
    walked("slideshow", tmp_path)
    assert (tmp_path / "film.mp4").exists() and (tmp_path / "moods.cues.json").exists()


def test_studio(tmp_path):
    walked("studio", tmp_path)


def test_the_notebook_runs(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat isn't installed (make setup-dev)")
    client = pytest.importorskip("nbclient", reason="nbclient isn't installed (make setup-dev)")
    pytest.importorskip("ipykernel", reason="ipykernel isn't installed (make setup-dev)")
    shutil.copy(ROOT / "examples" / "day.mp4", tmp_path)
    book = nbformat.read(ROOT / "examples" / "first_steps.ipynb", as_version=4)
    nbformat.validate(book)
    assert all(not cell.get("outputs") for cell in book.cells)  # none is committed
    os.environ["PYTHONPATH"] = command_environment()["PYTHONPATH"]
    client.NotebookClient(
        book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    said = [o for cell in book.cells for o in cell.get("outputs", [])]
    assert any("image/png" in o.get("data", {}) for o in said) and any(
        "text/html" in o.get("data", {}) for o in said
    )
