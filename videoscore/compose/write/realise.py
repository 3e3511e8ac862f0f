"""From the page to a score: real pitches, real ticks, phrasing, and an end."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from videoscore.compose.locked_notes import standing
from videoscore.compose.network.steps import GRID
from videoscore.compose.plan.form import PHRASE
from videoscore.compose.plan.plan import HIT_VELOCITY, PlannedBar
from videoscore.compose.write.hand import Written
from videoscore.cues.grid import sections, tempo_map
from videoscore.cues.sheet import CueSheet
from videoscore.music.performance import LockedNote
from videoscore.music.score import PPQ, Note, Role, Score, Section
from videoscore.music.theory import shift_of

TICK = PPQ // GRID  # MIDI ticks in 1/24 quarter
MONOPHONIC = (Role.MELODY, Role.BASS)
RELEASE = 0.7  # seconds kept free at the end, for the sound to die in
# Stress of beats, after Lerdahl & Jackendoff (1983): velocity steps for the downbeat, the half bar, a beat.
STRESS = {"downbeat": 10, "half": 6, "beat": 4, "off": 0}


def realise(sheet: CueSheet, bars: Sequence[PlannedBar], page: Sequence[Written]) -> Score:
    """The score of a written page: transposed to each cue's key, every note inside its cue. Locked cues' notes stand in
    it as they are."""
    parts, tempo = _known(sheet, bars, page), tempo_map(sheet)
    starts = _bar_ticks(bars)
    shifts = [shift_of(c.key) for c in sheet.cues]
    notes: list[Note] = []
    last_written = {(w.bar, w.position, w.role, w.pitch): w.duration for w in page}
    for w in page:
        planned = bars[w.bar]
        if sheet.cues[planned.cue].locked:
            continue
        section = parts[planned.cue]
        start = starts[w.bar] + w.position * TICK
        end = min(start + w.duration * TICK, section.end)
        pitch = w.pitch if w.role == Role.DRUMS else _into_range(w.pitch + shifts[planned.cue])
        if end > start:
            notes.append(
                Note(
                    start,
                    Role(w.role),
                    pitch,
                    end - start,
                    _velocity(w, planned),
                    TICK * last_written[w.bar, w.position, w.role, w.pitch],
                )
            )
    last = parts[-1]
    room = tempo.seconds(last.end) - tempo.seconds(starts[-1])
    quiet = last.end - round((last.end - starts[-1]) * min(1 / 3, RELEASE / max(float(room), 1e-6)))
    notes = [n for n in (_clipped(n, quiet) for n in _untangled(notes)) if n.duration > 0]
    for cue, section in zip(sheet.cues, parts):
        notes += standing(cue, section.start)
    return Score(tuple(sorted(notes)), parts, tempo, sheet.duration)


def _known(sheet: CueSheet, bars: Sequence[PlannedBar], page: Sequence[Written]) -> tuple[Section, ...]:
    """The sections, with chords and silent notes of those that were written."""
    chords: list[list[int]] = [[] for _ in sheet.cues]
    for bar in bars:
        chords[bar.cue].append(bar.plan.chord)
    parts, starts, shifts = sections(sheet), _bar_ticks(bars), [shift_of(c.key) for c in sheet.cues]
    silent: list[list[LockedNote]] = [[] for _ in sheet.cues]
    before: dict[tuple[int, int, int, int], Written] = {}
    for w in page:
        cue, place = bars[w.bar].cue, (w.bar, w.position, w.role, w.pitch)
        if place in before:
            pitch = w.pitch if w.role == Role.DRUMS else _into_range(w.pitch + shifts[cue])
            silent[cue].append(
                LockedNote(
                    starts[w.bar] + w.position * TICK - parts[cue].start,
                    w.role,
                    pitch,
                    0,
                    1,
                    TICK * before[place].duration,
                )
            )
        before[place] = w
    return tuple(
        section if cue.locked else replace(section, chords=tuple(own), silent=tuple(mute))
        for cue, section, own, mute in zip(sheet.cues, parts, chords, silent)
    )


def _bar_ticks(bars: Sequence[PlannedBar]) -> list[int]:
    out, tick = [], 0
    for b in bars:
        out.append(tick)
        tick += b.plan.length * TICK
    return out


def _into_range(pitch: int) -> int:
    while pitch < 21:
        pitch += 12
    while pitch > 108:
        pitch -= 12
    return pitch


def _velocity(w: Written, planned: PlannedBar) -> int:
    """Relative dynamics around 64: metric stress, the arch of the phrase, the build to a hit and its accent.
    How loud the cue is as a whole is the orchestrator's business, which knows the instruments."""
    length = planned.plan.length
    if w.position == 0:
        stress = STRESS["downbeat"]
    elif 2 * w.position == length:
        stress = STRESS["half"]
    else:
        stress = STRESS["beat"] if w.position % GRID == 0 else STRESS["off"]
    through = (planned.plan.since % PHRASE + w.position / length) / PHRASE
    arch = 8 * math.sin(math.pi * through)
    begin, end = planned.swell
    swell = begin + (end - begin) * w.position / length
    hit = max((m.strength for m in planned.marks if m.position == w.position), default=0.0)
    return round(58 + max(stress, STRESS["downbeat"] * math.ceil(hit)) + arch + swell + HIT_VELOCITY * hit)


def _untangled(notes: list[Note]) -> list[Note]:
    """No key is struck while it sounds, and melody and bass stay one line each."""
    lines: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for n in sorted(notes):
        lines[(n.role, -1 if n.role in MONOPHONIC else n.pitch)].append(n)
    out = []
    for line in lines.values():
        for n, following in zip(line, line[1:] + line[-1:]):
            room = following.start - n.start
            if following is n or room > 0:
                out.append(n if following is n else replace(n, duration=min(n.duration, room)))
    return out


def _clipped(note: Note, end: int) -> Note:
    return replace(note, duration=min(note.duration, end - note.start))
