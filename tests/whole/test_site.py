"""The documentation's site: built without a network; every link in it leads somewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import ROOT

pytest.importorskip("mkdocs", reason="mkdocs isn't installed (make setup-dev)")
pytest.importorskip("material", reason="mkdocs-material isn't installed (make setup-dev)")
pytest.importorskip("mkdocstrings", reason="mkdocstrings isn't installed (make setup-dev)")
# any way out of the machine is shut
CLOSED = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


class Page(HTMLParser):
    """links : what the reader may follow. loads : what the page fetches by itself. names : its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self.names |= {of[name] for name in ("id", "name") if name in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        elif tag == "link" and of.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(of["href"])
        elif "src" in of:
            self.loads.append(of["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={
            **os.environ,
            **CLOSED,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {
        path: Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }


def test_links_and_anchors_lead_somewhere(site, pages):
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and target.is_relative_to(site.resolve())
            anchor = unquote(parts.fragment)
            if there and anchor and target in pages:
                there = anchor in pages[target].names
            if not there:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(pages):
    foreign = {
        load for page in pages.values() for load in page.loads if urlsplit(load).scheme in ("http", "https")
    }
    assert foreign == set()


def test_every_page_of_docs_is_there_and_so_are_those_made_from_code(site, pages):
    made = {path.relative_to(site).as_posix() for path in pages}
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() in made
    commands = pages[site / "reference" / "commands.html"]
    assert {"videoscore-score", "videoscore-library-add", "videoscore-setup"} <= commands.names
    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    import videoscore

    for name in videoscore.__all__:
        assert name.startswith("__") or name in python
    schema = (site / "reference" / "cue-sheet-schema.html").read_text(encoding="utf-8")
    assert "start_on" in schema and "maxItems" in schema
