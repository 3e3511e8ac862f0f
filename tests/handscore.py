"""Scores written by hand, for tests of what comes after the composer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from videoscore.mood.circle import centre
from videoscore.music.score import PPQ, Note, Role, Score, Section, TempoMap

CHORDS = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))
TUNE = (72, 74, 76, 79, 76, 74, 72, 67)


def hand_score(
    moods: Sequence[str] = ("Peaceful", "Angry"),
    bars: int = 4,
    beats: int = 4,
    bpms: Sequence[int] = (96, 150),
    roles: Sequence[Role] = tuple(Role),
    radius: float = 0.6,
) -> Score:
    """`bars` bars a mood of C, a, F, G with a tune; the tempo changes at every section."""
    notes: list[Note] = []
    sections, changes = [], []
    length = bars * beats * PPQ
    for k, mood in enumerate(moods):
        valence, arousal = centre(mood, radius)
        sections.append(
            Section(f"c{k + 1}", mood, valence, arousal, "C major", k * length, (k + 1) * length, bars, beats)
        )
        changes.append((k * length, round(60_000_000 / bpms[k % len(bpms)])))
        for bar in range(bars):
            notes += _bar(k * length + bar * beats * PPQ, bar, beats)
    tempo = TempoMap(tuple(changes))
    kept = sorted(note for note in notes if note.role in roles)
    return Score(tuple(kept), tuple(sections), tempo, tempo.seconds(sections[-1].end))


def _bar(start: int, bar: int, beats: int) -> list[Note]:
    chord, full, eighth = CHORDS[bar % len(CHORDS)], beats * PPQ, PPQ // 2
    notes = [
        Note(start + i * PPQ, Role.MELODY, TUNE[(bar * beats + i) % len(TUNE)], PPQ, 80) for i in range(beats)
    ]
    notes += [
        Note(start + i * 2 * PPQ, Role.COUNTER, chord[i % 3] + 12, 2 * PPQ, 80) for i in range(beats // 2)
    ]
    notes += [
        Note(start + i * eighth, Role.ACCOMPANIMENT, chord[i % 3], eighth, 80) for i in range(2 * beats)
    ]
    notes += [Note(start + i * 2 * PPQ, Role.BASS, chord[0] - 24, 2 * PPQ, 80) for i in range(beats // 2)]
    notes += [Note(start, Role.PAD, pitch, full, 80) for pitch in chord]
    notes += [Note(start + i * PPQ, Role.DRUMS, (36, 38)[i % 2], eighth, 80) for i in range(beats)]
    notes += [Note(start + i * eighth, Role.DRUMS, 42, eighth, 70) for i in range(2 * beats)]
    return notes


def dense_score(seconds: int, notes_a_second: int = 12, mood: str = "Happy") -> Score:
    """One section at 120 bpm that lasts `seconds`, spread over five roles without drums."""
    bars = seconds // 2
    roles = (Role.MELODY, Role.ACCOMPANIMENT, Role.ACCOMPANIMENT, Role.BASS, Role.COUNTER, Role.PAD)
    ticks = 2 * PPQ // notes_a_second
    notes = tuple(
        Note(i * ticks, roles[i % 6], CHORDS[i // 24 % 4][i % 3] + 12 * (i % 2), 6 * ticks, 80)
        for i in range(seconds * notes_a_second)
    )
    end = bars * 4 * PPQ
    notes = tuple(note for note in notes if note.start + note.duration <= end)
    section = Section("c1", mood, 0.5, 0.3, "C major", 0, end, bars, 4)
    tempo = TempoMap(((0, 500_000),))
    return Score(tuple(sorted(notes)), (section,), tempo, Fraction(bars * 2))
