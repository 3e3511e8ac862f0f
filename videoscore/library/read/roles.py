"""Which role every note of a MIDI file plays: melody, counter-melody, accompaniment, bass, pad or drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoscore.library.read.bars import Notes
from videoscore.music.score import Role

DROP = -1  # sound effects: their pitch means nothing
MIDDLE_C = 60
_BASS_PROGRAMS = range(32, 40)
_SUSTAINED = {*range(16, 22), *range(48, 55), *range(88, 96)}  # organs, string ensembles, choirs, synth pads
_EFFECTS = range(112, 128)  # General MIDI percussive and sound effects
_BLOCK = 8 * 96  # a melody may move to another instrument every 8 bars of 4/4


@dataclass(frozen=True)
class MidiTrack:
    """What a MIDI track says of itself."""

    name: str
    program: int
    drums: bool


def assign(notes: Notes, tracks: list[MidiTrack], kind: str) -> np.ndarray:
    """Role of every note (int8; -1: drop it).

    kind : "quartet" (four strings in score order), "song" (voices and piano), "band" (sequencer file with
    drums) or "ensemble" (anything else).
    """
    if kind == "song" and _split_song(tracks) is not None:
        return _song(notes, tracks)
    if kind == "quartet" and len(tracks) == 4:
        parts = np.array([Role.MELODY, Role.COUNTER, Role.ACCOMPANIMENT, Role.BASS], np.int8)
        return parts[notes.track]
    if kind == "band":
        return _band(notes, tracks)
    return _ensemble(notes, len(tracks))


def outer_voice(notes: Notes, lowest: bool) -> np.ndarray:
    """Mask of the notes that begin with nothing sounding below (or, if not `lowest`, above) them."""
    sign = 1 if lowest else -1
    order = np.lexsort((sign * notes.pitch, notes.onset))
    mask = np.zeros(len(notes), bool)
    open_notes: list[tuple[int, int]] = []  # (end, pitch) of outer notes that may still sound
    previous = -1
    for k in order:
        onset, pitch = int(notes.onset[k]), sign * int(notes.pitch[k])
        if onset == previous:
            continue
        previous = onset
        open_notes = [(end, p) for end, p in open_notes if end > onset]
        if all(p >= pitch for _, p in open_notes):
            mask[k] = True
        open_notes.append((onset + int(notes.duration[k]), pitch))
    return mask


def _split_song(tracks: list[MidiTrack]) -> tuple[list[int], list[int]] | None:
    """(voices, keyboards) of a song, or None when there are not both."""
    words = ("piano", "klavier", "harp", "organ", "pf", "guitar", "keyboard")
    keys = [k for k, t in enumerate(tracks) if t.program < 8 or any(w in t.name.lower() for w in words)]
    voices = [k for k in range(len(tracks)) if k not in keys]
    return (voices, keys) if voices and keys else None


def _song(notes: Notes, tracks: list[MidiTrack]) -> np.ndarray:
    split = _split_song(tracks)
    assert split is not None
    voices, keys = split
    roles = np.full(len(notes), Role.ACCOMPANIMENT, np.int8)
    roles[np.isin(notes.track, voices)] = Role.COUNTER
    roles[notes.track == voices[0]] = Role.MELODY
    piano = np.flatnonzero(np.isin(notes.track, keys))
    lowest = outer_voice(notes.where(piano), lowest=True) & (notes.pitch[piano] < MIDDLE_C)
    roles[piano[lowest]] = Role.BASS
    return roles


def _ensemble(notes: Notes, tracks: int) -> np.ndarray:
    """By register: highest single-line track the melody, second the counter-melody, lowest the bass."""
    if tracks == 1:
        roles = np.full(len(notes), Role.ACCOMPANIMENT, np.int8)
        roles[outer_voice(notes, lowest=True) & (notes.pitch < MIDDLE_C)] = Role.BASS
        roles[outer_voice(notes, lowest=False) & (roles != Role.BASS)] = Role.MELODY
        return roles
    height = np.array([_mean(notes.pitch[notes.track == k]) for k in range(tracks)])
    single = np.array([_monophony(notes.where(notes.track == k)) for k in range(tracks)])
    busy = np.bincount(notes.track, minlength=tracks) >= 0.05 * len(notes)
    order = [k for k in np.argsort(-(height + 24 * (single > 0.6) - 60 * ~busy)) if busy[k]]
    roles_of = np.full(tracks, Role.ACCOMPANIMENT, np.int8)
    low = int(np.argmin(np.where(busy, height, 200)))
    roles_of[[k for k in range(tracks) if height[k] <= height[low] + 2]] = Role.BASS
    upper = [k for k in order if roles_of[k] != Role.BASS]
    if upper:
        roles_of[upper[0]] = Role.MELODY
    if len(upper) > 2:
        roles_of[upper[1]] = Role.COUNTER
    return roles_of[notes.track]


def _band(notes: Notes, tracks: list[MidiTrack]) -> np.ndarray:
    roles = np.full(len(notes), Role.ACCOMPANIMENT, np.int8)
    lead: list[int] = []
    basses = [k for k, t in enumerate(tracks) if not t.drums and t.program in _BASS_PROGRAMS]
    for k, track in enumerate(tracks):
        mine = notes.track == k
        if track.drums:
            roles[mine] = Role.DRUMS
        elif track.program in _EFFECTS:
            roles[mine] = DROP
        elif k in basses:
            roles[mine] = Role.BASS
        elif track.program in _SUSTAINED and _is_pad(notes.where(mine)):
            roles[mine] = Role.PAD
        elif mine.any():
            lead.append(k)
    if not basses and lead:
        height = [_mean(notes.pitch[notes.track == k]) for k in lead]
        low = lead[int(np.argmin(height))]
        if len(lead) > 1 and min(height) < 52:
            roles[notes.track == low] = Role.BASS
            lead.remove(low)
    _give_lines(notes, roles, lead)
    return roles


def _give_lines(notes: Notes, roles: np.ndarray, lead: list[int]) -> None:
    """In every block the most melodic of the lead tracks gets the melody, the next the counter-melody."""
    block = notes.onset // _BLOCK
    for b in np.unique(block):
        here = block == b
        ranking = []
        for k in lead:
            mine = here & (notes.track == k)
            if mine.sum() < 4:
                continue
            part = notes.where(mine)
            single = _monophony(part)
            changes = np.mean(np.diff(part.pitch) != 0) if len(part) > 1 else 0.0
            ranking.append((single * 2 + _mean(part.pitch) / 24 + changes - 2 * (single < 0.5), k, single))
        ranking.sort(reverse=True)
        for role, (_, k, single) in zip((Role.MELODY, Role.COUNTER), ranking):
            if single >= 0.5:
                roles[here & (notes.track == k)] = role


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _monophony(notes: Notes) -> float:
    """Share of onsets with one note only, less where notes overlap."""
    if len(notes) == 0:
        return 0.0
    onsets = np.unique(notes.onset)
    span = max(int((notes.onset + notes.duration).max() - onsets[0]), 1)
    voices = notes.duration.sum() / span
    return float(len(onsets) / len(notes) / max(voices, 1.0))


def _is_pad(notes: Notes) -> bool:
    """Long or chordal: mean duration over a quarter and a half, or over a quarter and chords."""
    if len(notes) == 0:
        return False
    mean = notes.duration.mean()
    return bool(mean >= 36 or (mean >= 24 and _monophony(notes) < 0.5))
