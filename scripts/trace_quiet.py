"""What videoscore, and all that it brings along, does behind one's back: look-ups, network and files.

    python scripts/trace_quiet.py                 # every scenario below (some ten minutes)
    python scripts/trace_quiet.py preview add     # some of them

Each scenario runs under strace (sudo apt-get install strace) with a new HOME and a new TMPDIR. Told are:

    network    every address other than this machine's own that something connected or sent to, and every look-up of
               a host's name (whoever looks one up opens /etc/hosts or /etc/resolv.conf first)
    left       what stays in HOME, TMPDIR and the working folder and isn't videoscore's own
    elsewhere  files made anywhere else

Ends with 1 when there was any of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CALLS = (
    "connect,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,symlink"
)
OWN = (".cache/videoscore/", ".local/share/videoscore/")  # in HOME
LOOKUPS = ("/etc/hosts", "/etc/resolv.conf")
HARMLESS = ("/dev/", "/proc/", "/sys/")
LONGEST = 1800.0  # seconds after which a command that hangs is ended
OPEN = 20.0  # seconds that the studio is left open

_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')
_MADE = re.compile(r'(?:open|openat|creat)\((?:[^"]*, )?"([^"]+)", [^)]*O_CREAT')
_FOLDER = re.compile(r'mkdir(?:at)?\((?:[^"]*, )?"([^"]+)"')
_OPENED = re.compile(r'open(?:at)?\((?:[^"]*, )?"([^"]+)"')


@dataclass
class Traced:
    """code : the exit code. network, left, elsewhere : a line each (see above)."""

    code: int
    network: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        return not (self.network or self.left or self.elsewhere)


def traced(command: Sequence[str], folder: Path, *, visit: bool = False) -> Traced:
    """Run a command of videoscore in `folder` with a new HOME and TMPDIR beside it, and say what it did.

    visit : it serves a page; the page is fetched, and after `OPEN` seconds it gets Ctrl-C.
    """
    home, temporary = (
        Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder.parent)) for name in ("home", "tmp")
    )
    record = folder.parent / "strace.txt"
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-s", "400", "-e", f"trace={CALLS}", "-o", str(record)]
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [*strace, sys.executable, "-m", "videoscore", *command],
        cwd=folder,
        env={**here, "HOME": str(home), "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    limit = threading.Timer(LONGEST, os.killpg, (process.pid, signal.SIGKILL))
    limit.start()
    if visit:
        _visit(next(line.strip() for line in process.stdout if line.startswith("http")))
        os.killpg(process.pid, signal.SIGINT)
    process.stdout.read()
    code = process.wait()
    limit.cancel()
    out = Traced(code)
    lines = record.read_text(errors="replace").splitlines()
    out.network = sorted(set(_network(lines)))
    out.elsewhere = sorted(set(_elsewhere(lines, (str(folder), str(home), str(temporary)), folder)))
    out.left = [f"HOME/{name}" for name in _files(home) if not name.startswith(OWN)]
    out.left += [f"TMPDIR/{name}" for name in _files(temporary)]
    shutil.rmtree(home)
    shutil.rmtree(temporary)
    return out


def _visit(url: str) -> None:
    """Fetch a page and what it links, and leave the server to itself for a while, as a browser would."""
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(), urllib.request.ProxyHandler({})
    )
    with browser.open(url) as answer:
        page = answer.read().decode()
    for link in sorted(set(re.findall(r'(?:src|href)="(/[^"]+)"', page))):
        with contextlib.suppress(OSError):
            browser.open(urllib.parse.urljoin(url, link)).read()
    time.sleep(OPEN)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def _network(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if match := _ADDRESS.search(line):
            port, address = match.groups()
            if not address.startswith(("127.", "::1", "::ffff:127.")):
                yield f"{address} port {port}"
        elif (opened := _OPENED.search(line)) and opened[1] in LOOKUPS:
            yield f"a look-up of a host ({opened[1]})"


def _elsewhere(lines: Iterable[str], allowed: tuple[str, ...], folder: Path) -> Iterable[str]:
    for line in lines:
        if " = -1 " in line:
            continue
        if match := _MADE.search(line) or _FOLDER.search(line):
            path = os.path.normpath(folder / match[1])
            if not path.startswith((*HARMLESS, *(f"{place}/" for place in allowed))):
                yield path


# ---------------------------------------------------------------- the scenarios


def _film(path: Path, seconds: int) -> str:
    """A film with sound, whose second half looks other than its first."""
    import imageio_ffmpeg

    inputs = []
    for picture in ("testsrc2=s=320x180:r=24", "mandelbrot=s=320x180:r=24"):
        inputs += ["-f", "lavfi", "-t", str(seconds / 2), "-i", picture]
    inputs += ["-f", "lavfi", "-t", str(seconds), "-i", "sine=330"]
    encoding = ["-filter_complex", "[0][1]concat", "-map", "2:a", "-c:v", "libx264", "-preset", "ultrafast"]
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    subprocess.run([*ffmpeg, *inputs, *encoding, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path.name


def _score(folder: Path) -> list[str]:
    return [_film(folder / "four minutes.mp4", 240), "-o", "scored.mp4", "--keep", "midi,musicxml,wav,stems"]


def _batch(folder: Path) -> list[str]:
    (folder / "films").mkdir()
    first = folder / "films" / "film 00.mp4"
    _film(first, 4)
    for k in range(1, 25):
        shutil.copy(first, first.with_name(f"film {k:02d}.mp4"))
    return ["score", "films", "-o", "scored"]


def _preview(folder: Path) -> list[str]:
    return ["preview", _film(folder / "film.mp4", 20), "-o", "film.png"]


def _page(folder: Path) -> list[str]:
    return ["preview", _film(folder / "film.mp4", 20), "-o", "film.html"]


def _studio(folder: Path) -> list[str]:
    return ["studio", _film(folder / "film.mp4", 20), "--no-browser"]


def _add(folder: Path) -> list[str]:
    return ["library", "add", str(ROOT / "videoscore" / "library" / "pieces")]


def _markers(folder: Path) -> list[str]:
    sheet = {"format": "videoscore-cues", "version": 1, "duration": 9, "cues": [{"mood": "Happy"}]}
    (folder / "f.cues.json").write_text(json.dumps(sheet))
    return ["markers", "f.cues.json", "-o", "f.otio", "--rate", "25"]


SCENARIOS = {"score": _score, "batch": _batch, "preview": _preview, "page": _page, "studio": _studio, "add": _add,
             "markers": _markers}  # fmt: skip


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"{__doc__}\nscenarios: {', '.join(SCENARIOS)}")
        return 0 if unknown[0] in ("-h", "--help") else 2
    if shutil.which("strace") is None:
        print("strace isn't installed: sudo apt-get install strace", file=sys.stderr)
        return 5
    quiet = True
    for name in names or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="quiet-") as root:
            folder = Path(root) / "work"
            folder.mkdir()
            command = SCENARIOS[name](folder)
            begin = time.monotonic()
            done = traced(command, folder, visit=name == "studio")
        print(
            f"{name}: videoscore {' '.join(command)}: code {done.code} after {time.monotonic() - begin:.0f} s; "
            f"network {len(done.network)}, left {len(done.left)}, elsewhere {len(done.elsewhere)}"
        )
        for kind in ("network", "left", "elsewhere"):
            for line in getattr(done, kind)[:20]:
                print(f"  {kind}: {line}")
        quiet &= done.quiet and done.code in (0, 1)
    return 0 if quiet else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
