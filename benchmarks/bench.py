"""Wall time over duration and peak memory, stage by stage.

    python benchmarks/bench.py [FILES...] [--data ../shared/data] [-- OPTIONS]

Without FILES a made film of two minutes is scored; with --data the ten-minute film in it, and the same film
looped to one hour. OPTIONS go to `videoscore`. Memory is that of the command and all its children together
(proportional set size on Linux, where shared pages count once), sampled every 50 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import psutil

from videoscore.pipeline.score import STAGES

EVERY = 0.05  # seconds between two looks at the memory
LONG_FILM = "bbb_full_9m56_4fps_160x120_silent.mp4"
HOUR = 3600


@dataclass
class Run:
    """One scored film. peaks : stage -> bytes. wall : seconds of the whole command, start-up included."""

    film: str
    duration: float = 0.0
    wall: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    error: str = ""

    @property
    def peak(self) -> int:
        return max(self.peaks.values(), default=0)


def memory(process: psutil.Process) -> int:
    """Bytes of a process and its children."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for one in family:
        try:
            total += getattr(one.memory_full_info(), "pss", None) or one.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return total


def measure(film: Path, options: list[str]) -> Run:
    """Score `film` into a temporary folder and watch."""
    run, stage = Run(film.name), ["start"]
    with tempfile.TemporaryDirectory(prefix="videoscore-bench-") as folder:
        command = [
            sys.executable,
            "-m",
            "videoscore",
            str(film),
            "-o",
            f"{folder}/out.mp4",
            "--json",
            *options,
        ]
        begin = time.monotonic()
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )

        def listen() -> None:
            assert child.stdout is not None
            for line in child.stdout:
                event = json.loads(line)
                stage[0] = event.get("stage", stage[0])
                if event["event"] == "result":
                    run.seconds, run.duration = event["seconds"], event["duration"]
                elif event["event"] == "error":
                    run.error = event["message"]

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        process = psutil.Process(child.pid)
        while child.poll() is None:
            run.peaks[stage[0]] = max(run.peaks.get(stage[0], 0), memory(process))
            time.sleep(EVERY)
        run.wall = time.monotonic() - begin
        listener.join()
    return run


def made_film(folder: Path, seconds: int = 120) -> Path:
    """720p with a new colour every 7 s and a tone."""
    path = folder / f"made_{seconds}s_720p.mp4"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=1280x720:r=25:d={seconds}",
        "-f",
        "lavfi",
        "-i",
        f"sine=f=220:d={seconds}",
        "-vf",
        "hue=h='floor(t/7)*67':b='2*sin(floor(t/7)*1.7)'",
        "-pix_fmt",
        "yuv420p",
        "-preset",
        "ultrafast",
        "-g",
        "175",
        str(path),
    )
    return path


def looped(film: Path, folder: Path) -> Path:
    """The film's packets again and again for an hour."""
    path = folder / f"{film.stem}_1h{film.suffix}"
    ffmpeg("-stream_loop", "-1", "-i", str(film), "-t", str(HOUR), "-c", "copy", str(path))
    return path


def ffmpeg(*arguments: str) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments], check=True)


def report(run: Run) -> str:
    """Two lines of summary and a Markdown table."""
    if run.error:
        return f"{run.film}: {run.error}"
    lines = [
        f"{run.film}: {run.duration:.1f} s of film in {run.wall:.1f} s = {run.wall / run.duration:.3f} of its "
        f"duration, peak memory {run.peak / 2**20:.0f} MiB",
        "",
        "| stage | s | share of duration | peak MiB |",
        "|---|---|---|---|",
    ]
    for stage in ("start", *STAGES):
        if stage not in run.seconds and stage not in run.peaks:
            continue
        seconds = run.seconds.get(stage)
        peak = f"{run.peaks[stage] / 2**20:.0f}" if stage in run.peaks else ""
        lines.append(
            f"| {stage} | {'' if seconds is None else f'{seconds:.2f}'} "
            f"| {'' if seconds is None else f'{seconds / run.duration:.4f}'} | {peak} |"
        )
    return "\n".join(lines)


def main() -> int:
    arguments = sys.argv[1:]
    options = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--data", type=Path, help="folder with video/clips")
    own_options = parser.parse_args(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    runs = []
    with tempfile.TemporaryDirectory(prefix="videoscore-films-") as name:
        films = list(own_options.files)
        if own_options.data:
            long = own_options.data / "video" / "clips" / LONG_FILM
            films += [long, looped(long, Path(name))]
        if not films:
            films = [made_film(Path(name))]
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", flush=True)
        for film in films:
            runs.append(measure(film, options))
            print(f"\n{report(runs[-1])}", flush=True)
    if len(runs) > 1:
        print(f"\npeak memory of the last against the first: {runs[-1].peak / max(runs[0].peak, 1) - 1:+.1%}")
    return 1 if any(run.error for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
