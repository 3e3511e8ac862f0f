"""A locked cue when its boundaries move: the notes stay on their bars, and the tempo follows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from videoscore.cues.contour import stretch_curve
from videoscore.cues.meter import BPM
from videoscore.cues.sheet import Cue
from videoscore.errors import CueSheetError


def move_cue(cue: Cue, start: Fraction, end: Fraction, where: str) -> Cue:
    """A locked cue from `start` to `end` seconds, with its bars; its curve goes with the bars, its hits with the
    picture.

    where : names it in errors. Raises CueSheetError when another length would make it slower or faster than can be
    played.
    """
    out = replace(cue, start=start, end=end, curve=stretch_curve(cue.curve, (cue.start, cue.end), start, end))
    if out.duration != cue.duration and not BPM[0] <= out.bpm <= BPM[1]:
        raise CueSheetError(
            f"{where} is locked: its {cue.meter.bars} bars in {float(out.duration):.3f} s would be "
            f"{float(out.bpm):.3g} quarter notes a minute",
            remedy=f"Move the boundary less far (a tempo from {BPM[0]:g} to {BPM[1]:g}), or unlock the "
            "cue (`videoscore lock --unlock`, or delete its `locked`).",
        )
    return out
