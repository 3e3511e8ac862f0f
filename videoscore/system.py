"""Checks every part of the system that scoring needs, and knows the remedy for each lack."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from videoscore.errors import SetupError, VideoscoreError
from videoscore.resources import WEIGHT_SUMS, WEIGHTS
from videoscore.workers.capacity import core_count

OLDEST = (3, 10)
FEW_BYTES = 2 << 30  # a film of an hour needs more than this for its stems
# what the way from probe to mux imports
PACKAGES = (
    "av",
    "click",
    "imageio_ffmpeg",
    "mido",
    "numpy",
    "pretty_midi",
    "pyloudnorm",
    "safetensors",
    "scipy",
    "silero_vad",
    "torch",
    "tqdm",
)


@dataclass(frozen=True)
class Check:
    """One part.

    fact : what was found, or what is wrong. remedy : what to do, "" when all is well.
    needed : without it nothing can be scored; else scoring works, only worse.
    """

    name: str
    ok: bool
    fact: str
    remedy: str = ""
    needed: bool = True


def examine() -> tuple[Check, ...]:
    """All checks, in the order in which a newcomer would mend things. Never raises for a lack."""
    checks: tuple[Callable[[], Check], ...] = (
        _python,
        _packages,
        _fluidsynth,
        _soundfont,
        _ffmpeg,
        _weights,
        _torch,
        _threads,
        _disk,
    )
    return tuple(_safely(check) for check in checks)


def _safely(check: Callable[[], Check]) -> Check:
    name = check.__name__.strip("_")
    try:
        return check()
    except VideoscoreError as error:
        return Check(name, False, error.problem, error.remedy)
    except Exception as error:  # a broken part may fail in any way; the doctor says so and goes on
        return Check(
            name,
            False,
            f"{type(error).__name__}: {' '.join(str(error).split())}",
            "Reinstall videoscore's dependencies with pip.",
        )


def _python() -> Check:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST:
        return Check("python", False, text, f"Install Python {OLDEST[0]}.{OLDEST[1]} or newer.")
    return Check("python", True, text)


def _packages() -> Check:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        return Check(
            "packages", False, f"missing: {', '.join(missing)}", "Run: python -m pip install videoscore"
        )
    try:
        text = f"videoscore {version('videoscore')}"
    except PackageNotFoundError:
        text = "videoscore runs from its source folder"
    return Check("packages", True, f"{text}, torch {version('torch')}, PyAV {version('av')}")


def _fluidsynth() -> Check:
    from videoscore.perform.render.soundfont import fluidsynth_version

    return Check("fluidsynth", True, fluidsynth_version())


def _soundfont() -> Check:
    from videoscore.perform.render.soundfont import find_soundfont, install_command, larger_command

    font = find_soundfont()
    fact = f"{font.title} ({font.licence}), {font.path}"
    if font.last_resort:
        return Check(
            "soundfont",
            False,
            f"only the small one inside pretty_midi ({font.path})",
            f"Run: {install_command()}",
            needed=False,
        )
    if font.larger and (command := larger_command()):
        fact += f". {font.larger}: {command}"
    return Check("soundfont", True, fact)


def _ffmpeg() -> Check:
    from videoscore.perform.mux.mux import ffmpeg_path

    path = ffmpeg_path()
    process = subprocess.run(
        [path, "-version"], capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )
    if process.returncode:
        raise SetupError(f"{path} doesn't run", remedy="Set IMAGEIO_FFMPEG_EXE to an ffmpeg that does.")
    words = process.stdout.split()
    return Check("ffmpeg", True, f"{words[2] if len(words) > 2 else 'unknown version'}, {path}")


def checksums() -> dict[str, str]:
    """File name -> SHA-256 of every weight file, as published with this version. Raises SetupError."""
    try:
        lines = WEIGHT_SUMS.read_text(encoding="ascii").split("\n")
    except OSError as error:
        raise SetupError(
            "the list of weights is missing", path=WEIGHT_SUMS, remedy="Reinstall videoscore."
        ) from error
    return {name.strip(): digest for digest, _, name in (line.partition(" ") for line in lines if line)}


def _weights() -> Check:
    sums = checksums()
    for name, digest in sums.items():
        path = WEIGHTS / name
        if not path.is_file():
            return Check("weights", False, f"{name} is missing", "Reinstall videoscore.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return Check("weights", False, f"{name} isn't the published file", "Reinstall videoscore.")
    if not sums:
        return Check("weights", False, "none are listed", "Reinstall videoscore.")
    size = sum((WEIGHTS / name).stat().st_size for name in sums)
    return Check("weights", True, f"{', '.join(sums)}: {size / 1e6:.1f} MB, checksums right")


def _torch() -> Check:
    import torch

    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    torch.ones(2, 2) @ torch.ones(2, 2)
    return Check("torch", True, f"{torch.__version__} on {where}")


def _threads() -> Check:
    cores = core_count()
    value = os.environ.get("OMP_NUM_THREADS")
    return Check(
        "threads", True, f"{cores} cores" + (f", OMP_NUM_THREADS={value}" if value else ""), needed=False
    )


def _disk() -> Check:
    places = {"here": Path.cwd(), "temporary folder": Path(tempfile.gettempdir())}
    free = {name: shutil.disk_usage(path).free for name, path in places.items()}
    fact = ", ".join(
        f"{size / 1e9:.1f} GB free {name}" if name == "here" else f"{size / 1e9:.1f} GB in the {name}"
        for name, size in free.items()
    )
    few = [name for name, size in free.items() if size < FEW_BYTES]
    return Check(
        "disk",
        not few,
        fact,
        "Free some space: the stems of an hour take several GB." if few else "",
        needed=False,
    )


# What a package manager has to be told so that it doesn't ask again, and what it needs first.
AGREED = {"apt-get": "-y", "dnf": "-y", "pacman": "--noconfirm", "choco": "-y"}
FIRST = {"apt-get": ("update",)}


def repairs(checks: Sequence[Check]) -> list[list[str]]:
    """The commands, in order, by which this system's package manager gives what the checks lack; none where nothing
    is lacking that it has.

    Raises SetupError : there is no such package manager here, or no right to use it.
    """
    from videoscore.perform.render.soundfont import install_command

    command = install_command()
    if not any(command in check.remedy for check in checks if not check.ok):
        return []
    words = [word for word in shlex.split(command) if word != "sudo"]
    manager = words[0]
    if shutil.which(manager) is None:
        raise SetupError(
            f"the package manager {manager} isn't there", remedy=f"With yours, do the like of: {command}"
        )
    rights = ["sudo"] if command.startswith("sudo ") and os.geteuid() != 0 else []
    if rights and shutil.which("sudo") is None:
        raise SetupError("only an administrator may install", remedy=f"Have one run: {command}")
    before = [[*rights, manager, word] for word in FIRST.get(manager, ())]
    agreed = [AGREED[manager]] if manager in AGREED else []
    return [*before, [*rights, manager, *words[1:2], *agreed, *words[2:]]]
