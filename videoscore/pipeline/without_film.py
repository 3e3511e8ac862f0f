"""Music without a film, from what is asked for to the notes: the edges around `videoscore.cues.wishes`."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.cues.meter import BPM
from videoscore.cues.numbers import seconds as parse_seconds
from videoscore.cues.sheet import CueSheet, CurvePoint
from videoscore.cues.wishes import cue_sheet, read, remarks
from videoscore.errors import CueSheetError, UsageError
from videoscore.files import MB, read_text
from videoscore.mood.curve import MoodCurve
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.reference import NOTE, Reference, read_reference
from videoscore.pipeline.settle import settle
from videoscore.pipeline.write import Music, write
from videoscore.progress import Progress, silent
from videoscore.settings.fields import Options

TIMES = ("t", "time", "seconds")
MOST_BYTES = 64 * MB
MOST_TIME = 24 * 3600.0


def write_music(
    options: Options | None = None,
    *,
    mood: str | None = None,
    valence: float | None = None,
    arousal: float | None = None,
    curve: str | Path | MoodCurve | None = None,
    seconds: float | Fraction | str | None = None,
    key: str | None = None,
    tempo: float | None = None,
    preset: str | None = None,
    seed: int | None = None,
    progress: Progress = silent,
    **settings: Any,
) -> Music:
    """Write music for a mood or a curve of moods, without a film.

    Parameters
    ----------
    mood, valence, arousal, seconds, key, tempo : as for `videoscore.cues.wishes.read`.
    curve : a CSV file (see `read_curve`), or a mood curve such as `videoscore.analyze` gives.
    options, preset, seed, settings : as for `videoscore.score`, such as ``takes=4`` or ``roles="melody,bass"``.

    Raises
    ------
    UsageError : wishes that contradict each other, or a value out of range. NotFound : no such CSV file.
    SetupError : the composer's weights are missing.
    """
    options = settle(preset, seed, options, **settings)
    sheet, sheet_remarks = sheet_for(
        options,
        mood=mood,
        valence=valence,
        arousal=arousal,
        curve=curve,
        seconds=seconds,
        key=key,
        tempo=tempo,
    )
    music = write(sheet, options, Clock(progress))
    return replace(music, remarks=sheet_remarks + music.remarks)


def sheet_for(
    options: Options, *, curve: str | Path | MoodCurve | None = None, **wishes: Any
) -> tuple[CueSheet, tuple[str, ...]]:
    """The cue sheet of what is asked for, and the remarks on it. Parameters and errors are those of `write_music`."""
    line, source = None, ""
    if isinstance(curve, MoodCurve):
        line = tuple(
            CurvePoint(Fraction(str(t)), float(v), float(a))
            for t, v, a in zip(curve.t, curve.valence, curve.arousal)
        )
    elif curve is not None:
        line, source = read_curve(Path(curve)), Path(curve).name
    reference = None if options.spot.reference is None else read_reference(options.spot.reference)
    if reference is not None:
        wishes = _like(reference, wishes, line is not None)
    ask = read(curve=line, **wishes)
    sheet = cue_sheet(ask, options.spot, source=source, seed=options.seed, preset=options.preset)
    if reference is None:
        return sheet, remarks(ask, sheet)
    sheet = replace(sheet, notes={**sheet.notes, NOTE: str(reference)})
    return sheet, (f"like {reference}", *remarks(ask, sheet))


def _like(reference: Reference, wishes: Mapping[str, Any], has_curve: bool) -> dict[str, Any]:
    """The wishes, and where they say nothing, what the reference is like."""
    said = {name for name, value in wishes.items() if value is not None}
    like: dict[str, Any] = {"key": reference.key, "tempo": min(max(reference.tempo, BPM[0]), BPM[1])}
    if not has_curve and not said & {"mood", "valence", "arousal"}:
        like |= {"valence": reference.valence, "arousal": reference.arousal}
    return {**wishes, **{name: value for name, value in like.items() if name not in said}}


def read_curve(path: Path) -> tuple[CurvePoint, ...]:
    """The curve in a CSV file: columns t (or time, or seconds), valence and arousal; others are passed over.

    `videoscore analyze -o curve.csv` writes such a file. Fields are parted by commas, semicolons or tabs; times
    are seconds or clock times ("1:02.5"), valence and arousal lie in [-1, 1].

    Raises
    ------
    NotFound : it can't be read. UsageError : it is no such table; the message names the line.
    """
    text = read_text(
        path,
        MOST_BYTES,
        "Give the path of a CSV file with the columns t, valence, arousal.",
        form="CSV in UTF-8",
        wrong="That is no mood curve; give the right file.",
    )
    try:
        return _points(text.splitlines())
    except (UsageError, csv.Error) as error:
        problem, remedy = (error.problem, error.remedy) if isinstance(error, UsageError) else (str(error), "")
        raise UsageError(problem, path=path, remedy=remedy or "Save it as CSV anew.") from error


def _points(lines: list[str]) -> tuple[CurvePoint, ...]:
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    names = [name.strip().strip('"').lower() for name in head.split(delimiter)]
    time = next((name for name in TIMES if name in names), None)
    missing = [name for name in ("valence", "arousal") if name not in names] + ["t"] * (time is None)
    if missing:
        raise UsageError(
            f"it has no column {' and no '.join(missing)}",
            remedy="Its first line has to name the columns: t,valence,arousal.",
        )
    columns = [names.index(name) for name in (time or "t", "valence", "arousal")]
    points: list[CurvePoint] = []
    for number, row in enumerate(csv.reader(lines[1:], delimiter=delimiter), 2):
        if not any(field.strip() for field in row):
            continue
        if len(row) <= max(columns):
            raise UsageError(f"line {number} has only {len(row)} fields", remedy="Fill it, or delete it.")
        # where semicolons part the fields, a comma may be the decimal one
        t, valence, arousal = (row[k].strip().replace(",", ".") for k in columns)
        at = _time(t, number)
        if points and at <= points[-1].t:
            raise UsageError(
                f"line {number}: the times don't increase ({t})",
                remedy="Sort the lines by time, and keep one for each time.",
            )
        points.append(CurvePoint(at, _mood(valence, "valence", number), _mood(arousal, "arousal", number)))
    if len(points) < 2:
        raise UsageError(
            f"it holds {len(points) or 'no'} point{'s' * (not points)}, and a curve needs two",
            remedy="Add lines, or use --valence and --arousal for music of a single mood.",
        )
    return tuple(points)


def _time(text: str, number: int) -> Fraction:
    try:
        value = float(text)
    except ValueError:
        try:
            return parse_seconds(text, "t")
        except CueSheetError as error:
            raise UsageError(f"line {number}: {error.problem}", remedy=error.remedy) from None
    if not 0 <= value <= MOST_TIME:  # NaN too
        raise UsageError(
            f"line {number}: a time of {text} s", remedy="Times count from 0, in seconds, up to a day."
        )
    return Fraction(round(value * 1_000_000), 1_000_000)


def _mood(text: str, what: str, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -1 <= value <= 1:
        hint = " If yours run from 0 to 1, write 2x - 1." if 1 < value <= 2 else ""
        raise UsageError(
            f"line {number}: {what} is {text[:20] or 'empty'}", remedy=f"Use numbers from -1 to 1.{hint}"
        )
    return value
