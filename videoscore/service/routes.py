"""The addresses of the server, and what they answer. Its OpenAPI description is made from this."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi import Path as PathField
from fastapi.requests import Request
from fastapi.responses import JSONResponse

from videoscore import __version__
from videoscore.errors import InputError, NotFound, OutputError, OutputExists, VideoscoreError
from videoscore.service.queue import Queue
from videoscore.service.requests import ErrorFacts, Health, JobFacts, JobRequest, checked
from videoscore.service.store import Job

MOST_WAITING = 1000  # jobs that haven't ended
# the nearest kind first
STATUS = ((OutputExists, 409), (NotFound, 404), (InputError, 422), (OutputError, 409))
JobId = Annotated[int, PathField(ge=1, le=2**53)]
REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorFacts, "description": "Settings that don't go together, or a path elsewhere"},
    401: {"model": ErrorFacts, "description": "No token, or another one"},
    404: {"model": ErrorFacts, "description": "No such job, or no such file"},
    409: {"model": ErrorFacts, "description": "The output is already there, or can't be written"},
    429: {"model": ErrorFacts, "description": "The queue is full"},
}


def make_app(queue: Queue, folder: Path) -> FastAPI:
    """The application. folder : resolved; nothing is read or written outside of it."""
    app = FastAPI(
        title="videoscore",
        version=__version__,
        description="Original music for videos, on this machine.",
        docs_url=None,  # these pages would fetch scripts from the network
        redoc_url=None,
        responses=REFUSED,
    )

    @app.exception_handler(VideoscoreError)
    async def refuse(_: Request, error: VideoscoreError) -> JSONResponse:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 400)
        return _error(status, type(error).__name__, str(error), error.exit_code)

    @app.get("/health")
    def health() -> Health:
        """Whether it works, and how much there is to do."""
        queue.check()
        return Health(videoscore=__version__, slots=queue.slots, jobs=queue.store.counts())

    @app.post("/jobs", status_code=201)
    def add_job(request: JobRequest) -> JobFacts:
        """Put a job into the queue."""
        waiting = queue.store.open()
        if len(waiting) >= MOST_WAITING:
            return _error(429, "Full", "The queue is full. Wait for a job to end.", 1)  # type: ignore[return-value]
        return _facts(queue, queue.add(checked(request, folder, {job.request["output"] for job in waiting})))

    @app.get("/jobs")
    def list_jobs(
        state: str | None = None, most: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> list[JobFacts]:
        """The newest jobs first; with `state` only those in it."""
        return [_facts(queue, job) for job in queue.store.jobs(state, most)]

    @app.get("/jobs/{id}")
    def get_job(id: JobId) -> JobFacts:
        """A job: its state, how far it is, and what came of it."""
        return _facts(queue, _found(queue, id))

    @app.post("/jobs/{id}/cancel", status_code=202)
    def cancel_job(id: JobId) -> JobFacts:
        """Have a job end soon, and leave nothing of it; one that has ended stays as it is."""
        job = _found(queue, id)
        queue.cancel(id)
        return _facts(queue, job)

    return app


def _found(queue: Queue, id: int) -> Job:
    job = queue.store.get(id)
    if job is None:
        raise NotFound(f"there is no job {id}", remedy="See GET /jobs.")
    return job


def _facts(queue: Queue, job: Job) -> JobFacts:
    stage = queue.stage(job.id)
    return JobFacts(
        id=job.id,
        state=job.state,  # type: ignore[arg-type]
        request=dict(job.request),
        stage=None if stage is None else {"name": stage.name, "done": stage.done, "total": stage.total},  # type: ignore[arg-type]
        result=None if job.result is None else dict(job.result),
        error=None if job.error is None else dict(job.error),  # type: ignore[arg-type]
        queued=job.queued,
        started=job.started,
        ended=job.ended,
    )


def _error(status: int, kind: str, message: str, exit_code: int) -> JSONResponse:
    return JSONResponse({"error": kind, "message": message, "exit_code": exit_code}, status)
