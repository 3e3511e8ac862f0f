"""Every form of MIDI file as the one that all libraries read: format 0 or 1, ticks a quarter, a header of six bytes.

The forms are those of the Standard MIDI Files 1.0 specification (MIDI Manufacturers Association, RP-001): longer
headers and unknown chunks are passed over, a division may count parts of SMPTE frames, a format 2 file is a row of
independent sequences. RMID (RP-029) puts a file into a RIFF chunk.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

import mido

HEADER, TRACK = b"MThd", b"MTrk"
NORMAL_TEMPO = 500_000  # microseconds a quarter where a file says nothing
SMPTE_TICKS = 480  # a quarter, of a file that counted frames
# frames a second behind the negated first byte of an SMPTE division; 29 is 30 with dropped numbers
SMPTE_RATES = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30_000, 1001), 30: Fraction(30)}
LONGEST_END = 7  # bytes of an end-of-track event: four of time, three of its own
SMPTE = 0x8000  # set in the division: it counts frames


class BadMidi(ValueError):
    """No MIDI file, or one that can't be played; the message says why, in a few words."""


def standard_form(data: bytes) -> bytes:
    """The same music as a plain file of format 0 or 1. What is one already comes back as it is, unchecked inside.

    Raises BadMidi.
    """
    body = _unwrapped(data)
    kind, division, tracks = _parts(body)
    if division & SMPTE:
        return _of_frames(mended(_file(1, SMPTE_TICKS, tracks)), division)
    if kind == 2:
        return _in_a_row(mended(_file(1, division, tracks)))
    plain = _file(0 if kind == 0 and len(tracks) == 1 else 1, division, tracks)
    return data if plain == data else plain


def mended(data: bytes) -> bytes:
    """A plain file written anew: tracks get the end that they lack, data bytes over 127 are cut to it.

    Raises BadMidi where an event can't be read.
    """
    file = _loaded(data)
    return _saved(file.ticks_per_beat, file.tracks)


def _unwrapped(data: bytes) -> bytes:
    """Without the RIFF chunk of an .rmi file."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise BadMidi("a RIFF file without MIDI in it")


def _parts(data: bytes) -> tuple[int, int, list[bytes]]:
    """Format, division and the tracks' bytes."""
    if data[:4] != HEADER or len(data) < 14:
        raise BadMidi("damaged, or no MIDI file")
    size, kind, _, division = struct.unpack_from(">IHHH", data, 4)
    if size < 6:
        raise BadMidi("its header is too short")
    if division == 0:
        raise BadMidi("its header gives a quarter note no ticks (division 0), so that nothing has a time")
    if division & SMPTE and (256 - (division >> 8) not in SMPTE_RATES or not division & 0xFF):
        raise BadMidi(f"its header counts time in an unknown way (division {division:#06x})")
    tracks, at = [], 8 + size
    while at + 8 <= len(data):
        name, length = struct.unpack_from(">4sI", data, at)
        if name == TRACK:
            tracks.append(_complete(data[at + 8 : at + 8 + length], length))
        elif not name.isalnum():  # what follows is no chunk, but whatever a program left there
            break
        at += 8 + length
    if not tracks:
        raise BadMidi("no tracks")
    return kind, division, tracks


