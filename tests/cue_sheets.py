"""Cue sheets for the tests of the file format, and a user who edits them."""

from __future__ import annotations

import json
from fractions import Fraction

import jsonschema

from videoscore.cues.file.sheet_file import dumps, loads
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, HitPoint, Meter
from videoscore.mood.circle import centre
from videoscore.resources import CUE_SHEET_SCHEMA

SCHEMA_TEXT = CUE_SHEET_SCHEMA.read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA_TEXT))
DELETED = object()


def cue(start, end, mood, key, bars, on="cut", **more) -> Cue:
    v, a = centre(mood)
    start, end = Fraction(start), Fraction(end)
    third = (end - start) / 3
    curve = (
        CurvePoint(start, v - 0.05, a),
        CurvePoint(start + third, v + 0.05, a),
        CurvePoint(end - third, v + 0.05, a),
        CurvePoint(end, v - 0.05, a),
    )
    return Cue(f"1m1 {mood}", start, end, on, mood, curve, key, Meter(bars, 4), **more)


def three_cues() -> CueSheet:
    third, last = Fraction(1001, 24), Fraction(145, 2)
    cues = (
        cue(0, 20, "Peaceful", "G major", 7, on="start"),
        cue(20, third, "Angry", "E minor", 12, hits=(HitPoint(Fraction(30), "cut", 0.9),)),
        cue(third, last, "Depressed", "A minor", 8, seed=7),
    )
    return CueSheet(
        "film.mp4",
        last,
        cues,
        (Fraction(20), Fraction(101, 4), Fraction(1001, 30), third),
        3,
        "cinematic",
        {"for": "the director's cut"},
    )


def edited(sheet: CueSheet, *changes) -> CueSheet:
    """The sheet after a user changed its file: each change is (cue or None for the sheet, field, value)."""
    document = json.loads(dumps(sheet))
    for index, field, value in changes:
        target = document if index is None else document["cues"][index]
        if value is DELETED:
            del target[field]
        else:
            target[field] = value
    VALIDATOR.validate(document)
    out = loads(json.dumps(document))
    assert loads(dumps(out)) == out  # what was obeyed once stays so
    return out
