"""From words to `Options`: defaults, then the preset, then what the user said.

The command line, the Python API and the docs all read the settings from here, so that a name, a
default, a limit or a help text is written once, in `videoscore.settings.fields`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from videoscore.errors import UsageError
from videoscore.settings.fields import Options
from videoscore.settings.preset_file import preset_options, preset_path
from videoscore.words import did_you_mean, exact

WHOLE = ("preset", "seed")  # fields of Options itself
MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    name : as a keyword of the Python API ("sample_every"); the flag is the same with dashes.
    group, field : where it lives in `Options`. kind : int, float, Fraction, str or bool.
    """

    name: str
    group: str
    field: str
    kind: type
    default: Any
    help: str
    low: Any = None
    high: Any = None
    choices: tuple[Any, ...] = ()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def check(self, value: Any) -> Any:
        """`value` (text or number) as this setting's kind. Raises UsageError with the limits."""
        if value is None and self.default is None:
            return None
        try:
            converted = _convert(value, self.kind)
        except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError):
            raise UsageError(
                f"{self.flag}: {value!r} is not {_KINDS[self.kind]}",
                remedy=f"Give a value like {show(self.default)}.",
            ) from None
        if self.choices and converted not in self.choices:
            hint = did_you_mean(str(value), map(str, self.choices))
            raise UsageError(
                f"{self.flag}: {value!r} is no choice",
                remedy=f"{hint}Choose from {', '.join(map(str, self.choices))}.",
            )
        low = converted if self.low is None else self.low
        high = converted if self.high is None else self.high
        # written so that a NaN, which compares false with everything, fails too
        if not low <= converted <= high:
            raise UsageError(
                f"{self.flag}: {value} is out of range",
                remedy=f"Stay within {show(self.low)} and {show(self.high)}.",
            )
        return converted


_KINDS = {
    int: "a whole number",
    float: "a number",
    Fraction: "a number of seconds",
    str: "text",
    bool: "true or false",
}
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _convert(value: Any, kind: type) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else _TRUTH[str(value).lower()]
    if isinstance(value, bool):
        raise TypeError
    if kind is str:
        return str(value)  # a pathlib.Path is welcome where a file is wanted
    if kind is int and isinstance(value, (float, Fraction)):
        raise TypeError
    return exact(str(value)) if kind is Fraction else kind(value)


def show(value: Any) -> str:
    """A default or a limit as people write it."""
    if isinstance(value, (Fraction, float)):
        return f"{float(value):.3g}" if value != int(value) else str(int(value))
    return str(value)


@cache
def settings() -> Mapping[str, Setting]:
    """Every setting of every group by its name, in the order of the stages."""
    by_name: dict[str, Setting] = {}
    for group in dataclasses.fields(Options):
        if group.name in WHOLE:
            continue
        for field in dataclasses.fields(getattr(Options(), group.name)):
            facts = field.metadata
            name = facts.get("flag", field.name).replace("-", "_")
            if name in by_name or name in WHOLE:
                raise ValueError(f"two settings are named {name}; give one a flag= in fields.py")
            kind = str if field.default is None else type(field.default)
            by_name[name] = Setting(
                name,
                group.name,
                field.name,
                kind,
                field.default,
                facts["help"],
                facts.get("min"),
                facts.get("max"),
                tuple(facts.get("choices", ())),
            )
    return by_name


def differing(options: Options, groups: Iterable[str]) -> dict[str, Any]:
    """Name -> value of the settings of these groups in which `options` isn't as its preset alone."""
    own = build(preset=options.preset)

    def of(whole: Options, setting: Setting) -> Any:
        return getattr(getattr(whole, setting.group), setting.field)

    members = [setting for setting in settings().values() if setting.group in groups]
    return {s.name: of(options, s) for s in members if of(options, s) != of(own, s)}


def check_seed(value: Any) -> int:
    """A seed from 0 to 2^63 - 1. Raises UsageError."""
    return Setting("seed", "", "seed", int, Options().seed, "", 0, MAX_SEED).check(value)


def build(preset: str | None = None, seed: Any = None, base: Options | None = None, **named: Any) -> Options:
    """Options from a preset and named settings.

    Parameters
    ----------
    preset : name or TOML file of a preset. By default that of `Options()`, or none beyond `base`.
    seed : whole number; by default that of `base`.
    base : options to start from, taken as they are; by default `Options()`.
    named : any of `settings()` by name; None means not given.

    Raises
    ------
    UsageError : no such setting, or a value out of its limits. PresetError : a bad preset.

    Examples
    --------
    >>> build(smooth="4", min_cue=10).spot.min_cue
    Fraction(10, 1)
    """
    values: dict[str, dict[str, Any]] = {}
    for name, value in named.items():
        if name not in settings():
            raise UsageError(
                f"there is no setting {name!r}",
                remedy=f"{did_you_mean(name, settings())}See docs/cli.md for all of them.",
            )
        if value is not None:
            setting = settings()[name]
            values.setdefault(setting.group, {})[setting.field] = setting.check(value)
    options = base or Options()
    if base is None or preset is not None:
        preset_name = str(preset or options.preset)
        # a path stays one in `preset`, so that it is found again
        options = dataclasses.replace(preset_options(preset_path(preset_name), options), preset=preset_name)
    overrides: dict[str, Any] = {
        group: dataclasses.replace(getattr(options, group), **fields) for group, fields in values.items()
    }
    if seed is not None:
        overrides["seed"] = check_seed(seed)
    return dataclasses.replace(options, **overrides)