def _complete(track: bytes, length: int) -> bytes:
    """A track's bytes as all libraries understand them.

    Where no more than the end-of-track event is missing of `length`, up to the last whole event. A status that a system
    exclusive message has ended, and that is used on all the same, is written again.
    """
    if length - len(track) > LONGEST_END:
        raise BadMidi(f"damaged: {length - len(track)} bytes are missing at its end")
    if len(track) == length and not (b"\xf0" in track or b"\xf7" in track):
        return track
    out, copied, at, whole, running, ended = [], 0, 0, 0, 0, False
    try:
        while at < len(track):
            at = _number(track, at)[1]
            status = track[at]
            if status & 0x80:
                at += 1
                running, ended = (status, False) if status < 0xF0 else (running, ended or status != 0xFF)
            elif ended and running:
                out += [track[copied:at], bytes([running])]
                copied, ended = at, False
            if status >= 0xF0:
                size, at = _number(track, at + (status == 0xFF))
                at += size
            else:
                at += 1 if running & 0xE0 == 0xC0 else 2  # programs and channel pressure have one data byte
            whole = at if at <= len(track) else whole
    except IndexError:
        pass
    end = whole if len(track) < length else len(track)
    return b"".join([*out, track[copied:end]])


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity, and where it ends. Raises IndexError at the end of the data."""
    value = 0
    for k in range(at, at + 4):
        value = value << 7 | data[k] & 0x7F
        if not data[k] & 0x80:
            break
    return value, k + 1


def _file(kind: int, division: int, tracks: Sequence[bytes]) -> bytes:
    chunks = [HEADER + struct.pack(">IHHH", 6, kind, len(tracks), division)]
    return b"".join(chunks + [TRACK + struct.pack(">I", len(track)) + track for track in tracks])


def _of_frames(data: bytes, division: int) -> bytes:
    """Tracks that counted parts of frames, in ticks a quarter.

    Events keep their time in seconds; the tempo changes, which do nothing to that, say how long a quarter is.
    """
    second = SMPTE_RATES[256 - (division >> 8)] * (division & 0xFF)  # of the file's ticks
    file = _loaded(data)
    tempi = {0: NORMAL_TEMPO}
    for track in file.tracks:
        tempi.update(
            (at, event.tempo) for at, event in _timed(track) if event.type == "set_tempo" and event.tempo
        )
    starts = sorted(tempi)
    ticks = [Fraction(0)]  # new ticks at each start
    for before, after in zip(starts, starts[1:]):
        ticks.append(ticks[-1] + (after - before) / second * 1_000_000 / tempi[before] * SMPTE_TICKS)

    def moved(at: int) -> int:
        k = bisect_right(starts, at) - 1
        return round(ticks[k] + (at - starts[k]) / second * 1_000_000 / tempi[starts[k]] * SMPTE_TICKS)

    return _saved(SMPTE_TICKS, [_track([(moved(at), event) for at, event in _timed(t)]) for t in file.tracks])


def _in_a_row(data: bytes) -> bytes:
    """The sequences of a format 2 file, one after the other, each beginning on a quarter."""
    file = _loaded(data)
    tracks, begin, tempo = [], 0, NORMAL_TEMPO
    for track in file.tracks:
        events = [(begin + at, event) for at, event in _timed(track)]
        own = [(at, event.tempo) for at, event in events if event.type == "set_tempo"]
        if tempo != NORMAL_TEMPO and not (
            own and own[0][0] == begin
        ):  # the one before isn't this one's tempo
            events.insert(0, (begin, mido.MetaMessage("set_tempo", tempo=NORMAL_TEMPO)))
            tempo = NORMAL_TEMPO
        tempo = own[-1][1] if own else tempo
        tracks.append(_track(events))
        end = max((at for at, _ in events), default=begin)
        begin = -(-end // file.ticks_per_beat) * file.ticks_per_beat
    return _saved(file.ticks_per_beat, tracks)


def _timed(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    at, out = 0, []
    for event in track:
        at += event.time
        out.append((at, event))
    return out


def _track(events: Sequence[tuple[int, mido.Message]]) -> mido.MidiTrack:
    track, now = mido.MidiTrack(), 0
    for at, event in events:
        track.append(event.copy(time=at - now))
        now = at
    return track


def _loaded(data: bytes) -> mido.MidiFile:
    try:
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except EOFError as error:
        raise BadMidi("damaged: it ends in the middle of an event") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadMidi(f"damaged: {' '.join(str(error).split())[:80] or type(error).__name__}") from error


def _saved(ticks: int, tracks: Sequence[mido.MidiTrack]) -> bytes:
    out = mido.MidiFile(type=1, ticks_per_beat=ticks, tracks=list(tracks))
    buffer = io.BytesIO()
    out.save(file=buffer)
    return buffer.getvalue()
