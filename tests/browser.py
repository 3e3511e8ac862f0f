"""A studio as a process, and a real browser that uses it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import command_environment

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
LONG = 300_000  # ms: composing on a busy machine


@dataclass
class Server:
    """address : with the token. said : its lines so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def origin(self) -> str:
        return "/".join(self.address.split("/")[:3])


@contextlib.contextmanager
def serving(*arguments: str | Path, cwd: Path | None = None) -> Iterator[Server]:
    """`videoscore studio ARGUMENTS`, stopped at the end as with Ctrl-C."""
    command = [sys.executable, "-m", "videoscore", "studio", "--no-browser", *map(str, arguments)]
    cache = tempfile.TemporaryDirectory()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=command_environment(VIDEOSCORE_CACHE=cache.name),
    )
    server = Server(process)
    assert process.stdout is not None
    server.address = process.stdout.readline().strip()
    assert server.address.startswith("http://127.0.0.1:"), server.address + process.stdout.read()

    def listen() -> None:
        assert process.stdout is not None
        server.said.extend(process.stdout)

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    try:
        yield server
    finally:
        process.send_signal(2)
        try:
            assert process.wait(30) == 0, "".join(server.said)
        finally:
            process.kill()
            cache.cleanup()
            listening.join(5)
    assert not [line for line in server.said if "Traceback" in line], "".join(server.said)


@contextlib.contextmanager
def browsing(*arguments: str) -> Iterator[Any]:
    """A headless Chromium, with further arguments. Skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    pytest.importorskip("nicegui", reason="the extra `studio` isn't installed")
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium isn't installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


def page_of(browser: Any, server: Server) -> Any:
    """A page of a browser of its own, let in. `page.trouble` collects errors of its scripts, `page.asked` every
    address that it asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.trouble, page.asked = [], []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("console", lambda line: page.trouble.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    page.goto(server.address)
    return page


def opened(page: Any, name: str) -> None:
    """Open a film of the list, and wait until its cues are there."""
    page.click(f"text={name}")
    page.wait_for_selector(".studio-cues button", timeout=LONG)
    page.wait_for_function("studio.player.video.readyState >= 2", timeout=LONG)


def state(page: Any) -> dict[str, Any]:
    """What the page shows."""
    told: dict[str, Any] = page.evaluate("studio.state")
    return told


def composed(page: Any, number: int) -> None:
    """Wait until take `number` is heard and its sound is there."""
    page.wait_for_function(f"studio.state.take === {number}", timeout=LONG)
    page.wait_for_function("studio.player.sound && studio.player.sound.readyState >= 3", timeout=LONG)
