"""Nothing goes over the network, and nothing is written but what was asked for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, command_environment
from media import Clip
from trace_quiet import SCENARIOS, Traced, _elsewhere, _network, traced

# packages known to tell their makers, or to look for news, unless they are told not to
TALKATIVE = ("onnxruntime", "huggingface-hub", "gradio", "wandb", "posthog", "sentry-sdk")

# run instead of the command: tells what Python itself looks up or connects to, and which libraries were loaded
WATCHED = """
import sys
told = []
sys.addaudithook(lambda name, args: told.append(f"{name} {args[-1]}") if name in (
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto") else None)
from videoscore.cli.main import main
try:
    main(sys.argv[1:])
finally:
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if ".so" in line}
    print("TOLD", told, [l for l in libraries if "onnx" in l or "telemetry" in l], file=sys.stderr)
"""


def test_no_dependency_is_known_to_talk() -> None:
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "constraints.txt").read_text(), re.M)
    assert {n.lower().replace("_", "-") for n in names}.isdisjoint(TALKATIVE)
    assert "onnx" not in (ROOT / "pyproject.toml").read_text()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_a_score_leaves_its_own_files_and_looks_nothing_up(film: Clip, tmp_path: Path) -> None:
    home, temporary, work = (tmp_path / name for name in ("home", "tmp", "work"))
    for folder in (home, temporary, work):
        folder.mkdir()
    shutil.copy(film.path, work / "film.mp4")
    environment = command_environment(HOME=str(home), TMPDIR=str(temporary))
    for name in (
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "MPLCONFIGDIR",
        "VIDEOSCORE_NO_CACHE",
        "VIDEOSCORE_CACHE",
    ):
        environment.pop(name, None)
    for command in (["film.mp4", "-o", "scored.mp4"], ["preview", "film.mp4", "-o", "film.png"]):
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, *command],
            cwd=work, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "TOLD [] []" in done.stderr
    assert sorted(p.name for p in work.iterdir()) == [
        "film.mp4",
        "film.png",
        "scored.cues.json",
        "scored.mp4",
    ]
    assert list(temporary.iterdir()) == []
    left = [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()]
    assert left and all(name.startswith(".cache/videoscore/") for name in left)


def test_the_trace_sees_what_it_is_for(tmp_path: Path) -> None:
    lines = [
        '7 connect(9, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.1.1.53")}, 16) = 0',
        '7 openat(AT_FDCWD, "/etc/resolv.conf", O_RDONLY|O_CLOEXEC) = 3',
        '7 connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        f'7 openat(AT_FDCWD, "{tmp_path}/work/own", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3',
        '7 openat(AT_FDCWD, "/var/tmp/foreign", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3',
        '7 mkdir("/var/tmp/folder", 0777) = 0',
        '7 openat(AT_FDCWD, "/var/tmp/failed", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)',
    ]
    assert sorted(_network(lines)) == ["10.1.1.53 port 53", "a look-up of a host (/etc/resolv.conf)"]
    assert sorted(_elsewhere(lines, (f"{tmp_path}/work",), tmp_path)) == [
        "/var/tmp/folder",
        "/var/tmp/foreign",
    ]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", SCENARIOS)
def test_traced(name: str, tmp_path: Path) -> None:
    """Four minutes of film, a batch of 25, preview, studio, library: every process with all its system calls."""
    folder = tmp_path / "work"
    folder.mkdir()
    done = traced(SCENARIOS[name](folder), folder, visit=name == "studio")
    assert done == Traced(0)
