"""The arrangement's MIDI file, read back by another library."""

from __future__ import annotations

import io

import mido
import pretty_midi
from handscore import hand_score

from videoscore.perform.midi import to_bytes
from videoscore.perform.orchestrate import orchestrate
from videoscore.perform.palettes import load_preset
from videoscore.perform.parts import Arrangement, Part, Played


def test_every_part_comes_back_with_its_program_and_notes():
    music = orchestrate(hand_score(), load_preset("cinematic"))
    midi = pretty_midi.PrettyMIDI(io.BytesIO(to_bytes(music)))
    heard = {i.name: (i.program, i.is_drum, len(i.notes)) for i in midi.instruments}
    assert heard == {p.name: (p.program, p.drums, len(p.notes)) for p in music.parts}
    downbeats = midi.get_downbeats()
    for section in music.sections:
        assert abs(downbeats - float(music.tempo.seconds(section.start))).min() < 1e-3


def test_the_same_arrangement_gives_the_same_bytes():
    music = orchestrate(hand_score(), load_preset("band"))
    assert to_bytes(music) == to_bytes(orchestrate(hand_score(), load_preset("band")))


def test_a_sixteenth_pitched_part_goes_to_the_next_port():
    score = hand_score()
    parts = tuple(Part(f"part {n}", n, False, (Played(0, 480, 60, 80),)) for n in range(17))
    tracks = mido.MidiFile(file=io.BytesIO(to_bytes(
        Arrangement(parts, score.sections, score.tempo, score.duration)))).tracks[1:]
    where = [(next((m.port for m in t if m.type == "midi_port"), 0),
              next(m.channel for m in t if m.type == "note_on")) for t in tracks]
    assert len(set(where)) == 17 and all(channel != 9 for _, channel in where)
