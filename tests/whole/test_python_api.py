"""The examples of docs/python-api.md, run one after the other, as one reads them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from media import make_clip

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python-api.md").read_text("utf-8"), re.DOTALL)


def _photographs(folder: Path) -> None:
    from PIL import Image

    for n in range(3):
        Image.new("RGB", (320, 180), (80 * n, 120, 200)).save(folder / f"{n}.jpg")


@pytest.mark.slow
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "film.mp4", seconds=66, fps=5, cuts=[200], audio="tone")
    (tmp_path / "curve.csv").write_text("t,valence,arousal\n0,0.5,-0.2\n10,0.4,0.5\n20,-0.3,0.6\n")
    names: dict[str, Any] = {"user_pressed_stop": lambda: False}
    assert len(BLOCKS) >= 7
    for k, block in enumerate(BLOCKS):
        if "slideshow(" in block and find_spec("moviepy") is None:
            continue  # tests/slides has it, where the extra is installed
        folder = tmp_path
        if "slideshow(" in block:  # its film.mp4 is another one than the examples before it score
            folder = tmp_path / "album"
            (folder / "photos").mkdir(parents=True)
            _photographs(folder / "photos")
        for made in ("scored.mp4", "scored.cues.json", "film.cues.json"):  # each example writes its own anew
            (tmp_path / made).unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            exec(compile(block, f"docs/python-api.md, example {k + 1}", "exec"), names)
    assert names["result"].sheet.duration == 66
    assert names["bed"].output == Path("like.flac") and names["bed"].samples == 66 * 48000
    assert (tmp_path / "a.mid").stat().st_size > 100 and names["written"] is not None
