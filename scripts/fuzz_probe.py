"""Mutated headers against the probe: every file has to end as a film or as one of our errors, soon, with nothing left.

    python scripts/fuzz_probe.py FOLDER... [-n 10000] [--deep 10] [--seed 0] [--out DIR]

FOLDER holds the films that are mutated (those up to 1 MB). Each mutant is probed in a process that is given up after
20 s; every `--deep`-th that is still a film is also sampled and its sound read, for 5 s of it. Mutants that crash,
hang, take over 2 GB or raise anything that isn't ours are kept in --out. Exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import random
import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction
from itertools import islice
from pathlib import Path

import videoscore.video.probe  # noqa: F401  found missing here rather than in each process

PATIENCE, MEMORY, LARGEST = 20.0, 2 << 30, 1 << 20
HEADER = 4096
NAMES = (b"moov", b"stsd", b"mvhd", b"tkhd", b"stts", b"stsc", b"elst", b"ctts", b"avcC", b"idx1")
INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    90_000,
    1 << 30,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to eight changes where headers and indexes are: near the start, the end, and box or element names."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if not body:
            return bytes(rng.randbytes(rng.randrange(200)))
        at, kind = _place(body, rng), rng.randrange(8)
        if kind == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            body[at] = rng.randrange(256)
        elif kind == 2:
            value = rng.choice(INTERESTING) & 0xFFFFFFFF
            body[at : at + 4] = struct.pack(rng.choice("<>") + "I", value)
        elif kind == 3:
            body[at : at + 2] = struct.pack(rng.choice("<>") + "H", rng.choice(INTERESTING) & 0xFFFF)
        elif kind == 4:
            del body[at : at + rng.choice((1, 2, 4, 16, 200))]
        elif kind == 5:
            filling = rng.choice((b"\0", b"\xff")) * rng.choice((1, 4, 50))
            body[at:at] = filling if rng.random() < 0.5 else body[at : at + 64]
        elif kind == 6:
            other = _place(body, rng)
            body[at : at + 8] = body[other : other + 8]
        else:
            del body[max(1, at) :]
    return bytes(body)


def _place(body: bytearray, rng: random.Random) -> int:
    choice = rng.random()
    if choice < 0.6:
        return rng.randrange(min(len(body), HEADER))
    if choice < 0.85:
        return max(0, len(body) - 1 - rng.randrange(min(len(body), HEADER)))
    for name in rng.sample(NAMES, len(NAMES)):
        if (at := body.find(name)) >= 0:
            return min(len(body) - 1, at + rng.randrange(64))
    return rng.randrange(len(body))


def look(name: str, deep: bool) -> str:
    """What becomes of a file, in a word."""
    from videoscore.errors import InputError
    from videoscore.video.probe import probe
    from videoscore.video.sample import sample
    from videoscore.video.sound import read_sound

    try:
        media = probe(Path(name))
        str(media.duration)
        if not deep:
            return "film"
        for frame in islice(sample(media, Fraction(1, 2), 384, lambda *_: None), 10):
            assert max(frame.rgb.shape[:2]) <= 384
        for block in islice(read_sound(media, 48000), 5):
            assert block.shape[1] == 2
        return "film, sampled"
    except InputError as error:
        text = str(error)
        assert "\n" not in text and error.remedy, f"a poor message: {text!r}"
        return type(error).__name__
    except Exception as error:  # what the fuzzing is for
        return f"FAULT {type(error).__name__}: {str(error)[:200]}"


def serve(pipe: mp.connection.Connection, temporary: str) -> None:
    os.environ["TMPDIR"] = temporary
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)  # FFmpeg's own chatter
    while True:
        name, deep = pipe.recv()
        pipe.send((look(name, deep), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


class Watcher:
    """The process that looks at the mutants; a new one after every end."""

    def __init__(self, temporary: str) -> None:
        self.temporary = temporary
        self.start()

    def start(self) -> None:
        context = mp.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.temporary), daemon=True)
        self.process.start()
        theirs.close()

    def look(self, path: Path, deep: bool) -> str:
        self.pipe.send((str(path), deep))
        try:
            if not self.pipe.poll(PATIENCE):
                word, memory = "FAULT hang", 0
            else:
                word, memory = self.pipe.recv()
        except EOFError:
            self.process.join()
            word, memory = f"FAULT crash {self.process.exitcode}", 0
        if memory > MEMORY:
            word = f"FAULT memory {memory >> 20} MB after {word}"
        if word.startswith("FAULT"):
            self.process.kill()
            self.process.join()
            self.start()
        return word


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--deep", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    seeds = [
        (p.name, p.suffix, p.read_bytes())
        for folder in args.folders
        for p in sorted(folder.iterdir())
        if p.is_file() and p.suffix != ".csv" and p.stat().st_size <= LARGEST
    ]
    counts: Counter[str] = Counter()
    slowest = (0.0, "")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        (temporary := Path(folder, "tmp")).mkdir()
        watcher = Watcher(str(temporary))
        for number in range(args.n):
            name, suffix, data = seeds[number % len(seeds)]
            mutant = Path(folder, f"mutant{suffix}")
            mutant.write_bytes(mutate(data, random.Random(f"{args.seed}/{number}")))
            clock = time.monotonic()
            word = watcher.look(mutant, number % args.deep == 0)
            slowest = max(slowest, (time.monotonic() - clock, f"{number} of {name}: {word}"))
            counts[word] += 1
            if word.startswith("FAULT"):
                print(f"{number} of {name}: {word}", flush=True)
                if args.out:
                    args.out.mkdir(parents=True, exist_ok=True)
                    (args.out / f"{number}{suffix}").write_bytes(mutant.read_bytes())
        strays = [str(p) for p in Path(folder).rglob("*") if p.is_file() and not p.name.startswith("mutant")]
        watcher.process.kill()
    print(
        json.dumps(
            {
                "mutants": args.n,
                "seeds": len(seeds),
                "seconds": round(time.monotonic() - begin),
                "slowest": [round(slowest[0], 2), slowest[1]],
                "strays": strays,
                "counts": dict(counts.most_common()),
            },
            indent=1,
            ensure_ascii=False,
        )
    )
    return bool(strays) or any(word.startswith("FAULT") for word in counts)


if __name__ == "__main__":
    sys.exit(main())
