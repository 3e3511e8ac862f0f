"""A preset's file: where it lies, what stands in it, and the options that it sets.

Unknown keys are errors, with a guess at what was meant: a preset that is silently half obeyed sounds wrong and
tells nobody why. The instruments and palettes of a preset are read by `videoscore.perform.orchestrate.preset_file`.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from videoscore import resources
from videoscore.errors import NotFound, PresetError
from videoscore.files import MB, read_text
from videoscore.settings.fields import Options
from videoscore.words import did_you_mean, exact

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = MB
LONGEST_LINE = 2000  # the parser takes half a minute for a key of 50,000 parts
OPTION_GROUPS = tuple(f.name for f in dataclasses.fields(Options) if f.name not in ("preset", "seed"))
CACHED_FILES = 16


def list_presets() -> tuple[str, ...]:
    """Names of the packaged presets, sorted."""
    return tuple(sorted(path.stem for path in resources.presets().glob("*.toml")))


def preset_path(name_or_path: str | Path) -> Path:
    """The file of a preset: of a packaged one by its name, or the path of a TOML file (anything that ends in
    ``.toml`` or holds a folder separator), as it is.

    Raises PresetError when there is none of that name.
    """
    text = str(name_or_path)
    if text.endswith(".toml") or "/" in text or "\\" in text:
        return Path(name_or_path)
    names = list_presets()
    if text not in names:
        hint = did_you_mean(text, names)
        raise PresetError(
            f"there is no preset {text!r}",
            remedy=f"{hint}Choose one of {', '.join(names)}, or give the path of a TOML file.",
        )
    return resources.presets() / f"{text}.toml"


def parse(path: Path) -> dict[str, Any]:
    """What stands in a preset file, unchecked; read once as long as it doesn't change. Not to be changed.

    Raises PresetError.
    """
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return _parse(path)  # says what is wrong
    return _parse_once(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(CACHED_FILES)
def _parse_once(path: Path, modified: int, size: int) -> dict[str, Any]:
    return _parse(path)


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = read_text(
            path,
            MAX_BYTES,
            "Check the path, or see `videoscore presets list`.",
            wrong="Give a TOML preset file.",
            form="UTF-8",
            kind=PresetError,
        )
    except NotFound as error:
        raise PresetError(f"the preset {error.problem}", path=path, remedy=error.remedy) from error
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise PresetError(
            f"a line in it is over {LONGEST_LINE} characters long",
            path=path,
            remedy="Break it, or give the right file.",
        )
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # ValueError: numbers of 5,000 digits, too
        raise PresetError(
            f"this is not valid TOML ({error})",
            path=path,
            remedy="Correct the file; docs/sound.md shows a preset.",
        ) from error


def preset_options(path: Path, options: Options) -> Options:
    """`options` with the values of the preset's file in place, and the preset's name. Raises PresetError."""
    file, data = PresetFile(path), parse(path)
    groups = {
        group: dataclasses.replace(getattr(options, group), **file.options(group, file.table(data, group)))
        for group in OPTION_GROUPS
        if group in data
    }
    return dataclasses.replace(options, preset=path.stem, **groups)


class PresetFile:
    """Checks of one file; every error names the file and the key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, problem: str, remedy: str) -> NoReturn:
        raise PresetError(f"{key}: {problem}" if key else problem, path=self.path, remedy=remedy)

    def known(self, key: str, names: Iterable[str], allowed: Iterable[str]) -> None:
        allowed = list(allowed)
        for name in names:
            if name not in allowed:
                hint = did_you_mean(name, allowed, 0.5)
                self.fail(f"{key}{name}", "unknown key", f"{hint}Allowed here: {', '.join(allowed)}.")

    def table(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, "must be a table", f"Write [{key}].")
        return value

    def text(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key, "")
        if not isinstance(value, str):
            self.fail(key, "must be text", "Put it in quotes.")
        return value

    def whole(self, key: str, value: Any, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"{value!r} is not a whole number from {low} to {high}", "Change the value.")
        return value

    def number(self, key: str, value: Any, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.fail(key, f"{value!r} is not a number from {low:g} to {high:g}", "Change the value.")
        return float(value)

    def pair(self, key: str, value: Any, low: int, high: int, apart: int) -> tuple[int, int]:
        if not isinstance(value, list) or len(value) != 2:
            self.fail(key, "must be two numbers", f"Write {key.rsplit('.', 1)[-1]} = [{low}, {high}].")
        first, last = (self.whole(key, v, low, high) for v in value)
        if last - first < apart:
            self.fail(key, f"{first} and {last} lie too near", f"Leave at least {apart} between them.")
        return first, last

    def options(self, group: str, body: Mapping[str, Any]) -> dict[str, Any]:
        fields = {f.name: f for f in dataclasses.fields(getattr(Options(), group))}
        self.known(f"{group}.", body, fields)
        return {name: self.option(f"{group}.{name}", value, fields[name]) for name, value in body.items()}

    def option(self, key: str, value: Any, spec: dataclasses.Field) -> Any:
        kind: type = str if spec.default is None else type(spec.default)
        try:
            if isinstance(value, bool) is not (kind is bool) or isinstance(value, (dict, list)):
                raise TypeError
            if kind is int and not isinstance(value, int) or kind is str and not isinstance(value, str):
                raise TypeError
            value = exact(str(value)) if kind is Fraction else kind(value)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            self.fail(key, f"{value!r} is of the wrong kind", f"Give a value like {spec.default}.")
        limits = spec.metadata
        if "choices" in limits and value not in limits["choices"]:
            self.fail(
                key, f"{value!r} is no choice", f"Choose from {', '.join(map(str, limits['choices']))}."
            )
        # written so that a NaN, which compares false with everything, fails too
        if not (limits.get("min", value) <= value <= limits.get("max", value)):
            self.fail(key, f"{value} is out of range", f"Stay within {limits['min']} to {limits['max']}.")
        return value
