"""A piece of music to be like: its tempo, key and mood, taken from a MIDI file for the composer's choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from videoscore.cues.keys import key_of_signature
from videoscore.cues.meter import TEMPO, meter_for
from videoscore.cues.sheet import Cue, CueSheet, Meter
from videoscore.cues.spot.segment import cells
from videoscore.cues.wishes import in_key
from videoscore.errors import UsageError
from videoscore.file_names import as_text
from videoscore.files import read_start
from videoscore.mood.circle import mood_of
from videoscore.mood.curve import MoodCurve
from videoscore.mood.octants import octant_probabilities
from videoscore.video.frames import Cut

BEATS = (2, 3, 4)  # quarters a bar that cues can have from a reference
NOTE = "reference"  # title of the sheet's note that records it
REMEDY = "Give a MIDI file of four bars or more."


@dataclass(frozen=True)
class Reference:
    """What a piece is like. tempo : quarters a minute. beats : quarters a bar, None where it isn't one of `BEATS`.
    key : as "D minor". valence, arousal : of the whole, in [-1, 1]."""

    name: str
    tempo: float
    beats: int | None
    key: str
    valence: float
    arousal: float

    def __str__(self) -> str:
        bars = f" in bars of {self.beats}" if self.beats else ""
        return (
            f"{self.name}: {self.tempo:.1f} quarters a minute{bars}, {self.key}, "
            f"{mood_of(self.valence, self.arousal)} (valence {self.valence:+.2f}, arousal {self.arousal:+.2f})"
        )


def read_reference(path: str | Path) -> Reference:
    """What the MIDI file at `path` is like, as the library reads it.

    Raises UsageError : no usable music is in it. NotFound : it can't be read. SetupError : a library that reads MIDI
    files, or the tagger's weights, are missing.
    """
    path = Path(path)
    try:
        stamp = path.stat().st_mtime_ns
    except (OSError, ValueError):
        stamp = 0  # reading says what is wrong
    return _read(path, stamp)


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> Reference:
    from videoscore.library.read.content import digest
    from videoscore.library.read.read import MOST_BYTES, Unusable, read
    from videoscore.library.read.tag import describe

    data = read_start(path, MOST_BYTES, "Check the name given with --reference.")
    try:
        piece = describe(read(data), digest(data), path.stem)
    except Unusable as why:
        raise UsageError(
            f"--reference: it can't be taken as an example ({why})", path=path, remedy=REMEDY
        ) from why
    except (ValueError, IndexError, ArithmeticError, RuntimeError) as error:
        raise UsageError(
            f"--reference: it can't be understood ({type(error).__name__})", path=path, remedy=REMEDY
        ) from error
    tonic, minor = piece.key % 12, piece.key >= 12
    signature = (7 * (tonic + 3 * minor) + 6) % 12 - 6
    beats = round(piece.beats) if piece.beats in BEATS else None
    return Reference(
        as_text(path.name),
        piece.bpm,
        beats,
        key_of_signature(signature, minor),
        piece.valence,
        piece.arousal,
    )


def moved_like(curve: MoodCurve, reference: Reference, cuts: Sequence[Cut], duration: Fraction) -> MoodCurve:
    """The curve with its mean over the film where the reference lies: its course stays, flattened where it would
    leave [-1, 1]."""
    share = np.diff(cells(curve, cuts, duration))
    share = np.maximum(share, 1e-12) / np.maximum(share, 1e-12).sum()
    va = np.column_stack([curve.valence, curve.arousal])
    target = np.array([reference.valence, reference.arousal])
    shape = va - share @ va
    room = np.where(shape > 0, 1 - target, 1 + target)
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = np.min(np.where(shape != 0, room / np.abs(shape), 1.0), initial=1.0)
    va = np.clip(target + min(1.0, float(fit)) * shape, -1, 1)
    return MoodCurve(curve.t, va[:, 0], va[:, 1], octant_probabilities(va[:, 0], va[:, 1]), curve.confidence)


def composed_like(sheet: CueSheet, reference: Reference) -> CueSheet:
    """The sheet with the reference's tempo, bars and key.

    Each cue is as near to the tempo as whole bars allow (to twice or half of it where that is nearer to what its mood
    wants), and in the reference's key or its relative (`videoscore.cues.wishes.in_key`).
    """
    cues = [replace(cue, meter=_meter(cue, reference)) for cue in sheet.cues]
    cues = in_key(cues, reference.key, sheet.seed)
    return replace(sheet, cues=tuple(cues), notes={**sheet.notes, NOTE: str(reference)})


def _meter(cue: Cue, reference: Reference) -> Meter:
    middle = math.sqrt(math.prod(TEMPO[cue.mood]))
    tempo = min(
        (reference.tempo * factor for factor in (0.5, 1.0, 2.0)), key=lambda bpm: abs(math.log(bpm / middle))
    )
    return meter_for(cue.duration, Fraction(round(tempo * 100), 100), reference.beats or cue.meter.beats)
