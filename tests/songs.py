"""Small MIDI files for the tests of the library."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import mido

TRIADS = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}


def song(
    path: Path,
    *,
    tonic: int = 0,
    mode: str = "major",
    bpm: float = 120,
    bars: int = 16,
    beats: int = 4,
    drums: bool = False,
    seed: int = 0,
    each: int = 1,
    denominator: int = 4,
) -> Path:
    """A tune over chords and a bass: `each` tune notes a beat of 1/`denominator`, two tracks and perhaps drums."""
    rng = random.Random(seed)
    file = mido.MidiFile(ticks_per_beat=480)
    beat = 480 * 4 // denominator
    head = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)),
            mido.MetaMessage("time_signature", numerator=beats, denominator=denominator),
        ]
    )
    tune, under, kit = [], [], []
    scale = (0, 2, 4, 5, 7, 9, 11) if mode == "major" else (0, 2, 3, 5, 7, 8, 11)
    for bar in range(bars):
        start = bar * beats * beat
        chord = TRIADS[mode][bar % 4]
        pitches = [48 + tonic + step for step in chord] + [36 + tonic + chord[0]]
        under += [(start, beats * beat, pitch) for pitch in pitches]
        for k in range(beats * each):
            tune.append((start + k * beat // each, beat // each, 72 + tonic + rng.choice(scale)))
        kit += (
            [(start + k * beat, beat // 2, 36 if k % 2 == 0 else 38) for k in range(beats)] if drums else []
        )
    file.tracks += [head, _track(tune, 0, 0), _track(under, 1, 48)] + ([_track(kit, 9, 0)] if drums else [])
    file.save(path)
    return path


def _track(notes, channel: int, program: int) -> mido.MidiTrack:
    events = [(t, 1, pitch) for t, _, pitch in notes] + [(t + d, 0, pitch) for t, d, pitch in notes]
    out, now = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)]), 0
    for t, on, pitch in sorted(events, key=lambda e: (e[0], e[1])):
        out.append(mido.Message("note_on", channel=channel, note=pitch, velocity=80 * on, time=t - now))
        now = t
    return out


def shelf(folder: Path, count: int = 6) -> list[Path]:
    """Some songs in several keys, modes and tempi."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        song(
            folder / f"song {k}.mid",
            tonic=(5 * k) % 12,
            mode=("major", "minor")[k % 2],
            bpm=70 + 23 * k % 90,
            bars=16 + 4 * (k % 3),
            drums=k % 3 == 2,
            seed=k,
            each=1 + k % 3,
        )
        for k in range(count)
    ]


def many_notes(path: Path, count: int) -> Path:
    """A file of `count` notes one after the other, a 120th of a quarter each."""
    body = b"".join(bytes([0, 0x90, 40 + k % 40, 64, 4, 40 + k % 40, 0]) for k in range(count))
    body += bytes([0, 0xFF, 0x2F, 0])
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    path.write_bytes(head + b"MTrk" + struct.pack(">I", len(body)) + body)
    return path
