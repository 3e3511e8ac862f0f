"""What stands in a cue-sheet file, field by field: checked for form, not yet for sense.

Missing fields are None; `videoscore.cues.file.reconcile.reconcile` fills them in and settles
what the user changed against what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from videoscore.cues.file.json_fields import LONGEST_TEXT, Fields
from videoscore.cues.file.locked_entries import Lock, read_lock
from videoscore.cues.keys import signature_and_mode
from videoscore.cues.numbers import seconds
from videoscore.cues.sheet import CurvePoint, HitPoint
from videoscore.errors import CueSheetError
from videoscore.mood.circle import MOODS
from videoscore.words import did_you_mean

FORMAT, VERSION = "videoscore-cues", 1
MOST_CUES = 10_000
MOST_POINTS = 1_000_000
MOST_BARS, MOST_BEATS = 100_000, 12
MOST_BPM = 1e12
MOST_SETTINGS = 100
STARTS = ("start", "cut", "mood", "length", "edit")


@dataclass(frozen=True)
class WrittenFields:
    """The values that stood in a cue when videoscore wrote it. `curve` is `fingerprint` of the curve, `music` is
    `Cue.heard`."""

    name: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    mood: str | None = None
    valence: float | None = None
    arousal: float | None = None
    key: str | None = None
    bars: int | None = None
    beats: int | None = None
    bpm: float | None = None
    curve: str | None = None
    music: str | None = None


@dataclass(frozen=True)
class CueEntry:
    """One cue as it stands in the file. `written` is None in a sheet made by hand."""

    name: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    start_on: str | None = None
    mood: str | None = None
    valence: float | None = None
    arousal: float | None = None
    key: str | None = None
    bars: int | None = None
    beats: int | None = None
    bpm: float | None = None
    seed: int | None = None
    hits: tuple[HitPoint, ...] = ()
    curve: tuple[CurvePoint, ...] | None = None
    locked: Lock | None = None
    written: WrittenFields | None = None


@dataclass(frozen=True)
class SheetEntry:
    """A cue sheet as it stands in the file."""

    source: str
    duration: Fraction
    seed: int
    preset: str
    cuts: tuple[Fraction, ...]
    notes: dict[str, str]
    cues: tuple[CueEntry, ...]
    composed: dict[str, str | int | float | bool]


def read_entries(document: object) -> SheetEntry:
    """The typed form of a parsed JSON document. Raises CueSheetError naming the cue and the field."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise CueSheetError(
            "it is not a cue sheet of videoscore",
            remedy=f'A cue sheet is a JSON object with "format": "{FORMAT}".',
        )
    version = document.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise CueSheetError(
            f"its version {str(version)[:20]} can't be read, only {VERSION}",
            remedy="Update videoscore, or write the sheet anew with `videoscore analyze`.",
        )
    f = Fields(
        document,
        "the sheet",
        (
            "$schema",
            "format",
            "version",
            "source",
            "duration",
            "seed",
            "preset",
            "cuts",
            "notes",
            "cues",
            "composed",
        ),
    )
    notes = f.value("notes", {})
    if not isinstance(notes, Mapping) or not all(isinstance(v, str) for v in notes.values()):
        raise CueSheetError("the notes of the sheet are not texts", remedy='Write them as {"title": "text"}.')
    cues = f.items("cues", MOST_CUES)
    if not cues:
        raise CueSheetError("it has no cues", remedy="Write at least one cue into `cues`.")
    duration = f.time("duration")
    if duration is None:
        raise CueSheetError("the sheet has no duration", remedy="Write the film's length in seconds.")
    preset = f.text("preset")
    cuts = [seconds(c, f"cut {i + 1} of the sheet") for i, c in enumerate(f.items("cuts", MOST_POINTS))]
    return SheetEntry(
        source=f.text("source") or "",
        duration=duration,
        seed=f.count("seed", -(2**63), 2**63 - 1) or 0,
        preset="cinematic" if preset is None else preset,
        cuts=tuple(sorted(cuts)),
        notes=dict(notes),
        cues=tuple(_cue(c, i) for i, c in enumerate(cues)),
        composed=_read_composed(f.value("composed", {})),
    )


