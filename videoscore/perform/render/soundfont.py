"""Finds the two system parts that sound needs: libfluidsynth and a General MIDI SoundFont.

Nothing is downloaded. `soundfonts/registry.toml` names the fonts that are known and their licences.
"""

from __future__ import annotations

import contextlib
import fnmatch
import importlib.util
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from videoscore import resources
from videoscore.errors import SetupError
from videoscore.user_folders import data_root, expanded, home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE = "VIDEOSCORE_SOUNDFONT"

# One command that installs the library and a font, or the library alone where no font is packaged.
INSTALL = {
    "debian": "sudo apt-get install libfluidsynth3 musescore-general-soundfont",
    "fedora": "sudo dnf install fluidsynth-libs fluid-soundfont-gm",
    "arch": "sudo pacman -S fluidsynth soundfont-fluid",
    "darwin": "brew install fluid-synth",
    "win32": "choco install fluidsynth",
}


@dataclass(frozen=True)
class Font:
    """A SoundFont file on this machine.

    licence : as the registry knows it, else "unknown".
    found : where the search met it, in words.
    last_resort : the small font inside pretty_midi; it works, but a better one is worth installing.
    larger : what its larger sister has beyond it, in words; "" where there is none.
    levels : "bank/program" (bank 128: drum kits) -> dB by which it is louder than in the font for which the packaged
        presets are balanced; 0 for all others.
    """

    path: Path
    title: str
    licence: str
    found: str
    last_resort: bool = False
    larger: str = ""
    levels: Mapping[str, float] = field(default_factory=dict)

    def evened(self, volume: int, bank: int, program: int) -> int:
        """MIDI channel volume (40 log10 of it is dB) at which a sound of this font is as loud as it is meant to be."""
        level = self.levels.get(f"{bank}/{program}", 0.0)
        return max(0, min(127, round(volume * 10 ** (-level / 40))))


# One command that installs the larger font of the same maker, where the system has one.
LARGER = {"debian": "sudo apt-get install musescore-general-soundfont"}


def larger_command() -> str:
    """The one command that installs the larger font on this platform; "" where there is none."""
    return LARGER.get(_family(), "")


def install_command() -> str:
    """The one command that installs FluidSynth and a SoundFont on this platform."""
    return INSTALL[_family()]


def _family() -> str:
    """The key of this platform in `INSTALL`."""
    if sys.platform in ("darwin", "win32"):
        return sys.platform
    with contextlib.suppress(OSError):
        words = Path("/etc/os-release").read_text(encoding="utf-8").lower()
        for family, mark in (("arch", "arch"), ("fedora", "fedora"), ("fedora", "rhel")):
            if f"id={mark}" in words or f"id_like={mark}" in words:
                return family
    return "debian"


def fluidsynth() -> Any:
    """The module pyfluidsynth, bound to the system's libfluidsynth.

    Raises
    ------
    SetupError : the library isn't installed, or is older than 2.0.
    """
    try:
        # with CI set in the environment pyfluidsynth prints the library's path at import
        with contextlib.redirect_stdout(io.StringIO()):
            import fluidsynth as module
    except (ImportError, OSError, AttributeError) as error:
        raise SetupError("FluidSynth isn't installed", remedy=f"Run: {install_command()}") from error
    if module.majver.value < 2:
        raise SetupError("FluidSynth is older than 2.0", remedy=f"Run: {install_command()}")
    return module


def fluidsynth_version() -> str:
    """Version of libfluidsynth, e.g. "2.3.1". Raises SetupError."""
    from ctypes import byref, c_int

    version = [c_int(), c_int(), c_int()]
    fluidsynth()._fl.fluid_version(*(byref(part) for part in version))
    return ".".join(str(part.value) for part in version)


def find_soundfont(option: str | Path | None = None) -> Font:
    """The SoundFont to play with.

    In this order: `option`, the file or folder in $VIDEOSCORE_SOUNDFONT, the folder `soundfonts`,
    the user's and the system's data folders, and the small font inside the package pretty_midi.

    Raises
    ------
    SetupError : the named file is missing or no SoundFont, or nothing was found.
    """
    if option is not None:
        return _named(expanded(option), "named in the options")
    if os.environ.get(VARIABLE):
        return _named(expanded(os.environ[VARIABLE]), f"${VARIABLE}")
    for folder, folder_path in _folders():
        for path in _ranked(folder):
            return _font(path, folder_path)
    spec = importlib.util.find_spec("pretty_midi")  # finds the folder without importing it
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "TimGM6mb.sf2"
        if _is_soundfont(path):
            return _font(path, "inside the package pretty_midi", last_resort=True)
    raise SetupError(
        "no SoundFont was found", remedy=f"Run: {install_command()}, or give one with --soundfont FILE.sf2."
    )


def _named(path: Path, found: str) -> Font:
    if path.is_dir():
        for candidate in _ranked(path):
            return _font(candidate, found)
    if not path.exists():
        raise SetupError(f"the SoundFont {found} isn't there", path=path, remedy="Check the path.")
    if not _is_soundfont(path):
        raise SetupError("this is no SoundFont", path=path, remedy="Give an SF2 or SF3 file.")
    return _font(path, found)


def _folders() -> Iterator[tuple[Path, str]]:
    yield resources.soundfonts(), "videoscore's folder soundfonts"
    own = data_root()
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    roots = [*([own] if own else []), *map(Path, shared.split(":"))]
    roots += [Path("/opt/homebrew/share"), Path("/usr/local/share"), Path("/usr/share")]
    for root in roots:
        for name in ("videoscore/soundfonts", "soundfonts", "sounds/sf3", "sounds/sf2"):
            yield root / name, str(root / name)
    if (person := home()) is not None:
        yield person / "Library/Audio/Sounds/Banks", "the user's sound banks"


def _ranked(folder: Path) -> list[Path]:
    """SoundFonts in a folder, the registry's best first."""
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".sf2", ".sf3"))
    except OSError:
        return []
    patterns = [entry["file"] for entry in registry()]
    ranks = {
        path: next((k for k, pattern in enumerate(patterns) if _matches(path, pattern)), len(patterns))
        for path in files
        if _is_soundfont(path)
    }
    return sorted(ranks, key=lambda path: (ranks[path], path.name))


def _font(path: Path, found: str, last_resort: bool = False) -> Font:
    for entry in registry():
        if _matches(path, entry["file"]):
            larger, levels = entry.get("larger", ""), entry.get("levels", {})
            return Font(path, entry["title"], entry["licence"], found, last_resort, larger, levels)
    return Font(path, path.stem, "unknown", found, last_resort)


def _matches(path: Path, pattern: str) -> bool:
    # a distribution's default-GM.sf3 is a link to the font itself
    return any(fnmatch.fnmatch(name.lower(), pattern.lower()) for name in (path.name, path.resolve().name))


def _is_soundfont(path: Path) -> bool:
    """A RIFF file of form "sfbk" (SoundFont 2.04 specification, section 4)."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:] == b"sfbk"


@cache
def registry() -> tuple[dict[str, Any], ...]:
    """The known fonts, best first: title, file (a name pattern), licence and source of each, what a larger sister
    has, and levels."""
    path = resources.soundfonts() / "registry.toml"
    return tuple(tomllib.loads(path.read_text(encoding="utf-8"))["font"])
