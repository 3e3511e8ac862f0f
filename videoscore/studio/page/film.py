"""The page of one film: puts its parts together, passes on what is done, shows what has changed. No logic."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from nicegui import ui

from videoscore.errors import VideoscoreError
from videoscore.file_names import as_text
from videoscore.settings.preset_file import list_presets
from videoscore.studio import proxy, view
from videoscore.studio.desk import Desk
from videoscore.studio.page.dialogs import ExportDialog, keys_dialog
from videoscore.studio.page.inspector import Inspector
from videoscore.studio.page.takes import Takes
from videoscore.studio.page.widgets import button, heading
from videoscore.studio.session import Session

if TYPE_CHECKING:
    from videoscore.studio.open_films import Studio

SCRIPT = '<script type="module">import { start } from "/studio/static/studio.js"; start();</script>'
OFTEN = 0.1  # seconds between two looks at the desk
LONGEST_WINDOW, LONGEST_CUE = 40, 40


class DeskPage:
    """One browser's page. `chosen` : number of the cue that it has chosen; all else is the desk's."""

    def __init__(self, desk: Desk, studio: Studio) -> None:
        self.desk, self.studio, self.cue_number, self.ready, self.mode = desk, studio, 0, False, "score"
        self.revision, self.told_film, self.told_source = -1, False, ""
        self.client = ui.context.client
        self.client.on_exception(self._show_error)
        ui.add_head_html(SCRIPT)
        ui.dark_mode(True)
        ui.colors(
            primary="#2f6f9f", accent="#56B4E9", negative="#8a3a2a", dark="#222429", dark_page="#17181b"
        )
        with ui.element("main").classes("studio"):
            self._head()
            with ui.element("div").classes("studio-notices"):
                self._notices()
            with ui.element("div").classes("studio-upper"):
                self._stage()
                with ui.element("section").classes("panel studio-list").props('aria-label="Cues"'):
                    heading("Cues")
                    ui.element("div").classes("studio-cues")
                with ui.element("div").classes("studio-right"):
                    self.inspector = Inspector(self)
                    self.takes = Takes(self)
            self._tools()
            with ui.element("div").classes("studio-below"):
                ui.element("canvas").classes("studio-timeline").props(
                    'role=img aria-label="Timeline: pictures, cues, moods, valence and arousal, music. '
                    'Everything on it can be done in the cue panel, too."'
                )
                ui.element("div").classes("studio-tip")
                self.wait = ui.label(
                    "The film is being watched: its moods, cuts and cues appear here."
                ).classes("studio-wait quiet")
        self.exporting, self.keys = ExportDialog(self), keys_dialog()
        ui.on("studio", self._on_event)
        ui.timer(OFTEN, self.refresh)

    @property
    def session(self) -> Session:
        return self.desk.contents()[1]

    # ------------------------------------------------------------ parts

    def _head(self) -> None:
        with ui.element("header").classes("studio-head"):
            button("menu", "All films", lambda: ui.navigate.to("/?all=1"), label="Films")
            ui.label(as_text(self.desk.film.name)).classes("title").props("role=heading aria-level=1")
            ui.space()
            self.undo = button("undo", "Undo (Ctrl+Z)", lambda: self.do(lambda s: s.undo()))
            self.redo = button("redo", "Redo (Ctrl+Shift+Z)", lambda: self.do(lambda s: s.redo()))
            self.preset = (
                ui.select(list(list_presets()), label="Preset")
                .props("dense outlined options-dense")
                .style("width: 150px")
                .tooltip("The instruments, for all cues")
            )
            self.preset.on("update:model-value", lambda e: self.do(lambda s: s.set_preset(self.preset.value)))
            self.compose = (
                ui.button("Compose", icon="music_note", on_click=self._compose)
                .props("no-caps")
                .classes("studio-compose")
            )
            with self.compose:
                self.compose_tip = ui.tooltip("")
            self.another = ui.button("New take", icon="casino", on_click=self._another, color=None)
            self.another.props("no-caps outline")
            self.another.tooltip("Write all cues anew with another seed; locked cues keep their notes")
            self.export = ui.button(
                "Export", icon="ios_share", on_click=lambda: self.exporting.open(), color=None
            )
            self.export.props("no-caps outline").tooltip("Scored video, MIDI, stems, cue sheet, markers")
            button("keyboard", "Keys (?)", lambda: self.keys.open())

    def _notices(self) -> None:
        with ui.element("div").classes("notice bad studio-trouble").props("role=alert") as self.trouble:
            self.trouble_words = ui.label("").classes("words")
            self.retry = ui.button("Try again", on_click=self.desk.watch, color=None).props(
                "no-caps flat dense"
            )
            ui.button("Dismiss", on_click=self.desk.forgive, color=None).props("no-caps flat dense")
        with ui.element("div").classes("notice studio-copying").props("role=status") as self.copying:
            ui.label(
                "This browser can't play the film as it is: a small copy for looking at is being made. Export "
                "uses the film itself."
            ).classes("words")
        for notice in (self.trouble, self.copying):
            notice.set_visibility(False)

    def _stage(self) -> None:
        with ui.element("section").classes("studio-stage").props('aria-label="Picture"'):
            ui.element("video").classes("studio-video").props("playsinline preload=auto tabindex=-1")
            with ui.element("div").classes("studio-transport"):
                js = self.client.run_javascript
                button("skip_previous", "Cue before (↑)", lambda: js("studio.cue(-1)"))
                button("play_arrow", "Play, pause (Space)", lambda: js("studio.player.toggle()")).classes(
                    "studio-play"
                )
                button("skip_next", "Next cue (↓)", lambda: js("studio.cue(1)"))
                ui.element("span").classes("studio-clock").props('role=timer aria-label="Time"')
                ui.element("span").classes("studio-frame")
                ui.element("span").classes("studio-rate")
                ui.space()
                self.listen = (
                    ui.toggle({"score": "Mix", "music": "Music", "film": "Film"}, value="score")
                    .props('dense no-caps unelevated aria-label="What is heard"')
                    .tooltip("What is heard: the mix, the music alone, the film's own sound (M)")
                )
                self.listen.on("update:model-value", lambda e: self._mode(self.listen.value))
                self.looping = False
                self.loop = button("repeat", "Play the chosen cue again and again", self._loop)
                self.loop.props("aria-pressed=false")
                volume = (
                    ui.slider(min=0, max=1, step=0.05, value=1)
                    .props('aria-label="Volume" dense')
                    .style("width: 52px; flex: none; margin-right: 8px")
                    .tooltip("Volume")
                )
                volume.on(
                    "update:model-value", lambda e: js(f"studio.volume({float(volume.value)})"), throttle=0.05
                )

    def _tools(self) -> None:
        with ui.element("section").classes("studio-tools").props('aria-label="Segmentation"'):
            self.window, self.window_words = self._slide(
                "Smoothing",
                0,
                max(LONGEST_WINDOW, self.desk.options.smooth.window),
                0.5,
                "How many seconds of mood are taken together: more makes fewer, calmer cues",
            )
            self.min_cue, self.min_words = self._slide(
                "Shortest cue",
                1,
                max(LONGEST_CUE, float(self.desk.options.spot.min_cue)),
                0.5,
                "No cue is shorter than this",
            )
            with ui.element("div").classes("line"):
                js = self.client.run_javascript
                button("zoom_out", "Zoom out (−)", lambda: js("studio.timeline.zoom(1 / 1.6)"))
                button("fit_screen", "Whole film (0)", lambda: js("studio.timeline.fit()"))
                button("zoom_in", "Zoom in (+)", lambda: js("studio.timeline.zoom(1.6)"))

    def _slide(self, name: str, low: float, high: float, step: float, tip: str) -> tuple[ui.slider, ui.label]:
        with ui.element("div").classes("slide"):
            ui.label(name)
            slider = (
                ui.slider(min=low, max=high, step=step)
                .props(f'aria-label="{name}, seconds" dense')
                .tooltip(tip)
            )
            words = ui.label("").classes("num")
        slider.on("update:model-value", lambda e: self._segment(False), throttle=0.04)
        slider.on("change", lambda e: self._segment(True))
        return slider, words

    # ------------------------------------------------------------ doing

    def do(self, what: Callable[[Session], Any]) -> Any:
        """Change the session; an error becomes words on the page."""
        try:
            result = what(self.session)
        except VideoscoreError as error:
            self.desk.fail(error)
            result = None
        else:
            self.desk.trouble = ""
            self.desk.changed()
        self.refresh()
        return result

    def _segment(self, final: bool) -> None:
        window, shortest = float(self.window.value), Fraction(str(self.min_cue.value))
        self.do(lambda s: s.resegment(window, shortest, final))

    def _compose(self) -> None:
        self.do(lambda s: self.desk.compose(s.ask_changes()))

    def _another(self) -> None:
        seeds = {t.sheet.seed for t in self.session.takes} | {self.session.sheet.seed}
        fresh = next(n for n in range(len(seeds) + 1) if n not in seeds) if self.session.takes else None
        self.do(lambda s: self.desk.compose(s.ask_all(fresh)))

    def again(self) -> None:
        """The chosen cue anew, all others kept."""
        self.do(lambda s: self.desk.compose(s.ask_one(self.cue_number)))

    def _loop(self) -> None:
        self.looping = not self.looping
        self.loop.props(f"aria-pressed={json.dumps(self.looping)}")
        self.client.run_javascript(f"studio.loop({json.dumps(self.looping)})")

    def _mode(self, name: str) -> None:
        self.mode = name
        self.listen.set_value(name)
        self.client.run_javascript(f"studio.mode({json.dumps(name)})")

    def _on_event(self, event: Any) -> None:
        """What was done in the browser's own part."""
        details = event.args if isinstance(event.args, dict) else {}
        what = details.get("do")
        number = max(0, int(details.get("number") or 0))
        if what == "ready":
            self.ready, self.revision, self.told_film, self.told_source = True, -1, False, ""
            self.refresh()
        elif what == "select":
            self.choose(number, tell=False)
        elif what == "move":
            snap = Fraction(1, 500) if details.get("snap") else Fraction(0)
            self.do(lambda s: s.move_boundary(number, exact(details["t"]), snap))
        elif what == "split":
            new = self.do(
                lambda s: s.split(exact(details["t"]), exact(min(0.5, float(details.get("snap", 0)))))
            )
            if new is not None:
                self.choose(new)
        elif what == "take":
            self.do(lambda s: s.choose_take(number))
        elif what == "mode" and details.get("mode") in ("score", "music", "film"):
            self._mode(str(details["mode"]))
        elif what == "unplayable":
            self._unplayable(bool(details.get("h264")))
        elif what in ("undo", "redo"):
            self.do(lambda s: s.undo() if what == "undo" else s.redo())
        elif what == "again":
            self.again()
        elif what == "help":
            self.keys.open()

    def _unplayable(self, h264: bool) -> None:
        if self.desk.preview is None:
            self.desk.want_preview(".mp4" if h264 else ".webm")
        else:
            self.desk.fail(
                VideoscoreError(
                    "this browser can't play the copy either",
                    remedy="Use another browser, such as Firefox or Chrome.",
                )
            )

    def choose(self, number: int, tell: bool = True) -> None:
        """Choose a cue on this page."""
        self.cue_number = number
        if tell:
            self.client.run_javascript(f"studio.select({number})")
        self.inspector.update()

    def _show_error(self, error: Exception) -> None:
        self.desk.fail(error)

    # ------------------------------------------------------------ showing

    def refresh(self) -> None:
        """Bring the page up to date with the desk."""
        self.takes.show_job(self.desk.job)
        if self.revision == self.desk.revision or not self.ready:
            return
        self.revision = self.desk.revision
        desk, session = self.desk, self.desk.session
        self.trouble.set_visibility(bool(desk.trouble))
        self.trouble_words.set_text(desk.trouble)
        self.retry.set_visibility(session is None and desk.job is None)
        self.copying.set_visibility(desk.proxying)
        self.wait.set_visibility(session is None and desk.job is not None)
        for one in (
            self.undo,
            self.redo,
            self.preset,
            self.window,
            self.min_cue,
            self.another,
            self.compose,
            self.export,
        ):
            one.set_enabled(
                session is not None and (desk.job is None or one not in (self.another, self.compose))
            )
        if session is None:
            self.inspector.update()
            return
        self._show_film()
        state = view.now(session)
        self.cue_number = min(self.cue_number, len(state["cues"]) - 1)
        self.client.run_javascript(f"studio.now({json.dumps(state, separators=(',', ':'))})")
        self._show_settings(session, state)
        self.inspector.update()
        self.takes.update(state)

    def _show_film(self) -> None:
        viewing, _ = self.desk.contents()
        media, source = viewing.analysis.media, ""
        if self.desk.preview is not None:
            source = f"/film/{self.desk.key}/preview/{self.desk.preview.name}"
        elif proxy.worth_trying(media):
            source = f"/film/{self.desk.key}/video"
        if not self.told_film:
            facts = {
                **view.film(viewing.analysis, viewing.speech),
                "key": self.desk.key,
                "source": source or None,
                "thumbs": len(viewing.thumbnails),
                "offset": float(proxy.offset(media)),
            }
            self.client.run_javascript(f"studio.film({json.dumps(facts, separators=(',', ':'))})")
            self.told_film, self.told_source = True, source
        elif source and source != self.told_source:
            self.told_source = source
            self.client.run_javascript(f"studio.source({json.dumps(source)})")

    def _show_settings(self, session: Session, view_state: dict[str, Any]) -> None:
        state = session.state
        for slider, words, value in (
            (self.window, self.window_words, state.window),
            (self.min_cue, self.min_words, float(state.min_cue)),
        ):
            words.set_text(f"{value:g} s")
            if slider.value != value:
                slider.set_value(value)
        if view_state["preset"] not in self.preset.options:
            self.preset.set_options([*self.preset.options, view_state["preset"]])
        self.preset.set_value(view_state["preset"])
        self.undo.set_enabled(session.can_undo)
        self.redo.set_enabled(session.can_redo)
        stale, job = view_state["stale"], self.desk.job
        first = not session.takes or stale == len(view_state["cues"])
        self.compose.set_text(
            "Compose" if first else f"Compose changes ({stale})" if stale else "Compose changes"
        )
        self.compose.set_enabled(job is None and view_state["pending"])
        self.compose_tip.set_text(
            "Write the music of all cues"
            if first
            else "Write the changed cues; the others keep their notes"
            if view_state["pending"]
            else "Nothing was changed since this take"
        )
        self.another.set_enabled(job is None)
        self.another.set_visibility(bool(session.takes))


def exact(t: Any) -> Fraction:
    """Seconds that a pointer gave, on whole milliseconds. A wrong one is an error of the page's own."""
    return Fraction(round(float(t) * 1000), 1000)
