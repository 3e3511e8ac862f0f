"""The panel of the chosen cue."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.disableable_element import DisableableElement

from videoscore.cues.contour import mean
from videoscore.cues.keys import MAJOR, MINOR
from videoscore.preview.timeline import COLOURS
from videoscore.studio.page.widgets import FilmPage, button, heading
from videoscore.studio.session import Session
from videoscore.studio.view import ink

# as they lie on the plane: valence to the right, arousal upwards
PLANE = (("Angry", "Dynamic"), ("Anxiety", "Happy"), ("Depressed", "Peaceful"), ("Withered", "Tired"))
KEYS = [f"{name} {mode}" for table, mode in ((MAJOR, "major"), (MINOR, "minor")) for name in table.values()]


class Inspector:
    """Shows and changes the cue that its page has chosen."""

    def __init__(self, page: FilmPage) -> None:
        self.page = page
        with ui.element("section").classes("panel").props('aria-label="Chosen cue"'):
            with ui.element("div").classes("line"):
                heading("Chosen cue")
                ui.space()
                self.facts = ui.label("").classes("quiet num").style("font-size: 12px")
            with ui.element("div").classes("inspector"):
                with ui.element("div"):
                    self._moods()
                with ui.element("div"):
                    self._fields()
            self._buttons()

    def _moods(self) -> None:
        with ui.element("div").classes("axis"):
            ui.label("← unpleasant")
            ui.label("↑ excited")
            ui.label("pleasant →")
        self.moods: dict[str, ui.button] = {}
        with ui.element("div").classes("moods").props('role=group aria-label="Mood"'):
            for mood in (m for row in PLANE for m in row):
                chip = ui.button(mood, color=None, on_click=lambda m=mood: self._do("set_mood", m)).props(
                    "unelevated"
                )
                chip.style(f"background: {COLOURS[mood]} !important; color: {ink(COLOURS[mood])} !important")
                self.moods[mood] = chip
        with ui.element("div").classes("axis"):
            ui.space()
            ui.label("↓ calm")
            ui.space()

    def _fields(self) -> None:
        with ui.element("div").classes("fields"):
            self.name = ui.input("Name").props("dense outlined").style("grid-column: span 2")
            self.name.on("change", lambda: self._do("rename", str(self.name.value)))
            self.starts = ui.number("Start, s", step=0.1, format="%.3f").props("dense outlined")
            self.starts.on("change", lambda: self._number(self.starts, self._move))
            self.seed = ui.number("Seed", step=1, format="%d").props("dense outlined")
            self.seed.tooltip("Another seed writes other notes; empty: the seed of the whole score")
            self.seed.on("change", self._set_seed)
            self.key = ui.select(KEYS, label="Key").props("dense outlined options-dense")
            self.key.on("update:model-value", lambda: self._do("set_key", self.key.value))
            self.bpm = ui.number("Tempo", step=1, format="%.1f").props("dense outlined")
            self.bpm.tooltip("Quarter notes a minute: the nearest tempo at which whole bars fill the cue")
            self.bpm.on("change", lambda: self._number(self.bpm, lambda x: self._do("set_bpm", x)))

    def _buttons(self) -> None:
        with ui.element("div").classes("deeds"):
            self.lock = button(
                "lock_open", "Keep the notes of this cue, whatever changes around it", self._lock, "Lock"
            )
            self.again = button(
                "refresh",
                "Write this cue anew with another seed; all others keep their notes (R)",
                self.page.again,
                "Regenerate",
            ).classes("studio-again")
            self.split = button(
                "content_cut",
                "Part the cue at the playhead (S)",
                lambda: self.page.client.run_javascript("studio.split()"),
                "Split",
            )
            self.merge = button("merge", "Take this cue away: the one before lasts on", self._merge, "Merge")
            self.release = button(
                "lock_reset",
                "Forget my changes: the sliders may change this cue again",
                lambda: self._do("release"),
                "Free",
            )

    def _do(self, name: str, *values: Any) -> None:
        number = self.page.cue_number
        self.page.do(lambda session: getattr(session, name)(number, *values))

    def _number(self, field: ui.number, then: Any) -> None:
        if field.value is not None:
            then(field.value)

    def _move(self, t: float) -> None:
        self._do("move_boundary", Fraction(str(t)))

    def _set_seed(self) -> None:
        self._do("set_seed", None if self.seed.value is None else int(self.seed.value))

    def _lock(self) -> None:
        locked = self.page.session.cue(self.page.cue_number).locked
        self._do("unlock" if locked else "lock")

    def _merge(self) -> None:
        number = self.page.cue_number
        self.page.do(lambda session: session.merge(number))
        self.page.choose(max(0, number - 1))

    def update(self) -> None:
        """Show the cue as it is now."""
        session = self.page.desk.session
        everything: tuple[DisableableElement, ...] = (
            self.name,
            self.starts,
            self.seed,
            self.key,
            self.bpm,
            self.lock,
            self.again,
            self.split,
            self.merge,
            self.release,
            *self.moods.values(),
        )
        if session is None:
            for one in everything:
                one.set_enabled(False)
            return
        number = self.page.cue_number = min(self.page.cue_number, len(session.sheet.cues) - 1)
        self._show(session, number)

    def _show(self, session: Session, number: int) -> None:
        cue, mark = session.sheet.cues[number], session.state.marks[number]
        valence, arousal = mean(cue.curve, cue.start, cue.end)
        self.facts.set_text(
            f"{float(cue.duration):.2f} s · {cue.meter.bars} bars of {cue.meter.beats} · valence "
            f"{valence:+.2f} · arousal {arousal:+.2f}".replace("-", "−")
        )
        if cue.key not in self.key.options:
            self.key.set_options([*self.key.options, cue.key])
        fields: tuple[tuple[Any, Any], ...] = (
            (self.name, cue.name),
            (self.starts, round(float(cue.start), 3)),
            (self.seed, cue.seed),
            (self.key, cue.key),
            (self.bpm, round(float(cue.bpm), 1)),
        )
        for field, value in fields:
            field.set_value(value)
            field.set_enabled(not cue.locked or field is self.name)
        self.starts.set_enabled(number > 0)
        for mood, chip in self.moods.items():
            chip.props(f"aria-pressed={'true' if mood == cue.mood else 'false'}")
            chip.set_enabled(not cue.locked)
        self.lock.set_text("Unlock" if cue.locked else "Lock")
        self.lock.set_icon("lock" if cue.locked else "lock_open")
        self.lock.set_enabled(cue.locked or session.can_lock(number))
        idle = self.page.desk.job is None
        self.again.set_enabled(idle and not cue.locked and session.take is not None)
        self.split.set_enabled(not cue.locked)
        self.merge.set_enabled(len(session.sheet.cues) > 1 and not cue.locked)
        self.release.set_enabled((mark.edited or mark.fixed) and not cue.locked)
