"""The takes: to hear, to compare, to go back to."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from videoscore.studio.desk import Job
from videoscore.studio.page.widgets import FilmPage, heading


class Takes:
    """The newest first; the pressed one is heard."""

    def __init__(self, page: FilmPage) -> None:
        self.page, self.list_state = page, ""
        with ui.element("section").classes("panel studio-list").props('aria-label="Takes"'):
            heading("Takes")
            self._job()
            self.box = ui.element("div").classes("takes")
            with self.box:
                ui.label("Compose: the score appears here, and is heard under the picture.").classes("quiet")

    def _job(self) -> None:
        with ui.element("div").classes("studio-job").props("role=status") as self.job:
            with ui.element("div").classes("line"):
                self.words = ui.label("").classes("words")
                self.share = ui.label("").classes("num")
                ui.button("Cancel", on_click=self.page.desk.cancel, color=None).props("no-caps flat dense")
            self.bar = ui.linear_progress(0.0, show_value=False).props('size=8px aria-label="Progress"')
        self.job.set_visibility(False)

    def show_job(self, job: Job | None) -> None:
        """What is being made, how far it is."""
        self.job.set_visibility(job is not None)
        if job is not None:
            self.words.set_text(f"{job.words} · {job.label}")
            self.bar.set_value(round(job.share, 2))
            self.share.set_text(f"{100 * job.share:.0f} %")

    def update(self, view_state: dict[str, Any]) -> None:
        """Show the takes of `videoscore.studio.view.now`."""
        state = repr((view_state["takes"], view_state["take"]))
        if not view_state["takes"] and not self.list_state or state == self.list_state:
            return
        self.list_state = state
        self.box.clear()
        with self.box:
            for take in reversed(view_state["takes"]):
                self._row(take, take["number"] == view_state["take"])

    def _row(self, take: dict[str, Any], heard: bool) -> None:
        number = take["number"]
        loud = "silent" if take["loudness"] is None else f"{take['loudness']:.1f} LUFS".replace("-", "−")
        row = ui.button(
            f"Take {number}: {take['what']}",
            color=None,
            on_click=lambda: self.page.do(lambda s: s.choose_take(number)),
        )
        row.props(f"flat dense no-caps aria-pressed={'true' if heard else 'false'}")
        row.tooltip(
            f"Hear take {number} and show its cues (A: back and forth). {take['preset']}, "
            f"{take['notes']} notes, {loud}"
        )
