"""What the live page asks for: to look at a picture, to go on, to hear a piece."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from videoscore.errors import VideoscoreError
from videoscore.studio.desk import describe
from videoscore.studio.live import HEIGHT, WIDTH, Live

FRESH = {"cache-control": "no-store"}
CHANNELS = 4  # as a canvas gives them: red, green, blue, opacity


def add_live_routes(app: FastAPI, live: Live) -> None:
    """Put them into the app, before the pages."""

    def answer() -> Response:
        return JSONResponse(live.state(), headers=FRESH)

    def refusal(words: str, status: int = 400) -> Response:
        return JSONResponse({"error": words}, status, headers=FRESH)

    @app.post("/live/begin")
    async def begin() -> Response:
        live.begin()
        return answer()

    @app.post("/live/picture")
    async def picture(request: Request, t: float = 0.0, width: int = 0, height: int = 0) -> Response:
        body = await request.body()
        if not (16 <= width <= WIDTH and 16 <= height <= HEIGHT) or len(body) != width * height * CHANNELS:
            return refusal("That is no picture of the camera.")
        rgb = np.frombuffer(body, np.uint8).reshape(height, width, CHANNELS)[..., :3]
        try:
            await live.look(t, np.ascontiguousarray(rgb))
        except VideoscoreError as error:
            return refusal(describe(error), 500)
        return answer()

    @app.post("/live/ended")
    async def ended(turn: int) -> Response:
        return _done(live, lambda: live.session.ended(turn), answer, refusal)

    @app.post("/live/choose")
    async def choose(emotion: str = "") -> Response:
        return _done(live, lambda: live.session.choose(emotion or None), answer, refusal)

    @app.get("/live/piece/{number}")
    async def piece(number: int) -> Response:
        path = live.sound(number)
        if path is None:
            return Response("There is nothing here.", 404)
        return FileResponse(path, media_type="audio/flac", headers=FRESH)


def _done(live: Live, what: Any, answer: Any, refusal: Any) -> Response:
    try:
        what()
        live.prepare()
    except ValueError as error:
        response: Response = refusal(str(error))
        return response
    except VideoscoreError as error:
        response = refusal(describe(error), 500)
        return response
    response = answer()
    return response
