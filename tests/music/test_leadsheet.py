"""The lead sheet, read back by the library that notation people use."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from handscore import hand_score

from videoscore.errors import SetupError
from videoscore.music import leadsheet
from videoscore.music.leadsheet import pieces, spelled, to_bytes
from videoscore.music.score import PPQ, Note, Role, Section

KEYS = {
    "D minor": "C C# D Eb E F Gb G Ab A Bb B",
    "Bb major": "C Db D Eb E F Gb G Ab A Bb B",
    "F# minor": "C C# D D# E E# F# G G# A A# B",
    "Eb minor": "C Db D Eb E F Gb G Ab A Bb Cb",
    "G# minor": "C C# D D# E F F# F## G# A A# B",
    "C major": "C C# D D# E F F# G G# A A# B",
}


@pytest.mark.parametrize("key", KEYS)
def test_notes_are_spelled_as_the_key_asks(key: str) -> None:
    assert " ".join(spelled(p, key) for p in range(12)) == KEYS[key]


def section(bars: int = 2, beats: int = 4) -> Section:
    return Section("1m1", "Happy", 0.5, 0.5, "C major", 0, bars * beats * PPQ, bars, beats)


def tune(*notes: tuple[int, int, int]) -> list[Note]:
    return [Note(start, Role.MELODY, pitch, duration, 64) for start, duration, pitch in notes]


def test_the_tune_is_cut_at_bar_lines_and_put_on_a_grid() -> None:
    first, second = pieces(section(), tune((0, 470, 60), (485, 2000, 62), (2590, 150, 64), (2720, 100, 65)))
    assert [(p.start, p.length, p.pitch, p.tied) for p in first] == [
        (0, 480, 60, (False, False)),
        (480, 1440, 62, (False, True)),
    ]
    assert [(p.start, p.length, p.pitch) for p in second] == [(0, 640, 62), (640, 160, 64), (800, 160, 65)]
    assert second[0].tied == (True, False)
    assert pieces(section(1), tune((0, 10, 60), (5, 10, 61), (1919, 1, 62))) != []


def read(data: bytes):
    music21 = pytest.importorskip("music21")
    return music21.converter.parseData(data, format="musicxml").parts[0]


def test_what_a_player_needs_comes_back() -> None:
    music21 = pytest.importorskip("music21")
    score = hand_score(("Peaceful", "Angry"), bars=4, bpms=(96, 150))
    keyed = replace(score.sections[1], key="D minor", chords=(29, 8, 13, 29))  # Am Dm E Am in A minor
    score = replace(score, sections=(score.sections[0], keyed))
    part = read(to_bytes(score, "a film"))
    measures = list(part.getElementsByClass("Measure"))
    assert len(measures) == 8 and all(m.duration.quarterLength == 4 for m in measures)
    assert [(m.number, mark.content) for m in measures for mark in m.getElementsByClass("RehearsalMark")] == [
        (1, "c1"),
        (5, "c2"),
    ]
    assert [round(mark.number) for m in measures for mark in m.getElementsByClass("MetronomeMark")] == [
        96,
        150,
    ]
    symbols = [
        (m.number, c.root().name + ("m" if c.chordKind == "minor" else ""))
        for m in measures
        for c in m.getElementsByClass("ChordSymbol")
    ]
    assert symbols == [(1, "C"), (2, "Am"), (3, "F"), (4, "G"), (5, "Dm"), (6, "Gm"), (7, "A"), (8, "Dm")]
    heard = [
        (n.getOffsetInHierarchy(part), n.quarterLength, n.pitch.midi)
        for n in part.recurse().getElementsByClass(music21.note.Note)
    ]
    written = [
        (Fraction(n.start, PPQ), Fraction(n.duration, PPQ), n.pitch)
        for n in score.notes
        if n.role == Role.MELODY
    ]
    assert heard == written
    assert [k.sharps for k in part.recurse().getElementsByClass("KeySignature")] == [0, -1]


def test_composed_music_fills_every_bar_and_keeps_its_pitches() -> None:
    music21 = pytest.importorskip("music21")
    from sheets import cue

    from videoscore.compose.compose import compose
    from videoscore.cues.sheet import CueSheet

    sheet = CueSheet("film.mp4", Fraction(8), (cue("1m1 Happy", 0, 8, "Happy", 4, key="Eb major"),))
    music = compose(sheet, roles={"Happy": frozenset({Role.MELODY, Role.BASS})})
    part = read(to_bytes(music))
    measures = list(part.getElementsByClass("Measure"))
    assert len(measures) == 4 and all(m.duration.quarterLength == 4 for m in measures)
    heard = [
        n.pitch.midi
        for n in part.recurse().getElementsByClass(music21.note.Note)
        if n.tie is None or n.tie.type == "start"
    ]
    tune = [n.pitch for n in music.notes if n.role == Role.MELODY]
    assert len(heard) > 0.9 * len(tune) and set(heard) <= set(tune)
    assert any(m.getElementsByClass("ChordSymbol") for m in measures)


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "music21", None)
    with pytest.raises(SetupError, match="needs music21"):
        leadsheet.to_bytes(hand_score())
