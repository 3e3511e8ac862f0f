"""Small pieces that the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui


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