def _read_composed(raw: object) -> dict[str, str | int | float | bool]:
    """Settings by name; whether there are such is seen when they are used."""

    def plain(value: object) -> bool:
        return (
            isinstance(value, (bool, int, Decimal)) or isinstance(value, str) and len(value) <= LONGEST_TEXT
        )

    if not isinstance(raw, Mapping) or len(raw) > MOST_SETTINGS or not all(map(plain, raw.values())):
        raise CueSheetError(
            "`composed` of the sheet is no list of settings",
            remedy="Delete it, or leave it as it was written.",
        )
    return {str(name): float(value) if isinstance(value, Decimal) else value for name, value in raw.items()}


def _cue(raw: object, index: int) -> CueEntry:
    where = f"cue {index + 1}"
    if isinstance(raw, Mapping) and isinstance(raw.get("name"), str):
        where += f" ({raw['name'][:60]})"
    f = Fields(raw, where, tuple(CueEntry.__dataclass_fields__))
    written = f.value("written")
    start_on = f.text("start_on")
    if start_on is not None and start_on not in STARTS:
        raise CueSheetError(
            f"{where}: start_on can't be {start_on[:40]!r}", remedy=f"Use one of {', '.join(STARTS)}."
        )
    hits = tuple(_hit(h, f"hit {i + 1} of {where}") for i, h in enumerate(f.items("hits", MOST_POINTS)))
    curve = tuple(
        _point(p, f"curve point {i + 1} of {where}") for i, p in enumerate(f.items("curve", MOST_POINTS))
    )
    return CueEntry(
        **_common_fields(f),
        start_on=start_on,
        seed=f.count("seed", -(2**63), 2**63 - 1),
        hits=hits,
        curve=curve or None,
        locked=read_lock(f.value("locked"), where),
        written=None if written is None else _read_written(written, where),
    )


def _read_written(raw: object, where: str) -> WrittenFields:
    f = Fields(raw, f"`written` of {where}", tuple(WrittenFields.__dataclass_fields__))
    return WrittenFields(**_common_fields(f), curve=f.text("curve"), music=f.text("music"))


def _common_fields(f: Fields) -> dict[str, Any]:
    """The fields that a cue and its `written` block have in common."""
    mood, key = f.text("mood"), f.text("key")
    if key is not None:
        try:
            signature_and_mode(key)
        except CueSheetError as error:
            raise CueSheetError(f"{f.where}: {error.problem}", remedy=error.remedy) from None
    return {
        "name": f.text("name"),
        "start": f.time("start"),
        "end": f.time("end"),
        "key": key,
        "mood": None if mood is None else _mood(mood, f.where),
        "valence": f.number("valence", -1, 1),
        "arousal": f.number("arousal", -1, 1),
        "bars": f.count("bars", 1, MOST_BARS),
        "beats": f.count("beats", 1, MOST_BEATS),
        "bpm": f.number("bpm", 0, MOST_BPM),
    }


def _mood(word: str, where: str) -> str:
    for mood in MOODS:
        if mood.lower() == word.strip().lower():
            return mood
    hint = did_you_mean(word, MOODS, 0.5)
    raise CueSheetError(
        f"{where}: there is no mood {word[:40]!r}", remedy=f"{hint}The moods are {', '.join(MOODS)}."
    )


def _point(raw: object, where: str) -> CurvePoint:
    f = Fields(raw, where, ("t", "valence", "arousal"))
    t, valence, arousal = f.time("t"), f.number("valence", -1, 1), f.number("arousal", -1, 1)
    if t is None or valence is None or arousal is None:
        raise CueSheetError(f"{where} is not complete", remedy="It needs t, valence and arousal.")
    return CurvePoint(t, valence, arousal)


def _hit(raw: object, where: str) -> HitPoint:
    f = Fields(raw, where, ("t", "kind", "strength"))
    t, strength = f.time("t"), f.number("strength", 0, 1)
    if t is None:
        raise CueSheetError(f"{where} has no time", remedy="Give it a `t` in seconds.")
    kind = f.text("kind")
    return HitPoint(t, "hit" if kind is None else kind, 1.0 if strength is None else strength)
