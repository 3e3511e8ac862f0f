"""Gives a score's roles to a preset's instruments.

Pure: typed data in, typed data out, the same for the same seed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from random import Random

from videoscore.compose.score import PPQ, Note, Role, Score, Section, TempoMap
from videoscore.perform.dynamics import Dynamics
from videoscore.perform.palettes import Instrument, Palette, Preset, Voice
from videoscore.perform.parts import Arrangement, Part, Played

OCTAVE = 12
# Standard deviation and limit of played onsets around written ones: well inside what an ensemble does
# (asynchronies of 30-50 ms: Rasch 1979, "Synchronization in performed ensemble music").
LOOSE, LOOSEST = 0.004, 0.008  # seconds
RING = 0.35  # seconds that an instrument rings on after a boundary where it leaves
ALMOST_AT_THE_END = PPQ // 4  # ticks: a note that stops so near a boundary is held up to it
CROWD = 20  # notes a second in a section, doublings and drums too, above which music turns into noise
SAME_ATTACK = PPQ // 16  # ticks: nearer onsets of one pitch in one part are one note doubled


def orchestrate(score: Score, preset: Preset, seed: int = 0) -> Arrangement:
    """Give every note of `score` to the instruments that its role has in its section's mood.

    - A line is moved by whole octaves to where most of it suits the instrument; a note that still
      lies outside is folded in by octaves.
    - Velocity follows arousal, metre, phrase and role (see `videoscore.perform.dynamics`).
    - Onsets off the downbeats vary by a few milliseconds; downbeats, and so all cue boundaries, stay.
    - Where the next section's palette leaves an instrument out, its last notes ring on over the boundary.
    - Doublings are left out where a section would have more than `CROWD` notes a second.
    - Drums are left out unless the palette names a player for them.

    Parameters
    ----------
    seed : varies the humanised velocities and onsets; nothing else is random.

    Returns
    -------
    Arrangement with one part for each instrument that plays, in the preset's order. In a part no two
    notes of a pitch overlap, and no note passes the end of the score.
    """
    end = score.sections[-1].end if score.sections else 0
    played: dict[str, list[Played]] = {name: [] for name in preset.instruments}
    for k, section in enumerate(score.sections):
        following = score.sections[k + 1] if k + 1 < len(score.sections) else None
        palette = preset.palette(section.mood)
        staying = _instruments(preset.palette(following.mood)) if following else frozenset(preset.instruments)
        dynamics = Dynamics(section, following.arousal if following else None)
        roles = _by_role(score.notes, section)
        players = _players(palette, roles, score.tempo.seconds(section.end) - score.tempo.seconds(section.start))
        for role, notes in roles.items():
            for v, voice in enumerate(players[role]):
                instrument = preset.instruments[voice.instrument]
                rng = Random(f"{seed}/{k}/{role.name}/{v}")
                line = _line(notes, role, voice, instrument, dynamics, score.tempo, rng)
                if voice.instrument not in staying and not instrument.drums:
                    line = [_ring(note, section, score.tempo) for note in line]
                played[voice.instrument] += line
    parts = tuple(_part(preset.instruments[name], _settled(notes, end)) for name, notes in played.items() if notes)
    return Arrangement(parts, score.sections, score.tempo, score.duration)


def _instruments(palette: Palette) -> frozenset[str]:
    return frozenset(voice.instrument for voices in palette.voices.values() for voice in voices)


def _players(palette: Palette, roles: Mapping[Role, Sequence[Note]], seconds: Fraction
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


def _by_role(notes: Sequence[Note], section: Section) -> dict[Role, list[Note]]:
    first, last = (bisect_left(notes, tick, key=lambda note: note.start) for tick in (section.start, section.end))
    roles: dict[Role, list[Note]] = {}
    for note in notes[first:last]:
        roles.setdefault(note.role, []).append(note)
    return roles


def _line(notes: Sequence[Note], role: Role, voice: Voice, instrument: Instrument, dynamics: Dynamics,
          tempo: TempoMap, rng: Random) -> list[Played]:
    """One role of one section as one instrument plays it."""
    velocities = dynamics.velocities(notes, role, voice, instrument, rng)
    pitches = _drum_keys(notes, instrument) if instrument.drums else _in_range(notes, voice, instrument)
    line = []
    for note, pitch, velocity in zip(notes, pitches, velocities):
        start = _loose(note, dynamics.section, tempo, rng)
        if pitch is not None:
            line.append(Played(start, max(1, note.start + note.duration - start), pitch, velocity))
    return line


def _drum_keys(notes: Sequence[Note], instrument: Instrument) -> list[int | None]:
    return [instrument.keys.get(note.pitch, note.pitch) for note in notes]


def _in_range(notes: Sequence[Note], voice: Voice, instrument: Instrument) -> list[int]:
    """Pitches moved together by octaves so that most suit the instrument; the rest is folded in."""
    wanted = [note.pitch + OCTAVE * voice.octave for note in notes]

    def outside(octaves: int) -> int:
        return sum(not instrument.low <= pitch + OCTAVE * octaves <= instrument.high for pitch in wanted)

    shift = OCTAVE * min(range(-4, 5), key=lambda octaves: (outside(octaves), abs(octaves), octaves))
    return [_folded(pitch + shift, instrument.low, instrument.high) for pitch in wanted]


def _folded(pitch: int, low: int, high: int) -> int:
    """The pitch in [low, high], at least an octave wide, nearest to `pitch` of the same name."""
    if pitch < low:
        return pitch + OCTAVE * -((pitch - low) // OCTAVE)
    if pitch > high:
        return pitch - OCTAVE * -((high - pitch) // OCTAVE)
    return pitch


def _loose(note: Note, section: Section, tempo: TempoMap, rng: Random) -> int:
    """The note's onset as a person would place it; a downbeat is exact."""
    shift = max(-LOOSEST, min(LOOSEST, rng.gauss(0.0, LOOSE)))
    if (note.start - section.start) % (section.beats * PPQ) == 0:
        return note.start
    return max(section.start, min(note.start + _ticks(shift, note.start, tempo), section.end - 1))


