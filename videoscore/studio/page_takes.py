"""The takes: to hear, to compare, to go back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from videoscore.studio.page_parts import heading

if TYPE_CHECKING:
    from videoscore.studio.page_desk import DeskPage


class Takes:
    """The newest first; the pressed one is heard."""

    def __init__(self, page: DeskPage) -> None:
        self.page, self.shown = page, ""
        with ui.element("section").classes("panel studio-list").props('aria-label="Takes"'):
            heading("Takes")
            self.box = ui.element("div").classes("takes")
            with self.box:
                ui.label("Compose: the score appears here, and is heard under the picture.").classes("quiet")

    def update(self, told: dict[str, Any]) -> None:
        """Show the takes of `videoscore.studio.view.now`."""
        state = repr((told["takes"], told["take"]))
        if not told["takes"] and not self.shown or state == self.shown:
            return
        self.shown = state
        self.box.clear()
        with self.box:
            for take in reversed(told["takes"]):
                self._row(take, take["number"] == told["take"])

    def _row(self, take: dict[str, Any], heard: bool) -> None:
        number = take["number"]
        loud = "silent" if take["loudness"] is None else f"{take['loudness']:.1f} LUFS".replace("-", "−")
        row = ui.button(f"Take {number}: {take['what']}", color=None,
                        on_click=lambda: self.page.do(lambda s: s.choose_take(number)))
        row.props(f'flat dense no-caps aria-pressed={"true" if heard else "false"}')
        row.tooltip(f"Hear take {number} and show its cues (A: back and forth). {take['preset']}, "
                    f"{take['notes']} notes, {loud}")
