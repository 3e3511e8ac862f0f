"""The studio's page in a real browser: open, change, compose, hear, export; and what it refuses."""

from __future__ import annotations

import http.client
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import LONG, Server, browsing, composed, opened, page_of, serving, state
from conftest import run_command
from media import DATA, make_clip

pytestmark = pytest.mark.slow
TEN_MINUTES = DATA / "video" / "clips" / "bbb_full_9m56_4fps_160x120_silent.mp4"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_clip(folder / "short.mp4", seconds=24, cuts=[200, 400], audio="tone", size=(320, 180))
    make_clip(folder / "other.mp4", seconds=10, cuts=[125])
    make_clip(folder / "old.avi", seconds=6, cuts=[75], audio="tone", codec="mpeg4")
    (folder / "damaged.mp4").write_bytes(b"\0" * 5000)
    outside = tmp_path_factory.mktemp("outside")
    shutil.copy(folder / "other.mp4", outside / "secret.mp4")
    (folder / "link.mp4").symlink_to(outside / "secret.mp4")
    return folder


@pytest.fixture(scope="module")
def server(films: Path) -> Iterator[Server]:
    with serving("--folder", films, "--min-cue", "4") as found:
        yield found


def test_from_opening_to_the_same_score_from_the_command_line(
    browser: Any, server: Server, films: Path
) -> None:
    page = page_of(browser, server)
    opened(page, "short.mp4")
    parted(page)
    page.click(".studio-compose")
    composed(page, 1)

    # another mood for one cue: it alone is to be composed
    page.click(".studio-cues button >> nth=1")
    mood = "Tired" if state(page)["cues"][1]["mood"] != "Tired" else "Angry"
    page.click(f".moods >> text={mood}")
    page.wait_for_function("studio.state.stale === 1")
    assert [c["mood"] for c in state(page)["cues"]][1] == mood
    assert [c["stale"] for c in state(page)["cues"]] == [n == 1 for n in range(len(state(page)["cues"]))]

    # regenerated, and the page loaded again in the middle of it
    page.click(".studio-again")
    page.wait_for_selector(".studio-job:visible")
    page.reload()
    page.wait_for_selector(".studio-job:visible", timeout=LONG)
    page.wait_for_selector(".studio-cues button", timeout=LONG)
    composed(page, 2)
    assert state(page)["stale"] == 0 and not state(page)["pending"]

    plays(page)
    export(page, films)
    said = run_command(
        "score",
        films / "short.mp4",
        "--cues",
        films / "mine.cues.json",
        "--keep",
        "midi",
        "-o",
        films / "again.mp4",
        "--json",
        VIDEOSCORE_NO_CACHE="1",
    )
    assert said.code == 0, said.out
    assert (films / "again.mid").read_bytes() == (films / "mine.mid").read_bytes()
    assert page.trouble == []
    assert_local(page, server)
    page.context.close()


def parted(page: Any) -> None:
    """See to it that the film has two cues, the second from the cut at 8 s: a drawn film may be of one mood."""
    if len(state(page)["cues"]) == 1:
        page.evaluate("studio.seek(8.1)")
        page.keyboard.press("s")
        page.wait_for_function("studio.state.cues.length === 2 && studio.state.cues[1].start === 8")


