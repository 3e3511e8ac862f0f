"""Peak memory: each process's own, not what it had of its parent at its birth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import command_environment

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")

MEGABYTE = 1 << 20
CHILD = "import sys, time; held = b'x' * (int(sys.argv[1]) << 20); time.sleep(1)"
PARENT = """
import subprocess, sys
from videoscore.workers.memory import PeakMemory, own_peak
held = b"x" * (300 << 20)
with PeakMemory() as memory:
    subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
print(own_peak(), memory.children, memory.total)
"""


def peaks(of_child: int) -> tuple[int, int, int]:
    """A process with 300 MB starts one that takes so many MB: its own peak, its children's, and both."""
    done = subprocess.run(
        [sys.executable, "-c", PARENT, CHILD, str(of_child)],
        env=command_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    own, children, total = map(int, done.stdout.split())
    return own, children, total


def test_a_small_child_of_a_large_parent_is_small():
    own, children, total = peaks(1)
    assert 300 * MEGABYTE < own < 400 * MEGABYTE
    assert 2 * MEGABYTE < children < 60 * MEGABYTE
    assert total == own + children


def test_a_large_child_counts():
    _, children, _ = peaks(200)
    assert 200 * MEGABYTE < children < 260 * MEGABYTE
