"""``videoscore serve``: scoring for other programs on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import click

from videoscore.cli.common import with_voice
from videoscore.cli.teller import Teller


@click.command()
@click.option(
    "--folder", metavar="DIR", default=".", help="nothing is read or written elsewhere  [default: this one]"
)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="of 127.0.0.1  [default: 8378, or a free one]"
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="jobs at a time  [default: one a core, fewer where memory is short]",
)
@with_voice
def serve(teller: Teller, folder: str, port: int | None, jobs: int | None) -> None:
    """Take jobs from other programs on this machine over HTTP, until Ctrl-C.

    Only 127.0.0.1 is listened on, and every request needs the token that is printed, and stands in
    DIR/.videoscore-serve.json. GET /openapi.json describes what can be asked (docs/serve.md). Jobs outlive the server.
    """
    from videoscore.service.server import PORT, require, resolved
    from videoscore.service.server import serve as run
    from videoscore.studio.server import listen

    require()
    place = resolved(folder)
    sock = listen(port, PORT)

    def tell(facts: Mapping[str, Any]) -> None:
        teller.event("serving", facts)
        teller.say(f"{facts['url']} for files below {place}\ntoken {facts['token']}")

    try:
        with contextlib.suppress(KeyboardInterrupt):  # the usual end
            run(place, sock, tell, jobs)
    finally:
        sock.close()
