"""The arrangement's MIDI file, read back by another library."""

from __future__ import annotations

import io

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
from handscore import hand_score
from hypothesis import given, settings
from sheets import sheets

from videoscore.cues.grid import sections, tempo_map
from videoscore.cues.sheet import CueSheet
from videoscore.music.score import PPQ
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement, Part, Played
from videoscore.perform.played_midi import to_bytes


def test_every_part_comes_back_with_its_program_and_notes():
    music = orchestrate(hand_score(), load_preset("cinematic"))
    midi = pretty_midi.PrettyMIDI(io.BytesIO(to_bytes(music)))
    heard: dict[tuple[str, bool], int] = {}
    for i in midi.instruments:
        heard[i.name, i.is_drum] = heard.get((i.name, i.is_drum), 0) + len(i.notes)
    assert heard == {(p.name, p.drums): len(p.notes) for p in music.parts}
    for p in music.parts:  # one sound, and another for held notes where the instrument has one
        programs = {int(i.program) for i in midi.instruments if i.name == p.name}
        assert programs <= {p.program, *(p.held or ())[1:]} and programs
    downbeats = midi.get_downbeats()
    for section in music.sections:
        assert abs(downbeats - float(music.tempo.seconds(section.start))).min() < 1e-3


def test_the_same_arrangement_gives_the_same_bytes():
    music = orchestrate(hand_score(), load_preset("band"))
    assert to_bytes(music) == to_bytes(orchestrate(hand_score(), load_preset("band")))


def test_a_sixteenth_pitched_part_goes_to_the_next_port():
    score = hand_score()
    parts = tuple(Part(f"part {n}", n, False, (Played(0, 480, 60, 80),)) for n in range(17))
    tracks = mido.MidiFile(
        file=io.BytesIO(to_bytes(Arrangement(parts, score.sections, score.tempo, score.duration)))
    ).tracks[1:]
    where = [
        (
            next((m.port for m in t if m.type == "midi_port"), 0),
            next(m.channel for m in t if m.type == "note_on"),
        )
        for t in tracks
    ]
    assert len(set(where)) == 17 and all(channel != 9 for _, channel in where)


def played(sheet: CueSheet) -> Arrangement:
    """A drone over a cue sheet's bars."""
    places, tempo = sections(sheet), tempo_map(sheet)
    notes = tuple(
        Played(s.start + bar * s.beats * PPQ, s.beats * PPQ, 60, 80) for s in places for bar in range(s.bars)
    )
    return Arrangement((Part("strings", 48, False, notes),), places, tempo, sheet.duration)


@given(sheets(most_cues=12, longest=90))
@settings(max_examples=25, deadline=None)
def test_markers_metre_and_tempo_are_where_the_cues_are_for_two_other_libraries(sheet):
    data = to_bytes(played(sheet))
    ticks = symusic.Score.from_midi(data)
    clock = ticks.to("second")
    assert [m.text for m in clock.markers] == [c.name for c in sheet.cues]
    other = pretty_midi.PrettyMIDI(io.BytesIO(data))
    downbeats, theirs = np.array(ticks.get_downbeats()), other.get_downbeats()
    assert ticks.ticks_per_quarter == PPQ
    for cue, marker, place in zip(sheet.cues, clock.markers, ticks.markers):
        assert abs(marker.time - float(cue.start)) < 1e-3
        assert place.time in downbeats
        assert abs(theirs - float(cue.start)).min() < 1e-3
        signature = [t for t in ticks.time_signatures if t.time <= place.time][-1]
        assert (signature.numerator, signature.denominator) == (cue.meter.beats, 4)
        signature = [t for t in other.time_signature_changes if t.time <= float(cue.start) + 1e-3][-1]
        assert (signature.numerator, signature.denominator) == (cue.meter.beats, 4)
        tempo = [t for t in ticks.tempos if t.time <= place.time][-1]
        assert tempo.qpm == pytest.approx(float(cue.bpm), abs=max(0.01, float(cue.bpm) ** 2 / 4e7))
        # every bar of the cue, by the other library's clock
        bars = [float(cue.start + cue.duration * k / cue.meter.bars) for k in range(cue.meter.bars)]
        assert max(abs(theirs - t).min() for t in bars) < 1e-3
    assert other.get_end_time() == pytest.approx(float(sheet.duration), abs=1e-3)
