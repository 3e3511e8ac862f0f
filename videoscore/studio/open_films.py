"""All films that are open, and the shelf they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videoscore.cues.sheet import CueSheet
from videoscore.errors import UsageError
from videoscore.pipeline.settle import settle, settle_sheet
from videoscore.settings.fields import Options
from videoscore.studio.allowed_files import Shelf
from videoscore.studio.desk import Desk
from videoscore.studio.live import Live
from videoscore.studio.session import check_written

MOST_DESKS = 8


class Studio:
    """desks : key -> film. Two browsers that open one film share its desk; different films know nothing of each
    other."""

    def __init__(
        self,
        shelf: Shelf,
        preset: str | None,
        seed: Any,
        settings: dict[str, Any],
        cues: CueSheet | None = None,
    ) -> None:
        """cues : of the shelf's film, to go on with; it has its own preset and seed unless others are given. Raises
        UsageError or PresetError for settings that can't be."""
        self.shelf, self.cues = shelf, cues
        self.settings = {name: value for name, value in settings.items() if value is not None}
        self.options: Options
        if cues is None:
            self.options = settle(preset, seed, **self.settings)
        else:
            self.cues, self.options = settle_sheet(cues, preset, seed, **self.settings)
        check_written(self.options)
        self.desks: dict[str, Desk] = {}
        self.live = Live(shelf.temporary, self.options)

    def desk(self, film: Path) -> Desk:
        """The desk of a film that the shelf has; a new one begins to watch it. Needs a running event loop."""
        for desk in self.desks.values():
            if desk.film == film:
                break
        else:
            self._make_room()
            cues = self.cues if film == self.shelf.film else None
            desk = Desk(film, film.parent, self.shelf.temporary, self.options, self.settings, cues)
            self.desks[desk.key] = desk
        desk.watch()
        return desk

    def _make_room(self) -> None:
        if len(self.desks) >= MOST_DESKS:
            raise UsageError(f"{MOST_DESKS} films are open already", remedy="Close one on the start page.")

    async def shut(self, key: str) -> None:
        """Close a film: its takes go."""
        desk = self.desks.pop(key, None)
        if desk is not None:
            await desk.close()

    async def close(self) -> None:
        for key in list(self.desks):
            await self.shut(key)
        await self.live.close()
        self.shelf.close()
