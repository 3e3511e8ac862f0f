"""Which files a run writes, and whether it may: settled before the long work begins."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from videoscore.errors import OutputError, OutputExists, UsageError
from videoscore.file_names import LONGEST, longest_in, shortened, size
from videoscore.files import place
from videoscore.video.media import Media
from videoscore.words import did_you_mean


@dataclass(frozen=True)
class Kind:
    """One kind of file that is written. suffix : how its name ends; that of the video depends on the film.
    title : what it is, in words. beside : it may be kept beside a scored video (``--keep``)."""

    suffix: str
    title: str
    beside: bool = False


KINDS = {
    "video": Kind("", "Scored video"),
    "cues": Kind(".cues.json", "Cue sheet", beside=True),
    "midi": Kind(".mid", "MIDI with tempo map and markers", beside=True),
    "musicxml": Kind(".musicxml", "Lead sheet: MusicXML", beside=True),
    "wav": Kind(".wav", "New sound track", beside=True),
    "stems": Kind(".stems", "Stems: one WAV an instrument", beside=True),
    "edl": Kind(".edl", "Markers: EDL (Resolve, Avid)"),
    "csv": Kind(".csv", "Markers: CSV"),
    "otio": Kind(".otio", "Markers: OpenTimelineIO"),
    "chapters": Kind(".ffmeta", "Chapters for ffmpeg"),
}
# what can be kept beside the scored video -> how its name ends
KEEP = {name: kind.suffix for name, kind in KINDS.items() if kind.beside}


@dataclass(frozen=True)
class Targets:
    """output : the scored video. kept : kind -> file (a folder for "stems"), the cue sheet always among
    them. own_sheet : the cue sheet that the user wrote; it isn't written over with the same content."""

    output: Path
    kept: Mapping[str, Path]
    overwrite: bool
    own_sheet: Path | None = None

    def unwritten(self) -> dict[str, Path]:
        """kind -> file of what is kept, without the user's own cue sheet."""
        return {
            kind: path
            for kind, path in self.kept.items()
            if not (kind == "cues" and self.own_sheet is not None and _same(self.own_sheet, path))
        }


def check_kinds(kinds: Iterable[str]) -> None:
    """Raises UsageError for what can't be kept, SetupError when a library is missing that writes it."""
    for kind in kinds:
        if kind not in KEEP:
            raise UsageError(
                f"--keep: {kind!r} is nothing that can be kept",
                remedy=f"{did_you_mean(kind, KEEP)}Choose from {', '.join(KEEP)}.",
            )
        if kind == "musicxml":
            from videoscore.music import leadsheet

            leadsheet.require()


def plan_targets(
    media: Media,
    output: Path | None,
    keep: Iterable[str] = (),
    overwrite: bool = False,
    own_sheet: Path | None = None,
) -> Targets:
    """Names of all files to be written, checked.

    Raises
    ------
    UsageError : `keep` names something unknown.
    OutputExists : one of them is there and `overwrite` is off, or it is the input.
    ContainerError : the output's container can't hold the streams of the original.
    OutputError : the folder is missing or may not be written to.
    SetupError : a library is missing that writes what is to be kept.
    """
    from videoscore.perform.mux.mux import default_suffix

    if output is None:
        suffix = default_suffix(media)
        most = LONGEST - len(".scored") - max(len(end) for end in (suffix, *KEEP.values()))
        output = media.path.with_name(f"{shortened(media.path.stem, most)}.scored{suffix}")
    extra_files = files_beside(output, keep)
    check_target("video", output, overwrite, media)
    for kind, path in extra_files.items():
        if own_sheet is None or not _same(own_sheet, path):
            check_target(kind, path, overwrite, media)
    return Targets(output, extra_files, overwrite, own_sheet)


def files_beside(output: Path, keep: Iterable[str] = ()) -> dict[str, Path]:
    """kind -> the file (a folder for "stems") beside a film that holds it, the cue sheet always among them. Raises as
    `check_kinds`, and OutputError where that is the film itself."""
    base = output.with_suffix("")
    kinds = dict.fromkeys(("cues", *keep))
    check_kinds(kinds)
    files = {kind: base.with_name(base.name + KEEP[kind]) for kind in kinds}
    for kind, path in files.items():
        if path == output:
            raise OutputError(
                f"--keep {kind} would write over it", path=output, remedy="Give the output another name."
            )
    return files


def check_target(kind: str, path: Path, overwrite: bool, media: Media) -> None:
    """Raise OutputExists, OutputError or ContainerError unless a file of this kind may be written at `path` for the
    film `media`."""
    if kind == "stems":
        check_folder(path, overwrite)
        return
    check_file(path, overwrite, media.path)
    if kind == "video":
        from videoscore.perform.mux.mux import check_container

        check_container(media, path)


def check_file(path: Path, overwrite: bool, original: Path | None = None) -> None:
    """Raise OutputExists or OutputError unless `path` may be written."""
    _check_name(path)
    if path.is_dir():
        raise OutputError("this is a folder", path=path, remedy="Name a file in it with -o.")
    if original is not None and _same(path, original):
        raise OutputExists("that is the original itself", path=path, remedy="Give another output name.")
    if os.path.lexists(path) and not overwrite:
        raise OutputExists("is already there", path=path, remedy="Give another name, or use --overwrite.")
    if path.exists() and not path.is_file():
        raise OutputError("not a file that can be replaced", path=path, remedy="Give another output name.")
    _check_parent(path)


def check_folder(path: Path, overwrite: bool) -> None:
    """Raise OutputExists or OutputError unless the folder `path` may be made or, with `overwrite`,
    replaced: it must then hold nothing but WAV files, so that no foreign file is lost."""
    _check_name(path)
    if path.exists() or path.is_symlink():
        if (
            path.is_symlink()
            or not path.is_dir()
            or any(p.suffix != ".wav" or p.is_dir() for p in path.iterdir())
        ):
            raise OutputExists("holds other things than stems", path=path, remedy="Move it away first.")
        if not overwrite:
            raise OutputExists("is already there", path=path, remedy="Give another name, or use --overwrite.")
    _check_parent(path)


def publish(sources: Mapping[str, Path], places: Mapping[str, Path], overwrite: bool) -> None:
    """Move the sources to their places, by kind.

    Without `overwrite` all of it or nothing: raises OutputExists when a name was taken since it was checked.
    """
    published_paths: list[Path] = []
    try:
        for kind, path in places.items():
            if kind == "stems":
                replace_folder(sources[kind], path, overwrite)
            else:
                place(sources[kind], path, overwrite)
            published_paths.append(path)
    except BaseException:
        if not overwrite:  # then these are this run's own
            for path in published_paths:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def replace_folder(source: Path, path: Path, overwrite: bool = True) -> None:
    """Move the folder `source` to `path`, which `check_folder` has allowed. Raises OutputExists, see `publish`."""
    if overwrite and path.is_dir():
        shutil.rmtree(path)
    try:
        os.replace(source, path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise OutputExists(
            "was made by something else meanwhile", path=path, remedy="Give another name, or use --overwrite."
        ) from error


def _check_name(path: Path) -> None:
    most = longest_in(path.parent)
    if size(path.name) > most:
        raise OutputError(
            f"its name has {size(path.name)} bytes, and {most} are possible there",
            path=path,
            remedy="Give a shorter name with -o.",
        )


def _check_parent(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder}", path=path, remedy="Make the folder first.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            "its folder may not be written to", path=path, remedy="Choose another folder with -o."
        )


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and os.path.samefile(a, b)
