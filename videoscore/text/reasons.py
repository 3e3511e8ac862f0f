"""Why each cue is as it is, in words."""

from __future__ import annotations

from collections.abc import Sequence

from videoscore.pipeline.explain import CueReason, Reading
from videoscore.settings.fields import Options, PerceiveOptions
from videoscore.text.tables import clock

WEIGHTS = ("motion", "cutting", "sound", "brightness", "colour")
SOURCES = {"scene": "scenes", "face": "faces", "held": "held over from before"}


def reasons_text(reasons: Sequence[CueReason], options: Options) -> str:
    """A paragraph a cue, after a line on how the film was read (if it was)."""
    head = [_head(options)] if any(r.reading for r in reasons) else []
    return "\n\n".join([*head, *map(_paragraph, reasons)])


def _head(options: Options) -> str:
    of, usual = options.perceive, PerceiveOptions()
    weights = [
        f"{name} {getattr(of, name):g}" for name in WEIGHTS if getattr(of, name) != getattr(usual, name)
    ]
    changed = f" with the weights {', '.join(weights)}" if weights else ""
    like = f", then moved to be like {options.spot.reference}" if options.spot.reference else ""
    return (
        f"read by {of.perceiver}{changed} every {float(options.sample.every):g} s, smoothed over "
        f"{options.smooth.window:g} s{like}"
    )


def _paragraph(reason: CueReason) -> str:
    cue = reason.cue
    lines = [f"{cue.name}, {clock(cue.start)} to {clock(cue.end)}"]
    lines += [f"  begins   {reason.boundary}"]
    if reason.reading is not None:
        lines += [f"  read     {_reading(reason.reading)}"]
    if reason.mood:
        lines += [f"  mood     {reason.mood}"]
    if reason.passed_over:
        lines += [f"  cuts     {reason.passed_over}"]
    lines += [f"  key      {reason.key}", f"  tempo    {reason.tempo}"]
    if reason.hits:
        lines += [f"  hits     {reason.hits}"]
    if cue.locked:
        lines += ["  locked   its notes stand in the cue sheet and are kept"]
    return "\n".join(lines)


def _reading(reading: Reading) -> str:
    shares = ", ".join(
        f"{100 * share:.0f} % {SOURCES.get(name, name)}"
        for name, share in sorted(reading.shares.items(), key=lambda item: -item[1])
    )
    return (
        f"valence {reading.valence:+.2f}, arousal {reading.arousal:+.2f} from {shares}; "
        f"confidence {reading.confidence:.2f} of 1"
    )
