"""Where the files lie that come with videoscore: the one module that knows its own place on the disk."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
IMPORT_ROOT = PACKAGE.parent  # a process started here finds the package, whether it is installed or not
WEIGHTS = PACKAGE / "weights"
WEIGHT_SUMS = WEIGHTS / "SHA256SUMS"
LIBRARY_PIECES = PACKAGE / "library" / "pieces"
CUE_SHEET_SCHEMA = PACKAGE / "cues" / "file" / "cue-sheet.schema.json"
FIGURES = PACKAGE / "compose" / "figures.json"
PASSAGES = PACKAGE / "compose" / "passages.npz"
STUDIO_STATIC = PACKAGE / "studio" / "static"


def weight_file(name: str) -> Path:
    """The shipped weights of this name, "scene" for ``scene.safetensors``. Whether they are there isn't checked."""
    return WEIGHTS / f"{name}.safetensors"


def presets() -> Path:
    """The folder of the packaged presets."""
    return _packaged("presets")


def soundfonts() -> Path:
    """The folder of the SoundFont registry."""
    return _packaged("soundfonts")


def _packaged(folder: str) -> Path:
    """Inside the wheel, else at the top of the repository."""
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder
