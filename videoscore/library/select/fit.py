"""A piece of the library on a cue's own bar grid: cut, looped, moved, joined and ended. Pure: notes in, notes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from videoscore.compose.realise import RELEASE
from videoscore.cues.grid import sections, tempo_map
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.library.read.read import Music
from videoscore.library.select.pick import Pick
from videoscore.music.score import PPQ, Note, Role, Score
from videoscore.music.theory import parse_key

EARLY = PPQ // 24  # ticks: a note this little before a bar line belongs to the bar after it
CARRIED = PPQ  # ticks: a note that sounds into the first bar for so long is struck there
LOWEST, HIGHEST = 21, 108
# Velocities around 64, as in all scores; how loud a cue is as a whole is the orchestrator's business.
MIDDLE, SPREAD, SOFTEST, LOUDEST = 64, 12.0, 36, 100
LAST_VELOCITY = 60  # velocity of the last chord
FADE = 16  # velocity steps that a cue fades by in its last bar where it can't end on a chord
BASS_HOME, CHORD_HOME = 40, 60  # pitches near which a last chord is laid, where nothing says better


def fit(cue: Cue, pick: Pick, music: Music, following: str | None, flows_on: bool = False) -> list[Note]:
    """The notes of a cue, in ticks from its start; none sounds past its end.

    Parameters
    ----------
    cue : with the pick's meter and key.
    following : key of the next cue, on whose dominant this one ends; None for the film's last cue, which gets an end.
    flows_on : the next cue goes on with the very next bars of the piece, unmoved; nothing is done to the join.
    """
    length = cue.meter.bars * cue.meter.beats * PPQ
    notes = _lay_out(music, pick, length)
    if following is None:
        notes = _end(cue, pick, notes, length, _own_end(music, pick, notes, length))
    elif not flows_on:
        notes = _join(cue, notes, length, parse_key(following)[0])
    return untangle(n for n in notes if n.start < length)


def assemble(sheet: CueSheet, parts: Sequence[Sequence[Note]]) -> Score:
    """A score of a sheet and the notes of its cues, each from its own start."""
    places = sections(sheet)
    notes = [replace(n, start=n.start + place.start) for place, part in zip(places, parts) for n in part]
    return Score(tuple(sorted(notes)), places, tempo_map(sheet), sheet.duration)


def continues(before: Pick, after: Pick) -> bool:
    """Whether one pick goes on exactly where the other stops."""
    return (
        before.piece.content == after.piece.content
        and before.semitones == after.semitones
        and before.bars[-1] + 1 == after.bars[0]
    )


def _runs(bars: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, one past last) of the stretches without a jump."""
    first = bars[0]
    for bar, following in zip(bars, [*bars[1:], None]):
        if following != bar + 1:
            yield first, bar + 1
            first = following if following is not None else bar


def _lay_out(music: Music, pick: Pick, length: int) -> list[Note]:
    """The pick's bars one after the other, moved by its semitones."""
    columns: list[np.ndarray] = []
    at = 0
    for first, last in _runs(pick.bars):
        begin = int(music.bar_start[first])
        stop = min(int(music.bar_start[last - 1] + music.bar_length[last - 1]), begin + length - at)
        onset, end = music.onset, music.onset + music.duration
        starts = (onset >= begin - EARLY) & (onset < stop - EARLY)
        carried = (onset < begin - EARLY) & (end >= begin + CARRIED) & (music.role != Role.DRUMS)
        keep = np.flatnonzero(starts | carried)
        start = np.maximum(onset[keep], begin)
        span = np.maximum(np.minimum(end[keep], stop) - start, 1)
        columns.append(
            np.stack([start - begin + at, music.role[keep], music.pitch[keep], span, music.velocity[keep]], 1)
        )
        at += stop - begin
    table = np.concatenate(columns)
    loud = table[:, 4]
    spread = float(loud.std()) if len(loud) else 0.0
    scale = min(1.0, SPREAD / spread) if spread > 0 else 0.0
    table[:, 4] = (
        np.clip(np.rint(MIDDLE + (loud - loud.mean()) * scale), SOFTEST, LOUDEST) if len(loud) else loud
    )
    rows = ((start, Role(role), *rest) for start, role, *rest in table.tolist())
    return [
        Note(
            start, role, pitch if role == Role.DRUMS else _into_range(pitch + pick.semitones), span, velocity
        )
        for start, role, pitch, span, velocity in rows
    ]


def _into_range(pitch: int) -> int:
    while pitch < LOWEST:
        pitch += 12
    while pitch > HIGHEST:
        pitch -= 12
    return pitch


