"""What the user wants who changed a cue sheet: entries as they stand in the file in, CueSheet out.

Every cue in a file carries a `written` block with the values that videoscore wrote. A field
that differs from it was changed by the user; what depends on that field follows, and what
contradicts another change is an error. A field that was deleted is chosen anew. The rules
are told for users in docs/cue-sheet.md.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from videoscore.cues.check import SHORTEST, check, check_duration, label, show
from videoscore.cues.contour import asked_for, clip, mean, moods_at, moved_to, tidy
from videoscore.cues.file.entries import CueEntry, SheetEntry, WrittenFields
from videoscore.cues.keys import plan_keys, with_mode_of
from videoscore.cues.locked_cue import move_cue
from videoscore.cues.meter import BPM, ONE_BAR, choose_meter, meter_for, tempo_wanted
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, HitPoint, Meter
from videoscore.errors import CueSheetError
from videoscore.mood.circle import centre, mood_of

# A boundary moved to within this many seconds of a cut is meant to lie on it: half a picture at 25 a
# second, since many cuts have no finite decimal.
ON_CUT = Fraction(1, 50)
# Bars and bpm that were both given agree when the tempo is this near.
SAME_TEMPO = 0.01
UNLOCK = "Unlock the cue (`videoscore lock --unlock`, or delete its `locked`), or undo the change."


@dataclass(frozen=True)
class _Edit:
    """One entry, what was changed in it, and its place."""

    entry: CueEntry
    number: int

    @property
    def written(self) -> WrittenFields:
        return self.entry.written or WrittenFields()

    @property
    def where(self) -> str:
        return label(self.number, self.entry.name)

    def is_edited(self, *names: str) -> bool:
        """Whether the user set one of these fields: it is there, and isn't what was written."""
        return any(
            (value := getattr(self.entry, name)) is not None and value != getattr(self.written, name)
            for name in names
        )

    @property
    def curve_changed(self) -> bool:
        return self.entry.curve is not None and fingerprint(self.entry.curve) != self.written.curve


def fingerprint(curve: Sequence[CurvePoint]) -> str:
    """Short hash of a curve's exact points."""
    text = ";".join(f"{p.t} {p.valence!r} {p.arousal!r}" for p in curve)
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def reconcile(sheet: SheetEntry) -> CueSheet:
    """The cue sheet that the file's author wants. Pure: same entries, same sheet.

    Raises CueSheetError when two changes contradict each other or the result isn't sound.
    """
    check_duration(sheet.duration)
    edits = [_Edit(entry, i + 1) for i, entry in enumerate(sheet.cues)]
    times = _boundaries(edits, sheet)
    cues = [_cue(edit, a, b, sheet) for edit, a, b in zip(edits, times, times[1:])]
    if any(edit.entry.key is None for edit in edits):
        keyed_cues = plan_keys(cues, sheet.seed)
        cues = [
            replace(c, key=p.key) if e.entry.key is None else c for c, p, e in zip(cues, keyed_cues, edits)
        ]
    cues = _hits_in_place(cues, sheet.duration)
    out = CueSheet(
        sheet.source,
        sheet.duration,
        tuple(cues),
        sheet.cuts,
        sheet.seed,
        sheet.preset,
        sheet.notes,
        sheet.composed,
    )
    check(out)
    return out


# ---------------------------------------------------------------- times


def _boundaries(edits: Sequence[_Edit], sheet: SheetEntry) -> list[Fraction]:
    """Starts of all cues and the end of the last."""
    first, last = edits[0], edits[-1]
    if first.is_edited("start") and first.entry.start != 0:
        raise CueSheetError(
            f"{first.where} starts at {show(first.entry.start or Fraction(0))} s",
            remedy="The first cue starts at 0; for silence there, cut the music afterwards.",
        )
    if last.is_edited("end") and last.entry.end != sheet.duration:
        raise CueSheetError(
            f"{last.where} ends at {show(last.entry.end or Fraction(0))} s, not with the film "
            f"at {show(sheet.duration)} s",
            remedy="Let the last cue end with the film.",
        )
    between = [_boundary(a, b, sheet.cuts) for a, b in zip(edits, edits[1:])]
    return [Fraction(0), *between, sheet.duration]


