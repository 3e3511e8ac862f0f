"""Gives a score's roles to a preset's instruments.

Pure: typed data in, typed data out, the same for the same seed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random

from videoscore.cues.sheet import Cue
from videoscore.music.performance import Performance
from videoscore.music.score import PPQ, Note, Role, Score, Section, TempoMap
from videoscore.perform.orchestrate.crossfade import Entry, expression, risen
from videoscore.perform.orchestrate.dynamics import Dynamics
from videoscore.perform.orchestrate.palettes import Instrument, Palette, Preset, Voice
from videoscore.perform.orchestrate.registers import cleared, in_range
from videoscore.perform.orchestrate.strokes import Target, strokes, targets
from videoscore.perform.orchestrate.swells import swelled
from videoscore.perform.parts import Arrangement, Part, Played

# Standard deviation and limit of played onsets around written ones: well inside what an ensemble does
# (asynchronies of 30-50 ms: Rasch 1979, "Synchronization in performed ensemble music").
LOOSE, LOOSEST = 0.004, 0.008  # seconds
RING = (
    0.8  # seconds that an instrument rings on, fading, after a boundary where it leaves: half is 12 dB down
)
HELD = 0.9  # seconds from which a note is held: the slow attack of a bow has then long been over
ALMOST_AT_THE_END = PPQ // 4  # ticks: a note that stops so near a boundary is held up to it
CROWD = 20  # notes a second in a section, doublings and drums too, above which music turns into noise
SAME_ATTACK = PPQ // 16  # ticks: nearer onsets of one pitch in one part are one note doubled


def orchestrate(score: Score, preset: Preset, seed: int = 0, cues: Sequence[Cue] = ()) -> Arrangement:
    """Give every note of `score` to the instruments that its role has in its section's mood.

    - A line is moved by whole octaves to where most of it suits the instrument; a note that still
      lies outside is folded in by octaves. Low chords are opened (see `videoscore.perform.orchestrate.registers`).
    - Velocity follows arousal, metre, phrase and role (see `videoscore.perform.orchestrate.dynamics`).
    - Onsets off the downbeats vary by a few milliseconds; downbeats, and so all cue boundaries, stay.
    - Where palettes change, an instrument that leaves lets its last notes ring over the boundary and fade, and one
      that enters grows over its first bar, a doubling over its first phrase (see crossfade.py).
      Both are done by controllers (expression, pedal): the notes of a section depend on its neighbours only by the lean
      of its last bar, which a locked cue remembers.
    - Doublings are left out where a section would have more than `CROWD` notes a second.
    - Drums are left out unless the palette names a player for them.
    - Hit points and boundaries are marked by the preset's accents (see strokes.py).

    Parameters
    ----------
    seed : varies the humanised velocities and onsets; nothing else is random.
    cues : those that the score was written for, one a section; without them no hit points are known.

    Returns
    -------
    Arrangement with one part for each instrument that plays, in the preset's order. In a part no two
    notes of a pitch overlap, and no note passes the end of the score.
    """
    desks = {name: _Desk(instrument) for name, instrument in preset.instruments.items()}
    casts = [_cast(score, section, preset) for section in score.sections]
    for k, cast in enumerate(casts):
        following = casts[k + 1].section.arousal_in(0) if k + 1 < len(casts) else None
        performance = cast.section.performance or Performance(seed, k, 0, following)
        dynamics = Dynamics(cast.section, performance.following)
        for role, voices in cast.players.items():
            lines = _pitches(cast.notes[role], role, voices, preset)
            for v, (voice, pitches) in enumerate(zip(voices, lines)):
                instrument = preset.instruments[voice.instrument]
                rng = Random(f"{performance.seed}/{performance.number}/{role.name}/{v}")
                line = _line(cast.notes[role], pitches, role, voice, instrument, dynamics, score.tempo, rng)
                desks[voice.instrument].take(line, role, v > 0, casts, k, score.tempo)
        if preset.accents:
            cue = cues[k] if k < len(cues) else None
            marked = targets(cast.section, performance.following, cue, first=performance.number == 0)
            quarter = performance.quarter or _quarter(cast.section.start, score.tempo)
            _accentuate(desks, preset, cast.section, marked, quarter, performance)
    boundaries = [section.end for section in score.sections]
    parts = tuple(desk.part(boundaries, score.tempo) for desk in desks.values() if desk.notes)
    return Arrangement(parts, score.sections, score.tempo, score.duration)


def _accentuate(
    desks: Mapping[str, _Desk],
    preset: Preset,
    section: Section,
    marked: Sequence[Target],
    quarter: int,
    performance: Performance,
) -> None:
    for kind, accent in preset.accents.items():
        rng = Random(f"{performance.seed}/{performance.number}/{kind}")
        gesture = strokes(
            kind, accent, section, marked, lambda seconds: max(1, _ticks(seconds, quarter)), rng
        )
        desks[accent.instrument].notes += gesture.notes
        desks[accent.instrument].growth += gesture.expression


@dataclass
class _Desk:
    """What one instrument has been given so far.

    growth : (tick, expression) of held risers.
    fades : (boundary, stop) where it leaves. rises : by number of the section in which it enters. pedal : (down, up).
    """

    instrument: Instrument
    notes: list[Played] = field(default_factory=list)
    fades: list[tuple[int, int]] = field(default_factory=list)
    rises: dict[int, list[Entry]] = field(default_factory=dict)
    pedal: set[tuple[int, int]] = field(default_factory=set)
    growth: list[tuple[int, int]] = field(default_factory=list)

    def take(
        self, line: list[Played], role: Role, doubling: bool, casts: Sequence[_Cast], k: int, tempo: TempoMap
    ) -> None:
        """One line of section `k`, led over the boundaries before and after it."""
        section = casts[k].section
        if k and self.instrument.name not in casts[k - 1].instruments:
            before = casts[k - 1].section
            rise = section.arousal_in(0) - before.arousal_in(before.bars - 1)
            self.rises.setdefault(k, []).append(Entry(section, role, doubling, rise))
        leaves = k + 1 < len(casts) and self.instrument.name not in casts[k + 1].instruments
        if leaves and not self.instrument.drums:
            room = _ticks(RING, _quarter(section.end, tempo))
            stop = min(section.end + room, casts[k + 1].section.end)
            self.pedal.add((max(section.start, section.end - ALMOST_AT_THE_END), stop))
            self.fades.append((section.end, stop))
        self.notes += line

    def part(self, boundaries: Sequence[int], tempo: TempoMap) -> Part:
        i, notes = self.instrument, _settled(self.notes, boundaries)
        led = expression(self.fades, notes, [risen(entries) for entries in self.rises.values()])
        changes = tuple(sorted((*led, *self.growth), key=lambda change: change[0]))
        return Part(
            i.name,
            i.program,
            i.drums,
            notes,
            i.volume,
            i.pan,
            tuple(swelled(notes, changes, i.swell, lambda tick, s: _ticks(s, _quarter(tick, tempo)))),
            tuple(sorted(self.pedal)),
            i.depth,
            i.bank,
            i.held,
        )


@dataclass(frozen=True)
class _Cast:
    """One section: its notes by role, and who plays them."""

    section: Section
    notes: Mapping[Role, Sequence[Note]]
    players: Mapping[Role, tuple[Voice, ...]]

    @property
    def instruments(self) -> frozenset[str]:
        return frozenset(voice.instrument for voices in self.players.values() for voice in voices)


def _cast(score: Score, section: Section, preset: Preset) -> _Cast:
    first, last = (
        bisect_left(score.notes, tick, key=lambda note: note.start) for tick in (section.start, section.end)
    )
    roles: dict[Role, list[Note]] = {}
    for note in cleared(score.notes[first:last]):
        roles.setdefault(note.role, []).append(note)
    seconds = score.tempo.seconds(section.end) - score.tempo.seconds(section.start)
    if section.performance:
        seconds = Fraction((section.end - section.start) * section.performance.quarter, PPQ * 1_000_000)
    return _Cast(section, roles, _players(preset.palette(section.mood), roles, seconds))


def _players(
    palette: Palette, roles: Mapping[Role, Sequence[Note]], seconds: Fraction
) -> dict[Role, tuple[Voice, ...]]:
    """Who plays each role of a section that lasts `seconds`: the palette's voices, less doublings, the
    busiest role's first, until at most `CROWD` notes a second are left."""
    players = {role: palette.players(role) for role in roles}
    while sum(len(roles[role]) * len(voices) for role, voices in players.items()) > CROWD * seconds:
        doubled = [role for role, voices in players.items() if len(voices) > 1]
        if not doubled:
            break
        busiest = max(doubled, key=lambda role: (len(roles[role]), -role))
        players[busiest] = players[busiest][:-1]
    return players


