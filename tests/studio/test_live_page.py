"""The live page in a real browser, whose camera is a film: a face that is sad, then happy."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import LONG, Server, browsing, page_of, serving
from media import DATA

from videoscore.perform.mux.remux import ffmpeg_path

pytestmark = pytest.mark.slow
CLIP = DATA / "video" / "clips" / "face_woman_emotions_pexels.mp4"
HALF = 50  # seconds that each half lasts: a piece has to be played into a file meanwhile
PARTS = {"sad": (0.5, 6.5), "happy": (10.0, 9.0)}  # beginning and length in the clip


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip's two faces, each going on for `HALF` seconds, as a file for Chromium's fake camera."""
    if not CLIP.is_file():
        pytest.skip("the clip of a face isn't here (../shared/data)")
    folder = tmp_path_factory.mktemp("camera")
    for name, (start, length) in PARTS.items():
        one = folder / f"{name}.mkv"
        cut = ["-ss", str(start), "-t", str(length), "-i", str(CLIP), "-an", "-vf", "fps=10,scale=320:180"]
        ffmpeg(*cut, "-c:v", "mjpeg", "-q:v", "3", str(one))
        ffmpeg(
            "-stream_loop", "-1", "-i", str(one), "-t", str(HALF), "-c", "copy", str(folder / f"{name}.mjpeg")
        )
    film = folder / "camera.mjpeg"
    film.write_bytes(b"".join((folder / f"{name}.mjpeg").read_bytes() for name in PARTS))
    return film


def ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("--live", "--folder", tmp_path_factory.mktemp("films")) as found:
        yield found


def test_the_face_is_shown_and_its_music_plays_and_moves_on(server: Server, camera: Path) -> None:
    assert "/live?token=" in server.address
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with browsing(*fake, f"--use-file-for-fake-video-capture={camera}") as browser:
        page = page_of(browser, server)
        assert "nothing leaves the machine" in page.inner_text(".live-consent")
        assert page.evaluate("live.stream") is None  # nothing is looked at before one says so
        page.click(".live-on")
        page.wait_for_selector("text=Camera on", timeout=LONG)
        page.wait_for_function("live.log.some((e) => e.for === 'sad')", timeout=LONG)
        assert loudness(page) > 1e-4
        page.wait_for_function("live.log.some((e) => e.for === 'happy')", timeout=LONG)
        shares = page.evaluate("live.state.shares")
        assert shares is None or sum(shares.values()) == pytest.approx(1, abs=0.01)
        assert loudness(page) > 1e-4
        log = page.evaluate("live.log")
        print(*log, sep="\n")
        shown = [e["emotion"] for e in log if "emotion" in e]
        assert "sad" in shown and "happy" in shown[shown.index("sad") :]
        pieces = [(e["for"], e["piece"]) for e in log if "piece" in e]
        assert pieces[0][0] == "sad" and pieces[0][1].startswith("Depressed")
        assert ("happy", next(p for f, p in pieces if f == "happy")) in pieces
        first = next(e["t"] for e in log if e.get("emotion") == "happy")
        assert next(e["t"] for e in log if e.get("for") == "happy") >= first + 10
        page.click(".live-off")
        page.wait_for_selector("text=The camera is off")
        assert page.evaluate("live.stream") is None
        assert page.trouble == []
        local = (server.origin, server.origin.replace("http", "ws"), "data:", "blob:")
        assert all(address.startswith(local) for address in page.asked)


def loudness(page: Any) -> float:
    """Root mean square of what is heard now."""
    page.evaluate(
        """() => { const a = live.context.createAnalyser(); live.heard.gain.connect(a); window.ear = a; }"""
    )
    page.wait_for_timeout(3000)
    found: float = page.evaluate(
        """() => { const x = new Float32Array(ear.fftSize); ear.getFloatTimeDomainData(x);
        return Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length); }"""
    )
    return found


def test_a_refused_camera_is_said_in_words(server: Server) -> None:
    with browsing("--use-fake-device-for-media-stream", "--deny-permission-prompts") as browser:
        page = page_of(browser, server)
        page.click(".live-on")
        page.wait_for_function("document.querySelector('.live-words').textContent.includes('refused')")
        assert "Allow it in the browser" in page.inner_text(".live-words")
        assert page.is_hidden(".live-running")
        assert page.trouble == []


def test_what_is_no_picture_is_refused(server: Server) -> None:
    with browsing() as browser:
        page = page_of(browser, server)
        status = page.evaluate(
            """async () => (await fetch("/live/picture?width=320&height=240", { method: "POST", body: "x" })).status"""
        )
        assert status == 400
        assert page.evaluate("""async () => (await fetch("/live/piece/99")).status""") == 404
        assert (
            page.evaluate(
                """async () => (await fetch("/live/choose?emotion=odd", { method: "POST" })).status"""
            )
            == 400
        )
