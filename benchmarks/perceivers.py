"""Pictures a second of each perceiver that reads stills, on one core, in one run.

    python benchmarks/perceivers.py [--pictures 48] [--height 270]

Made pictures of 16:9 in the size that the sampler gives are read eight at a time, as `perceive` does. Seconds are
the process's own CPU time, so that other work on the machine shows little. The scene model is measured in float32,
too, which is what runs where the CPU knows no bfloat16.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch

from videoscore.mood.perceive import BATCH
from videoscore.mood.perceivers.backbone import half_precision
from videoscore.mood.perceivers.deep import DeepPerceiver
from videoscore.mood.perceivers.scene import ScenePerceiver
from videoscore.video.frames import Frame


def made_frames(count: int, height: int) -> list[Frame]:
    """Smooth random pictures with some grain."""
    rng = np.random.default_rng(0)
    width = height * 16 // 9
    frames = []
    for i in range(count):
        coarse = rng.integers(0, 256, (6, 10, 3)).astype(np.uint8)
        rgb = np.kron(coarse, np.ones((-(-height // 6), -(-width // 10), 1), np.uint8))[:height, :width]
        grain = rng.integers(-12, 13, rgb.shape)
        frames.append(Frame(Fraction(i, 2), (rgb + grain).clip(0, 255).astype(np.uint8), 0.0))
    return frames


def seconds_each(model: ScenePerceiver | DeepPerceiver, frames: list[Frame]) -> float:
    """CPU seconds a picture, warmed up."""
    model.perceive(frames[:BATCH])
    begin = time.process_time()
    for at in range(0, len(frames), BATCH):
        model.perceive(frames[at : at + BATCH])
    return (time.process_time() - begin) / len(frames)


def scene(half: bool) -> ScenePerceiver:
    perceiver = ScenePerceiver(threads=1)
    perceiver.backbones.half = half
    return perceiver


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--height", type=int, default=270, help="of the pictures, pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    frames = made_frames(options.pictures, options.height)
    makers: list[tuple[str, Callable[[], ScenePerceiver | DeepPerceiver]]] = [
        ("scene, float32", lambda: scene(False))
    ]
    if half_precision():
        makers.append(("scene, bfloat16 (used here)", lambda: scene(True)))
    makers.append(("deep, float32", DeepPerceiver))
    rates = [(name, seconds_each(make(), frames)) for name, make in makers]
    print(
        f"one thread, {len(frames)} pictures of {frames[0].rgb.shape[1]}x{options.height}, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    print("| perceiver | pictures a CPU second | of the first |\n|---|---|---|")
    for name, each in rates:
        print(f"| {name} | {1 / each:.1f} | {rates[0][1] / each:.2f} |")


if __name__ == "__main__":
    main()
