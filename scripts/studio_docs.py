"""Make the pictures of docs/studio.md from a real clip, in a real browser: docs/pictures/studio*.png.

python scripts/studio_docs.py [FILM]      # by default the demo's first clip; needs Chromium and playwright
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from demo import fetch

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LONG = 600_000  # ms
SIZE = {"width": 1280, "height": 800}


def main(film: Path) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        copy = Path(folder) / film.name
        shutil.copyfile(film, copy)
        server = subprocess.Popen(
            [sys.executable, "-m", "videoscore", "studio", "--no-browser", str(copy)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            page.goto(address)
            take_pictures(page)
            browser.close()
        finally:
            server.terminate()
            server.wait()


def take_pictures(page: Any) -> None:
    """Compose, change a cue, regenerate it, lock another: then there is something to see."""
    page.wait_for_selector(".studio-cues button", timeout=LONG)
    page.click(".studio-compose")
    page.wait_for_function("studio.state.take === 1", timeout=LONG)
    page.click(".studio-cues button >> nth=1")
    page.click(".moods >> text=Dynamic")
    page.click(".studio-again")
    page.wait_for_function("studio.state.take === 2", timeout=LONG)
    page.click(".studio-cues button >> nth=2")
    page.click("button[aria-label^='Keep the notes']")
    page.wait_for_function("studio.state.cues[2].locked")
    page.click(".studio-cues button >> nth=1")
    page.evaluate("studio.seek(studio.state.cues[1].start + 7)")
    page.wait_for_function("!studio.player.video.seeking")
    page.mouse.move(640, 20)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(PICTURES / "studio.png"))
    shrink(PICTURES / "studio.png")
    page.click("text=Export")
    page.wait_for_timeout(1000)
    page.locator(".studio-export").screenshot(path=str(PICTURES / "studio_export.png"))
    shrink(PICTURES / "studio_export.png")


def shrink(path: Path) -> None:
    """256 colours are enough to read a page, and take a third of the room."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else fetch()[0])
