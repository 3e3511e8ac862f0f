"""From a cue's page to notes: real pitches, real ticks, hits, dynamics, and an end."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from videoscore.compose.chords import Chord
from videoscore.compose.cue import Page
from videoscore.compose.form import PHRASE, UNITS
from videoscore.compose.marks import HIT_VELOCITY, Mark, build_up
from videoscore.compose.tone import Tone
from videoscore.compose.tune import harmony_at
from videoscore.cues.sheet import Cue
from videoscore.music.score import PPQ, Note, Role, Section, TempoMap
from videoscore.music.theory import shift_of

TICK = PPQ // UNITS  # MIDI ticks in a unit
MONOPHONIC = (Role.MELODY, Role.COUNTER, Role.BASS)
RELEASE = 0.7  # seconds kept free at the end, for the sound to die in
STROKE = UNITS // 4  # length of a drum stroke
STRIKE = UNITS  # longest length of a chord struck at a hit
CRASH, KICK = 49, 36
# Stress of beats, after Lerdahl & Jackendoff (1983): velocity steps for the downbeat, the half bar, a beat.
STRESS = {"downbeat": 10, "half": 6, "beat": 4, "off": 0}
PLAIN, ARCH, ACCENT = 58, 8, 14  # velocity: of a plain note, of the phrase's arch, of a drum's accent


def realise(cue: Cue, section: Section, page: Page, marks: Mapping[int, tuple[Mark, ...]]) -> list[Note]:
    """The notes of a cue in its key, in ticks of the score; none passes the cue's end."""
    bar = cue.meter.beats * UNITS
    shift = shift_of(cue.key)
    tones = {role: _struck(rows, role, page, marks, bar) for role, rows in page.tones.items()}
    notes: list[Note] = []
    for role, rows in tones.items():
        for tone in rows:
            velocity = _velocity(tone.start, marks, bar, cue.meter.bars)
            notes.append(
                _note(section, role, _into_range(tone.pitch + shift), tone.start, tone.length, velocity)
            )
    for stroke in page.strokes:
        velocity = _velocity(stroke.start, marks, bar, cue.meter.bars) + round(ACCENT * (stroke.accent - 0.6))
        notes.append(_note(section, Role.DRUMS, stroke.key, stroke.start, STROKE, velocity))
    if page.strokes:
        for number, here in marks.items():
            for mark in here:
                at = number * bar + mark.position
                velocity = _velocity(at, marks, bar, cue.meter.bars)
                notes += [_note(section, Role.DRUMS, key, at, STROKE, velocity) for key in (KICK, CRASH)]
    return untangled([n for n in notes if n.duration > 0 and n.start < section.end])


def _note(section: Section, role: Role, pitch: int, start: int, length: int, velocity: int) -> Note:
    begin = section.start + start * TICK
    end = min(begin + length * TICK, section.end)
    return Note(begin, role, pitch, end - begin, max(1, min(127, velocity)))


def _struck(
    rows: Sequence[Tone], role: Role, page: Page, marks: Mapping[int, tuple[Mark, ...]], bar: int
) -> list[Tone]:
    """The tones of a part with a strike at every hit point: what sounds there is struck again."""
    out = sorted(rows, key=lambda t: (t.start, t.pitch))
    for number, here in sorted(marks.items()):
        for mark in here:
            at = number * bar + mark.position
            if any(t.start == at for t in out):
                continue
            sounding = [t for t in out if t.start < at < t.start + t.length]
            if sounding:
                out = [t for t in out if t not in sounding]
                for t in sounding:
                    out += [
                        Tone(t.start, at - t.start, t.pitch),
                        Tone(at, t.start + t.length - at, t.pitch),
                    ]
            else:
                chord = harmony_at(page.chords, at).chord
                following = min((t.start for t in out if t.start > at), default=at + STRIKE)
                pitches = _strike(chord, role, out, at)
                out += [Tone(at, min(STRIKE, following - at), p) for p in pitches]
            out.sort(key=lambda t: (t.start, t.pitch))
    return out


def _strike(chord: Chord, role: Role, rows: Sequence[Tone], at: int) -> list[int]:
    """Pitches of a part at a hit in its rest: the chord's tones nearest to what it plays around."""
    near = min(rows, key=lambda t: abs(t.start - at)).pitch if rows else 60
    if role is Role.BASS:
        return [min(range(near - 6, near + 6), key=lambda p: ((p - chord.bass) % 12 != 0, abs(p - near)))]
    tones = sorted(
        (p for p in range(near - 9, near + 10) if p % 12 in chord.tones), key=lambda p: abs(p - near)
    )
    return tones[:1] if role in MONOPHONIC else sorted(tones[:3])


def _velocity(start: int, marks: Mapping[int, tuple[Mark, ...]], bar: int, bars: int) -> int:
    """Relative dynamics around 64: metric stress, the arch of the phrase, the build to a hit and its accent.
    How loud the cue is as a whole is the orchestrator's business, which knows the instruments."""
    number, position = divmod(start, bar)
    if position == 0:
        stress = STRESS["downbeat"]
    elif 2 * position == bar:
        stress = STRESS["half"]
    else:
        stress = STRESS["beat"] if position % UNITS == 0 else STRESS["off"]
    through = (number % PHRASE + position / bar) / PHRASE
    _, (begin, end) = build_up(marks, number, bars)
    hit = max((m.strength for m in marks.get(number, ()) if m.position == position), default=0.0)
    return round(
        PLAIN
        + max(stress, STRESS["downbeat"] * math.ceil(hit))
        + ARCH * math.sin(math.pi * through)
        + begin
        + (end - begin) * position / bar
        + HIT_VELOCITY * hit
    )


def _into_range(pitch: int) -> int:
    while pitch < 21:
        pitch += 12
    while pitch > 108:
        pitch -= 12
    return pitch


def untangled(notes: Sequence[Note]) -> list[Note]:
    """No key is struck while it sounds, or twice at once, and single lines stay single."""
    lines: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for note in sorted(notes, key=lambda n: (n.start, n.role, n.pitch, -n.duration)):
        line = lines[(note.role, -1 if note.role in MONOPHONIC else note.pitch)]
        if line and line[-1].start == note.start:
            continue
        if line:
            line[-1] = replace(line[-1], duration=min(line[-1].duration, note.start - line[-1].start))
        line.append(note)
    return sorted(n for line in lines.values() for n in line)


def released(notes: Sequence[Note], last: Section, tempo: TempoMap) -> list[Note]:
    """The notes of a score with a moment of quiet at its end, in which the sound dies."""
    bar = last.beats * PPQ
    start = last.end - bar
    room = tempo.seconds(last.end) - tempo.seconds(start)
    quiet = last.end - round(bar * min(1 / 3, RELEASE / max(float(room), 1e-6)))
    out = [replace(n, duration=min(n.duration, quiet - n.start)) for n in notes]
    return [n for n in out if n.duration > 0]
