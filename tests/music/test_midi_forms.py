"""MIDI files of every form are the same music."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import Said

from videoscore.library.read.read import Unusable, read
from videoscore.music.midi_forms import BadMidi, standard_form

BARS = 8
PITCHES = [60, 64, 67, 72, 71, 67, 64, 62]


def song(seconds_a_tick: Fraction | None = None) -> bytes:
    """Eight bars of quarters at 100 quarters a minute; with ticks of this length instead of 480 a quarter."""
    file = mido.MidiFile(type=0, ticks_per_beat=480)
    track = mido.MidiTrack(
        [mido.MetaMessage("set_tempo", tempo=600_000), mido.Message("program_change", program=48)]
    )
    now = 0
    for k in range(4 * BARS):
        for at, kind, velocity in ((k, "note_on", 90), (k + Fraction(9, 10), "note_off", 0)):
            tick = round(480 * at) if seconds_a_tick is None else round(at * Fraction(6, 10) / seconds_a_tick)
            track.append(mido.Message(kind, note=PITCHES[k % 8], velocity=velocity, time=tick - now))
            now = tick
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def parts(data: bytes) -> tuple[bytes, bytes]:
    """Header chunk and the rest."""
    return data[:14], data[14:]


def smpte(frames: int, ticks: int, rate: Fraction) -> bytes:
    data = song(1 / (rate * ticks))
    return data[:12] + struct.pack(">bB", -frames, ticks) + data[14:]


def riff(data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data)) + data


def long_header(extra: int) -> bytes:
    head, rest = parts(song())
    return head[:4] + struct.pack(">I", 6 + extra) + head[8:] + bytes(extra) + rest


def with_exclusives() -> bytes:
    """A system exclusive message between all events, after which the running status is used on, against the rules."""
    begin, body = b"\0\xff\x51\x03\x09\x27\xc0\0\xc0\x30", bytearray()
    for k in range(4 * BARS):
        status = b"\x90" if k == 0 else b""
        first = b"\0" if k == 0 else b"\x30"  # 48 ticks
        body += first + status + bytes([PITCHES[k % 8], 90]) + b"\0\xf0\x05\x7e\x7f\x09\x01\xf7"
        body += b"\x83\x30" + bytes([PITCHES[k % 8], 0])  # 432 ticks
    track = begin + bytes(body) + b"\0\xff\x2f\0"
    return song()[:14] + b"MTrk" + struct.pack(">I", len(track)) + track


FORMS = {
    "SMPTE, 25 frames of 40": (smpte(25, 40, Fraction(25)), 0.001),
    "SMPTE, 24 frames of 100": (smpte(24, 100, Fraction(24)), 0.001),
    "SMPTE, 30 drop of 80": (smpte(29, 80, Fraction(30_000, 1001)), 0.001),
    "RIFF": (riff(song()), 0.0),
    "RIFF with another chunk": (riff(song())[:12] + b"LIST\3\0\0\0abc\0" + riff(song())[12:], 0.0),
    "header of 8": (long_header(2), 0.0),
    "header of 10": (long_header(4), 0.0),
    "an unknown chunk": (song()[:14] + b"XFIH\0\0\0\4abcd" + song()[14:], 0.0),
    "the last 4 bytes missing": (song()[:-4], 0.0),
    "the last byte missing": (song()[:-1], 0.0),
    "no end of track": (song()[:18] + struct.pack(">I", len(song()) - 26) + song()[22:-4], 0.0),
    "running status over system exclusives": (with_exclusives(), 0.0),
    "rubbish behind": (song() + bytes(64), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_has_the_same_notes_at_the_same_times(name: str) -> None:
    data, tolerance = FORMS[name]
    plain, other = read(song()), read(data)
    assert other.pitch.tolist() == plain.pitch.tolist()
    assert np.abs(other.seconds(other.onset) - plain.seconds(plain.onset)).max() <= tolerance + 1e-9
    assert other.tempo[0] == pytest.approx(100, rel=1e-4)
    assert len(other.bar_start) == len(plain.bar_start)


def test_a_plain_file_stays_as_it_is() -> None:
    assert standard_form(song()) == song()


def test_sequences_of_format_2_follow_each_other() -> None:
    head, track = parts(song())
    plain = read(song())
    row = read(head[:8] + struct.pack(">HHH", 2, 2, 480) + track + track)
    assert len(row.onset) == 2 * len(plain.onset)
    times = row.seconds(row.onset)
    end = 4 * BARS * 0.6  # of the first sequence
    assert times[len(plain.onset) :] == pytest.approx(end + plain.seconds(plain.onset), abs=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (song()[:12] + b"\0\0" + song()[14:], "division 0"),
        (song()[:12] + b"\x81\x00" + song()[14:], "unknown way"),
        (song()[:-40], "bytes are missing"),
        (song()[:14], "no tracks"),
        (b"hello", "or no MIDI file"),
        (riff(song())[:12], "without MIDI"),
    ],
)
def test_what_cannot_be_played_says_why(data: bytes, words: str) -> None:
    with pytest.raises(BadMidi, match=words):
        standard_form(data)
    with pytest.raises(Unusable, match=words):
        read(data)


def test_the_library_takes_them(videoscore, tmp_path: Path) -> None:
    folder = tmp_path / "midi"
    folder.mkdir()
    (folder / "a.rmi").write_bytes(riff(song()))
    (folder / "b.mid").write_bytes(smpte(25, 40, Fraction(25)))
    (folder / "c.mid").write_bytes(song()[:12] + b"\0\0" + song()[14:])
    done: Said = videoscore("library", "add", folder, "--library", tmp_path / "l.sqlite")
    assert done.code == 1 and "2 added, 1 skipped" in done.out and "division 0" in done.out
    assert "Error" not in done.out


def events(*timed: tuple[int, bytes]) -> bytes:
    body = (
        b"".join((bytes([t]) if t < 128 else bytes([t >> 7 | 128, t & 127])) + e for t, e in timed)
        + b"\0\xff\x2f\0"
    )
    return song()[:14] + b"MTrk" + struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    "name", ["Flöte".encode("latin-1"), "ピアノ".encode("shift-jis"), b"\xff\xfe\0", b"\xa9 2008"]
)
def test_names_in_any_encoding(name: bytes) -> None:
    """MidiTok #159, music21 #606: a name that is no UTF-8 costs no note."""
    notes = [
        e
        for k in range(4 * BARS)
        for e in ((48, bytes([0x90, PITCHES[k % 8], 90])), (432, bytes([PITCHES[k % 8], 0])))
    ]
    texts = [(0, b"\xff\x03" + bytes([len(name)]) + name), (0, b"\xff\x05" + bytes([len(name)]) + name)]
    assert len(read(events(*texts, *notes)).onset) == 4 * BARS


@pytest.mark.parametrize("kind", ["no length", "ended twice", "ended over another"])
def test_notes_that_end_oddly(kind: str) -> None:
    """symusic #38, pretty-midi #131: no note is lost, and none goes on to the next one of its pitch."""
    notes: list[tuple[int, bytes]] = []
    for k in range(4 * BARS):
        pitch = PITCHES[k % 8]
        on, off = bytes([0x90, pitch, 90]), bytes([0x80, pitch, 0])
        if kind == "no length" and k % 4 == 1:
            notes += [(48, on), (0, off), (432, b"\xff\x01\0")]
        elif kind == "ended over another":
            notes += [(48, on), (216, on), (216, off), (0, off)]
        else:
            notes += [(48, on), (432, off)] + [(0, off)] * (kind == "ended twice")
    music = read(events(*notes))
    assert len(music.onset) == 4 * BARS * (2 if kind == "ended over another" else 1)
    assert music.duration.max() <= 432