def _pitches(
    notes: Sequence[Note], role: Role, voices: Sequence[Voice], preset: Preset
) -> list[Sequence[int | None]]:
    """What each voice of a role plays (None: nothing). Doublings keep to where the leading instrument plays;
    those of the bass to what is written, so that basses sound under a cello."""
    lines: list[Sequence[int | None]] = []
    pitches = [note.pitch for note in notes]
    for voice in voices:
        instrument = preset.instruments[voice.instrument]
        if instrument.drums:
            lines.append([instrument.keys.get(pitch, pitch) for pitch in pitches])
            continue
        in_compass = in_range(pitches, role, voice, instrument)
        lines.append(in_compass)
        if role is not Role.BASS and len(lines) == 1:
            pitches = in_compass
    return lines


def _line(
    notes: Sequence[Note],
    pitches: Sequence[int | None],
    role: Role,
    voice: Voice,
    instrument: Instrument,
    dynamics: Dynamics,
    tempo: TempoMap,
    rng: Random,
) -> list[Played]:
    """One role of one section as one instrument plays it."""
    velocities = dynamics.velocities(notes, role, voice, instrument, rng)
    line = []
    for note, pitch, velocity in zip(notes, pitches, velocities):
        start = _loose(note, dynamics.section, tempo, rng)
        if pitch is not None:
            long = note.duration >= _ticks(HELD, _quarter_at(note.start, dynamics.section, tempo))
            line.append(Played(start, max(1, note.start + note.duration - start), pitch, velocity, long))
    return line


