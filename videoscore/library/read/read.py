"""A MIDI file as notes with roles on a bar grid. Bytes in, `Music` out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from videoscore.library.read import roles as roles_of
from videoscore.library.read.bars import STEP, Bars, Notes, Signature, bar_grid
from videoscore.library.read.roles import MidiTrack
from videoscore.music.score import PPQ, Role

UNITS = 24  # of the grid on which bars are found, a quarter
TICKS = PPQ // UNITS  # MIDI ticks a unit
SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
# Over these a file is no piece that is worth the time to read it.
MOST_BYTES = 8 * 1024 * 1024
MOST_NOTES = 100_000
MOST_TRACKS = 256
MOST_SECONDS = 2 * 3600.0
MOST_QUARTERS = 40_000
FEWEST_BARS = 4
SLOWEST, FASTEST = 5.0, 1000.0  # quarters a minute that are believed
LONGEST_HELD = 64 * UNITS  # for finding bars a longer note is as good as this
STRINGS, VOICES = (40, 41, 42, 48, 49), (52, 53, 54)


class Unusable(ValueError):
    """A file that holds no usable music; the message says why."""


@dataclass(frozen=True, eq=False)
class Music:
    """One piece. Notes are sorted by onset, one array element a note.

    onset, duration : int64 ticks, 480 a quarter. pitch, velocity, track : int64. role : int8, see `Role`.
    bar_start, bar_length : int64 ticks of consecutive bars, from the first to the last in which a note starts;
    an upbeat makes the first bar start before tick 0.
    tempo_at, tempo : ticks and quarters a minute of the tempo changes, the first at tick 0.
    """

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    track: np.ndarray
    role: np.ndarray
    tracks: tuple[MidiTrack, ...]
    bar_start: np.ndarray
    bar_length: np.ndarray
    tempo_at: np.ndarray
    tempo: np.ndarray

    @cached_property
    def _minutes(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(np.diff(self.tempo_at) / PPQ / self.tempo[:-1])])

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Times of ticks in seconds."""
        k = np.clip(np.searchsorted(self.tempo_at, ticks, side="right") - 1, 0, None)
        return 60.0 * (self._minutes[k] + (ticks - self.tempo_at[k]) / PPQ / self.tempo[k])


def read(data: bytes) -> Music:
    """Read a MIDI file of any form. Raises Unusable."""
    if len(data) > MOST_BYTES:
        raise Unusable(f"over {MOST_BYTES // 2**20} MB")
    midi = _parse(data)
    count = sum(len(track.notes) for track in midi.tracks)
    if count == 0:
        raise Unusable("no notes")
    if count >= MOST_NOTES:
        raise Unusable(f"{count} notes ({MOST_NOTES} and more are not read)")
    if len(midi.tracks) > MOST_TRACKS:
        raise Unusable(f"{len(midi.tracks)} tracks (over {MOST_TRACKS} are not read)")
    scale = PPQ / midi.ticks_per_quarter
    table, tracks = _notes(midi, scale)
    if table[:, 0].max() > MOST_QUARTERS * PPQ:
        raise Unusable(f"over {MOST_QUARTERS} quarter notes long")
    grid = _grid(table)
    kind = kind_of(tracks)
    role = _tracks_by_name(grid, tracks)
    if role is None:
        role = roles_of.assign(grid, tracks, kind)
    keep = role != roles_of.DROP
    table, grid, role = table[keep], grid.where(keep), role[keep]
    if not (role != Role.DRUMS).any():
        raise Unusable("no pitched notes")
    try:
        bars = bar_grid(grid, _signatures(midi, scale), search=kind != "band")
    except ValueError as why:
        raise Unusable(str(why)) from why
    bars = _trim(bars, grid)
    at, tempo = _tempo(midi, scale)
    music = Music(
        *(table[:, k] for k in range(5)),
        role,
        tuple(tracks),
        bars.start * TICKS,  # type: ignore[call-arg]
        bars.length * TICKS,
        at,
        tempo,
    )
    if music.seconds(np.array([table[-1, 0]]))[0] > MOST_SECONDS:
        raise Unusable(f"over {MOST_SECONDS / 3600:.0f} hours long")
    return music


def _parse(data: bytes) -> Any:
    """A symusic score. Raises Unusable."""
    import symusic

    from videoscore.music.midi_forms import BadMidi, mended, standard_form

    try:
        plain = standard_form(data)
        try:
            return symusic.Score.from_midi(plain)
        except Exception:  # symusic raises bare RuntimeError and ValueError on what it doesn't like
            return symusic.Score.from_midi(mended(plain))
    except BadMidi as why:
        raise Unusable(str(why)) from why
    except Exception as why:
        raise Unusable("damaged, or no MIDI file") from why