def _boundary(before: _Edit, after: _Edit, cuts: Sequence[Fraction]) -> Fraction:
    """Where one cue ends and the next starts. The changed side wins; if neither was changed and they
    differ, a cue between them was deleted and the one before goes on."""
    end, start = before.entry.end, after.entry.start
    boundary = start if end is None else end
    if boundary is None:
        raise CueSheetError(f"nothing says where {before.where} ends", remedy="Give it an `end` in seconds.")
    if end is None or start is None or end == start:
        moved = before.is_edited("end") or after.is_edited("start")
    elif before.is_edited("end") and after.is_edited("start"):
        kind = "overlap" if start < end else "leave a gap"
        raise CueSheetError(
            f"{before.where} ends at {show(end)} s and {after.where} starts at {show(start)} s: they {kind}",
            remedy="Write the same time in both, or change only one of them.",
        )
    else:
        moved = before.is_edited("end") or after.is_edited("start")
        boundary = end if before.is_edited("end") else start
        if not moved and start < end:
            raise CueSheetError(
                f"{after.where} starts at {show(start)} s and overlaps {before.where}, which "
                f"ends at {show(end)} s",
                remedy="Keep the cues in order, each only once.",
            )
    if not moved:
        return boundary
    k = bisect_left(cuts, boundary)
    return min(
        (c for c in cuts[max(0, k - 1) : k + 1] if abs(c - boundary) <= ON_CUT),
        key=lambda c: abs(c - boundary),
        default=boundary,
    )


# ---------------------------------------------------------------- one cue


def _cue(edit: _Edit, start: Fraction, end: Fraction, sheet: SheetEntry) -> Cue:
    entry, was = edit.entry, edit.written
    if end - start < SHORTEST:
        raise CueSheetError(
            f"{edit.where} would last from {show(start)} to {show(end)} s",
            remedy="Move its end behind its start, or delete the cue.",
        )
    if entry.locked is not None:
        return _locked_cue(edit, start, end, sheet.cuts)
    mood, curve = _mood(edit, start, end)
    other_mood = was.mood is not None and mood != was.mood
    key = entry.key or "C major"
    if other_mood and not edit.is_edited("key"):
        key = with_mode_of(key, mood)
    cue = Cue(
        _name(edit, mood),
        start,
        end,
        _start_on(edit, start, sheet.cuts),
        mood,
        curve,
        key,
        Meter(1, 4),
        entry.hits,
        entry.seed,
        heard=was.music,
    )
    return replace(cue, meter=_meter(edit, cue, other_mood, sheet.seed))


def _locked_cue(edit: _Edit, start: Fraction, end: Fraction, cuts: Sequence[Fraction]) -> Cue:
    """A locked cue: its notes and all that they came from stay; only its boundaries may move, and the tempo follows."""
    entry, was, lock = edit.entry, edit.written, edit.entry.locked
    for name in ("mood", "valence", "arousal", "curve", "key", "bars", "beats", "bpm"):
        unlock = getattr(entry, name) is None and getattr(was, name) is not None
        differs = edit.curve_changed if name == "curve" else edit.is_edited(name)
        if unlock or entry.written is not None and differs:
            raise CueSheetError(
                f"{edit.where} is locked, and its {name} was {'deleted' if unlock else 'changed'}",
                remedy=UNLOCK,
            )
    mood, curve, key = entry.mood, entry.curve, entry.key
    if (
        lock is None
        or mood is None
        or curve is None
        or key is None
        or entry.bars is None
        or entry.beats is None
    ):
        raise CueSheetError(
            f"{edit.where} is locked and lacks its mood, curve, key, bars or beats",
            remedy="Delete its `locked`, or lock it again with `videoscore lock`.",
        )
    old = (start, end)
    if was.start is not None and was.end is not None and was.start < was.end:
        old = was.start, was.end
    cue = Cue(
        _name(edit, mood),
        *old,
        _start_on(edit, start, cuts),
        mood,
        curve,
        key,
        Meter(entry.bars, entry.beats),
        entry.hits,
        entry.seed,
        lock.notes,
        lock.performance,
        was.music,
    )
    return move_cue(cue, start, end, edit.where)


def _mood(edit: _Edit, start: Fraction, end: Fraction) -> tuple[str, tuple[CurvePoint, ...]]:
    """Mood word and curve. Of word, numbers and curve the changed one leads and the others follow."""
    entry, curve = edit.entry, _curve(edit, start, end)
    numbers = edit.is_edited("valence", "arousal")
    if numbers:
        now = mean(curve, start, end)
        target_mood = (
            now[0] if entry.valence is None else entry.valence,
            now[1] if entry.arousal is None else entry.arousal,
        )
        if target_mood != now:
            curve = moved_to(curve, start, end, target_mood)
    now = mean(curve, start, end)
    led = numbers or edit.curve_changed
    if entry.mood is None:
        return mood_of(*now), curve
    if edit.is_edited("mood"):
        if not led:
            return entry.mood, moved_to(curve, start, end, asked_for(entry.mood, *now))
        if entry.mood not in moods_at(*now):
            raise CueSheetError(
                f"{edit.where} is to be {entry.mood}, but its valence {now[0]:.2f} and arousal {now[1]:.2f} are "
                f"{mood_of(*now)}",
                remedy="Change only the mood or only the numbers.",
            )
        return entry.mood, curve
    if led and entry.mood not in moods_at(*now):
        return mood_of(*now), curve
    return entry.mood, curve


