"""A lead sheet of a score as MusicXML, for notation programs: the tune, chord symbols, tempi and the cues' names.

A reduction to be read, not played: the tune is put on sixteenths, or eighth triplets where a bar has them, and gaps
that nobody would write as rests are closed. Writing the file is music21's business (pip install "videoscore[editors]").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.errors import SetupError
from videoscore.files import write_bytes
from videoscore.music.score import PPQ, Note, Role, Score, Section
from videoscore.music.theory import chord_pitch_classes, chords, parse_key, shift_of

SIXTEENTH, TRIPLET = PPQ // 4, PPQ // 3  # ticks
SHORTEST_REST = PPQ // 2
KINDS = ("major", "minor", "diminished")
LETTERS = "CDEFGAB"
_NATURAL = dict(zip(LETTERS, (0, 2, 4, 5, 7, 9, 11)))
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True)
class Piece:
    """A note in one bar: start and length in ticks from the bar's start. tied : to the one before, to the next."""

    start: int
    length: int
    pitch: int
    tied: tuple[bool, bool] = (False, False)


def require() -> Any:
    """music21, or SetupError."""
    try:
        import music21
    except ImportError as error:
        raise SetupError(
            "writing MusicXML needs music21", remedy='Run: pip install "videoscore[editors]"'
        ) from error
    return music21


def write_musicxml(music: Score, path: Path, title: str = "", overwrite: bool = True) -> None:
    """Write the lead sheet, whole or not at all. Raises SetupError, DiskFull, OutputError or OutputExists."""
    write_bytes(path, to_bytes(music, title), overwrite)


def to_bytes(music: Score, title: str = "") -> bytes:
    """The lead sheet as MusicXML. Raises SetupError."""
    m21 = require()
    part = m21.stream.Part(id="melody")
    part.partName = "Melody"
    number = 0
    for section in music.sections:
        own = [n for n in music.notes if section.start <= n.start < section.end]
        labels, tune = _chords(section, own), pieces(section, own)
        key = m21.key.Key(_m21(tonic_name(section.key)), "minor" if parse_key(section.key)[1] else "major")
        for bar in range(section.bars):
            number += 1
            measure = m21.stream.Measure(number=number)
            if bar == 0:
                _open(m21, measure, section, key, music)
            if labels[bar] and (bar == 0 or labels[bar] != labels[bar - 1]):
                measure.insert(0, _symbol(m21, labels[bar], section.key))
            for element in _elements(m21, tune[bar], section):
                measure.append(element)
            part.append(measure)
    part[-1].rightBarline = m21.bar.Barline("final")
    whole = m21.stream.Score()
    whole.metadata = m21.metadata.Metadata(title=title or "videoscore", composer="videoscore")
    whole.append(part)
    part.makeBeams(inPlace=True)
    return bytes(m21.musicxml.m21ToXml.GeneralObjectExporter(whole).parse())


