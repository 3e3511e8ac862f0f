"""Music without a film: what the user asks for in words or numbers, as a cue sheet.

Pure: `read` checks the words, `cue_sheet` makes of them what spotting makes of a film, by the same rules for
cues (`videoscore.cues.spot.spot`), keys and bars.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from videoscore.cues.check import check, show
from videoscore.cues.contour import clip, mean, thin, tidy
from videoscore.cues.file.reconcile import BPM
from videoscore.cues.keys import is_minor, plan_keys, signature_and_mode, with_mode_of
from videoscore.cues.meter import choose_meter, meter_for
from videoscore.cues.mood_words import TimedMood, check_within, read_moods
from videoscore.cues.numbers import seconds as parse_seconds
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, Meter, on_line
from videoscore.cues.spot.segment import longest
from videoscore.cues.spot.spot import MOOD_NOTE, REEL, spot
from videoscore.errors import CueSheetError, UsageError
from videoscore.mood.circle import centre, mood_of
from videoscore.mood.curve import MoodCurve
from videoscore.music.score import Role
from videoscore.settings.build import Setting
from videoscore.settings.fields import SpotOptions
from videoscore.words import did_you_mean, exact

SHORTEST, LONGEST = Fraction(1, 2), Fraction(6 * 3600)  # seconds of music that can be asked for
FINEST = 1_000_000  # largest denominator of a time
STEP = Fraction(1, 2)  # seconds between the points at which a curve is looked at for cues
PHRASE = 4  # bars; level music is parted where phrases end
NUMBERS = {
    "valence": Setting("valence", "", "valence", float, 0.4, "", -1.0, 1.0),
    "arousal": Setting("arousal", "", "arousal", float, -0.2, "", -1.0, 1.0),
    "tempo": Setting("tempo", "", "tempo", float, 96.0, "", *BPM),
}


@dataclass(frozen=True)
class Wishes:
    """What music is asked for.

    length : seconds. line : valence and arousal over time, one point or more; one is music of a single mood.
    mood : the word for it, where one was given; `words` : several, over time. key : as "D minor".
    tempo : quarters a minute, about which the whole is to run; None leaves it to the mood.
    """

    length: Fraction
    line: tuple[CurvePoint, ...]
    mood: str | None = None
    key: str | None = None
    tempo: float | None = None
    words: str | None = None


def read(
    *,
    mood: str | None = None,
    valence: Any = None,
    arousal: Any = None,
    curve: Sequence[CurvePoint] | None = None,
    seconds: Any = None,
    key: str | None = None,
    tempo: Any = None,
) -> Wishes:
    """What is asked for, checked.

    Parameters
    ----------
    mood : one of the eight, in any case, or several over time, as "0:00 Peaceful, 0:42 Dynamic"; or `valence` and
        `arousal` in [-1, 1]; or `curve`: two points or more at increasing times.
    seconds : length in seconds, as a number or as text ("90", "1:30"), half a second to six hours; by default
        where `curve` ends.
    key : as "D minor". tempo : quarters a minute, 20 to 300.

    Raises
    ------
    UsageError : these contradict each other, one is out of its range, or too little is said.
    """
    numbers = {
        name: NUMBERS[name].check(value)
        for name, value in (("valence", valence), ("arousal", arousal), ("tempo", tempo))
        if value is not None
    }
    _refuse_contradictions(mood is not None, curve is not None, numbers)
    moods = () if mood is None else _moods(mood)
    word = moods[0].mood if len(moods) == 1 else None
    if curve is None:
        if seconds is None:
            raise UsageError("nothing says how long the music is to be", remedy="Give --seconds.")
        if len(moods) > 1:
            check_within(moods, _length(seconds))
            own_key = None if key is None else _key(key)
            return Wishes(_length(seconds), _steps(moods), None, own_key, numbers.get("tempo"), mood)
        level = centre(word) if word else (numbers["valence"], numbers["arousal"])
        curve = (CurvePoint(Fraction(0), *map(tidy, level)),)
    else:
        curve = _curve(curve)
    length = _length(curve[-1].t if seconds is None else seconds)
    return Wishes(length, tuple(curve), word, None if key is None else _key(key), numbers.get("tempo"))


def cue_sheet(
    wishes: Wishes,
    options: SpotOptions | None = None,
    *,
    source: str = "",
    seed: int = 0,
    preset: str = "cinematic",
) -> CueSheet:
    """The cue sheet of what is asked for: contiguous cues from 0 to `wishes.length`.

    Music of one mood has one tempo and one key throughout, and a new cue (with its own second theme) at
    the end of a phrase wherever the longest cue of `options` is reached. A curve is parted into cues where it
    moves from mood to mood; inside them it goes on. With `wishes.tempo` all cues lie on one grid of bars.

    Examples
    --------
    >>> sheet = cue_sheet(read(mood="tired", seconds="1:30", tempo=60))
    >>> [(c.mood, c.meter.bars * c.meter.beats, float(c.bpm)) for c in sheet.cues][0]
    ('Tired', 44, 59.14...)
    """
    options = replace(options or SpotOptions(), mood=wishes.words)
    if wishes.words is None and len({(p.valence, p.arousal) for p in wishes.line}) == 1:
        cues = _level(wishes, options, seed)
    else:
        cues = _along(wishes, options, seed)
    notes = {} if wishes.words is None else {MOOD_NOTE: wishes.words}
    sheet = CueSheet(source, wishes.length, tuple(in_key(cues, wishes.key, seed)), (), seed, preset, notes)
    check(sheet)
    return sheet


def read_roles(text: str) -> frozenset[Role]:
    """Roles by their names, with commas between them. Raises UsageError."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    role_names = [role.name.lower() for role in Role]
    if not names:
        raise UsageError("--roles: there is none", remedy=f"Choose from {', '.join(role_names)}.")
    for name in names:
        if name not in role_names:
            raise UsageError(
                f"--roles: there is no role {name[:40]!r}",
                remedy=f"{did_you_mean(name, role_names)}Choose from {', '.join(role_names)}.",
            )
    return frozenset(Role[name.upper()] for name in names)


