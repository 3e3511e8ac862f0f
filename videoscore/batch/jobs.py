"""What is to be scored: folders, files, globs and lists -> jobs, each with an output of its own."""

from __future__ import annotations

import codecs
import contextlib
import glob
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from videoscore.batch.ledger import NAME as LEDGER
from videoscore.batch.ledger import Ledger
from videoscore.batch.output_names import TEMPLATE, check_template, output_name
from videoscore.errors import NotFound, UsageError, VideoscoreError
from videoscore.pipeline.outputs import KEEP

# what is looked for in folders; a file that is named is taken whatever its suffix
SUFFIXES = frozenset(
    (
        ".mp4",
        ".m4v",
        ".mov",
        ".qt",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".vob",
        ".ts",
        ".mts",
        ".m2ts",
        ".m2t",
        ".wmv",
        ".asf",
        ".flv",
        ".f4v",
        ".ogv",
        ".ogg",
        ".3gp",
        ".3g2",
        ".gif",
        ".mxf",
        ".nut",
        ".dv",
        ".mp4v",
        ".rm",
    )
)
UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True)
class BatchInputs:
    """What the user asked for.

    inputs : folders, files and globs. output : the folder for everything written.
    suffixes : with their dots, lower case; None is every known one in folders, and any for files that are named.
    min_size, max_size : bytes. preset, seed : for the template.
    """

    inputs: tuple[str, ...]
    output: Path
    recursive: bool = False
    name: str = TEMPLATE
    suffixes: frozenset[str] | None = None
    min_size: int = 0
    max_size: int | None = None
    preset: str = "cinematic"
    seed: int = 0


@dataclass(frozen=True)
class Job:
    """One film to score. input, output : absolute. suffix : how the output's name ends, with the dot.

    free_suffix : the output may get another suffix when its container can't hold the film.
    shared : another job's output differs in nothing but the suffix, so what is kept beside this one, or written
        with another suffix, is named after its whole name.
    """

    input: Path
    output: Path
    suffix: str
    free_suffix: bool = False
    same_base: bool = False

    @property
    def base(self) -> str:
        """The output's name without its suffix."""
        return self.output.name.removesuffix(self.suffix)

    def files(self, suffix: str, kinds: Iterable[str]) -> dict[str, Path]:
        """Kind -> file, for "output" and what is kept beside it, when the film gets this suffix."""
        output = self.output
        base = output.name if self.same_base else self.base
        if self.free_suffix and suffix != self.suffix:
            output = output.with_name(base + suffix)
        return {"output": output} | {kind: output.with_name(base + KEEP[kind]) for kind in kinds}


@dataclass(frozen=True)
class InputFilm:
    """A file and the folder, relative to the output's, that its output goes to."""

    path: Path
    folder: Path


def plan(batch_inputs: BatchInputs, ours: frozenset[Path] = frozenset()) -> list[Job]:
    """All jobs, in the order of the inputs and, within a folder, of the names.

    Parameters
    ----------
    ours : files that an earlier run wrote; they are no inputs.

    Raises
    ------
    UsageError : a bad template, nothing found, two inputs onto one output, an output onto an input.
    """
    check_template(batch_inputs.name)
    jobs: dict[Path, Job] = {}
    for film in _distinct(find(batch_inputs, ours)):
        job = job_of(film, batch_inputs)
        clash = jobs.setdefault(job.output, job)
        if clash is not job:
            raise UsageError(
                f"{clash.input} and {job.input} would both be written to {job.output.name}",
                remedy="Use more fields in --name ({parent}, {ext}), or score them into two folders.",
            )
    inputs = _identities(job.input for job in jobs.values())
    for job in jobs.values():
        if _identities([job.output]) & inputs:
            raise UsageError(
                f"the output of {job.input.name} would be written over an input",
                remedy=f"Change --name, or move {job.output} away.",
            )
    alike = Counter((job.output.parent, job.base) for job in jobs.values())
    return [replace(job, same_base=alike[job.output.parent, job.base] > 1) for job in jobs.values()]


def job_of(film: InputFilm, batch_inputs: BatchInputs) -> Job:
    """The job for one file. Raises UsageError when the template gives no possible name."""
    path = film.path
    values = {
        "stem": path.stem,
        "ext": path.suffix,
        "parent": path.parent.name,
        "preset": Path(batch_inputs.preset).stem,
        "seed": str(batch_inputs.seed),
    }
    folder = Path(os.path.abspath(batch_inputs.output)) / film.folder
    output = folder / output_name(batch_inputs.name, values)
    free = batch_inputs.name.endswith("{ext}")
    return Job(path, output, path.suffix if free else output.suffix, free)


