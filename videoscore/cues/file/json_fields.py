"""A JSON object of a cue sheet, taken apart field by field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from videoscore.cues.numbers import seconds
from videoscore.errors import CueSheetError
from videoscore.words import nearest

LONGEST_TEXT = 1000


class Fields:
    """A JSON object whose fields are taken out one by one, with their type and limits checked."""

    def __init__(self, raw: object, where: str, names: tuple[str, ...]) -> None:
        if not isinstance(raw, Mapping):
            raise CueSheetError(f"{where} is not a JSON object", remedy="Write it as { ... }.")
        self.raw, self.where = raw, where
        for name in raw:
            if name not in names:
                near = nearest(str(name), names)
                remedy = f"Did you mean {near!r}?" if near else f"It may hold {', '.join(names)}."
                raise CueSheetError(f"{where} has an unknown field {str(name)[:40]!r}", remedy=remedy)

    def value(self, name: str, default: Any = None) -> Any:
        """A field as it is; null counts as missing."""
        field = self.raw.get(name)
        return default if field is None else field

    def text(self, name: str) -> str | None:
        field = self.value(name)
        if field is not None and (not isinstance(field, str) or len(field) > LONGEST_TEXT):
            raise CueSheetError(
                f"{name} of {self.where} is not a text of up to {LONGEST_TEXT} characters",
                remedy="Write it in double quotes.",
            )
        return field

    def number(self, name: str, low: float, high: float) -> float | None:
        field = self.value(name)
        if field is None:
            return None
        ok = isinstance(field, (int, float, Decimal)) and not isinstance(field, bool)
        if not ok or not math.isfinite(field) or not low <= field <= high:
            raise CueSheetError(
                f"{name} of {self.where} is {_text_of(field)}",
                remedy=f"Write a number from {low:g} to {high:g}{_bare(field)}.",
            )
        return float(field)

    def count(self, name: str, low: int, high: int) -> int | None:
        field = self.value(name)
        if field is None:
            return None
        whole = int(field) if isinstance(field, Decimal) and field == field.to_integral_value() else field
        if isinstance(whole, bool) or not isinstance(whole, int) or not low <= whole <= high:
            raise CueSheetError(
                f"{name} of {self.where} is {_text_of(field)}",
                remedy=f"Write a whole number from {low} to {high}{_bare(field)}.",
            )
        return whole

    def time(self, name: str) -> Fraction | None:
        field = self.value(name)
        return None if field is None else seconds(field, f"{name} of {self.where}")

    def items(self, name: str, most: int) -> list[Any]:
        field = self.value(name, [])
        if not isinstance(field, list) or len(field) > most:
            raise CueSheetError(
                f"{name} of {self.where} is not a list of up to {most}", remedy="Write [ ... ]."
            )
        return field


def _text_of(value: object) -> str:
    """A value as it stands in the file: a text with its quotes, so that it isn't taken for the number in it."""
    if isinstance(value, Decimal):
        return str(value)[:40]
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _bare(value: object) -> str:
    return ", without quotes" if isinstance(value, str) else ""