def remarks(wishes: Wishes, sheet: CueSheet) -> tuple[str, ...]:
    """What the user should know of how the wishes were met, one sentence each."""
    out = []
    if wishes.tempo is not None:
        bars = sum(cue.meter.bars for cue in sheet.cues)
        bpm = float(sheet.cues[0].bpm)
        if abs(bpm - wishes.tempo) > 0.005:
            fill = f"{bars} whole bars fill" if bars > 1 else "one whole bar fills"
            out.append(
                f"tempo {bpm:.2f} instead of {wishes.tempo:g}, so that {fill} {show(wishes.length)} s exactly"
            )
    if wishes.words is None and len(wishes.line) > 1 and wishes.length != wishes.line[-1].t:
        until = show(wishes.line[-1].t)
        out.append(
            f"the curve ends at {until} s, and its last value is held to the end"
            if wishes.length > wishes.line[-1].t
            else f"the curve goes on to {until} s; what lies beyond {show(wishes.length)} s is left out"
        )
    names = [cue.name for cue in sheet.cues if wishes.key is not None and cue.key != wishes.key]
    if names:
        out.append(f"{', '.join(names)}: in the relative key, whose mode suits the mood")
    return tuple(out)


# ---------------------------------------------------------------- words


def _refuse_contradictions(mood: bool, curve: bool, numbers: Mapping[str, float]) -> None:
    """Of a mood, a curve and two numbers one, and whole, has to be said. Raises UsageError."""
    there = {
        "--mood": mood,
        "--curve": curve,
        "--valence": "valence" in numbers,
        "--arousal": "arousal" in numbers,
    }
    flags = [flag for flag in there if there[flag]]
    if not flags:
        raise UsageError(
            "nothing says what to write",
            remedy="Give a cue sheet, --mood, --valence and --arousal, or --curve.",
        )
    if flags not in (["--mood"], ["--curve"], ["--valence", "--arousal"]):
        if len(flags) == 1:
            other = "--arousal" if flags == ["--valence"] else "--valence"
            raise UsageError(f"{flags[0]} is only half of a mood", remedy=f"Give {other} too.")
        raise UsageError(
            f"{', '.join(flags[:-1])} and {flags[-1]} contradict each other",
            remedy="Give --mood alone, --valence with --arousal, or --curve alone.",
        )


