"""Addresses that aren't pages: pictures, sound, downloads and the upload. All behind `videoscore.studio.access`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from videoscore.errors import InputError, UsageError
from videoscore.resources import STUDIO_STATIC
from videoscore.studio import proxy
from videoscore.studio.allowed_files import TooLarge
from videoscore.studio.desk import Desk, describe
from videoscore.studio.live_routes import add_live_routes
from videoscore.studio.open_films import Studio

FRESH = {"cache-control": "no-store"}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put them into the app, before the pages."""
    app.mount("/studio/static", StaticFiles(directory=STUDIO_STATIC), name="studio-static")

    def serve(kind: str, find: Callable[[Desk, str], Path | None]) -> Callable[..., Awaitable[Response]]:
        async def served(key: str, name: str = "") -> Response:
            desk = studio.desks.get(key)
            path = None if desk is None else find(desk, name)
            if path is None or not path.is_file():
                return Response("There is nothing here.", 404)
            return FileResponse(path, media_type=kind or proxy.TYPES.get(path.suffix.lower()), headers=FRESH)

        return served

    add_live_routes(app, studio.live)
    # answers to GET with Range are FileResponse's
    app.get("/film/{key}/video")(serve("", lambda desk, _: desk.film if desk.viewing is not None else None))
    app.get("/film/{key}/preview/{name}")(serve("", lambda desk, _: desk.preview))
    app.get("/film/{key}/thumb/{name}")(serve("image/png", _thumb))
    app.get("/film/{key}/sound/{name}")(serve("audio/wav", _sound))

    @app.get("/film/{key}/export/{number}")
    async def download(key: str, number: int) -> Response:
        desk = studio.desks.get(key)
        if desk is None or not 0 <= number < len(desk.exports) or not desk.exports[number].is_file():
            return Response("There is nothing here.", 404)
        path = desk.exports[number]
        head = {"content-disposition": f"attachment; filename*=UTF-8''{quote(path.name)}", **FRESH}
        return FileResponse(path, media_type="application/octet-stream", headers=head)

    @app.get("/film/{key}/peaks/{number}")
    async def peaks(key: str, number: int) -> Response:
        desk = studio.desks.get(key)
        takes = () if desk is None or desk.session is None else desk.session.takes
        for take in takes:
            if take.number == number:
                return JSONResponse(take.composition.peaks, headers=FRESH)
        return Response("There is nothing here.", 404)

    @app.post("/upload")
    async def upload(request: Request, name: str = "") -> Response:
        length = request.headers.get("content-length", "")
        try:
            size = int(length) if length.isdigit() else None
            path = await studio.shelf.keep(name, request.stream(), size)
            return JSONResponse({"open": f"/film/{studio.desk(path).key}"})
        except (InputError, UsageError, OSError) as error:
            # the rest of the body isn't read: the connection goes with the answer
            status = 413 if isinstance(error, TooLarge) else 400
            return JSONResponse({"error": describe(error)}, status, {"connection": "close"})


def _thumb(desk: Desk, name: str) -> Path | None:
    files = () if desk.viewing is None else desk.viewing.thumbnails
    return files[int(name)] if name.isdigit() and int(name) < len(files) else None


def _sound(desk: Desk, name: str) -> Path | None:
    """`name` is "3-mix.wav" or "3-music.wav", of take 3."""
    number, _, what = name.partition("-")
    takes = () if desk.session is None else desk.session.takes
    for take in takes:
        if str(take.number) == number:
            return {"mix.wav": take.composition.mix, "music.wav": take.composition.music}.get(what)
    return None
