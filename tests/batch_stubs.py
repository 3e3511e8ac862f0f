"""Work for executors where scoring isn't the point: what a "film" says is what happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from videoscore.batch.film_task import Film, identity
from videoscore.errors import BrokenVideo, Cancelled, DiskFull, OutputError
from videoscore.workers.executor import Outcome


def obey(film: Film, progress) -> Outcome:
    """The input's text is an order; else it is "scored": the text and the seed, with a cue sheet."""
    path, folder = Path(film.input), Path(film.folder)
    folder.mkdir(parents=True)
    facts = {}
    try:
        facts = identity(path)
        order = path.read_text().strip()
        progress("probe", 0.0, 1.0)
        (folder / "half-made").write_text("x")
        _act(order, path, progress)
        suffix = ".mkv" if film.free_suffix and path.suffix == ".gif" else film.suffix
        made = folder / f"film{suffix}"
        made.write_text(f"{order} {film.options.seed}")
        cues = folder / "film.cues.json"
        cues.write_text(json.dumps({"seed": film.options.seed}))
        progress("mux", 1.0, 1.0)
        return Outcome(
            files={"output": str(made), "cues": str(cues)},
            versions={"stub": "1"},
            about={"notes": 1},
            **facts,
        )
    except Cancelled:
        raise
    except Exception as error:
        return Outcome.failure(error, **facts)


def stillborn(film: Film, progress) -> Outcome:
    """No worker gets as far as a word."""
    os._exit(7)


def _act(order: str, path: Path, progress) -> None:
    if order == "broken":
        raise BrokenVideo("it is broken", path=path, remedy="Repair it.")
    if order == "bug":
        raise RuntimeError("two\nlines")
    if order == "full":
        raise DiskFull("no space left to write it", path=path)
    if order == "output":
        raise OutputError("can't be written", path=path)
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "die once":
        mark = path.with_name(path.name + ".died")
        if not mark.exists():
            mark.touch()
            os._exit(3)
    if order == "hang":
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)  # as ffmpeg is
        path.with_name(path.name + ".child").write_text(str(child.pid))
        time.sleep(1000)
    if order.startswith("slow"):
        for k in range(10):
            progress("perceive", k, 10)
            time.sleep(0.1)