def _moods(text: str) -> tuple[TimedMood, ...]:
    """Moods over time, the first from the start on. Raises UsageError."""
    moods = read_moods(text)
    if moods[0].t > 0 or any(m.mood is None for m in moods):
        what = (
            f"nothing says what to write before {moods[0]}" if moods[0].t > 0 else "there is no film to read"
        )
        raise UsageError(f"--mood: {what}", remedy="Give a mood for every time, the first from 0:00 on.")
    return moods


def _steps(moods: Sequence[TimedMood]) -> tuple[CurvePoint, ...]:
    """The middle of each mood's octant from its time until a millisecond before the next."""
    out: list[CurvePoint] = []
    for k, mood in enumerate(moods):
        level = tuple(map(tidy, centre(mood.mood or "")))
        out.append(CurvePoint(mood.t, *level))
        if k + 1 < len(moods):
            out.append(CurvePoint(moods[k + 1].t - Fraction(1, 1000), *level))
    return tuple(out)


def _key(key: str) -> str:
    try:
        signature_and_mode(key)
    except CueSheetError as error:
        raise UsageError(f"--key: {error.problem}", remedy=error.remedy) from None
    tonic, mode = key.split()
    return f"{tonic[0].upper()}{tonic[1:]} {mode.lower()}"


def _curve(points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    points = tuple(replace(p, t=p.t.limit_denominator(FINEST)) for p in points)
    if len(points) < 2:
        raise UsageError(
            "--curve: one point is no curve", remedy="Give it two or more, or use --valence and --arousal."
        )
    for before, point in zip((None, *points), points):
        if point.t < 0 or before is not None and point.t <= before.t:
            raise UsageError(
                f"--curve: the times don't increase from 0 on at {show(point.t)} s",
                remedy="Sort the points, and keep one for each time.",
            )
        if not (-1 <= point.valence <= 1 and -1 <= point.arousal <= 1):
            raise UsageError(
                f"--curve: valence {point.valence} or arousal {point.arousal} at {show(point.t)} s",
                remedy="Use numbers from -1 to 1.",
            )
    return points


def _length(value: Any) -> Fraction:
    try:
        # a clock time such as 1:02.5 is welcome; a sign is no slip of form but a length that can't be
        has_sign = isinstance(value, str) and value.strip().startswith("-")
        length = (
            parse_seconds(value, "--seconds")
            if isinstance(value, str) and not has_sign
            else exact(str(value))
        )
    except CueSheetError as error:
        raise UsageError(
            error.problem, remedy='Write seconds as 90 or 12.5, or a clock time as "1:30".'
        ) from None
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise UsageError(
            f"--seconds: {value!r} is not a number of seconds", remedy="Give a value like 60."
        ) from None
    if not SHORTEST <= length <= LONGEST:
        raise UsageError(
            f"--seconds: music of {show(length)} s can't be written",
            remedy=f"Stay within {show(SHORTEST)} and {show(LONGEST)} (six hours).",
        )
    return length.limit_denominator(FINEST)


# ---------------------------------------------------------------- cues


def _level(wishes: Wishes, options: SpotOptions, seed: int) -> list[Cue]:
    """One mood: bars for the whole first, then cues of whole phrases as equal as can be."""
    point = wishes.line[0]
    mood = wishes.mood or mood_of(point.valence, point.arousal)
    whole = _bars(wishes, (point.valence, point.arousal), mood, seed)
    length = wishes.length / whole.bars
    phrases, fitting = -(-whole.bars // PHRASE), max(1, longest(options) // (PHRASE * length))
    parts = -(-phrases // fitting)
    edges = [min(whole.bars, k * phrases // parts * PHRASE) for k in range(parts + 1)]
    return [
        _cue(
            number,
            a * length,
            b * length,
            "start" if a == 0 else "length",
            mood,
            (replace(point, t=a * length), replace(point, t=b * length)),
            Meter(b - a, whole.beats),
        )
        for number, (a, b) in enumerate(zip(edges, edges[1:]))
    ]


def _along(wishes: Wishes, options: SpotOptions, seed: int) -> list[Cue]:
    """A curve: spotted like a film without cuts."""
    line = wishes.line
    t = _looked_at(line, wishes.length)
    va = np.array([on_line(line, Fraction(x)) for x in t])
    from videoscore.mood.octants import octant_probabilities

    curve = MoodCurve(t, va[:, 0], va[:, 1], octant_probabilities(va[:, 0], va[:, 1]), np.ones(len(t)))
    cues = list(spot(curve, [], wishes.length, options, seed=seed).cues)
    return cues if wishes.tempo is None else _on_one_grid(cues, wishes, t, va, seed)


def _looked_at(line: Sequence[CurvePoint], length: Fraction) -> np.ndarray:
    """(n,) times from 0 to `length`, increasing: every `STEP`, and the line's own."""
    even = np.arange(0.0, float(length), float(STEP))
    own = np.array([float(p.t) for p in line if p.t <= length])
    return np.unique(np.concatenate([even, own, [float(length)]]))


def _on_one_grid(cues: Sequence[Cue], wishes: Wishes, t: np.ndarray, va: np.ndarray, seed: int) -> list[Cue]:
    """The cues with their boundaries moved to the nearest bar line of one tempo."""
    start, end = Fraction(0), wishes.length
    points = {
        at: CurvePoint(at, *map(tidy, va[i]))
        for i in thin(t, va)
        for at in (Fraction(round(float(t[i]) * 1000), 1000),)
    }
    line = tuple(points.values())
    whole = _bars(wishes, mean(line, start, end), cues[0].mood, seed)
    length = wishes.length / whole.bars
    lines = sorted({0, whole.bars, *(round(c.start / length) for c in cues[1:])} & set(range(whole.bars + 1)))
    hits = [hit for cue in cues for hit in cue.hits]
    out = []
    for number, (a, b) in enumerate(zip(lines, lines[1:])):
        start, end = a * length, b * length
        was = cues[bisect_right([c.start for c in cues], (start + end) / 2) - 1]
        cue = _cue(
            number, start, end, was.start_on, was.mood, clip(line, start, end), Meter(b - a, whole.beats)
        )
        out.append(replace(cue, hits=tuple(hit for hit in hits if start < hit.t < end)))
    return out


def _bars(wishes: Wishes, level: tuple[float, float], mood: str, seed: int) -> Meter:
    """Bars for the whole of the music, at the tempo asked for or the one that suits the mood."""
    suits = choose_meter(wishes.length, *level, seed, mood=mood)
    return suits if wishes.tempo is None else meter_for(wishes.length, Fraction(wishes.tempo), suits.beats)


def _cue(
    number: int,
    start: Fraction,
    end: Fraction,
    start_on: str,
    mood: str,
    curve: tuple[CurvePoint, ...],
    meter: Meter,
) -> Cue:
    return Cue(
        f"{1 + start // REEL}m{number + 1} {mood}", start, end, start_on, mood, curve, "C major", meter
    )


def in_key(cues: list[Cue], key: str | None, seed: int) -> list[Cue]:
    """The cues with their keys. A key that was asked for holds where its mode suits the mood (and everywhere when
    it suits none of the moods); the others are in its relative, which has the same tones."""
    if key is None:
        return plan_keys(cues, seed)
    minor = signature_and_mode(key)[1]
    suits = any(is_minor(cue.mood) is minor for cue in cues)
    return [replace(cue, key=with_mode_of(key, cue.mood) if suits else key) for cue in cues]