def _curve(edit: _Edit, start: Fraction, end: Fraction) -> tuple[CurvePoint, ...]:
    """The curve as given, fitted to a boundary that was moved; a level line where there is none."""
    entry, was = edit.entry, edit.written
    if entry.curve is None:
        level = centre(entry.mood) if entry.mood is not None else (0.0, 0.0)
        if entry.mood is None and (entry.valence is None or entry.arousal is None):
            raise CueSheetError(
                f"nothing says what {edit.where} should sound like",
                remedy="Give it a `mood`, or `valence` and `arousal`.",
            )
        words_lead = edit.is_edited("mood") and not edit.is_edited("valence", "arousal")
        if entry.valence is not None and entry.arousal is not None and not words_lead:
            level = entry.valence, entry.arousal
        valence, arousal = map(tidy, level)
        return (CurvePoint(start, valence, arousal), CurvePoint(end, valence, arousal))
    if (was.start, was.end) != (start, end) and was.start is not None:
        return clip(entry.curve, start, end)
    return entry.curve


def _meter(edit: _Edit, cue: Cue, other_mood: bool, seed: int) -> Meter:
    """Bars: as set by the user; or nearest to the tempo set or had; or chosen for a new mood."""
    entry, was = edit.entry, edit.written
    beats, keep = entry.beats or was.beats or 4, edit.is_edited("beats")
    if edit.is_edited("bars"):
        meter = Meter(entry.bars or 1, beats)
        if edit.is_edited("bpm"):
            exact = float(60 * meter.bars * meter.beats / cue.duration)
            if abs(exact - (entry.bpm or 0.0)) > SAME_TEMPO * exact:
                raise CueSheetError(
                    f"{edit.where}: {meter.bars} bars of {meter.beats} are {exact:.1f} "
                    f"quarter notes a minute, not {entry.bpm:g}",
                    remedy="Change only the bars or only the bpm; the other follows.",
                )
        return meter
    if edit.is_edited("bpm"):
        bpm = entry.bpm or 0.0
        if not BPM[0] <= bpm <= BPM[1] and cue.duration >= ONE_BAR:
            raise CueSheetError(
                f"{edit.where}: a tempo of {bpm:g} can't be played",
                remedy=f"Choose {BPM[0]:g} to {BPM[1]:g} quarter notes a minute.",
            )
        return meter_for(cue.duration, Fraction(max(bpm, 1.0)), beats, keep_beats=keep)
    if entry.bars is None or entry.beats is None or was.bars is None or was.beats is None:
        return _own_meter(cue, seed)
    if other_mood:
        if not keep:
            return _own_meter(cue, seed)
        return meter_for(cue.duration, Fraction(tempo_wanted(cue.mood, *_mean(cue))), beats, keep_beats=True)
    old_duration = cue.duration if was.start is None or was.end is None else was.end - was.start
    if keep or cue.duration != old_duration:
        return meter_for(
            cue.duration, Fraction(60 * was.bars * was.beats) / old_duration, beats, keep_beats=keep
        )
    return Meter(entry.bars, entry.beats)


def _own_meter(cue: Cue, seed: int) -> Meter:
    return choose_meter(cue.duration, *_mean(cue), seed, cue.hits, start=cue.start, mood=cue.mood)


def _mean(cue: Cue) -> tuple[float, float]:
    return mean(cue.curve, cue.start, cue.end)


def _name(edit: _Edit, mood: str) -> str:
    """The name as given; the mood word at its end follows the mood unless the user changed the name."""
    entry, was = edit.entry, edit.written
    if entry.name is None:
        return f"1m{edit.number} {mood}"
    if was.mood and not edit.is_edited("name") and entry.name.endswith(f" {was.mood}"):
        return entry.name[: -len(was.mood)] + mood
    return entry.name


def _start_on(edit: _Edit, start: Fraction, cuts: Sequence[Fraction]) -> str:
    if edit.number == 1:
        return edit.entry.start_on if edit.entry.start_on and edit.written.start in (None, 0) else "start"
    if edit.entry.start_on is not None and edit.written.start == start:
        return edit.entry.start_on
    if edit.entry.written is None and edit.entry.start_on is not None:
        return edit.entry.start_on
    return "cut" if start in cuts else "edit"


def _hits_in_place(cues: Sequence[Cue], duration: Fraction) -> list[Cue]:
    """Hits that a moved boundary left in the wrong cue go to the cue in which they lie."""
    starts, any_change = [c.start for c in cues], False
    hits: list[list[HitPoint]] = [[] for _ in cues]
    for number, cue in enumerate(cues):
        for hit in cue.hits:
            if hit.t > duration:
                raise CueSheetError(
                    f"the hit at {show(hit.t)} s of {label(number + 1, cue.name)} is beyond the film's end",
                    remedy="Move or delete it.",
                )
            stays = cue.start <= hit.t <= cue.end
            any_change = any_change or not stays
            hits[number if stays else bisect_right(starts, hit.t) - 1].append(hit)
    if not any_change:
        return list(cues)
    return [replace(c, hits=tuple(sorted(h, key=lambda x: x.t))) for c, h in zip(cues, hits)]