def plays(page: Any) -> None:
    """Picture and sound run on, together; the keys do what they say."""
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    apart = []
    for _ in range(12):
        page.wait_for_timeout(250)
        drift = page.evaluate("studio.player.drift")
        apart.append(abs(drift))
    assert (
        page.evaluate("studio.player.time") > 1.5 and page.evaluate("studio.player.video.currentTime") > 1.5
    )
    assert page.evaluate("studio.player.video.muted")
    # the first half second is for getting together
    assert sorted(apart[2:])[len(apart[2:]) // 2] <= 0.05, apart
    page.keyboard.press("k")
    assert page.evaluate("studio.player.rate") == 0
    at = page.evaluate("studio.player.time")
    page.wait_for_timeout(300)
    assert page.evaluate("studio.player.time") == pytest.approx(at, abs=0.03)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("studio.player.time") == pytest.approx(2 / 25, abs=0.002)
    page.keyboard.press("ArrowDown")
    assert page.evaluate("studio.player.time") == pytest.approx(state(page)["cues"][1]["start"], abs=0.002)
    page.keyboard.press("l")
    page.keyboard.press("l")
    assert page.evaluate("studio.player.rate") == 2
    page.keyboard.press("j")
    assert page.evaluate("studio.player.rate") == -1
    page.keyboard.press("k")


def export(page: Any, films: Path) -> None:
    page.click("text=Export")
    page.fill(".studio-export input[aria-label=Name]", "mine")
    for words in (
        "MIDI with tempo map and markers",
        "Stems: one WAV an instrument",
        "Markers: EDL (Resolve, Avid)",
    ):
        page.click(f".studio-export >> text={words}")
    page.wait_for_function("document.querySelector('.command').textContent.includes('mine.cues.json')")
    page.click("text=Write the files")
    page.wait_for_selector(".studio-export a:has-text('mine.cues.json')", timeout=LONG)
    for name in ("mine.mp4", "mine.cues.json", "mine.mid", "mine.edl"):
        assert (films / name).stat().st_size > 0, name
    assert [p.suffix for p in (films / "mine.stems").iterdir()].count(".wav") >= 2
    assert not list(films.glob(".*part*"))
    with page.expect_download() as download:
        page.click(".studio-export a:has-text('mine.mid')")
    assert Path(download.value.path()).read_bytes() == (films / "mine.mid").read_bytes()
    # a second time it says that they are there
    page.click("text=Write the files")
    page.wait_for_selector(".studio-export [role=alert]:has-text('already there')")
    page.click(".studio-export >> text=Close")


def assert_local(page: Any, server: Server) -> None:
    """No request left this machine, nor went to another server on it."""
    own = server.origin.removeprefix("http://")
    elsewhere = [
        url for url in page.asked if not url.startswith((f"http://{own}/", f"ws://{own}/", "data:", "blob:"))
    ]
    assert elsewhere == [] and len(page.asked) > 10


def test_a_boundary_is_dragged_to_a_cut_and_undone(browser: Any, server: Server) -> None:
    page = page_of(browser, server)
    opened(page, "short.mp4")
    page.wait_for_function("studio.timeline.painted > 0")
    parted(page)
    cues = state(page)["cues"]
    before = [c["start"] for c in cues]
    box = page.locator("canvas.studio-timeline").bounding_box()
    x, y = (page.evaluate(f"studio.timeline.x({before[1]})") + box["x"], box["y"] + 85)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=4)
    page.mouse.up()
    page.wait_for_function(f"Math.abs(studio.state.cues[1].start - {before[1]}) > 0.2 && studio.state.undo")
    moved = state(page)["cues"]
    assert moved[0]["end"] == moved[1]["start"] < before[1] and moved[1]["fixed"]
    # back to within a few pixels of the cut: it snaps, exactly
    x2 = page.evaluate("studio.timeline.x(studio.state.cues[1].start)") + box["x"]
    page.mouse.move(x2, y)
    page.mouse.down()
    page.mouse.move(x + 5, y, steps=6)
    page.mouse.up()
    page.wait_for_function(
        f"studio.state.cues[1].start === {before[1]} && studio.state.cues[1].start_on === 'cut'"
    )
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function(f"studio.state.redo && studio.state.cues[1].start === {before[1]}")
    assert state(page)["cues"] == cues
    assert page.trouble == []
    page.context.close()


def test_two_browsers_share_a_film_and_not_its_neighbours(browser: Any, server: Server) -> None:
    one, two, three = (page_of(browser, server) for _ in range(3))
    opened(one, "short.mp4")
    opened(two, "short.mp4")
    opened(three, "other.mp4")
    other = state(three)["cues"]
    mood = "Happy" if state(one)["cues"][0]["mood"] != "Happy" else "Withered"
    one.click(".studio-cues button >> nth=0")
    one.click(f".moods >> text={mood}")
    two.wait_for_function(f"studio.state.cues[0].mood === '{mood}'", timeout=5000)
    two.keyboard.press("Control+z")
    one.wait_for_function(f"studio.state.cues[0].mood !== '{mood}'", timeout=5000)
    assert state(three)["cues"] == other
    for page in (one, two, three):
        assert page.trouble == []
        page.context.close()


def test_a_cancelled_job_changes_nothing(browser: Any, server: Server) -> None:
    page = page_of(browser, server)
    opened(page, "other.mp4")
    before = state(page)["cues"], state(page)["take"]
    page.click(".studio-compose")
    page.click(".studio-job >> text=Cancel")
    page.wait_for_selector(".studio-trouble:has-text('Cancelled')", timeout=LONG)
    assert (state(page)["cues"], state(page)["take"]) == before
    page.click("text=Dismiss")
    page.wait_for_selector(".studio-trouble", state="hidden")
    page.context.close()


def test_a_film_that_browsers_do_not_play_is_seen_all_the_same(browser: Any, server: Server) -> None:
    page = page_of(browser, server)
    opened(page, "old.avi")
    assert "/preview/" in page.evaluate("studio.player.video.currentSrc")
    page.keyboard.press("Space")
    page.wait_for_function("studio.player.time > 0.5", timeout=LONG)
    url = page.evaluate("studio.player.video.currentSrc")
    part = page.request.get(url, headers={"Range": "bytes=10-19"})
    assert part.status == 206 and len(part.body()) == 10
    assert page.trouble == []
    page.context.close()


def test_errors_are_words_on_the_page(browser: Any, server: Server) -> None:
    page = page_of(browser, server)
    page.click("text=damaged.mp4")
    page.wait_for_selector(".studio-trouble:visible", timeout=LONG)
    words = page.inner_text(".studio-trouble")
    assert "damaged.mp4" in words and "Traceback" not in words
    page.context.close()


