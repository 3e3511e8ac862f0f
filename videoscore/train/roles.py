"""Roles of notes, as the library finds them too: see `videoscore.library.roles`."""

from __future__ import annotations

from videoscore.library.roles import DROP, Track, assign, outer_voice

__all__ = ["DROP", "Track", "assign", "outer_voice"]
