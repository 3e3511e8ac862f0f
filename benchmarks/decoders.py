"""The sampler with PyAV and with decord: CPU and wall seconds, and whether both see the same.

    python benchmarks/decoders.py FILES...

Each is run in a process of its own. CPU seconds count all threads; other work on the machine disturbs them less.
Needs the extra `decord`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from videoscore.errors import VideoscoreError
from videoscore.video.probe import probe
from videoscore.video.sample import sample

DECODERS = ("pyav", "decord")


def measure(path: Path, decoder: str) -> dict[str, object]:
    """cpu, wall : seconds. times, cuts : of samples and cuts, seconds. means : (n, 3) mean colours."""
    try:
        media = probe(path)
        cpu, wall = time.process_time(), time.perf_counter()
        frames = list(sample(media, decoder=decoder))
    except VideoscoreError as error:
        return {"error": str(error)}
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "times": [float(f.t) for f in frames],
        "cuts": [float(c.t) for f in frames for c in f.cuts],
        "means": [f.rgb.mean((0, 1)).tolist() for f in frames],
    }


def compared(one: dict, other: dict) -> str:
    """How far two runs agree: cuts, and mean colours at the samples that both have."""
    here = dict(zip(one["times"], one["means"]))
    common = [(here[t], m) for t, m in zip(other["times"], other["means"]) if t in here]
    colour = max((float(np.abs(np.subtract(a, b)).max()) for a, b in common), default=float("nan"))
    same = len(set(one["cuts"]) & set(other["cuts"]))
    return f"{same} of {len(one['cuts'])} and {len(other['cuts'])} | {colour:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--decoder", choices=DECODERS, help=argparse.SUPPRESS)  # one run, as JSON
    options = parser.parse_args()
    if options.decoder:
        print(json.dumps(measure(options.files[0], options.decoder)))
        return
    print("| film | pyav, CPU s | wall | decord, CPU s | wall | cuts in both | colours apart, of 255 |")
    print("|---|---|---|---|---|---|---|")
    for path in options.files:
        runs = []
        for decoder in DECODERS:
            command = [sys.executable, __file__, str(path), "--decoder", decoder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout))
        cells = [f"{r['cpu']:.1f} | {r['wall']:.1f}" if "cpu" in r else "refused | " for r in runs]
        end = (
            compared(*runs)
            if all("cpu" in r for r in runs)
            else next(r["error"] for r in runs if "error" in r)
        )
        print(f"| {path.name} | {cells[0]} | {cells[1]} | {end} |", flush=True)


if __name__ == "__main__":
    main()