# ---------------------------------------------------------------- what it refuses


def test_paths_outside_the_folder_are_refused(browser: Any, server: Server, films: Path) -> None:
    page = page_of(browser, server)
    outside = next(films.parent.glob("outside*"))
    for name in (
        f"../{outside.name}/secret.mp4",
        str(outside / "secret.mp4"),
        "link.mp4",
        f"..%2f{outside.name}%2fsecret.mp4",
        f"x/../../{outside.name}/secret.mp4",
        "/etc/passwd",
    ):
        for asked in (quote(name), name, quote(quote(name))):
            page.goto(f"{server.origin}/?open={asked}")
            page.wait_for_selector("[role=alert]")
            assert "no film of that name" in page.inner_text("[role=alert]"), name
            assert page.locator("video").count() == 0
    answer = page.request.get(f"{server.origin}/studio/static/%2e%2e/session.py")
    assert answer.status == 404
    for path in (
        "/film/nokey/video",
        "/film/..%2f..%2fetc/video",
        "/film/nokey/thumb/0",
        "/film/nokey/export/0",
    ):
        assert page.request.get(server.origin + path).status == 404
    page.context.close()


def test_two_gigabytes_are_refused_politely(browser: Any, server: Server, tmp_path: Path) -> None:
    large = tmp_path / "long.mp4"
    with large.open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    page = page_of(browser, server)
    page.set_input_files("input.upload", large)
    page.wait_for_function(
        "document.querySelector('.upload-words').textContent.includes('2.0 GB')", timeout=LONG
    )
    assert "--folder" in page.inner_text(".upload-words")
    assert not [url for url in page.asked if "/upload" in url], "not even begun"

    # a program that sends it all the same: the answer comes before the body
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
    connection = http.client.HTTPConnection(server.origin.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", "/upload?name=long.mp4")
    connection.putheader("Cookie", cookie)
    connection.putheader("Content-Length", str(2 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and b"2.0 GB" in answer.read()
    connection.close()
    page.context.close()


def test_an_upload_is_opened(browser: Any, server: Server, films: Path) -> None:
    page = page_of(browser, server)
    page.set_input_files("input.upload", films / "other.mp4")
    page.wait_for_selector(".studio-cues button", timeout=LONG)
    assert page.inner_text(".title") == "other.mp4" and page.trouble == []
    page.context.close()


def test_no_door_without_the_key(server: Server) -> None:
    host = server.origin.removeprefix("http://")
    for headers, status in (
        ({}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
    ):
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/", headers=headers)
        assert connection.getresponse().status == status
        connection.close()


# ---------------------------------------------------------------- ten minutes


@pytest.mark.data
def test_the_sliders_answer_at_once_on_ten_minutes(browser: Any, tmp_path: Path) -> None:
    if not TEN_MINUTES.exists():
        pytest.skip("the ten-minute clip isn't there")
    shutil.copy(TEN_MINUTES, tmp_path / "ten.mp4")
    with serving("--perceiver", "scene", tmp_path / "ten.mp4") as server:
        page = page_of(browser, server)
        page.wait_for_selector(".studio-cues button", timeout=LONG)
        page.wait_for_function("studio.timeline.painted > 0")
        watch_answers(page)
        for _ in range(3):  # what else runs on the machine isn't the page's: the best of three rounds counts
            took = sorted(slides(page))
            print("ms from the pointer to the picture:", [round(t) for t in took], "load", os.getloadavg()[0])
            assert len(took) >= 8
            if took[len(took) // 2] < 300:
                break
        assert took[len(took) // 2] < 300
        page.context.close()


def watch_answers(page: Any) -> None:
    """Have the page note how long it is from a press to the painted cues."""
    page.evaluate("""() => {
        window.took = [];
        let begun = 0;
        document.addEventListener("pointerdown", () => { begun = performance.now(); }, true);
        const now = studio.now.bind(studio);
        studio.now = (told) => {
            const before = JSON.stringify(studio.state.cues);
            now(told);
            if (begun && JSON.stringify(told.cues) !== before) {
                const since = begun;
                begun = 0;
                requestAnimationFrame(() => requestAnimationFrame(() => took.push(performance.now() - since)));
            }
        };
    }""")


def slides(page: Any) -> list[float]:
    """Milliseconds from a press on a slider to the painted cues, for many places."""
    page.evaluate("took.length = 0")
    for name, shares in (
        ("Smoothing", (0.02, 0.9, 0.1, 0.6, 0.05, 0.35, 0.8)),
        ("Shortest cue", (0.9, 0.1, 0.6, 0.3)),
    ):
        box = page.locator(f"[aria-label='{name}, seconds']").bounding_box()
        for share in shares:
            page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
            page.wait_for_timeout(900)
    took: list[float] = page.evaluate("took")
    return took
