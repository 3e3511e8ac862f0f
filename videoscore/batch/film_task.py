"""What a worker does with one film: the whole way, into a folder that is the batch's own."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoscore.errors import BrokenVideo, Cancelled, NotFound
from videoscore.progress import Progress
from videoscore.settings.fields import Options
from videoscore.workers.executor import Outcome

if TYPE_CHECKING:
    from videoscore.batch.perceptions import KnownPerceptions

STAGING_NAME = "film"  # the name in the staging folder: short, whatever the real one is


@dataclass(frozen=True)
class Film:
    """A task's payload. folder : the empty staging folder of this task, made here.

    suffix : of the output; free_suffix : take the one that fits the film instead. keep : as for `pipeline.score`.
    cache : folder and bound in bytes of the cache of perceptions, or None for none.
    """

    input: str
    folder: str
    suffix: str
    free_suffix: bool
    options: Options
    keep: tuple[str, ...] = ()
    cache: tuple[str, int] | None = None


def score_film(film: Film, progress: Progress) -> Outcome:
    """Score one film into its staging folder. Every failure of the film is an outcome."""
    from videoscore.perform.mux.mux import default_suffix
    from videoscore.pipeline.clock import Clock
    from videoscore.pipeline.score import score
    from videoscore.pipeline.watch import probe_film, watch

    facts: dict[str, Any] = {}
    try:
        path, folder = Path(film.input), Path(film.folder)
        folder.mkdir(parents=True, exist_ok=True)
        begin = time.perf_counter()
        facts |= identity(path)
        facts["versions"] = versions()
        with _temporary_files_in(folder), _warnings() as warnings_log:
            media = probe_film(path, Clock(progress))
            suffix = default_suffix(media) if film.free_suffix else film.suffix
            perceptions = _known_perceptions(film, facts["content"])
            analysis = watch(media, film.options, Clock(progress), perceptions)
            result = score(
                path,
                folder / f"{STAGING_NAME}{suffix}",
                film.options,
                cues=analysis.sheet,
                keep=film.keep,
                progress=progress,
            )
        _check_unchanged(path, facts)
        about = {
            "duration": float(result.sheet.duration),
            "cues": len(result.sheet.cues),
            "notes": result.notes,
            "loudness": result.loudness,
            "true_peak": result.true_peak,
            "peak_memory": result.peak_memory,
            "remarks": [*analysis.remarks, *result.remarks, *warnings_log],
            "watched": perceptions is None or not perceptions.hit,
            "wall": round(time.perf_counter() - begin, 3),
        }
        files = {"output": str(result.output)} | {kind: str(file) for kind, file in result.kept.items()}
        return Outcome(files=files, about=about, **facts)
    except Cancelled:
        raise
    except Exception as error:
        return Outcome.failure(error, **facts)


def identity(path: Path) -> dict[str, Any]:
    """size, mtime (ns) and content (SHA-256) of a file. Raises NotFound."""
    digest = hashlib.sha256()
    try:
        if path.is_dir():
            raise NotFound(
                "the folder may not be read", path=path, remedy="Allow reading it, e.g. chmod +rx."
            )
        facts = os.stat(path)
        if not os.path.isfile(path):  # a pipe or a device could block for ever; the probe says what is wrong
            return {"size": facts.st_size, "mtime": facts.st_mtime_ns, "content": ""}
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except PermissionError as error:
        raise NotFound(
            "may not be read (permission denied)", path=path, remedy="Allow reading it, e.g. chmod +r."
        ) from error
    except (OSError, ValueError) as error:
        raise NotFound("no such file", path=path, remedy="Check the name and the folder.") from error
    return {"size": facts.st_size, "mtime": facts.st_mtime_ns, "content": digest.hexdigest()}


def versions() -> dict[str, str]:
    """What made the music: videoscore, its weights, and the libraries that decode and compute."""
    import av
    import torch

    from videoscore import __version__
    from videoscore.batch.perceptions import weights_digest

    return {
        "videoscore": __version__,
        "weights": weights_digest(),
        "torch": torch.__version__,
        "av": av.__version__,
    }


def _known_perceptions(film: Film, content: str) -> KnownPerceptions | None:
    """Where the perceptions of a film with this content may lie; None where none are to be kept."""
    from videoscore.batch.perceptions import KnownPerceptions, PerceptionCache, key

    if not film.cache:
        return None
    return KnownPerceptions(PerceptionCache(Path(film.cache[0]), film.cache[1]), key(content, film.options))


def _check_unchanged(path: Path, facts: dict[str, Any]) -> None:
    try:
        now = os.stat(path)
    except OSError as error:
        raise NotFound(
            "it went away while it was scored", path=path, remedy="Run again when it is back."
        ) from error
    if (now.st_size, now.st_mtime_ns) != (facts["size"], facts["mtime"]):
        raise BrokenVideo(
            "it was changed while it was scored",
            path=path,
            remedy="Run again with --retry when it is complete.",
        )


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Whatever makes temporary files makes them in `folder`, so that a killed worker's can be found."""
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    """What videoscore logs, as remarks of this film."""
    log, collector = logging.getLogger("videoscore"), _Collector()
    propagate, log.propagate = log.propagate, False
    log.addHandler(collector)
    try:
        yield collector.lines
    finally:
        log.removeHandler(collector)
        log.propagate = propagate
