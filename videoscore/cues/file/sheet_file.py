"""The cue-sheet file: versioned JSON, exact, made to be read and edited by hand.

The format is told in docs/cue-sheet.md and, for programs, in cue-sheet.schema.json beside
this module. What a user's changes mean is `videoscore.cues.file.reconcile`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.cues.check import check
from videoscore.cues.contour import mean
from videoscore.cues.file.entries import FORMAT, VERSION, read_entries
from videoscore.cues.file.locked_entries import lock_fields
from videoscore.cues.file.reconcile import fingerprint, reconcile
from videoscore.cues.numbers import literal, parse_constant, parse_float, parse_int
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import CueSheetError
from videoscore.files import MB, read_text, write_text

MOST_BYTES = 64 * MB
WIDTH = 100


def dumps(sheet: CueSheet) -> str:
    """The file's text. `loads` gives back an equal sheet. Raises CueSheetError when it isn't sound."""
    check(sheet)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "source": sheet.source,
        "duration": sheet.duration,
        "seed": sheet.seed,
        "preset": sheet.preset,
        "notes": sheet.notes,
        "cues": [_cue(c) for c in sheet.cues],
        "cuts": list(sheet.cuts),
    }
    if sheet.composed:
        document["composed"] = sheet.composed
    return _text(document, 0) + "\n"


def loads(text: str, *, path: str | Path | None = None) -> CueSheet:
    """The cue sheet in a JSON text, with the user's changes settled.

    path : named in errors. Raises CueSheetError.
    """
    try:
        if len(text) > MOST_BYTES:
            raise CueSheetError("it is over 64 MB", remedy="That is no cue sheet; give the right file.")
        return reconcile(read_entries(_parse(text)))
    except CueSheetError as error:
        raise CueSheetError(error.problem, path=path, remedy=error.remedy) from error


def save(sheet: CueSheet, path: str | Path, overwrite: bool = True) -> None:
    """Write a sheet: beside the target first, then renamed, so that no half-written file is ever seen.

    Raises CueSheetError, DiskFull or OutputError; without `overwrite` OutputExists.
    """
    write_text(Path(path), dumps(sheet), overwrite)


def load(path: str | Path) -> CueSheet:
    """Read a sheet. Raises NotFound when there is no such file, CueSheetError when it isn't sound."""
    text = read_text(
        Path(path),
        MOST_BYTES,
        "Give the path of a cue sheet.",
        kind=CueSheetError,
        wrong="That is no cue sheet; give the right file.",
    )
    return loads(text, path=path)


# ---------------------------------------------------------------- reading


def _parse(text: str) -> object:
    try:
        return json.loads(
            text,
            parse_float=parse_float,
            parse_int=parse_int,
            parse_constant=parse_constant,
            object_pairs_hook=_once,
        )
    except json.JSONDecodeError as error:
        raise CueSheetError(
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            remedy="Look for a missing or extra comma, bracket or quote there.",
        ) from error
    except RecursionError as error:
        raise CueSheetError(
            "it is nested too deeply", remedy="That is no cue sheet; give the right file."
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise CueSheetError(
                f"the field {name[:40]!r} stands twice in one place", remedy="Delete one of them."
            )
        out[name] = value
    return out


# ---------------------------------------------------------------- writing


def _cue(cue: Cue) -> dict[str, Any]:
    """A cue in the order in which a reader wants to know it."""
    valence, arousal = mean(cue.curve, cue.start, cue.end)
    bpm = float(cue.bpm)
    fields: dict[str, Any] = {
        "name": cue.name,
        "start": cue.start,
        "end": cue.end,
        "start_on": cue.start_on,
        "mood": cue.mood,
        "valence": valence,
        "arousal": arousal,
        "key": cue.key,
        "bars": cue.meter.bars,
        "beats": cue.meter.beats,
        "bpm": round(bpm, 3) if bpm >= 1 else bpm,
        "seed": cue.seed,
    }
    written = {k: v for k, v in fields.items() if k not in ("start_on", "seed")}
    fields["hits"] = [{"t": h.t, "kind": h.kind, "strength": h.strength} for h in cue.hits]
    fields["curve"] = [{"t": p.t, "valence": p.valence, "arousal": p.arousal} for p in cue.curve]
    if cue.notes is not None:
        fields["locked"] = lock_fields(cue)
    fields["written"] = {**written, "curve": fingerprint(cue.curve)} | (
        {"music": cue.heard} if cue.heard else {}
    )
    return fields


def _text(value: Any, depth: int) -> str:
    """JSON with exact times: what holds no list or object stands on one line, a long list is filled, also one of
    short lists of numbers."""
    if isinstance(value, Fraction):
        return literal(value)
    if isinstance(value, Mapping):
        items = [f"{json.dumps(k, ensure_ascii=False)}: {_text(v, depth + 1)}" for k, v in value.items()]
        return _block(
            "{", "}", items, depth, flat=not any(isinstance(v, (Mapping, list)) for v in value.values())
        )
    if isinstance(value, list):
        if value and all(isinstance(v, list) and all(isinstance(n, int) for n in v) for v in value):
            return _block("[", "]", [json.dumps(v) for v in value], depth, flat=False, fill=True)
        return _block(
            "[",
            "]",
            [_text(v, depth + 1) for v in value],
            depth,
            flat=not value,
            fill=not any(isinstance(v, (Mapping, list)) for v in value),
        )
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _block(left: str, right: str, items: Sequence[str], depth: int, flat: bool, fill: bool = False) -> str:
    if flat:
        return left + ", ".join(items) + right
    indent = "  " * (depth + 1)
    lines = list(items)
    if fill:
        lines = []
        for item in items:
            if lines and len(lines[-1]) + len(item) + 2 <= WIDTH:
                lines[-1] += f", {item}"
            else:
                lines.append(item)
    return left + "\n" + ",\n".join(indent + line for line in lines) + "\n" + "  " * depth + right
