"""Export, and the keys."""

from __future__ import annotations

from nicegui import ui

from videoscore.errors import VideoscoreError
from videoscore.file_names import as_text
from videoscore.pipeline.outputs import KINDS
from videoscore.studio.desk import describe
from videoscore.studio.export_plan import EXPORTS
from videoscore.studio.page.widgets import FilmPage, heading

DEFAULT_KINDS = ("video", "cues")
KEYS = (
    ("Space", "play, pause"),
    ("J  K  L", "backwards, pause, forwards; again: faster"),
    ("← →", "a frame back, forward; with Shift a second"),
    ("↑ ↓", "to the cue before, after"),
    ("Home  End", "to the beginning, to the end"),
    ("S", "split the cue at the playhead"),
    ("R", "regenerate the chosen cue"),
    ("A", "the take that was heard before, and back"),
    ("M", "mix, music alone, film's own sound in turn"),
    ("Ctrl+Z", "undo; with Shift redo"),
    ("+  −  0", "zoom in, out, whole film; Ctrl + wheel as well"),
    ("?", "this list"),
)


def keys_dialog() -> ui.dialog:
    """What the keyboard does."""
    with ui.dialog() as dialog, ui.card().style("max-width: none"):
        heading("Keys")
        with ui.element("div").classes("keys"):
            for keys, what in KEYS:
                ui.html(f"<kbd>{keys}</kbd>", sanitize=False)
                ui.label(what)
        ui.button("Close", on_click=dialog.close, color=None).props("no-caps flat")
    return dialog


class ExportDialog:
    """What to write, under which name; the command line that does the same; the files once they are there."""

    def __init__(self, page: FilmPage) -> None:
        self.page, desk = page, page.desk
        self.list_of_files = desk.exports
        with (
            ui.dialog() as self.dialog,
            ui.card().style("width: 620px; max-width: none").classes("studio-export"),
        ):
            heading("Export")
            self.words = ui.label("").props("role=alert").classes("notice bad").style("width: 100%")
            self.name = (
                ui.input("Name", value=f"{as_text(desk.film.stem)}.scored")
                .props("dense outlined")
                .style("width: 100%")
            )
            self.name.on("update:model-value", self._command, throttle=0.2)
            with ui.element("div").style(
                "display: grid; grid-template-columns: 1fr 1fr; gap: 2px 16px; width: 100%"
            ):
                self.kinds = {
                    kind: ui.checkbox(
                        KINDS[kind].title, value=kind in DEFAULT_KINDS, on_change=self._command
                    ).props("dense")
                    for kind in EXPORTS
                }
            self.overwrite = ui.checkbox("Replace files that are already there").props("dense")
            ui.label(self._where()).classes("quiet")
            ui.label("The same from the command line, once the cue sheet is exported:").classes("quiet")
            self.command = ui.label("").classes("command").style("width: 100%")
            self.files = ui.element("div").props("role=status").style("width: 100%")
            with ui.element("div").classes("line"):
                self.write = ui.button("Write the files", icon="save", on_click=self._write).props("no-caps")
                self.sheet = ui.button("Save the cue sheet only", on_click=self._save, color=None)
                self.sheet.props("no-caps flat").tooltip("As it is now, composed or not")
                ui.button("Close", on_click=self.dialog.close, color=None).props("no-caps flat")
        ui.timer(0.3, self._look)

    def _where(self) -> str:
        desk = self.page.desk
        if self.page.studio.shelf.is_upload(desk.film):
            return "The film was uploaded: download the files below, they are removed when the studio ends."
        return f"Written to {desk.where}, and to be downloaded below."

    def open(self) -> None:
        self._say("")
        self._command()
        self._list()
        self.dialog.open()

    def _selection(self) -> list[str]:
        return [kind for kind, box in self.kinds.items() if box.value]

    def _command(self) -> None:
        if self.page.desk.session is not None:
            self.command.set_text(self.page.desk.command(str(self.name.value), self._selection()))

    def _write(self) -> None:
        try:
            self.page.desk.export(str(self.name.value), self._selection(), bool(self.overwrite.value))
            self._say("")
        except VideoscoreError as error:
            self._say(describe(error))

    def _save(self) -> None:
        try:
            self.page.desk.save_cues(str(self.name.value), bool(self.overwrite.value))
            self._say("")
        except VideoscoreError as error:
            self._say(describe(error))

    def _say(self, words: str) -> None:
        self.words.set_text(words)
        self.words.set_visibility(bool(words))

    def _look(self) -> None:
        """Tell of the job while the dialog is open."""
        if not self.dialog.value:
            return
        desk = self.page.desk
        busy = desk.job is not None
        self.write.set_enabled(not busy)
        self.write.set_text(
            f"{desk.job.words} … {100 * desk.job.share:.0f} %" if desk.job else "Write the files"
        )
        if self.list_of_files != desk.exports:
            self._list()
        elif desk.trouble and not busy and desk.trouble != self.words.text:
            self._say(desk.trouble)

    def _list(self) -> None:
        desk = self.page.desk
        self.list_of_files = desk.exports
        self.files.clear()
        with self.files:
            for number, path in enumerate(desk.exports):
                if path.is_dir():
                    ui.label(f"{path.name}: {len(list(path.iterdir()))} files in {path.parent}")
                else:
                    ui.link(
                        f"{path.name} ({path.stat().st_size / 1e6:.2f} MB)",
                        f"/film/{desk.key}/export/{number}",
                    ).style("color: #8fd0f5; display: block")
