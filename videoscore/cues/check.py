"""What holds for every cue sheet that is written, read or composed from."""

from __future__ import annotations

import math
from fractions import Fraction

from videoscore.cues.file.entries import MOST_BARS, MOST_BEATS, MOST_CUES, STARTS
from videoscore.cues.file.json_fields import LONGEST_TEXT
from videoscore.cues.file.locked_entries import check_lock
from videoscore.cues.keys import signature_and_mode
from videoscore.cues.numbers import MOST_DIGITS
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import CueSheetError
from videoscore.mood.circle import MOODS

# A day of film; everything beyond is a slip of the pen.
LONGEST = Fraction(24 * 3600)
# MIDI counts whole microseconds a quarter note.
SHORTEST = Fraction(1, 1000)


def check(sheet: CueSheet) -> None:
    """Raise CueSheetError, naming the cue and the remedy, unless the sheet is sound.

    Cues follow each other without gap or overlap from 0 to the film's duration; every curve has points at
    increasing times inside its cue; every number is finite and in its range.
    """
    check_duration(sheet.duration)
    if not 1 <= len(sheet.cues) <= MOST_CUES:
        raise CueSheetError(f"{len(sheet.cues)} cues", remedy=f"Give it 1 to {MOST_CUES} of them.")
    times = [sheet.duration, *sheet.cuts]
    at = Fraction(0)
    for number, cue in enumerate(sheet.cues, 1):
        where = label(number, cue.name)
        if cue.start != at:
            kind = "overlaps the cue before" if cue.start < at else "leaves a gap before it"
            raise CueSheetError(
                f"{where} starts at {show(cue.start)} s and {kind}, which ends at {show(at)} s",
                remedy="Let each cue start where the one before ends, the first at 0.",
            )
        if cue.end <= cue.start:
            raise CueSheetError(
                f"{where} ends at {show(cue.end)} s, not after its start at {show(cue.start)} s",
                remedy="Move its end, or delete the cue.",
            )
        if cue.duration < SHORTEST:
            raise CueSheetError(
                f"{where} lasts under a millisecond", remedy="Move its end, or delete the cue."
            )
        if cue.end > sheet.duration:
            raise CueSheetError(
                f"{where} ends at {show(cue.end)} s, beyond the film's {show(sheet.duration)} s",
                remedy="Let the last cue end with the film.",
            )
        _check_cue(cue, where)
        times += [cue.end, *(p.t for p in cue.curve), *(h.t for h in cue.hits)]
        at = cue.end
    if at != sheet.duration:
        raise CueSheetError(
            f"the last cue ends at {show(at)} s and the film at {show(sheet.duration)} s",
            remedy="Let the last cue end with the film.",
        )
    if any(len(str(max(t.numerator, t.denominator))) > MOST_DIGITS for t in times):
        raise CueSheetError(
            f"a time has over {MOST_DIGITS} digits", remedy="Round it to a clock's precision."
        )
    for before, cut in zip((Fraction(0), *sheet.cuts), sheet.cuts):
        if not before < cut < sheet.duration:
            raise CueSheetError(
                f"the cut at {show(cut)} s is out of order or outside the film",
                remedy="List every cut once, inside the film.",
            )


def check_duration(duration: Fraction) -> None:
    """Raise CueSheetError unless a film may last so many seconds."""
    if not SHORTEST <= duration <= LONGEST:
        raise CueSheetError(
            f"a film of {show(duration)} s can't be scored",
            remedy="Give `duration` as the film's length in seconds, up to 24 hours.",
        )


def _check_cue(cue: Cue, where: str) -> None:
    if cue.mood not in MOODS:
        raise CueSheetError(f"{where} has no mood of ours ({cue.mood!r})", remedy=f"Use {', '.join(MOODS)}.")
    if cue.start_on not in STARTS:
        raise CueSheetError(f"{where}: start_on is {cue.start_on!r}", remedy=f"Use {', '.join(STARTS)}.")
    if len(cue.name) > LONGEST_TEXT:
        raise CueSheetError(f"{where}: its name is too long", remedy=f"Use up to {LONGEST_TEXT} characters.")
    signature_and_mode(cue.key)
    if not (1 <= cue.meter.bars <= MOST_BARS and 1 <= cue.meter.beats <= MOST_BEATS):
        raise CueSheetError(
            f"{where} has {cue.meter.bars} bars of {cue.meter.beats} beats",
            remedy=f"Use 1 to {MOST_BARS} bars of 1 to {MOST_BEATS} beats.",
        )
    if not cue.curve:
        raise CueSheetError(f"{where} has no curve", remedy="Give it a point with t, valence and arousal.")
    for a, b in zip(cue.curve, cue.curve[1:]):
        if b.t <= a.t:
            raise CueSheetError(
                f"{where}: the curve's times don't increase at {show(b.t)} s",
                remedy="Sort its points by time.",
            )
    if cue.curve[0].t < cue.start or cue.curve[-1].t > cue.end:
        raise CueSheetError(
            f"{where}: a curve point lies outside {show(cue.start)}-{show(cue.end)} s",
            remedy="Move the point into its cue.",
        )
    for value in (x for p in cue.curve for x in (p.valence, p.arousal)):
        if not math.isfinite(value) or abs(value) > 1:
            raise CueSheetError(f"{where}: {value} on the curve", remedy="Use values from -1 to 1.")
    for hit in cue.hits:
        if not cue.start <= hit.t <= cue.end or not 0 <= hit.strength <= 1 or len(hit.kind) > LONGEST_TEXT:
            raise CueSheetError(
                f"{where}: the hit at {show(hit.t)} s is outside the cue or not of strength 0..1",
                remedy="Move or change the hit.",
            )
    check_lock(cue, where)


def label(number: int, name: str | None) -> str:
    """How messages name a cue: its number in the file and its name."""
    return f"cue {number} ({name[:60]})" if name else f"cue {number}"


def show(t: Fraction) -> str:
    """Seconds for a message, to the millisecond."""
    return f"{float(t):.3f}".rstrip("0").rstrip(".") if t < 10**12 else "over 10^12"
