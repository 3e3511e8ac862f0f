"""The start page: films of the folder, films that are open, and the upload."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from videoscore.errors import VideoscoreError
from videoscore.studio.desk import Desk, describe
from videoscore.studio.open_films import Studio
from videoscore.studio.page.film import DeskPage
from videoscore.studio.page.live import live_page
from videoscore.studio.page.widgets import button, heading

HEAD = '<link rel="stylesheet" href="/studio/static/studio.css"><link rel="icon" href="data:,">'
UPLOAD = """<script type="module">
import {{ upload }} from "/studio/static/studio.js";
const words = (text) => {{ document.querySelector(".upload-words").textContent = text; }};
document.addEventListener("change", (e) => {{
  if (e.target.matches("input.upload") && e.target.files.length) upload(e.target.files[0], {most}, words);
}});
</script>"""


def add_pages(studio: Studio) -> None:
    """Tell NiceGUI of the pages."""

    @ui.page("/", title="videoscore studio")
    def start(open: str = "", given: str = "", all: str = "") -> None:
        note = ""
        ui.add_head_html(HEAD)
        if open:
            try:
                ui.navigate.to(f"/film/{studio.desk(studio.shelf.find(open)).key}")
            except VideoscoreError as error:
                note = describe(error)
        elif studio.shelf.film is not None and (given or studio.shelf.folder is None and not all):
            ui.navigate.to(f"/film/{studio.desk(studio.shelf.film).key}")
        _start(studio, note)

    @ui.page("/live", title="Live – videoscore studio")
    def live() -> None:
        ui.add_head_html(HEAD)
        live_page()

    @ui.page("/film/{key}", title="videoscore studio")
    def film(key: str) -> None:
        ui.add_head_html(HEAD)
        desk = studio.desks.get(key)
        if desk is None:
            ui.page_title("videoscore studio")
            _start(studio, "This film isn't open any more. Choose it again.")
            return
        ui.page_title(f"{desk.film.name} – videoscore studio")
        DeskPage(desk, studio)


def _start(studio: Studio, note: str) -> None:
    shelf = studio.shelf
    ui.add_head_html(UPLOAD.format(most=shelf.most))
    with ui.element("main").classes("start"):
        ui.html("<h1 style='font-size:24px;font-weight:600;margin:0'>videoscore studio</h1>", sanitize=False)
        if note:
            with ui.element("div").classes("notice bad").props("role=alert"):
                ui.label(note).classes("words")
        if studio.desks:
            with ui.element("section").classes("panel"):
                heading("Open now")
                for desk in studio.desks.values():
                    _open_film(studio, desk)
        with ui.element("section").classes("panel"):
            heading("Films in this folder" if shelf.folder is not None else "Film")
            _films(studio)
        with ui.element("section").classes("panel"):
            heading("Live")
            ui.link("Music for what your camera sees", "/live")
        with ui.element("section").classes("panel"):
            heading("Another film")
            ui.element("input").classes("upload").props(
                'type=file accept="video/*,.mkv,.mts,.mxf,.ts" aria-label="A film from elsewhere"'
            )
            ui.label(
                f"Up to {shelf.most / (1 << 30):g} GB. It stays on this machine and is removed when the studio "
                "ends."
            ).classes("quiet")
            ui.label("").classes("upload-words").props("role=status")


def _open_film(studio: Studio, desk: Desk) -> None:
    async def shut() -> None:
        await studio.shut(desk.key)
        ui.navigate.to("/?all=1")

    with ui.element("div").classes("line"):
        ui.link(desk.film.name, f"/film/{desk.key}")
        ui.space()
        button("close", f"Close {desk.film.name}: its takes go", shut, "Close")


def _films(studio: Studio) -> None:
    shelf = studio.shelf
    films = shelf.films()
    with ui.element("div").classes("films"):
        if shelf.film is not None:
            ui.link(shelf.film.name, "/?given=1")
        for name in films:
            ui.link(name, f"/?open={quote(name)}")
    if shelf.folder is not None and not films:
        ui.label(f"There is no video below {shelf.folder}.").classes("quiet")
