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

    def __init__(self, raw: object, where: str, known: tuple[str, ...]) -> None:
        if not isinstance(raw, Mapping):
            raise CueSheetError(f"{where} is not a JSON object", remedy="Write it as { ... }.")
        self.raw, self.where = raw, where
        for name in raw:
            if name not in known:
                near = nearest(str(name), known)
                remedy = f"Did you mean {near!r}?" if near else f"It may hold {', '.join(known)}."
                raise CueSheetError(f"{where} has an unknown field {str(name)[:40]!r}", remedy=remedy)

    def value(self, name: str, default: Any = None) -> Any:
        """A field as it is; null counts as missing."""
        found = self.raw.get(name)
        return default if found is None else found

    def text(self, name: str) -> str | None:
        found = self.value(name)
        if found is not None and (not isinstance(found, str) or len(found) > LONGEST_TEXT):
            raise CueSheetError(
                f"{name} of {self.where} is not a text of up to {LONGEST_TEXT} characters",
                remedy="Write it in double quotes.",
            )
        return found

    def number(self, name: str, low: float, high: float) -> float | None:
        found = self.value(name)
        if found is None:
            return None
        ok = isinstance(found, (int, float, Decimal)) and not isinstance(found, bool)
        if not ok or not math.isfinite(found) or not low <= found <= high:
            raise CueSheetError(
                f"{name} of {self.where} is {_written(found)}",
                remedy=f"Write a number from {low:g} to {high:g}{_bare(found)}.",
            )
        return float(found)

    def count(self, name: str, low: int, high: int) -> int | None:
        found = self.value(name)
        if found is None:
            return None
        whole = int(found) if isinstance(found, Decimal) and found == found.to_integral_value() else found
        if isinstance(whole, bool) or not isinstance(whole, int) or not low <= whole <= high:
            raise CueSheetError(
                f"{name} of {self.where} is {_written(found)}",
                remedy=f"Write a whole number from {low} to {high}{_bare(found)}.",
            )
        return whole

    def time(self, name: str) -> Fraction | None:
        found = self.value(name)
        return None if found is None else seconds(found, f"{name} of {self.where}")

    def items(self, name: str, most: int) -> list[Any]:
        found = self.value(name, [])
        if not isinstance(found, list) or len(found) > most:
            raise CueSheetError(
                f"{name} of {self.where} is not a list of up to {most}", remedy="Write [ ... ]."
            )
        return found


def _written(value: object) -> str:
    """A value as it stands in the file: a text with its quotes, so that it isn't taken for the number in it."""
    if isinstance(value, Decimal):
        return str(value)[:40]
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _bare(value: object) -> str:
    return ", without quotes" if isinstance(value, str) else ""
