"""A tune of the user's own, as cells that the composer can take up."""

from __future__ import annotations

from videoscore.compose.bank import Cell
from videoscore.compose.chords import MAJOR_DEGREES, MINOR_DEGREES
from videoscore.compose.form import UNITS
from videoscore.cues.sheet import Cue
from videoscore.music.performance import TICKS_A_QUARTER
from videoscore.music.score import Role
from videoscore.music.theory import parse_key

BARS = 3  # that a motif is taken from
TICK = TICKS_A_QUARTER // UNITS
SIXTEENTH = 6  # units


def motif_of(cue: Cue) -> tuple[Cell, ...]:
    """The first bars of a locked cue's melody; none where it has no melody from its first beat on."""
    tonic, minor = parse_key(cue.key)
    degrees = MINOR_DEGREES if minor else MAJOR_DEGREES
    bar = cue.meter.beats * UNITS
    rows: dict[int, dict[int, tuple[int, int]]] = {}
    for note in cue.notes or ():
        if note.role == Role.MELODY and note.duration:
            number, onset = divmod(round(note.start / TICK / SIXTEENTH) * SIXTEENTH, bar)
            octave, rest = divmod(note.pitch - tonic, 12)
            step = 7 * octave + max(k for k, d in enumerate(degrees) if d <= rest)
            length = max(SIXTEENTH, round(note.duration / TICK / SIXTEENTH) * SIXTEENTH)
            rows.setdefault(number, {})[onset] = (min(length, bar - onset), step)
    out: list[Cell] = []
    for number in range(min(BARS, cue.meter.bars)):
        here = sorted(rows.get(number, {}).items())
        if not here or here[0][0] != 0:
            break
        first = here[0][1][1]
        out.append(Cell(bar, tuple((onset, length, step - first) for onset, (length, step) in here)))
    return tuple(out)
