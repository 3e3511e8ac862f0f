"""Bar lines, as the library finds them too: see `videoscore.library.bars`."""

from __future__ import annotations

from videoscore.library.bars import (
    ACCENT_BIAS,
    ACCENT_WEIGHTS,
    LONGEST,
    STEP,
    Bars,
    Notes,
    Signature,
    accents,
    bar_grid,
    find_lines,
)

__all__ = ["ACCENT_BIAS", "ACCENT_WEIGHTS", "LONGEST", "STEP", "Bars", "Notes", "Signature", "accents", "bar_grid",
           "find_lines"]
