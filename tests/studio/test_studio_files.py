"""Which films the studio opens, who may ask it, and what its export is allowed to write."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run_command
from media import Clip

from videoscore.errors import NotFound, OutputExists, UsageError, VideoscoreError
from videoscore.settings.build import build
from videoscore.studio import export_plan as export
from videoscore.studio.access import Guard
from videoscore.studio.allowed_files import Shelf, TooLarge
from videoscore.studio.command import command
from videoscore.video.probe import probe


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    inside, outside = tmp_path / "films", tmp_path / "other"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for path in (
        inside / "a.mp4",
        inside / "sub" / "b c.mkv",
        inside / "notes.txt",
        inside / ".hidden.mp4",
        outside / "secret.mp4",
    ):
        path.write_bytes(b"x")
    (inside / "link.mp4").symlink_to(outside / "secret.mp4")
    (inside / "way").symlink_to(outside)
    made = Shelf(inside, most=1000)
    yield made
    made.close()


def test_films_below_the_folder_are_listed_and_found(shelf: Shelf) -> None:
    assert shelf.films() == ["a.mp4", "sub/b c.mkv"]
    assert shelf.folder is not None
    assert shelf.find("sub/b c.mkv") == shelf.folder / "sub" / "b c.mkv"


@pytest.mark.parametrize(
    "name",
    [
        "../other/secret.mp4",
        "sub/../../other/secret.mp4",
        "link.mp4",
        "way/secret.mp4",
        "",
        ".",
        "sub",
        "none.mp4",
        "%2e%2e/other/secret.mp4",
        "..\\other\\secret.mp4",
        "notes.txt",
        "a.mp4\0.txt",
        "/etc/passwd",
        "//etc/passwd",
        "a.mp4/../a.mp4",
        "x" * 5000,
    ],
)
def test_nothing_else_is_found(shelf: Shelf, name: str) -> None:
    with pytest.raises(NotFound) as refusal:
        shelf.find(name)
    assert "secret" not in refusal.value.problem


def test_an_absolute_path_is_refused_even_below_the_folder(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        shelf.find(str(shelf.folder) + "/a.mp4")


def test_without_a_folder_nothing_is_found(tmp_path: Path, film: Clip) -> None:
    shelf = Shelf(None, film.path)
    try:
        assert shelf.films() == [] and shelf.film == film.path.resolve()
        with pytest.raises(NotFound):
            shelf.find(film.path.name)
    finally:
        shelf.close()
    assert not shelf.temporary.exists()
    with pytest.raises(NotFound, match="no such folder"):
        Shelf(tmp_path / "none")


# ---------------------------------------------------------------- uploads


async def blocks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def never() -> AsyncIterator[bytes]:
    raise AssertionError("a byte was read")
    yield b""


def keep(shelf: Shelf, name: str, body: AsyncIterator[bytes], size: int | None) -> Path:
    return asyncio.run(shelf.keep(name, body, size))


def test_an_upload_is_kept_under_a_harmless_name_until_the_end(shelf: Shelf) -> None:
    path = keep(shelf, "../../etc/my film.mp4", blocks(b"ab", b"c"), 3)
    assert path.read_bytes() == b"abc" and path.name == "my film.mp4" and shelf.is_upload(path)
    shelf.close()
    assert not path.exists()


def test_two_gigabytes_are_refused_before_a_byte_is_read(shelf: Shelf) -> None:
    shelf.most = 1 << 30
    with pytest.raises(TooLarge, match=r"2\.0 GB.*1\.0 GB.*--folder"):
        keep(shelf, "long.mp4", never(), 2 << 30)
    assert list(shelf.uploads.iterdir()) == []


def test_an_upload_that_lies_about_its_size_is_stopped_and_leaves_nothing(shelf: Shelf) -> None:
    for size, parts, kind in (
        (None, [b"x" * 600] * 3, TooLarge),
        (700, [b"x" * 600] * 3, TooLarge),
        (700, [b"x" * 600], UsageError),
    ):
        with pytest.raises(kind):
            keep(shelf, "a.mp4", blocks(*parts), size)
        assert list(shelf.uploads.iterdir()) == []


def test_an_upload_named_like_no_film_is_refused(shelf: Shelf) -> None:
    for name in ("evil.html", "", "...", "a", "x.mp4.exe"):
        with pytest.raises(UsageError, match="isn't named like a video"):
            keep(shelf, name, never(), 5)


# ---------------------------------------------------------------- who may ask


PORT, TOKEN = 8377, "tkn-123"


def ask(
    method: str = "GET", path: str = "/", query: str = "", kind: str = "http", **headers: str
) -> tuple[int, dict[str, str], str, bool]:
    """Status, headers, body of the guard's answer; and whether the app behind it was reached."""
    reached: list[bool] = []
    said: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(True)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(dict(message))

    lines = {"host": f"127.0.0.1:{PORT}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in lines.items()],
    }
    asyncio.run(Guard(app, PORT, TOKEN)(scope, receive, send))
    start = said[0]
    found = {k.decode(): v.decode() for k, v in start.get("headers", [])}
    return (
        start.get("status", start.get("code", 0)),
        found,
        str(said[-1].get("body", b""), "utf-8"),
        bool(reached),
    )


