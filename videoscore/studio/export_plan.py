"""Which files an export writes, and whether it may: settled before anything is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from videoscore.errors import UsageError
from videoscore.pipeline.outputs import KINDS, check_target
from videoscore.video.media import Media

EXPORTS = ("video", "cues", "midi", "stems", "edl", "csv", "otio", "chapters")
LONGEST = 100


def plan(media: Media, folder: Path, name: str, kinds: Iterable[str], overwrite: bool) -> Mapping[str, Path]:
    """kind -> file (a folder for stems), each in `folder` itself.

    name : without suffix or folder. Raises UsageError, OutputExists, OutputError or ContainerError.
    """
    from videoscore.perform.mux.mux import default_suffix

    name = name.strip()
    if (
        not name
        or len(name) > LONGEST
        or name.startswith(".")
        or not name.isprintable()
        or set(name) & set("/\\:\0")
    ):
        raise UsageError(
            f"{name[:LONGEST]!r} can't be a file's name",
            remedy="Use letters, digits, spaces, dots and dashes; no folders.",
        )
    targets: dict[str, Path] = {}
    for kind in kinds:
        if kind not in EXPORTS:
            raise UsageError(f"there is no export {kind!r}", remedy=f"Choose from {', '.join(EXPORTS)}.")
        path = folder / (name + (default_suffix(media) if kind == "video" else KINDS[kind].suffix))
        check_target(kind, path, overwrite, media)
        targets[kind] = path
    if not targets:
        raise UsageError("nothing to export was chosen", remedy="Tick one or more of the files.")
    return targets
