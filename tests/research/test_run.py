"""The one training loop: killed and resumed it ends where the unbroken run does; with other settings it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from videoscore.errors import UsageError  # noqa: E402
from videoscore.research.run import Budget, Run  # noqa: E402

UPDATES = 60
SCRIPT = """
import sys, time
from pathlib import Path
from test_run import Line
line = Line(Path(sys.argv[1]), seed=0, pause=0.05)
line.run.go()
"""


class Line:
    """A course that fits a line to noisy points."""

    def __init__(self, folder: Path, seed: int = 0, updates: int = UPDATES, pause: float = 0.0) -> None:
        torch.manual_seed(seed)
        self.net = torch.nn.Linear(1, 1)
        self.optimiser = torch.optim.Adam(self.net.parameters(), 0.05)
        self.settings = {"seed": seed, "kind": "line"}
        self.seed, self.pause = seed, pause
        self.run = Run(self, folder, Budget(updates, checkpoint=0.2, entry=10))

    def update(self, step, spent):
        random = torch.Generator().manual_seed(1000 * self.seed + step)
        x = torch.rand(16, 1, generator=random)
        loss = (self.net(x) - 3 * x - 1).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        time.sleep(self.pause)
        return {"loss": float(loss.detach())}

    def entry(self, run, losses):
        return {"step": run.step, **losses}

    def measure(self, run):
        return {}

    def state(self):
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load(self, state):
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])


def test_killed_and_resumed_it_ends_as_unbroken(tmp_path):
    straight = Line(tmp_path / "straight")
    straight.run.go()
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, str(Path(__file__).parent)])}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "broken")], env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "broken" / "state.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = Line(tmp_path / "broken")
    assert 0 < resumed.run.step < UPDATES, "it went on from a saved state"
    resumed.run.go()
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    last = [
        json.loads((tmp_path / d / "log.jsonl").read_text().splitlines()[-1]) for d in ("straight", "broken")
    ]
    assert last[0] == last[1] and last[0]["loss"] < 0.5


def test_other_settings_are_refused_and_named(tmp_path):
    Line(tmp_path).run.go(most=3)
    with pytest.raises(UsageError, match=r"seed 0 \(not 7\)") as refusal:
        Line(tmp_path, seed=7)
    assert refusal.value.path == tmp_path and "--run" in refusal.value.remedy


def test_a_budget_may_be_extended(tmp_path):
    Line(tmp_path, updates=5).run.go()
    longer = Line(tmp_path, updates=9)
    assert longer.run.step == 5
    longer.run.go()
    assert longer.run.step == 9 and longer.run.spent == 1


def test_a_state_of_another_age_is_refused(tmp_path):
    torch.save({"net": {}, "step": 3}, tmp_path / "state.pt")
    with pytest.raises(UsageError, match="older"):
        Line(tmp_path)