COOKIE = f"videoscore_studio_{PORT}={TOKEN}"


def test_the_token_becomes_a_cookie_which_opens() -> None:
    status, headers, _, reached = ask(query=f"token={TOKEN}")
    assert status == 303 and headers["location"] == "/" and not reached
    assert COOKIE in headers["set-cookie"] and "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    status, headers, body, reached = ask(cookie=COOKIE)
    assert (status, body, reached) == (200, "in", True)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": f"videoscore_studio_{PORT}=wrong"},
        {"cookie": f"videoscore_studio_1={TOKEN}"},
        {"cookie": ";;=\"'"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/", "/film/ab/video", "/upload", "/_nicegui_ws/socket.io/", "/studio/static/x.js"]
)
def test_without_the_token_nothing_is_reached(headers: dict[str, str], path: str) -> None:
    status, _, body, reached = ask(path=path, **headers)
    assert status == 403 and not reached and "videoscore studio" in body


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "127.0.0.1"},
        {"host": ""},
        {"host": f"127.0.0.1.evil.example:{PORT}"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{PORT + 1}"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
    ],
)
def test_other_sites_and_other_names_are_refused_even_with_the_cookie(
    kind: str, headers: dict[str, str]
) -> None:
    status, _, _, reached = ask(kind=kind, path="/_nicegui_ws/socket.io/", cookie=COOKIE, **headers)
    assert not reached and status in ((421, 403) if kind == "http" else (1008,))


def test_only_an_upload_may_be_large() -> None:
    assert ask("POST", "/film/x", cookie=COOKIE, content_length=str(2 << 30))[0] == 413
    assert ask("POST", "/film/x", cookie=COOKIE, content_length="-5")[0] == 413
    assert ask("POST", "/upload", cookie=COOKIE, content_length=str(2 << 30))[3]


def test_a_token_never_leads_elsewhere() -> None:
    _, headers, _, _ = ask(path="//evil.example/x", query=f"token={TOKEN}")
    assert headers["location"] == "/evil.example/x"


# ---------------------------------------------------------------- export


def test_an_export_is_planned_beside_the_film_and_nowhere_else(film: Clip, tmp_path: Path) -> None:
    media = probe(film.path)
    planned = export.plan(media, tmp_path, "mine", ["video", "cues", "stems", "edl"], overwrite=False)
    assert {k: p.name for k, p in planned.items()} == {
        "video": "mine.mp4",
        "cues": "mine.cues.json",
        "stems": "mine.stems",
        "edl": "mine.edl",
    }
    for name in ("", "../x", "a/b", ".hidden", "a\nb", "C:x", "x" * 200):
        with pytest.raises(UsageError, match="file's name"):
            export.plan(media, tmp_path, name, ["cues"], overwrite=True)
    with pytest.raises(UsageError, match="nothing to export"):
        export.plan(media, tmp_path, "mine", [], overwrite=True)
    (tmp_path / "mine.mid").write_bytes(b"")
    with pytest.raises(OutputExists):
        export.plan(media, tmp_path, "mine", ["midi"], overwrite=False)
    assert export.plan(media, tmp_path, "mine", ["midi"], overwrite=True)


def test_the_film_itself_is_never_replaced(film: Clip) -> None:
    media = probe(film.path)
    with pytest.raises(VideoscoreError, match="original"):
        export.plan(media, film.path.parent, film.path.stem, ["video"], overwrite=True)


def test_the_command_line_names_what_differs_from_the_preset() -> None:
    options = build("piano", 7, intensity=0.9, balance=-6.5, takes=2, smooth=12, roles="melody,bass")
    words = command(
        Path("my film.mp4"), Path("my film.cues.json"), Path("out.mp4"), options, ["midi", "cues"]
    )
    assert words == (
        "videoscore score 'my film.mp4' --cues 'my film.cues.json' -o out.mp4 --keep midi --takes 2 "
        "--intensity 0.9 --roles melody,bass --balance -6.5"
    )
    again = build("piano", 7, intensity="0.9", balance="-6.5", takes="2", roles="melody,bass")
    assert replace(again, smooth=options.smooth) == options


# ---------------------------------------------------------------- the command


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "nicegui.py").write_text("raise ImportError('hidden by the test', name='nicegui')\n")
    said = run_command("studio", "--no-browser", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert said.code == 5 and said.out == ""
    assert said.err.strip().endswith(
        'the package nicegui isn\'t installed. Install it: pip install "videoscore[studio]".'
    )


def test_a_film_or_a_folder_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("nicegui")
    for words in (["none.mp4"], ["--folder", "none"]):
        said = run_command("studio", "--no-browser", *words, cwd=tmp_path)
        assert said.code == 3 and len(said.err.splitlines()) == 1
    said = run_command("studio", "--no-browser", "--preset", "cinematc", cwd=tmp_path)
    assert said.code == 2 and "Did you mean cinematic?" in said.err
