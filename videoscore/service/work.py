"""What a worker does with one job: everything into a folder of the job's own, to be placed by the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoscore.progress import Progress
from videoscore.workers.executor import Outcome

STAGING_NAME = "made"  # of the files in the folder: short, whatever the real one is


@dataclass(frozen=True)
class Order:
    """A task's payload. request : as the store keeps it. folder : empty, or not there yet."""

    request: Mapping[str, Any]
    folder: str


def work(order: Order, progress: Progress) -> Outcome:
    """Score a film, or write a bed. Failures are raised; the executor makes outcomes of them."""
    request, folder = order.request, Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{STAGING_NAME}{Path(request['output']).suffix}"
    return (_bed if request["kind"] == "bed" else _score)(request, target, progress)


def _score(request: Mapping[str, Any], target: Path, progress: Progress) -> Outcome:
    from videoscore.pipeline.score import score

    result = score(
        request["input"],
        target,
        cues=request["cues"],
        keep=request["keep"],
        workers=1,
        progress=progress,
        **request["settings"],
    )
    about = {
        "duration": float(result.sheet.duration),
        "cues": [{"name": c.name, "start": float(c.start), "mood": c.mood} for c in result.sheet.cues],
        "notes": result.notes,
        "loudness": result.loudness,
        "true_peak": result.true_peak,
        "remarks": list(result.remarks),
    }
    return _outcome(result.output, result.kept, about)


def _bed(request: Mapping[str, Any], target: Path, progress: Progress) -> Outcome:
    from videoscore.pipeline.bed import write_bed

    bed = write_bed(target, like=request["input"], workers=1, progress=progress, **request["settings"])
    about = {
        "duration": float(bed.music.sheet.duration),
        "samples": bed.samples,
        "sample_rate": bed.sample_rate,
        "notes": len(bed.music.score.notes),
        "loudness": bed.loudness,
        "true_peak": bed.true_peak,
        "remarks": list(bed.remarks),
    }
    return _outcome(bed.output, bed.kept, about)


def _outcome(output: Path, kept: Mapping[str, Path], about: dict[str, Any]) -> Outcome:
    files = {"output": str(output)} | {kind: str(path) for kind, path in kept.items()}
    return Outcome(files=files, about=about)
