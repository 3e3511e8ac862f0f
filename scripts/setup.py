"""Makes a working environment from nothing: `.venv` with pinned packages, FluidSynth and a SoundFont.

    python3 scripts/setup.py [--dev]

Needs Python 3.10 or newer and nothing else. Runs as often as one likes: what is there is left alone.
System parts are installed with apt-get where that needs no password; else the one command is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "videoscore-setup.json"
OLDEST = (3, 10)
LIBRARY, FONT, SMALL_FONT = (
    "libfluidsynth3",
    "musescore-general-soundfont",
    "musescore-general-soundfont-small",
)
ROOM_FOR_FONT = 2 << 30  # bytes free beside which its 86 MB, and as much again to unpack, don't matter
# Builds of torch without CUDA: 0.8 GB less to fetch, 3 GB less on disk. Used when it can be reached.
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
LACKS = """
import json
from videoscore.errors import SetupError
from videoscore.perform.render.soundfont import find_soundfont, fluidsynth_version, install_command

def found(part):
    try:
        return part()
    except SetupError:
        return None

font = found(find_soundfont)
print(json.dumps({"library": found(fluidsynth_version) is not None, "command": install_command(),
                  "font": font is not None and not font.last_resort, "any": font is not None}))
"""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--dev", action="store_true", help="also what the tests, the linters and training need"
    )
    dev = options.parse_args().dev
    if sys.version_info < OLDEST:
        say(
            f"this is Python {platform.python_version()}; videoscore needs {OLDEST[0]}.{OLDEST[1]} or newer. "
            "Run: make PYTHON=/path/to/python3.11"
        )
        return 5
    return environment() or packages(dev) or system()


def environment() -> int:
    """`.venv`, made when it is missing or broken."""
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode
        == 0
    ):
        return 0
    say(f"making {VENV.name} with Python {platform.python_version()}")
    make = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(make, capture_output=True, text=True, check=False)
    if made.returncode and apt(["python3-venv"]):
        made = subprocess.run(make, capture_output=True, text=True, check=False)
    if made.returncode:
        say(
            f"a virtual environment can't be made: {(made.stdout + made.stderr).strip().splitlines()[-1:]}. "
            "On Debian and Ubuntu run: sudo apt-get install python3-venv"
        )
    return made.returncode and 5


def packages(dev: bool) -> int:
    """The package, editable, and its pinned dependencies."""
    wanted = hashlib.sha256(
        b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    )
    stamp = {"wanted": wanted.hexdigest(), "dev": dev}
    if STAMP.exists():
        there = json.loads(STAMP.read_text())
        if there["wanted"] == stamp["wanted"] and there["dev"] >= dev:
            return 0
    cpu_builds = platform.system() == "Linux" and reachable(CPU_BUILDS + "/torch/")
    size_to_come = "5.5" if platform.system() == "Linux" and not cpu_builds else "1.5"
    say(f"installing pinned packages (about {size_to_come} GB on disk, most of it torch)")
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--quiet",
        "--disable-pip-version-check",
        "--constraint",
        str(ROOT / "constraints.txt"),
        "--editable",
        f"{ROOT}{'[dev,train]' if dev else ''}",
    ]
    if cpu_builds:
        command += ["--extra-index-url", CPU_BUILDS]
    code = subprocess.run(command, check=False).returncode
    if code:
        say("pip failed; see above. Is the network there? Run the same command again to go on.")
        return code
    STAMP.write_text(json.dumps(stamp))
    size = sum(f.stat().st_size for f in VENV.rglob("*") if f.is_file() and not f.is_symlink())
    say(f"{VENV.name} holds {size / 1e9:.2f} GB")
    return 0


def reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def system() -> int:
    """FluidSynth and a SoundFont."""
    missing_packages = lacks()
    if missing_packages["library"] and missing_packages["font"]:
        return 0
    say("FluidSynth or a good SoundFont is missing")
    if apt(system_packages()) or apt([LIBRARY, SMALL_FONT]):
        missing_packages = lacks()
    if missing_packages["library"] and missing_packages["font"]:
        return 0
    if missing_packages["library"] and missing_packages["any"]:
        say(
            f"going on with the small SoundFont inside pretty_midi; for a better one run: {missing_packages['command']}"
        )
        return 0
    say(f"run this, then the same command again: {missing_packages['command']}")
    return 5


def system_packages() -> list[str]:
    """FluidSynth and the larger font where the disk has room for it, else the small one."""
    free = shutil.disk_usage("/usr" if os.path.isdir("/usr") else ROOT).free
    if free >= ROOM_FOR_FONT:
        return [LIBRARY, FONT]
    say(f"{free >> 20} MB are free: the small SoundFont (40 MB) instead of the larger one (86 MB)")
    return [LIBRARY, SMALL_FONT]


def lacks() -> dict:
    process = subprocess.run([str(PYTHON), "-c", LACKS], check=True, capture_output=True, text=True)
    facts: dict = json.loads(process.stdout)
    return facts


def apt(names: list[str]) -> bool:
    """Install Debian packages where no password is asked. False when that isn't possible."""
    if shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        rights: list[str] = []
    elif (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        rights = ["sudo", "-n"]
    else:
        return False
    say(f"apt-get install {' '.join(names)}")
    tool = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*tool, "update"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    done = subprocess.run(
        [*tool, "install", "-y", "--no-install-recommends", *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
