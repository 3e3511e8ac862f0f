"""The studio's server: on this machine's own address only, until it is stopped."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from videoscore.errors import SetupError, UsageError
from videoscore.studio.access import Guard, new_token
from videoscore.studio.open_films import Studio

HOST, PORT = "127.0.0.1", 8377
GRACE = 1  # seconds for open connections at the end


def require() -> None:
    """Raise SetupError unless the extra `studio` is installed."""
    try:
        import nicegui  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise SetupError(
            f"the package {error.name or 'nicegui'} isn't installed",
            remedy='Install it: pip install "videoscore[studio]".',
        ) from error


def listen(port: int | None, usual: int = PORT) -> socket.socket:
    """A socket on 127.0.0.1: at `port`, or at the `usual` one, or at any that is free. Raises UsageError."""
    for candidate_port in [usual, 0] if port is None else [port]:
        # no SO_REUSEADDR on purpose: another server on the same port would be shadowed on some systems
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.bind((HOST, candidate_port))
            sock.listen()
            return sock
        except OSError as error:
            sock.close()
            if candidate_port == (port or 0):
                raise UsageError(
                    f"--port: {candidate_port} can't be used ({error.strerror})",
                    remedy="Give another one, or none.",
                ) from error
    raise AssertionError("the last port raises")


def serve(studio: Studio, sock: socket.socket, tell: Callable[[str], None], page: str = "/") -> None:
    """Run until a signal. tell : gets the address of `page`, with its token, once it answers."""
    import uvicorn
    from fastapi import FastAPI
    from nicegui import ui

    from videoscore.studio.page.start import add_pages
    from videoscore.studio.routes import add_routes

    port = sock.getsockname()[1]
    token = new_token()

    @contextlib.asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        tell(f"http://{HOST}:{port}{page}?token={token}")
        yield
        await studio.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=living)
    add_routes(app, studio)
    add_pages(studio)
    ui.run_with(
        app,
        title="videoscore studio",
        dark=True,
        language="en-US",
        show_welcome_message=False,
        reconnect_timeout=30.0,
    )
    config = uvicorn.Config(
        Guard(app, port, token),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        ws_max_size=1 << 20,
    )
    try:
        uvicorn.Server(config).run(sockets=[sock])
    finally:
        studio.shelf.close()
