"""What a batch says and does when the disk is full, read-only or not ours, and when films vanish: all of it real.

    sudo python scripts/check_trouble.py FOLDER [--out FILE.md]

FOLDER holds short films; the first three are used. Needs root on Linux, for small disks in memory and permissions. Each
case prints the command's last words, exit code, ledger and what is left; then the trouble is mended, the same command
run again, and every film has to end scored. Exit code 1 when one doesn't.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534
WEAK = [
    "setpriv",
    "--inh-caps=-all",
    "--bounding-set=-dac_override,-dac_read_search",
]  # who obeys permissions
OWN = {".videoscore-batch.sqlite", ".videoscore-batch.lock", "report.json"}


class Case:
    """A folder of three films, an output folder, and a command."""

    def __init__(self, films: list[Path], root: Path, size: str | None = None) -> None:
        self.root, self.films, self.out = root, root / "films", root / "out"
        self.films.mkdir()
        self.out.mkdir()
        for number, film in enumerate(films):
            shutil.copy(film, self.films / f"{number}{film.suffix}")
        if size:
            self.mount(f"size={size}")
        self.user: list[str] = []

    def mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.out], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", self.out], check=False, capture_output=True)

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [
            *self.user,
            sys.executable,
            "-m",
            "videoscore",
            "score",
            str(self.films),
            "-o",
            str(self.out),
            "--jobs",
            "1",
            "--cache-size",
            "0",
            *options,
        ]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.root)},
        )

    def states(self) -> dict[str, str]:
        ledger = self.out / ".videoscore-batch.sqlite"
        if not ledger.is_file():
            return {}
        with sqlite3.connect(f"file:{ledger}?mode=ro&immutable=1", uri=True) as base:
            return {
                Path(os.fsdecode(name)).name: f"{status}{' ' + error if error else ''}"
                for name, status, error in base.execute(
                    "SELECT input, status, error FROM files ORDER BY input"
                )
            }

    def strays(self) -> list[str]:
        made = {
            f"{n}.scored{end}" for n in range(3) for end in (".mp4", ".mp4.cues.json", ".cues.json", ".mid")
        }
        return [
            str(p.relative_to(self.out))
            for p in self.out.rglob("*")
            if p.is_file() and p.name not in OWN and p.name not in made
        ]


def told(case: Case, child: subprocess.Popen[str]) -> tuple[str, int]:
    out, err = child.communicate(timeout=600)
    assert "Traceback" not in err, err
    lines = [" ".join(line.split()) for line in (err.split("\r")[-1] + out).splitlines() if line.strip()]
    others = [line for line in lines if not line.startswith(("report ", "0.mp4", "1.mp4", "2.mp4"))]
    return " / ".join(others[-4:]) or "(nothing)", child.returncode


def full(case: Case) -> None:
    """Something else fills the disk while the first film is made."""
    child = case.start()
    while not list(case.out.glob(".videoscore-batch.parts/*")):
        time.sleep(0.1)
    block = case.out / "block"
    with block.open("wb") as file:
        free = shutil.disk_usage(case.out).free
        file.write(bytes(max(0, free - 300_000)))
    report(case, child, block.unlink)


def narrow(case: Case) -> None:
    """There was never enough room."""
    block = case.out / "block"
    block.write_bytes(bytes(shutil.disk_usage(case.out).free - 30_000_000))
    report(case, case.start(), block.unlink)


def locked(case: Case) -> None:
    """The disk is read-only."""
    case.mount_again = lambda how: subprocess.run(["mount", "-o", f"remount,{how}", case.out], check=True)  # type: ignore
    case.mount_again("ro")  # type: ignore[attr-defined]
    report(case, case.start(), lambda: case.mount_again("rw"))  # type: ignore[attr-defined]


def vanished(case: Case) -> None:
    """A film is taken away after the batch has begun."""
    child, gone = case.start(), case.films / "2.mp4"
    while not list(case.out.glob(".videoscore-batch.parts/*")):
        time.sleep(0.1)
    kept = gone.read_bytes()
    gone.unlink()
    report(case, child, lambda: gone.write_bytes(kept), "--retry")


def forbidden(case: Case) -> None:
    """One film may not be read."""
    case.user = WEAK
    film = case.films / "1.mp4"
    film.chmod(0)
    report(case, case.start(), lambda: film.chmod(0o644), "--retry")


def foreign(case: Case) -> None:
    """The folder for the output is another user's."""
    case.user = WEAK
    os.chown(case.out, NOBODY, NOBODY)
    report(case, case.start(), lambda: os.chown(case.out, 0, 0))


FAILED: list[str] = []


def report(case: Case, child: subprocess.Popen[str], mend: Callable[[], object], *again: str) -> None:
    words, code = told(case, child)
    name = sys._getframe(1).f_code.co_name
    states, strays = case.states(), [s for s in case.strays() if s != "block"]
    mend()
    last, end = told(case, case.start(*again))
    whole = list(case.states().values()) == ["scored"] * 3 and not case.strays()
    if strays or not whole or end:
        FAILED.append(name)
    words = words.replace(str(case.root), "…")
    print(
        f"| {name} | {code} | {words} | {', '.join(states.values()) or 'none'} | {len(strays)} | "
        f"{'all scored' if whole and not end else f'{end}: {last} {case.states()} {case.strays()}'} |",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("films", type=Path)
    parser.add_argument("--only")
    args = parser.parse_args()
    films = sorted(p for p in args.films.iterdir() if p.suffix == ".mp4")[:3]
    print(
        "| case | code | last words | ledger | unfinished files | mended and run again |\n|---|---|---|---|---|---|"
    )
    for run, size in (
        (full, "150m"),
        (narrow, "150m"),
        (locked, "300m"),
        (vanished, None),
        (forbidden, None),
        (foreign, None),
    ):
        if args.only and run.__name__ != args.only:
            continue
        with tempfile.TemporaryDirectory(prefix="trouble-", dir="/var/tmp") as root:
            case = Case(films, Path(root), size)
            try:
                run(case)
            finally:
                case.close()
    return bool(FAILED)


if __name__ == "__main__":
    raise SystemExit(main())
