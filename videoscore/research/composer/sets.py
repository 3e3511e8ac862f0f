"""Reading the freely licensed sets: which files, and what a MIDI file says before anything is found out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.library.read.bars import Bars, Notes, Signature
from videoscore.library.read.roles import MidiTrack

UNITS = 24  # grid units a quarter
KINDS = {
    "openscore_quartets": "quartet",
    "openscore_lieder": "song",
    "freedoom": "band",
    "simutrans": "band",
    "mutopia": "ensemble",
    "openscore_orchestra": "ensemble",
    "mutopia_full": "ensemble",
    "film_and_game": "band",
    "freedoom_attic": "band",
    "openhymnal": "ensemble",
}
OWN = "labelled"  # the set of the files that came with a table of labels (`videoscore.research.composer.labelled`)
BEAT_SHARE = 0.5  # least share of onsets on the grid of a file whose bars mean anything


class Unusable(ValueError):
    """A file that holds no usable music; the message says why."""


def read(path: Path) -> tuple[Notes, list[MidiTrack], list[Signature], np.ndarray, np.ndarray]:
    """Notes, tracks, time signatures and tempo (units, quarters a minute) of a MIDI file.

    Raises Unusable when it can't be read or holds no notes.
    """
    import symusic

    try:
        midi: Any = symusic.Score(path)
    except Exception as why:  # symusic raises bare RuntimeError and ValueError on broken files
        raise Unusable(f"unreadable: {why}") from why
    scale = UNITS / midi.ticks_per_quarter
    tracks: list[MidiTrack] = []
    columns = []
    for track in midi.tracks:
        data = track.notes.numpy()
        if len(data["time"]) == 0:
            continue
        onset = np.rint(data["time"] * scale).astype(np.int64)
        end = np.rint((data["time"] + data["duration"]) * scale).astype(np.int64)
        rows = (
            onset,
            np.maximum(end - onset, 1),
            data["pitch"],
            data["velocity"],
            np.full(len(onset), len(tracks)),
        )
        columns.append(np.stack(rows, 1).astype(np.int64))
        tracks.append(MidiTrack(track.name, int(track.program), bool(track.is_drum)))
    if not columns:
        raise Unusable("no notes")
    table = np.concatenate(columns)
    table = table[np.lexsort((-table[:, 2], table[:, 0]))]
    signatures: list[Signature] = []
    for s in sorted(midi.time_signatures, key=lambda s: s.time):
        start = round(s.time * scale)
        if signatures and signatures[-1].start == start:
            signatures.pop()
        signatures.append(Signature(start, 4 * UNITS * s.numerator // s.denominator, s.denominator))
    if not signatures or signatures[0].start > 0:
        signatures.insert(0, Signature(0, 4 * UNITS, 4))
    changes = {round(t.time * scale): t.qpm for t in midi.tempos}
    changes.setdefault(0, 120.0 if not changes else changes[min(changes)])
    at = np.array(sorted(changes), float)
    return Notes(*table.T), tracks, signatures, at, np.array([changes[int(t)] for t in at])


def bar_tempo(bars: Bars, at: np.ndarray, bpm: np.ndarray) -> np.ndarray:
    """Mean tempo of each bar in quarters a minute: its quarters over its exact length in time."""
    minutes = np.concatenate([[0.0], np.cumsum(np.diff(at) / UNITS / bpm[:-1])])

    def time(units: np.ndarray) -> np.ndarray:
        k = np.clip(np.searchsorted(at, units, side="right") - 1, 0, None)
        return minutes[k] + (units - at[k]) / UNITS / bpm[k]

    return (bars.length / UNITS) / (time(bars.start + bars.length) - time(bars.start))


def kind_of(set_name: str, tracks: list[MidiTrack]) -> str:
    """How `roles.assign` should read a piece; Mutopia, and a folder of one's own, hold all sorts."""
    if set_name in KINDS and not set_name.startswith("mutopia"):
        return KINDS[set_name]
    if set_name == OWN and any(t.drums for t in tracks):
        return "band"
    strings = [t.program in (40, 41, 42, 48, 49) for t in tracks]
    if len(tracks) == 4 and all(strings):
        return "quartet"
    return "song" if any(t.program in (52, 53, 54) for t in tracks) else "ensemble"


def has_beat(notes: Notes) -> bool:
    """Whether most onsets lie on sixteenths or eighth triplets. A recorded performance without a beat (such as
    EMOPIA's, at a nominal 120) has a quarter of them there by chance."""
    place = notes.onset % UNITS
    return float(np.mean((place % 6 == 0) | (place % 8 == 0))) >= BEAT_SHARE


def files(music: Path) -> Iterator[tuple[str, str]]:
    """(path, set) of every MIDI file of the sets whose licence lets the composer learn from it."""
    for set_name in KINDS:
        folder = music / set_name
        free = _public_domain(folder / "mutrun.jsonl") if set_name == "mutopia" and folder.is_dir() else ("",)
        for path in sorted(folder.rglob("*.mid")):
            if path.stem.startswith(free):
                yield str(path), set_name


def _public_domain(listing: Path) -> tuple[str, ...]:
    """How the stems of Mutopia's public-domain pieces begin, from the listing that comes with the files."""
    rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines() if line.strip()]
    free = [r["rel"] for r in rows if r.get("license") == "Public Domain"]
    return tuple(rel.removesuffix(".ly").replace("/", "__") for rel in free)