def grid_notes(music: Music) -> Notes:
    """The notes on the grid on which bars and keys are found."""
    return _grid(np.stack([music.onset, music.duration, music.pitch, music.velocity, music.track], 1))


def grid_bars(music: Music) -> Bars:
    return Bars(music.bar_start // TICKS, music.bar_length // TICKS, np.full(len(music.bar_start), 4))


def kind_of(tracks: list[MidiTrack]) -> str:
    """What `roles.assign` should read a piece as, by its instruments."""
    if any(t.drums for t in tracks):
        return "band"
    if len(tracks) == 4 and all(t.program in STRINGS for t in tracks):
        return "quartet"
    return "song" if any(t.program in VOICES for t in tracks) else "ensemble"


def _tracks_by_name(notes: Notes, tracks: list[MidiTrack]) -> np.ndarray | None:
    """Roles by the names of the tracks, where all are named so, as in videoscore's own files."""
    names = [t.name.strip().upper() for t in tracks]
    if not all(name in Role.__members__ and (name == "DRUMS") == t.drums for name, t in zip(names, tracks)):
        return None
    return np.array([Role[name] for name in names], np.int8)[notes.track]


def _notes(midi: Any, scale: float) -> tuple[np.ndarray, list[MidiTrack]]:
    """(n, 5) onset, duration, pitch, velocity, track in ticks, sorted; and the tracks that have notes."""
    tracks: list[MidiTrack] = []
    columns = []
    for track in midi.tracks:
        data = track.notes.numpy()
        if len(data["time"]) == 0:
            continue
        onset = np.rint(data["time"] * scale).astype(np.int64)
        end = np.rint((data["time"].astype(np.int64) + data["duration"]) * scale).astype(np.int64)
        columns.append(
            np.stack(
                [
                    onset,
                    np.maximum(end - onset, 1),
                    data["pitch"],
                    np.maximum(data["velocity"], 1),
                    np.full(len(onset), len(tracks)),
                ],
                1,
            ).astype(np.int64)
        )
        tracks.append(MidiTrack(track.name, int(track.program), bool(track.is_drum)))
    table = np.concatenate(columns)
    table = table[(table[:, 0] >= 0) & (table[:, 2] >= 0) & (table[:, 2] <= 127)]
    if len(table) == 0:
        raise Unusable("no notes")
    return table[np.lexsort((-table[:, 2], table[:, 0]))], tracks


def _grid(table: np.ndarray) -> Notes:
    onset = np.rint(table[:, 0] / TICKS).astype(np.int64)
    end = np.rint((table[:, 0] + table[:, 1]) / TICKS).astype(np.int64)
    return Notes(onset, np.clip(end - onset, 1, LONGEST_HELD), *table[:, 2:].T)


def _signatures(midi: Any, scale: float) -> list[Signature]:
    signatures: list[Signature] = []
    for s in sorted(midi.time_signatures, key=lambda s: s.time):
        start = round(s.time * scale / TICKS)
        length = 4 * UNITS * s.numerator // max(s.denominator, 1)
        if not STEP <= length <= 32 * UNITS:
            raise Unusable(f"a time signature of {s.numerator}/{s.denominator}")
        if signatures and signatures[-1].start == start:
            signatures.pop()
        signatures.append(Signature(start, length, s.denominator))
    if not signatures or signatures[0].start > 0:
        signatures.insert(0, Signature(0, 4 * UNITS, 4))
    return signatures


def _tempo(midi: Any, scale: float) -> tuple[np.ndarray, np.ndarray]:
    changes = {round(t.time * scale): min(max(float(t.qpm), SLOWEST), FASTEST) for t in midi.tempos}
    changes.setdefault(0, 120.0 if not changes else changes[min(changes)])
    at = sorted(changes)
    return np.array(at, float), np.array([changes[t] for t in at])


def _trim(bars: Bars, notes: Notes) -> Bars:
    """The bars from the first to the last in which a note starts."""
    bar = np.searchsorted(bars.start, notes.onset, side="right") - 1
    begin, end = max(int(bar.min()), 0), int(bar.max()) + 1
    if end - begin < FEWEST_BARS:
        raise Unusable("fewer than four bars")
    return replace(
        bars,
        start=bars.start[begin:end],
        length=bars.length[begin:end],
        denominator=bars.denominator[begin:end],
    )