def find(batch_inputs: BatchInputs, ours: frozenset[Path] = frozenset()) -> Iterator[InputFilm]:
    """Every file that is asked for and passes the filters.

    A name that is there is taken as it is; only one that isn't is read as a glob. A single name that isn't
    there is passed on, to fail as a job of its own. Raises UsageError for a glob that matches nothing.
    """
    for name in batch_inputs.inputs:
        if os.path.lexists(name):
            yield from _files_at(Path(name), batch_inputs, ours)
        elif glob.has_magic(name):
            matches = sorted(glob.glob(name, recursive=True), key=os.fsencode)
            if not matches:
                raise UsageError(f"{name!r} matches no file", remedy="Check the folder and the pattern.")
            for match in matches:
                yield from _files_at(Path(match), batch_inputs, ours)
        else:
            yield InputFilm(Path(os.path.abspath(name)), Path())


def read_names(data: bytes) -> list[str]:
    """Names from a list: one a line, or separated by NUL where there is any (``find -print0``)."""
    data = data.removeprefix(codecs.BOM_UTF8)
    names = data.split(b"\0") if b"\0" in data else [line.rstrip(b"\r") for line in data.split(b"\n")]
    return [os.fsdecode(name) for name in names if name]


def read_size(text: str, flag: str) -> int:
    """Bytes from "300", "10k", "1.5G" (powers of 1000). Raises UsageError."""
    body = text.strip().lower()
    number, unit = (body[:-1], body[-1]) if body[-1:] in UNITS and body[-1:] else (body, "")
    try:
        size = float(number) * UNITS[unit]
        if not 0 <= size < 2**63:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{flag}: {text!r} is no size", remedy="Give a size like 500k, 20M or 1.5G."
        ) from None
    return int(size)


def read_suffixes(text: str) -> frozenset[str]:
    """Suffixes from "mp4,.MOV". Raises UsageError."""
    words = [word.strip().lower().lstrip(".") for word in text.split(",") if word.strip()]
    if not words or any("/" in word for word in words):
        raise UsageError(f"--suffix: {text!r} names no suffix", remedy="Give some, like mp4,mov.")
    return frozenset(f".{word}" for word in words)


# ---------------------------------------------------------------- looking


def _files_at(path: Path, batch_inputs: BatchInputs, ours: frozenset[Path]) -> Iterator[InputFilm]:
    path = Path(os.path.abspath(path))
    if path.is_dir():
        yield from _walk(path, batch_inputs, ours)
    elif (batch_inputs.suffixes is None or path.suffix.lower() in batch_inputs.suffixes) and _size_fits(
        path, batch_inputs
    ):
        yield InputFilm(path, Path())


def _walk(root: Path, batch_inputs: BatchInputs, ours: frozenset[Path]) -> Iterator[InputFilm]:
    """Films in a folder, sorted; with `recursive` also below. Links are followed, each folder is entered once."""
    out = os.path.realpath(batch_inputs.output)
    suffixes = SUFFIXES if batch_inputs.suffixes is None else batch_inputs.suffixes
    visits: set[tuple[int, int]] = set()
    stack = [root]
    links: list[Path] = []
    while stack or links:
        folder = stack.pop() if stack else links.pop(0)  # links last, so that what is real keeps its place
        try:
            here = os.stat(folder)
            names = sorted(os.listdir(folder), key=os.fsencode)
        except OSError as error:
            if folder == root:
                raise NotFound(
                    f"the folder may not be read ({error.strerror})",
                    path=root,
                    remedy="Allow reading it, e.g. chmod +rx.",
                ) from error
            yield InputFilm(
                folder, folder.relative_to(root).parent
            )  # told as a failure, for films may be in it
            continue
        if (here.st_dev, here.st_ino) in visits:
            continue
        visits.add((here.st_dev, here.st_ino))
        if LEDGER in names and folder != batch_inputs.output:  # what another batch has written is no input
            with contextlib.suppress(VideoscoreError), Ledger(folder, reading=True) as ledger:
                ours |= ledger.outputs()
        below: list[Path] = []
        for name in names:
            path = folder / name
            if name.startswith("."):
                continue
            if path.is_dir():
                if batch_inputs.recursive and os.path.realpath(path) != out:
                    (links if path.is_symlink() else below).append(path)
            elif path.suffix.lower() in suffixes and path not in ours and _size_fits(path, batch_inputs):
                yield InputFilm(path, folder.relative_to(root))
        stack += reversed(below)


def _size_fits(path: Path, batch_inputs: BatchInputs) -> bool:
    """Whether a file passes the filter by size. What can't be looked at passes, so that it is told of."""
    if batch_inputs.min_size == 0 and batch_inputs.max_size is None:
        return True
    try:
        facts = os.stat(path)
    except OSError:
        return True
    if not stat.S_ISREG(facts.st_mode):
        return True
    return batch_inputs.min_size <= facts.st_size and (
        batch_inputs.max_size is None or facts.st_size <= batch_inputs.max_size
    )


def _distinct(films: Iterable[InputFilm]) -> Iterator[InputFilm]:
    """The same file named twice is one job."""
    paths: set[Path] = set()
    for one in films:
        if one.path not in paths:
            paths.add(one.path)
            yield one


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What the system knows the files that are there by, whatever their names (links, other case)."""
    identities = set()
    for path in paths:
        with contextlib.suppress(OSError):
            facts = os.stat(path)
            identities.add((facts.st_dev, facts.st_ino))
    return identities
