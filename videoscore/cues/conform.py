"""A cue sheet for one cut of a film, fitted to the file that is to be scored."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from videoscore.cues.check import check, show
from videoscore.cues.contour import clip
from videoscore.cues.locked_cue import move_cue
from videoscore.cues.meter import meter_for
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import CueSheetError

# Containers and re-encodings of one film differ by some pictures; by more than this it is another film.
MOST_DIFFERENCE = Fraction(1)


def conform(sheet: CueSheet, duration: Fraction, *, most: Fraction = MOST_DIFFERENCE) -> CueSheet:
    """The sheet with its end at exactly `duration` seconds.

    The last cue is lengthened or cut, keeps its tempo as nearly as whole bars allow, and holds its last
    mood; cues that would start beyond the end are left out. Equal lengths give the sheet back as it is.

    Raises
    ------
    CueSheetError : the lengths differ by over `most` seconds.
    """
    check(sheet)
    off = abs(sheet.duration - duration)
    if off == 0:
        return sheet
    if off > most or duration <= 0:
        raise CueSheetError(
            f"the cue sheet is for a film of {show(sheet.duration)} s and this one lasts {show(duration)} s",
            remedy="Give the sheet of this film, or make one with `videoscore analyze`.",
        )
    inside = [c for c in sheet.cues if c.start < duration]
    cues = (*inside[:-1], end_at(inside[-1], duration))
    cuts = tuple(c for c in sheet.cuts if c < duration)
    return replace(sheet, duration=duration, cues=cues, cuts=cuts)


def end_at(cue: Cue, end: Fraction) -> Cue:
    """The cue with another end: curve and hits cut or held, the tempo kept as nearly as whole bars allow. A locked
    cue keeps its bars; raises CueSheetError when no tempo that can be played lets it."""
    hits = tuple(h for h in cue.hits if h.t < end)
    if cue.locked:
        return replace(move_cue(cue, cue.start, end, cue.name), hits=hits)
    return replace(
        cue,
        end=end,
        curve=clip(cue.curve, cue.start, end),
        hits=hits,
        meter=meter_for(end - cue.start, cue.bpm, cue.meter.beats),
    )
