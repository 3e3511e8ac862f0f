"""Small pieces that the parts of the page share, and what the parts know of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nicegui import Client, ui

from videoscore.studio.desk import Desk
from videoscore.studio.open_films import Studio
from videoscore.studio.session import Session


class FilmPage(Protocol):
    """The page of one film, as its parts see it. chosen : number of the cue that is chosen on this page, from 0."""

    desk: Desk
    studio: Studio
    client: Client
    cue_number: int

    @property
    def session(self) -> Session: ...

    def do(self, what: Callable[[Session], Any]) -> Any: ...

    def choose(self, number: int, tell: bool = True) -> None: ...

    def again(self) -> None: ...


def heading(text: str) -> None:
    ui.html(f"<h2 class='heading'>{text}</h2>", sanitize=False)


def button(icon: str, tip: str, on_click: Callable[[], Any], label: str = "") -> ui.button:
    """A small button with its meaning as tooltip and for screen readers."""
    name = tip.split(" (")[0]
    return (
        ui.button(label, icon=icon, on_click=on_click, color=None)
        .props(f'flat dense no-caps aria-label="{name}"')
        .tooltip(tip)
    )
