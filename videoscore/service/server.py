"""The server: on this machine's own address only, until a signal."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from videoscore.errors import SetupError, UsageError
from videoscore.service.access import Guard
from videoscore.studio.access import new_token
from videoscore.studio.server import HOST

PORT = 8378
ADDRESS_FILE = ".videoscore-serve.json"
GRACE = 1  # seconds for open connections at the end


def require() -> None:
    """Raise SetupError unless the extra `serve` is installed."""
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise SetupError(
            f"the package {error.name or 'fastapi'} isn't installed",
            remedy='Install it: pip install "videoscore[serve]".',
        ) from error


def resolved(folder: str | Path) -> Path:
    """The folder with links followed. Raises UsageError."""
    path = Path(folder).resolve()
    if not path.is_dir():
        raise UsageError("there is no such folder", path=path, remedy="Give one that is there with --folder.")
    return path


def serve(
    folder: Path, sock: socket.socket, tell: Callable[[Mapping[str, Any]], None], jobs: int | None = None
) -> None:
    """Run until a signal. folder : resolved. tell : gets url and token once it answers.

    The same stand in `ADDRESS_FILE` in the folder, which only this user may read, as long as it runs.
    Raises OutputError : the queue can't be kept in the folder.
    """
    import uvicorn

    from videoscore.service.queue import Queue
    from videoscore.service.routes import make_app
    from videoscore.service.store import Store

    port, token = sock.getsockname()[1], new_token()
    facts = {"url": f"http://{HOST}:{port}", "token": token, "pid": os.getpid()}
    store = Store(folder)
    try:
        queue = Queue(store, jobs)
        try:
            _write_private(folder / ADDRESS_FILE, json.dumps(facts) + "\n")
            tell(facts)
            config = uvicorn.Config(
                Guard(make_app(queue, folder), port, token),
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=GRACE,
            )
            uvicorn.Server(config).run(sockets=[sock])
        finally:
            with suppress(OSError):
                (folder / ADDRESS_FILE).unlink()
            queue.close()
    finally:
        store.close()


def _write_private(path: Path, text: str) -> None:
    with suppress(OSError):
        path.unlink()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