def pieces(section: Section, notes: Sequence[Note]) -> list[list[Piece]]:
    """The tune bar by bar, one note at a time, on the grid."""
    length = section.beats * PPQ
    tune = sorted((n.start - section.start, n.duration, n.pitch) for n in notes if n.role == Role.MELODY)
    grids = [
        _grid([start % length for start, *_ in tune if start // length == bar]) for bar in range(section.bars)
    ]

    def on_grid(tick: int) -> int:
        bar = min(tick // length, section.bars - 1)
        return bar * length + round((tick - bar * length) / grids[bar]) * grids[bar]

    out: list[list[Piece]] = [[] for _ in grids]
    starts = [on_grid(start) for start, *_ in tune] + [section.end - section.start]
    for (start, duration, pitch), begin, following in zip(tune, starts, starts[1:]):
        end = min(on_grid(start + duration), following)
        end = following if following - end < SHORTEST_REST else end
        cut = [begin, *range((begin // length + 1) * length, end, length), end]
        for k, (a, b) in enumerate(zip(cut, cut[1:])):
            if b > a:
                out[a // length].append(Piece(a % length, b - a, pitch, (k > 0, k < len(cut) - 2)))
    return out


def _grid(places: Sequence[int]) -> int:
    """Sixteenths or eighth triplets, whichever lies nearer to these onsets in a bar."""

    def off(grid: int) -> float:
        return sum(abs(p - round(p / grid) * grid) for p in places)

    return TRIPLET if off(TRIPLET) < off(SIXTEENTH) else SIXTEENTH


def _chords(section: Section, notes: Sequence[Note]) -> list[int]:
    """Chord of every bar as it sounds, numbered as in `theory`: the plan's, or found in the notes."""
    if section.chords:
        shift = 3 * shift_of(section.key)
        return [0 if c == 0 else 1 + (c - 1 + shift) % 36 for c in section.chords]
    high, low = np.zeros((section.bars, 12)), np.zeros((section.bars, 12))
    for n in (n for n in notes if n.role != Role.DRUMS):
        bar = (n.start - section.start) // (section.beats * PPQ)
        (low if n.role == Role.BASS else high)[bar, n.pitch % 12] += n.duration
    return [int(c) for c in chords(high + low, low)]


def _open(m21: Any, measure: Any, section: Section, key: Any, music: Score) -> None:
    """What stands at the start of a cue: its name, metre, key and tempo."""
    seconds = music.tempo.seconds(section.end) - music.tempo.seconds(section.start)
    bpm = round(float(60 * section.bars * section.beats / seconds), 2)
    measure.insert(0, m21.meter.TimeSignature(f"{section.beats}/4"))
    measure.insert(0, m21.key.KeySignature(key.sharps))
    measure.insert(0, m21.tempo.MetronomeMark(number=bpm))
    measure.insert(0, m21.expressions.RehearsalMark(section.name))


def _symbol(m21: Any, chord: int, key: str) -> Any:
    root = chord_pitch_classes(chord)[0]
    return m21.harmony.ChordSymbol(root=_m21(spelled(root, key)), kind=KINDS[(chord - 1) % 3])


def _elements(m21: Any, tune: Sequence[Piece], section: Section) -> Iterator[Any]:
    """Notes and rests of one bar."""
    at = 0
    for piece in tune:
        if piece.start > at:
            yield m21.note.Rest(quarterLength=_quarters(piece.start - at))
        name = spelled(piece.pitch % 12, section.key)
        note = m21.note.Note(_m21(name), quarterLength=_quarters(piece.length))
        octave = piece.pitch // 12 - 1
        note.pitch.octave = octave + {("B#"): -1, ("Cb"): 1}.get(name, 0)
        if any(piece.tied):
            note.tie = m21.tie.Tie({(True, True): "continue", (True, False): "stop"}.get(piece.tied, "start"))
        yield note
        at = piece.start + piece.length
    if at < section.beats * PPQ:
        yield m21.note.Rest(quarterLength=_quarters(section.beats * PPQ - at))


def _quarters(ticks: int) -> Any:
    from fractions import Fraction

    return Fraction(ticks, PPQ)


# ---------------------------------------------------------------- spelling


def spelled(pitch_class: int, key: str) -> str:
    """How a pitch is written in a key, as "F#" or "Bb": by its scale or as its leading note, else as a natural, else
    with the accidental of the key, sharp where it has none."""
    _, minor = parse_key(key)
    scale = _scale(key)
    for name in scale:
        if _pitch_class(name) == pitch_class % 12:
            return name
    if minor and pitch_class % 12 == (_pitch_class(scale[0]) - 1) % 12:
        return _altered(scale[6][0], pitch_class)
    natural = [letter for letter, pc in _NATURAL.items() if pc == pitch_class % 12]
    flat = any("b" in name for name in scale)
    near = {(pc + (-1 if flat else 1)) % 12: letter for letter, pc in _NATURAL.items()}
    return natural[0] if natural else _altered(near[pitch_class % 12], pitch_class)


def tonic_name(key: str) -> str:
    return (
        key.strip().split()[0].capitalize() if "b" in key.split()[0][1:] else key.strip().split()[0].upper()
    )


def _scale(key: str) -> list[str]:
    """The seven notes of a natural scale, a letter each."""
    tonic, minor = parse_key(key)
    first = LETTERS.index(tonic_name(key)[0])
    return [
        _altered(LETTERS[(first + k) % 7], tonic + step) for k, step in enumerate(_MINOR if minor else _MAJOR)
    ]


def _altered(letter: str, pitch_class: int) -> str:
    off = (pitch_class - _NATURAL[letter] + 6) % 12 - 6
    return letter + ("#" * off if off > 0 else "b" * -off)


def _pitch_class(name: str) -> int:
    return (_NATURAL[name[0]] + name.count("#") - name.count("b")) % 12


def _m21(name: str) -> str:
    """music21 writes flats with a minus."""
    return name[0] + name[1:].replace("b", "-")
