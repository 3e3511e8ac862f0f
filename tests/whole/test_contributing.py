"""The worked examples of CONTRIBUTING.md work: their files made and their changes applied to a copy of the tree, their
commands run there one after the other."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Said
from media import make_clip

from videoscore.cues.file.sheet_file import load

BLOCK = re.compile(r"<!-- (file|change|run)(?:: (\S+))? -->\n```\w+\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def changed(text: str, difference: str) -> str:
    """`text` with its lines changed, which the difference names and which stand in it once."""
    lines = difference.splitlines()
    old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
    new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
    assert text.count(old) == 1, f"stands {text.count(old)} times:\n{old}"
    return text.replace(old, new)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree (weights linked) with every example in it."""
    root = tmp_path_factory.mktemp("tree")
    skip = shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(ROOT / "videoscore", root / "videoscore", ignore=skip)
    (root / "videoscore" / "weights").symlink_to(ROOT / "videoscore" / "weights")
    shutil.copytree(ROOT / "presets", root / "presets")
    (root / "soundfonts").symlink_to(ROOT / "soundfonts")
    for kind, name, body in BLOCKS:
        path = root / name
        if kind == "file":
            assert not path.exists(), f"{name} is there already"
            path.write_text(body, encoding="utf-8")
        elif kind == "change":
            path.write_text(changed(path.read_text(encoding="utf-8"), body), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    make_clip(folder / "film.mp4", seconds=8, cuts=[100], audio="tone")
    (folder / "films").mkdir()
    for name in ("one", "two"):
        make_clip(folder / "films" / f"{name}.mp4", seconds=2, audio="tone")
    return folder


def run(command: str, tree: Path, workplace: Path) -> Said:
    name, *arguments = shlex.split(command)
    assert name == "videoscore"
    done = subprocess.run(
        [sys.executable, "-m", "videoscore", *arguments, *(["--json"] if "presets" not in arguments else [])],
        cwd=workplace,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_the_examples_work(tree, workplace):
    commands = [line for kind, _, body in BLOCKS if kind == "run" for line in body.splitlines()]
    said = {command: run(command, tree, workplace) for command in commands}
    assert {c: (s.code, s.err) for c, s in said.items() if s.code} == {}
    assert len(commands) == 7

    curve = (workplace / "light.csv").read_text().splitlines()
    assert len(curve) > 8 and "light" in curve[0]  # a column of the source's share
    sheet = load(workplace / "drone.cues.json")
    by_name = {command.split(" -o ")[-1]: one for command, one in said.items()}
    bars = sum(cue.meter.bars for cue in sheet.cues)
    assert by_name["drone.mp4"].result["notes"] == 2 * bars  # an open fifth a bar, nothing else
    assert (workplace / "drone.mp4").stat().st_size > 10_000
    report = json.loads((workplace / "scored" / "report.json").read_text())
    assert {line["status"] for line in report["files"]} == {"scored"} and len(report["files"]) == 2
    titles = (workplace / "drone.srt").read_text()
    assert titles.startswith("1\n00:00:00,000 --> ") and "00:00:08,000" in titles
    assert "cello" in said["videoscore presets show duo"].out
    assert (workplace / "duo.mp4").exists()


def test_the_examples_keep_the_rules_of_the_house(tree):
    files = [name for kind, name, _ in BLOCKS if kind in ("file", "change") and name.endswith(".py")]
    paths = [str(tree / name) for name in sorted(set(files))]
    config = ["--config", str(ROOT / "pyproject.toml")]
    for tool in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *tool, *config, *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    for path in paths:
        assert ast.get_docstring(ast.parse(Path(path).read_text(encoding="utf-8")))
