"""A note on the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """start, length : units (1/24 quarter) from the cue's start. pitch : MIDI, in the normalised key."""

    start: int
    length: int
    pitch: int
