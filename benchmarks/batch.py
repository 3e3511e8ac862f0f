"""A batch of real short films: its speed against a shell loop, its memory, and what kills do to it.

    python benchmarks/batch.py make FILMS --clips ../shared/data/video/clips [-n 500] [--broken .05]
    python benchmarks/batch.py speed FILMS OUT [--loop-every 5] [--executor ray] [-- OPTIONS]
    python benchmarks/batch.py kills FILMS OUT --golden OTHER [--kills 20] [-- OPTIONS]
    python benchmarks/batch.py compare OUT OTHER

`speed` times single runs of every fifth film, half before and half after the batch, so that both meet the same load.
`kills` ends the batch with SIGKILL at random moments and starts it again, then compares with an undisturbed run's
folder: the state of every film in the ledger, and the SHA-256 of every file. OPTIONS go to `videoscore score`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import psutil
from bench import memory

COMMAND = [sys.executable, "-m", "videoscore", "score"]
LEDGER = ".videoscore-batch.sqlite"
OWN = (LEDGER, ".videoscore-batch.lock", "report.json")  # of a run, not of its films
EVERY = 2.0  # seconds between two looks at the memory


def make(folder: Path, clips: Path, count: int, broken: float, seed: int) -> None:
    """`count` films of 2 to 4 s cut from the clips, some of them broken in five ways."""
    rng = random.Random(seed)
    sources = sorted(clips.glob("*.mp4"))
    folder.mkdir(parents=True)
    bad = set(rng.sample(range(count), round(count * broken)))
    jobs = []
    for number in range(count):
        source = sources[number % len(sources)]
        film = folder / f"{number:04d}_{source.stem[:12]}.mp4"
        jobs.append(
            (source, film, rng.random(), rng.uniform(2, 4), rng.randrange(5) if number in bad else None)
        )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: cut(*job), jobs))
    print(
        f"{count} films, {len(bad)} of them broken, {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.0f} MB"
    )


def cut(source: Path, film: Path, where: float, seconds: float, harm: int | None) -> None:
    _, length = imageio_ffmpeg.count_frames_and_secs(str(source))
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-ss",
            f"{where * max(0.0, length - seconds):.3f}",
            "-i",
            source,
            "-t",
            f"{seconds:.3f}",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-c:a",
            "aac",
            film,
        ],
        check=True,
    )
    if harm is None:
        return
    data = film.read_bytes()
    film.write_bytes(
        [
            b"",
            data[: len(data) // 2],
            b"This is no film.\n" * 40,
            data[:200] + bytes(len(data) // 4),
            random.Random(film.name).randbytes(20_000),
        ][harm]
    )


class Watch:
    """Memory of a process and all of its children over time, as (seconds, bytes)."""

    def __init__(self, process: int) -> None:
        self.seen: list[tuple[float, int]] = []
        self._end, self._process = threading.Event(), psutil.Process(process)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        begin = time.monotonic()
        while not self._end.wait(EVERY):
            if total := memory(self._process):
                self.seen.append((time.monotonic() - begin, total))

    def tenths(self) -> list[float]:
        """The median in each tenth of the run, in GB."""
        self._end.set()
        self._thread.join()
        size = max(1, len(self.seen) // 10)
        parts = [self.seen[k : k + size] for k in range(0, size * 10, size)]
        return [round(statistics.median(b for _, b in part) / 1e9, 2) for part in parts if part]


def batch(films: Path, out: Path, options: list[str]) -> list[str]:
    return [*COMMAND, str(films), "-o", str(out), "--keep", "midi", "--json", *options]


def speed(films: Path, out: Path, every: int, options: list[str], executor: list[str]) -> None:
    names = sorted(films.iterdir())
    sample = names[::every] if every else []
    half = len(sample) // 2
    single: list[float] = []
    loop(sample[:half], out.with_name(out.name + ".loop"), options, single)
    print(f"loop: {len(single)} films, {sum(single):.0f} s", flush=True)
    begin = time.monotonic()
    child = subprocess.Popen(
        batch(films, out, [*executor, *options]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    watch = Watch(child.pid)
    code = child.wait()
    wall = time.monotonic() - begin
    tenths = watch.tenths()
    loop(sample[half:], out.with_name(out.name + ".loop"), options, single)
    report = json.loads((out / "report.json").read_text())
    facts = {
        "films": len(names),
        "code": code,
        "seconds": round(wall, 1),
        "a_film": round(wall / len(names), 2),
        "films_an_hour": round(3600 * len(names) / wall),
        "counts": {k: report[k] for k in ("scored", "skipped", "failed", "queued")},
        "memory_GB_by_tenths": tenths,
        "load": os.getloadavg(),
    }
    if single:
        mean = statistics.mean(single)
        facts |= {
            "loop_films": len(single),
            "loop_a_film": round(mean, 2),
            "loop_films_an_hour": round(3600 / mean),
            "ratio": round(mean / (wall / len(names)), 2),
            "same_as_loop": same(out, out.with_name(out.name + ".loop"), ("*.mid", "*.mp4")),
        }
    print(json.dumps(facts, indent=1))


def loop(films: list[Path], out: Path, options: list[str], seconds: list[float]) -> None:
    """One command a film, as a shell loop would."""
    out.mkdir(exist_ok=True)
    for film in films:
        begin = time.monotonic()
        subprocess.run(
            [*COMMAND, str(film), "-o", str(out / f"{film.stem}.scored.mp4"), "--keep", "midi", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds.append(time.monotonic() - begin)


def kills(films: Path, out: Path, golden: Path, count: int, seed: int, options: list[str]) -> bool:
    """Kill the leader, and now and then a worker, at random moments; then let it end."""
    rng, begin = random.Random(seed), time.monotonic()
    done = 0
    while done < count:
        child = subprocess.Popen(
            batch(films, out, options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait = rng.uniform(1, 45)
        try:
            child.wait(wait)
            print(f"ended by itself after {done} kills, code {child.returncode}", flush=True)
            break
        except subprocess.TimeoutExpired:
            victims = psutil.Process(child.pid).children() if rng.random() < 0.25 else []
            victim = rng.choice(victims).pid if victims else child.pid
            os.kill(victim, signal.SIGKILL)
            done += 1
            if victim != child.pid:  # a worker: the batch goes on, and is killed in its turn
                time.sleep(rng.uniform(1, 20))
                child.kill()
            child.wait()
            print(
                f"kill {done}: {'a worker, then the leader' if victims else 'the leader'}; "
                f"{statuses(out)} after {time.monotonic() - begin:.0f} s",
                flush=True,
            )
    time.sleep(3)
    left = [
        p.pid
        for p in psutil.process_iter(["cmdline"])
        if str(out) in " ".join(p.info["cmdline"] or ()) and p.pid != os.getpid()
    ]
    code = subprocess.run(
        batch(films, out, options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode
    print(f"last run: code {code}, {statuses(out)}; processes left by the kills: {len(left)}")
    return compare(out, golden)


def statuses(out: Path) -> dict[str, int]:
    try:
        with sqlite3.connect(f"file:{out / LEDGER}?mode=ro", uri=True) as base:
            return dict(base.execute("SELECT status, count(*) FROM files GROUP BY status"))
    except sqlite3.Error:
        return {}


def compare(out: Path, golden: Path) -> bool:
    """Whether both folders hold the same files, and their ledgers the same ends. Prints what differs."""
    ends = [ledger(out), ledger(golden)]
    files = [hashes(out), hashes(golden)]
    equal = True
    for what, (one, two) in (("ledger", ends), ("file", files)):
        differing = sorted(str(name) for name in one.keys() | two.keys() if one.get(name) != two.get(name))
        print(f"{what}: {len(one)} against {len(two)}, {len(differing)} differ", *differing[:5])
        equal &= not differing
    print("equal" if equal else "NOT EQUAL")
    return equal


def ledger(out: Path) -> dict[str, tuple[str, str, str]]:
    """Film -> state, error and content hash."""
    with sqlite3.connect(f"file:{out / LEDGER}?mode=ro", uri=True) as base:
        return {
            Path(os.fsdecode(name)).name: tuple(rest)
            for name, *rest in base.execute("SELECT input, status, error, content FROM files")  # type: ignore[misc]
        }


def hashes(out: Path) -> dict[str, str]:
    """Every file below `out`, its own excepted, with its SHA-256. Finds strays, too."""
    return {
        str(f.relative_to(out)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in out.rglob("*")
        if f.is_file() and f.name not in OWN
    }


def same(one: Path, two: Path, kinds: tuple[str, ...]) -> str:
    """How many of `two`'s files are byte for byte in `one`."""
    names = [f for kind in kinds for f in two.glob(kind)]
    equal = sum((one / f.name).is_file() and (one / f.name).read_bytes() == f.read_bytes() for f in names)
    return f"{equal} of {len(names)} files"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("make")
    one.add_argument("films", type=Path)
    one.add_argument("--clips", type=Path, required=True)
    one.add_argument("-n", type=int, default=500)
    one.add_argument("--broken", type=float, default=0.05)
    one.add_argument("--seed", type=int, default=0)
    two = commands.add_parser("speed")
    two.add_argument("films", type=Path)
    two.add_argument("out", type=Path)
    two.add_argument("--loop-every", type=int, default=5, help="0: no loop")
    two.add_argument("--executor", default="local")
    three = commands.add_parser("kills")
    three.add_argument("films", type=Path)
    three.add_argument("out", type=Path)
    three.add_argument("--golden", type=Path, required=True)
    three.add_argument("--kills", type=int, default=20)
    three.add_argument("--seed", type=int, default=0)
    four = commands.add_parser("compare")
    four.add_argument("out", type=Path)
    four.add_argument("golden", type=Path)
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    request, options = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1 :]
    if request.command == "make":
        make(request.films, request.clips, request.n, request.broken, request.seed)
    elif request.command == "speed":
        speed(request.films, request.out, request.loop_every, options, ["--executor", request.executor])
    elif request.command == "kills":
        return not kills(request.films, request.out, request.golden, request.kills, request.seed, options)
    else:
        return not compare(request.out, request.golden)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
