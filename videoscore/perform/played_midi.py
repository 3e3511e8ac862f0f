"""The arrangement as a Standard MIDI file: what is heard, with its instruments, for a DAW."""

from __future__ import annotations

from pathlib import Path

import mido

from videoscore.files import write_bytes
from videoscore.music.midi import DRUM_CHANNEL, MELODIC_CHANNELS, Event, conductor, pack, track
from videoscore.perform.orchestrate.crossfade import EXPRESSION
from videoscore.perform.parts import Arrangement, Part

VOLUME, PAN, SUSTAIN = 7, 10, 64  # controller numbers


def to_bytes(music: Arrangement) -> bytes:
    """MIDI file (type 1, 480 ticks a quarter): a track of tempo, metre, key and cue markers, then one a part.

    More than 15 pitched parts go on to a second MIDI port, as the file format provides.
    """
    tracks, pitched = [conductor(music.sections, music.tempo)], 0
    for part in music.parts:
        port, channel = (0, DRUM_CHANNEL) if part.drums else (pitched // 15, MELODIC_CHANNELS[pitched % 15])
        pitched += not part.drums
        tracks.append(_track(part, port, channel))
    return pack(tracks, music.sections[-1].end)


def _track(part: Part, port: int, channel: int) -> list[Event]:
    notes = [(n.start, n.duration, n.pitch, n.velocity) for n in part.notes]
    events = track(part.name, channel, part.program, notes, ((VOLUME, part.volume), (PAN, part.pan)))
    # before the notes of the same tick
    events += [
        (tick, 7, mido.Message("control_change", channel=channel, control=EXPRESSION, value=value))
        for tick, value in part.expression
    ]
    events += [
        (tick, 7, mido.Message("control_change", channel=channel, control=SUSTAIN, value=value))
        for down, up in part.pedal
        for tick, value in ((down, 127), (up, 0))
    ]
    events += _held(part, channel)
    return [(0, 0, mido.MetaMessage("midi_port", port=port)), *events] if port else events


def _held(part: Part, channel: int) -> list[Event]:
    """Changes of program before the notes that the part's other sound plays, and back. A chord of which one note is
    held is held."""
    if part.held is None:
        return []
    held: dict[int, bool] = {}
    for note in part.notes:
        held[note.start] = held.get(note.start, False) or note.held
    events, now = list[Event](), part.program
    for start, long in sorted(held.items()):
        if (program := part.held[1] if long else part.program) != now:
            events.append((start, 8, mido.Message("program_change", channel=channel, program=program)))
            now = program
    return events


def write_midi(music: Arrangement, path: Path, overwrite: bool = True) -> None:
    """Write `to_bytes` to a file, whole or not at all. Raises DiskFull, OutputError or OutputExists."""
    write_bytes(path, to_bytes(music), overwrite)
