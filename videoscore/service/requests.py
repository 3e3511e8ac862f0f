"""What may be asked for: bodies of requests, checked as far as they can be before any work."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from videoscore.errors import NotFound, OutputExists, UsageError
from videoscore.pipeline.bed import WISHES
from videoscore.pipeline.outputs import check_file, check_kinds
from videoscore.pipeline.settle import settle

BED_WORDS = (*WISHES, "loop", "stems", "intensity_curve")  # beside the settings, for a bed
Word = str | int | float | bool | None


class JobRequest(BaseModel):
    """One film to score, or one piece of music alone to write."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["score", "bed"] = Field("score", description="score a film, or write music alone")
    input: str | None = Field(None, max_length=4096, description="the film; of a bed, the film to be like")
    output: str = Field(max_length=4096, description="the file to write; its suffix chooses the form")
    cues: str | None = Field(None, max_length=4096, description="a cue sheet to compose from (score)")
    keep: list[str] = Field(
        [], max_length=8, description="midi, musicxml, wav, stems: kept beside the film (score)"
    )
    overwrite: bool = Field(False, description="replace what is already there")
    settings: dict[str, Word] = Field(
        {},
        max_length=100,
        description="any settings of docs/cli.md by name, and preset, seed, mood; of a bed also seconds, key, tempo, "
        "loop, stems, intensity_curve ...",
    )


class StageFacts(BaseModel):
    """How far a running job is; done and total in the unit of the stage."""

    name: str
    done: float
    total: float


class ErrorFacts(BaseModel):
    """What went wrong: the kind and the line of docs/errors.md, and the command's exit code for it."""

    error: str
    message: str
    exit_code: int


class JobFacts(BaseModel):
    """A job. Times are seconds since 1970. result : files by kind, and facts of the music, once it is done."""

    id: int
    state: Literal["queued", "running", "placing", "done", "failed", "cancelled"]
    request: dict[str, Any]
    stage: StageFacts | None = None
    result: dict[str, Any] | None = None
    error: ErrorFacts | None = None
    queued: float
    started: float | None = None
    ended: float | None = None


class Health(BaseModel):
    """videoscore : its version. slots : jobs at a time. jobs : how many in each state."""

    videoscore: str
    slots: int
    jobs: dict[str, int]


def checked(request: JobRequest, folder: Path, promised: Collection[str]) -> dict[str, Any]:
    """The request as it is kept, with whole paths.

    folder : nothing is read or written elsewhere. promised : outputs of jobs that haven't ended.
    Raises UsageError, InputError or OutputError.
    """
    source = None if request.input is None else _inside(request.input, folder)
    output = _inside(request.output, folder)
    cues = None if request.cues is None else _inside(request.cues, folder)
    if request.kind == "score" and source is None:
        raise UsageError("input: there is no film to score", remedy="Name it as input.")
    for path in filter(None, (source, cues)):
        if not path.is_file():
            raise NotFound("no such file", path=path, remedy="Check the name and the folder.")
    if str(output) in promised:
        raise OutputExists("another job writes it", path=output, remedy="Give another name.")
    check_file(output, request.overwrite, source)
    check_kinds(request.keep)
    settings = {name: value for name, value in request.settings.items() if value is not None}
    words = settings
    if request.kind == "bed":
        if request.keep or cues:
            raise UsageError("keep and cues are for a film", remedy="Leave them out.")
        words = {k: v for k, v in settings.items() if k not in BED_WORDS or (k == "mood" and source)}
    settle(**words)  # type: ignore[arg-type]
    if cues is not None and settings.get("mood") is not None:
        raise UsageError("mood has no effect with a cue sheet", remedy="Leave one of them out.")
    return {
        "kind": request.kind,
        "input": None if source is None else str(source),
        "output": str(output),
        "cues": None if cues is None else str(cues),
        "keep": list(request.keep),
        "overwrite": request.overwrite,
        "settings": settings,
    }


def _inside(name: str, folder: Path) -> Path:
    """The whole path of a file below `folder`, links followed. Raises UsageError."""
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{name[:80]!r} is no name of a file", remedy="Check it.") from error
    if not path.is_relative_to(folder) or path == folder:
        raise UsageError(
            "lies outside of the folder of the server", path=path, remedy=f"Use files below {folder}."
        )
    return path