def _loose(note: Note, section: Section, tempo: TempoMap, rng: Random) -> int:
    """The note's onset as a person would place it; a downbeat is exact."""
    shift = max(-LOOSEST, min(LOOSEST, rng.gauss(0.0, LOOSE)))
    if (note.start - section.start) % (section.beats * PPQ) == 0:
        return note.start
    quarter = _quarter_at(note.start, section, tempo)
    return max(section.start, min(note.start + _ticks(shift, quarter), section.end - 1))


def _quarter_at(tick: int, section: Section, tempo: TempoMap) -> int:
    """Microseconds of a quarter note at a tick of a section, as it was when the section was locked."""
    return section.performance.quarter if section.performance else _quarter(tick, tempo)


def _quarter(tick: int, tempo: TempoMap) -> int:
    """Microseconds of a quarter note at a tick."""
    return tempo.changes[bisect_right(tempo.changes, tick, key=lambda change: change[0]) - 1][1]


def _ticks(seconds: float, quarter: int) -> int:
    """Ticks that `seconds` last where a quarter note has so many microseconds."""
    return round(seconds * PPQ * 1_000_000 / quarter)


def _settled(notes: Iterable[Played], boundaries: Sequence[int]) -> tuple[Played, ...]:
    """Notes in order; one pitch never overlaps itself, is never taken for one with another over a boundary (the ends
    of the sections), and none passes the last of these."""
    by_pitch: dict[int, list[Played]] = {}
    for note in sorted(notes):
        before = by_pitch.setdefault(note.pitch, [])
        stop = min(note.start + note.duration, boundaries[-1])
        near = before and note.start - before[-1].start < SAME_ATTACK
        if near and bisect_right(boundaries, before[-1].start) == bisect_right(boundaries, note.start):
            last = before.pop()
            stop = max(stop, last.start + last.duration)
            loudest = max(note.velocity, last.velocity)
            note = Played(last.start, stop - last.start, note.pitch, loudest, note.held or last.held)
        elif before and before[-1].start + before[-1].duration > note.start:
            last = before.pop()
            before.append(replace(last, duration=note.start - last.start))
        if stop > note.start:
            before.append(replace(note, duration=stop - note.start))
    return tuple(sorted(note for line in by_pitch.values() for note in line))
