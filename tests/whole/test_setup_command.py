"""`videoscore setup`: shows what it would have installed, asks, runs it, and says what is still missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from conftest import ROOT, run_command

from videoscore.perform.render.soundfont import install_command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or "apt-get" not in install_command(),
    reason="tried with Debian's package manager",
)
GONE = "raise ImportError('libfluidsynth is missing')\n"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An environment in which FluidSynth is missing until `apt-get install` is run; what is run stands in `said`."""
    (tmp_path / "lack").mkdir()
    (tmp_path / "lack" / "fluidsynth.py").write_text(GONE)
    (tmp_path / "bin").mkdir()
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/said\n'
        f'[ -e {tmp_path}/broken ] && exit 100\n[ "$1" = install ] && rm -rf {tmp_path}/lack\nexit 0\n'
    )
    apt.chmod(0o755)
    sudo = tmp_path / "bin" / "sudo"
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    return {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "lack"), str(ROOT)]),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }


def test_it_shows_asks_and_installs(machine, tmp_path):
    shown = run_command("setup", "--dry-run", **machine)
    assert shown.code == 0 and "apt-get install -y libfluidsynth3" in shown.out
    unasked = run_command("setup", **machine)
    assert unasked.code == 2 and "--yes" in unasked.err
    assert not (tmp_path / "said").exists()  # nothing was run
    done = run_command("setup", "--yes", "--json", **machine)
    assert done.code == 0, done.err
    assert done.result["run"] == 2
    said = (tmp_path / "said").read_text().splitlines()
    assert said == ["update", "install -y libfluidsynth3 musescore-general-soundfont"]
    again = run_command("setup", "--yes", **machine)
    assert again.code == 0 and "nothing is missing" in again.out


def test_a_failure_is_told(machine, tmp_path):
    (tmp_path / "broken").write_text("")
    failed = run_command("setup", "--yes", **machine)
    assert failed.code == 5 and "ended with 100" in failed.err and "Traceback" not in failed.err


def test_without_a_package_manager_the_command_is_told(machine, tmp_path):
    machine["PATH"] = str(tmp_path / "empty")
    told = run_command("setup", **machine)
    assert told.code == 5 and "apt-get isn't there" in told.err