def _own_end(music: Music, pick: Pick, notes: list[Note], length: int) -> bool:
    """Whether the cue ends as the piece does, and that is an end: over the tonic in the bass."""
    whole = sum(int(music.bar_length[bar]) for bar in pick.bars)
    pitched = [n for n in notes if n.role != Role.DRUMS]
    if pick.bars[-1] != len(music.bar_start) - 1 or whole != length or len(pick.bars) < 2 or not pitched:
        return False
    stop = max(n.start + n.duration for n in pitched)
    lowest = min(n.pitch for n in pitched if n.start + n.duration > stop - PPQ // 4)
    return lowest % 12 == parse_key(pick.key)[0]


def _join(cue: Cue, notes: list[Note], length: int, tonic: int) -> list[Note]:
    """A half cadence: the end of the last bar turns to the dominant seventh of the next cue's key, in its own rhythm.
    Where nothing is struck there, or the cue is too short to have gone anywhere, it fades in its last bar."""
    tail = length - max(1, cue.meter.beats // 2) * PPQ
    if cue.meter.bars * cue.meter.beats >= 4 and any(n.start >= tail and n.role != Role.DRUMS for n in notes):
        return _retune(notes, tail, _dominant(tonic))
    begin = length - cue.meter.beats * PPQ
    return [
        n
        if n.start < begin
        else replace(n, velocity=max(1, n.velocity - FADE * (n.start - begin) // (length - begin)))
        for n in notes
    ]


def _end(cue: Cue, pick: Pick, notes: list[Note], length: int, own: bool) -> list[Note]:
    """A close: dominant, then the tonic chord held through the last bar, and a moment of quiet for it to die in."""
    tonic, minor = parse_key(pick.key)
    quarter = float(60 / cue.bpm)
    bar = cue.meter.beats * PPQ
    hold = length - (bar if cue.meter.bars > 1 else max(1, cue.meter.beats // 2) * PPQ)
    quiet = length - round((length - hold) * min(1 / 3, RELEASE / max(quarter * (length - hold) / PPQ, 1e-6)))
    if own:  # its last notes may be late; they are all there is to hear then
        return [
            replace(
                n, duration=min(n.duration, max(quiet - n.start, length - n.start if n.start >= quiet else 1))
            )
            for n in notes
        ]
    if cue.meter.bars * cue.meter.beats > 1:
        if hold >= bar:
            notes = _retune(notes, hold - max(1, cue.meter.beats // 2) * PPQ, _dominant(tonic))
        notes = [replace(n, duration=min(n.duration, hold - n.start)) for n in notes if n.start < hold]
        notes += _last_chord(notes, tonic, minor, hold, quiet - hold)
    return [replace(n, duration=min(n.duration, max(1, quiet - n.start))) for n in notes if n.start < quiet]


def _dominant(tonic: int) -> tuple[int, ...]:
    """Pitch classes of the dominant seventh chord, root first; the same in major and minor."""
    return tuple((tonic + step) % 12 for step in (7, 11, 2, 5))


def _retune(notes: list[Note], tick: int, chord: tuple[int, ...]) -> list[Note]:
    """Notes from `tick` on moved to the nearest of the chord, basses to its root; what is held into it and isn't of
    it stops there."""
    out = []
    for n in notes:
        if n.role == Role.DRUMS:
            out.append(n)
        elif n.start >= tick:
            out.append(replace(n, pitch=_nearest(n.pitch, chord[:1] if n.role == Role.BASS else chord)))
        elif n.start + n.duration > tick and n.pitch % 12 not in chord:
            out.append(replace(n, duration=tick - n.start))
        else:
            out.append(n)
    return out


def _nearest(pitch: int, classes: Sequence[int]) -> int:
    """The pitch of one of these classes that is nearest, the lower of two, within the piano's range."""
    around = [p for p in range(pitch - 12, pitch + 13) if p % 12 in classes and LOWEST <= p <= HIGHEST]
    return min(around, key=lambda p: (abs(p - pitch), p))


def _last_chord(notes: list[Note], tonic: int, minor: bool, start: int, length: int) -> list[Note]:
    """The tonic chord, laid where each role was playing."""
    triad = (tonic, (tonic + (3 if minor else 4)) % 12, (tonic + 7) % 12)
    by_role: dict[Role, list[int]] = defaultdict(list)
    for n in sorted(notes):
        by_role[n.role].append(n.pitch)

    def home(role: Role, otherwise: int) -> int:
        notes = by_role.get(role)
        return round(sum(notes[-24:]) / len(notes[-24:])) if notes else otherwise

    pitches: list[tuple[Role, int]] = [(Role.BASS, _nearest(home(Role.BASS, BASS_HOME), (tonic,)))]
    chordal = [role for role in (Role.PAD, Role.ACCOMPANIMENT) if role in by_role] or [Role.ACCOMPANIMENT]
    for role in chordal:
        pitches += [(role, _nearest(home(role, CHORD_HOME), (pc,))) for pc in triad]
    if Role.COUNTER in by_role:
        pitches.append((Role.COUNTER, _nearest(home(Role.COUNTER, CHORD_HOME), triad[1:])))
    if Role.MELODY in by_role:
        pitches.append((Role.MELODY, _nearest(by_role[Role.MELODY][-1], (tonic,))))
    return [Note(start, role, pitch, max(1, length), LAST_VELOCITY) for role, pitch in pitches]


def untangle(notes: Iterator[Note] | Sequence[Note]) -> list[Note]:
    """No key of a role is struck while it sounds: of two at once the longer stays, else the first stops."""
    lines: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for n in sorted(notes):
        line = lines[(n.role, n.pitch)]
        if line and line[-1].start == n.start:
            line[-1] = replace(
                n, duration=max(n.duration, line[-1].duration), velocity=max(n.velocity, line[-1].velocity)
            )
            continue
        if line and line[-1].start + line[-1].duration > n.start:
            line[-1] = replace(line[-1], duration=n.start - line[-1].start)
        line.append(n)
    return sorted(n for line in lines.values() for n in line)