def _ticks(seconds: float, at: int, tempo: TempoMap) -> int:
    """Ticks that `seconds` last at the tempo of tick `at`."""
    quarter = tempo.changes[bisect_right(tempo.changes, at, key=lambda change: change[0]) - 1][1]
    return round(seconds * PPQ * 1_000_000 / quarter)


def _ring(note: Played, section: Section, tempo: TempoMap) -> Played:
    stop = note.start + note.duration
    if not section.end - ALMOST_AT_THE_END <= stop <= section.end:
        return note
    stop = section.end + _ticks(RING, section.end, tempo)
    return Played(note.start, stop - note.start, note.pitch, note.velocity)


def _settled(notes: Iterable[Played], end: int) -> tuple[Played, ...]:
    """Notes in order; one pitch never overlaps itself; none passes `end`."""
    by_pitch: dict[int, list[Played]] = {}
    for note in sorted(notes):
        before = by_pitch.setdefault(note.pitch, [])
        stop = min(note.start + note.duration, end)
        if before and note.start - before[-1].start < SAME_ATTACK:
            last = before.pop()
            stop = max(stop, last.start + last.duration)
            note = Played(last.start, stop - last.start, note.pitch, max(note.velocity, last.velocity))
        elif before and before[-1].start + before[-1].duration > note.start:
            last = before.pop()
            before.append(Played(last.start, note.start - last.start, last.pitch, last.velocity))
        if stop > note.start:
            before.append(Played(note.start, stop - note.start, note.pitch, note.velocity))
    return tuple(sorted(note for line in by_pitch.values() for note in line))


def _part(instrument: Instrument, notes: tuple[Played, ...]) -> Part:
    return Part(instrument.name, instrument.program, instrument.drums, notes, instrument.volume, instrument.pan)
