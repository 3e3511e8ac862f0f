"""``videoscore studio``: the local page."""

from __future__ import annotations

import contextlib
import webbrowser
from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import MIXING, SOUNDING, WATCHING, print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError


@click.command()
@click.argument("video", required=False)
@click.option(
    "--folder",
    metavar="DIR",
    help="films below it can be opened, and none elsewhere  [default: the current "
    "folder, where no VIDEO is given]",
)
@click.option("--cues", metavar="FILE", help="go on with a cue sheet of VIDEO that was saved or exported")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="of 127.0.0.1  [default: 8377, or a free one]"
)
@click.option(
    "--max-upload",
    type=click.IntRange(1),
    default=1024,
    show_default=True,
    metavar="MB",
    help="largest film that may be uploaded",
)
@click.option("--live", is_flag=True, help="open the live camera: music for the emotion of a face")
@click.option("--no-browser", is_flag=True, help="print the address, and open nothing")
@with_settings(
    *WATCHING, "compose", *SOUNDING, *MIXING, without=("reference",)
)  # its sheets are spotted anew
@with_voice
def studio(
    teller: Teller,
    video: str | None,
    folder: str | None,
    cues: str | None,
    port: int | None,
    max_upload: int,
    live: bool,
    no_browser: bool,
    **settings: Any,
) -> None:
    """See, hear and change the score of VIDEO on a local page.

    The page is served to this machine alone, under an address with a random key; nothing is fetched from the network.
    """
    from videoscore.studio.server import listen, require, serve

    require()
    from videoscore.cues.conform import conform
    from videoscore.pipeline.settle import check_players, load_sheet
    from videoscore.stages import probe
    from videoscore.studio.allowed_files import Shelf
    from videoscore.studio.open_films import Studio

    if live and video is not None:
        raise UsageError("--live takes no film", remedy=f"Leave out {video}, or --live.")
    if cues is not None and video is None:
        raise UsageError("--cues belongs to a film", remedy="Name the VIDEO, too.")
    sheet = None if cues is None else load_sheet(cues)
    sock = listen(port)
    shelf = None
    try:
        where = Path(folder) if folder is not None else Path.cwd() if video is None else None
        shelf = Shelf(where, None if video is None else Path(video), max_upload << 20)
        if video is not None:  # what can't be scored is told here rather than on the page
            media = probe(Path(video))
            if sheet is not None:
                conform(sheet, media.duration)
        owners = {name: settings.pop(name) for name in ("preset", "seed")}
        at_work = Studio(shelf, owners["preset"], owners["seed"], settings, sheet)
        if live:
            check_players(at_work.options)

        def tell(address: str) -> None:
            print_result(teller, {"address": address}, f"{address}\n(Ctrl-C ends the studio)")
            if not no_browser:
                webbrowser.open(address)

        with contextlib.suppress(KeyboardInterrupt):
            serve(at_work, sock, tell, "/live" if live else "/")
    finally:
        sock.close()
        if shelf is not None:
            shelf.close()
