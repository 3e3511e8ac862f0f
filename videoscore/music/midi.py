"""Standard MIDI files of scores and arrangements, byte for byte the same for the same notes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import mido

from videoscore.files import write_bytes
from videoscore.music.score import PPQ, Role, Score, Section, TempoMap
from videoscore.music.theory import NAMES, parse_key

DRUM_CHANNEL = 9
MELODIC_CHANNELS = [c for c in range(16) if c != DRUM_CHANNEL]
# Instruments for a bare score, so that it can be heard before it is orchestrated.
PLAIN = {Role.MELODY: 0, Role.COUNTER: 48, Role.ACCOMPANIMENT: 0, Role.BASS: 32, Role.PAD: 89, Role.DRUMS: 0}

Event = tuple[int, int, mido.Message | mido.MetaMessage]  # tick, order at the tick, message


def to_bytes(music: Score) -> bytes:
    """MIDI file (type 1, 480 ticks a quarter) of a score: a track of tempo, metre, key and markers, then
    one track a role."""
    tracks = [conductor(music.sections, music.tempo)]
    for channel, role in enumerate(r for r in Role if r != Role.DRUMS):
        notes = [(n.start, n.duration, n.pitch, n.velocity) for n in music.notes if n.role == role]
        if notes:
            tracks.append(track(role.name.lower(), MELODIC_CHANNELS[channel], PLAIN[role], notes))
    drums = [(n.start, n.duration, n.pitch, n.velocity) for n in music.notes if n.role == Role.DRUMS]
    if drums:
        tracks.append(track("drums", DRUM_CHANNEL, 0, drums))
    return pack(tracks, music.sections[-1].end)


def write_midi(music: Score, path: Path, overwrite: bool = True) -> None:
    """Write `to_bytes` to a file, whole or not at all. Raises DiskFull, OutputError or OutputExists."""
    write_bytes(path, to_bytes(music), overwrite)


def conductor(sections: Sequence[Section], tempo: TempoMap) -> list[Event]:
    """Tempo, time signatures, key signatures and cue markers."""
    events: list[Event] = [(0, 0, mido.MetaMessage("track_name", name="videoscore"))]
    for s in sections:
        events.append(
            (s.start, 1, mido.MetaMessage("marker", text=s.name.encode("ascii", "replace").decode()))
        )
        events.append((s.start, 2, mido.MetaMessage("time_signature", numerator=s.beats, denominator=4)))
        events.append((s.start, 3, mido.MetaMessage("key_signature", key=_key_signature(s.key))))
    events += [(tick, 4, mido.MetaMessage("set_tempo", tempo=us)) for tick, us in tempo.changes]
    return events


def track(
    name: str,
    channel: int,
    program: int,
    notes: Iterable[tuple[int, int, int, int]],
    controls: Sequence[tuple[int, int]] = (),
) -> list[Event]:
    """One instrument. notes: (start, duration, pitch, velocity) in ticks; controls: (number, value)."""
    events: list[Event] = [
        (0, 0, mido.MetaMessage("track_name", name=name)),
        (0, 1, mido.Message("program_change", channel=channel, program=program)),
    ]
    events += [
        (0, 2, mido.Message("control_change", channel=channel, control=c, value=v)) for c, v in controls
    ]
    for start, duration, pitch, velocity in notes:
        events.append((start, 9, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append(
            (start + duration, 8, mido.Message("note_off", channel=channel, note=pitch, velocity=0))
        )
    return events


def pack(tracks: Sequence[Sequence[Event]], end: int) -> bytes:
    """A MIDI file of tracks of absolute events, every track ending at tick `end`."""
    file = mido.MidiFile(type=1, ticks_per_beat=PPQ)
    for events in tracks:
        out, now = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda e: (e[0], e[1], getattr(e[2], "note", 0))):
            out.append(message.copy(time=tick - now))
            now = tick
        out.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
        file.tracks.append(out)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _key_signature(key: str) -> str:
    pitch, minor = parse_key(key)
    name = NAMES[pitch]
    if minor:
        return {"Ab": "G#"}.get(name, name) + "m"
    return {"C#": "Db"}.get(name, name)
