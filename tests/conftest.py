"""What all tests share: the command as a process, and small films."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from media import DATA, Clip, make_clip  # noqa: E402

# a shell that starts the tests in the background has them ignore Ctrl-C, and so would the commands under test
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Said:
    """What a run of the command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines of --json."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        """The last event, which has to be the result."""
        last = self.events[-1]
        assert last["event"] == "result", last
        return last


# what is composed in tests is composed, not taken from the cache of whoever runs them
os.environ.setdefault("VIDEOSCORE_NO_CACHE", "1")


def command_environment(**more: str) -> dict[str, str]:
    """This environment, with the source tree importable from anywhere."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def run_command(
    *arguments: str | Path, cwd: Path | None = None, timeout: float = 300, **environment: str
) -> Said:
    """`videoscore ARGUMENTS` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "videoscore", *map(str, arguments)],
        cwd=cwd,
        text=True,
        env=command_environment(**environment),
        capture_output=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def videoscore() -> Callable[..., Said]:
    """The command as a function: ``videoscore("probe", path).code``."""
    return run_command


@pytest.fixture(autouse=True)
def floats_as_ieee_says() -> Iterator[None]:
    """Models may have torch flush denormal numbers to zero, for the whole process; hypothesis refuses to work so."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """4 s, one cut at 2 s, with sound. Read only."""
    return make_clip(tmp_path_factory.mktemp("film") / "film.mp4", seconds=4, cuts=[50], audio="tone")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder ../shared/data; skips the test where it is absent."""
    if not DATA.is_dir():
        pytest.skip("needs the real material in ../shared/data")
    return DATA
