"""Work for the server's workers where scoring isn't the point: what the input says is what happens."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from videoscore.errors import BrokenVideo
from videoscore.service.work import STAGING_NAME, Order
from videoscore.workers.executor import Outcome


def obey(order: Order, progress) -> Outcome:
    """`broken` fails, `slow` takes a minute, `die` kills its worker once, `doom` always; else the text is "scored"."""
    source, folder = Path(order.request["input"]), Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "half-made").write_text("x")
    words = source.read_text()
    progress("probe", 0.0, 1.0)
    if words == "broken":
        raise BrokenVideo("it is broken", path=source, remedy="Repair it.")
    if words == "slow":
        for k in range(600):
            progress("compose", float(k), 600.0)
            time.sleep(0.1)
    if words == "doom" or (words == "die" and not source.with_suffix(".died").exists()):
        source.with_suffix(".died").write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    made = folder / f"{STAGING_NAME}{Path(order.request['output']).suffix}"
    made.write_text(words)
    cues = folder / f"{STAGING_NAME}.cues.json"
    cues.write_text(json.dumps(order.request["settings"]))
    return Outcome(files={"output": str(made), "cues": str(cues)}, about={"notes": 1})
