"""A hundred films at random: whatever is asked for, the score fits the picture and stays within its limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheets import sheets

from videoscore.compose.compose import compose_many
from videoscore.cues.sheet import CueSheet
from videoscore.mood.circle import MOODS
from videoscore.music.score import PPQ, Role, Score

BATCH, BATCHES = 10, 10
MILLISECOND = Fraction(1, 1000)
SOUNDING = 24  # keys down at once, of all roles
VOICES = {Role.MELODY: 1, Role.COUNTER: 1, Role.ACCOMPANIMENT: 6, Role.BASS: 1, Role.PAD: 4, Role.DRUMS: 6}
MOST = 26  # notes a second of a cue that is longer than a gesture, drums for a third
ENSEMBLES = (frozenset({Role.MELODY, Role.ACCOMPANIMENT, Role.BASS}), frozenset({Role.PAD}), frozenset(Role))


@given(st.lists(sheets(most_cues=3, longest=6), min_size=BATCH, max_size=BATCH), st.sampled_from(ENSEMBLES))
@settings(max_examples=BATCHES, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_hundred_films(films: list[CueSheet], ensemble: frozenset[Role]):
    for film, score in zip(films, compose_many(films, roles=dict.fromkeys(MOODS, ensemble))):
        assert {n.role for n in score.notes} <= ensemble
        boundaries_are_downbeats(film, score)
        notes_end_in_time(film, score)
        lines_are_playable(score)
        density_keeps_to_its_corridor(film, score)


def boundaries_are_downbeats(film: CueSheet, score: Score) -> None:
    assert [s.name for s in score.sections] == [c.name for c in film.cues]
    for cue, section in zip(film.cues, score.sections):
        assert abs(score.tempo.seconds(section.start) - cue.start) <= MILLISECOND
        assert abs(score.tempo.seconds(section.end) - cue.end) <= MILLISECOND
        assert section.end - section.start == cue.meter.bars * cue.meter.beats * PPQ, (
            "whole bars from its downbeat"
        )
    assert all(a.end == b.start for a, b in zip(score.sections, score.sections[1:]))


def notes_end_in_time(film: CueSheet, score: Score) -> None:
    last = score.sections[-1].end
    assert score.notes and score.duration == film.duration
    assert abs(score.tempo.seconds(last) - film.duration) <= MILLISECOND
    for note in score.notes:
        assert 0 <= note.start < note.start + note.duration <= last
        assert 0 <= note.pitch <= 127 and 1 <= note.velocity <= 127
    assert list(score.notes) == sorted(score.notes)


def lines_are_playable(score: Score) -> None:
    """No role starts more notes at once than it has voices, melody and bass are one line, no key is struck twice."""
    together = Counter((n.start, n.role) for n in score.notes)
    assert all(count <= VOICES[role] for (_, role), count in together.items())
    lines = defaultdict(list)
    for n in score.notes:
        lines[(n.role, -1 if n.role in (Role.MELODY, Role.BASS) else n.pitch)].append(n)
    for line in lines.values():
        assert all(a.start + a.duration <= b.start for a, b in zip(line, line[1:]))
    edges = sorted([(n.start, 1) for n in score.notes] + [(n.start + n.duration, -1) for n in score.notes])
    assert np.cumsum([step for _, step in edges]).max() <= SOUNDING


def density_keeps_to_its_corridor(film: CueSheet, score: Score) -> None:
    """However fast the bars go, a cue isn't a blur."""
    for cue, section in zip(film.cues, score.sections):
        inside = [n for n in score.notes if section.start <= n.start < section.end]
        weight = sum(1 / 3 if n.role == Role.DRUMS else 1.0 for n in inside)
        assert weight <= MOST * max(float(cue.duration), 1.0)
