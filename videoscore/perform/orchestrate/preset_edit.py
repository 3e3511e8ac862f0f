"""A preset file with some values set in it, everything else as it is, comments too."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path

from videoscore.errors import PresetError
from videoscore.settings.preset_file import parse, tomllib

Values = Mapping[str, Mapping[str, float]]  # table -> key -> value


def with_values(path: Path, values: Values) -> str:
    """The text of the preset file at `path` with these values in it, replaced or added.

    Raises PresetError when the file can't be read, or is written so that they can't be put into it.
    """
    target = copy.deepcopy(parse(path))
    for table, fields in values.items():
        target.setdefault(table, {}).update(fields)
    lines = path.read_text(encoding="utf-8").splitlines()
    for table, fields in values.items():
        lines = _set(lines, table, fields)
    text = "\n".join(lines) + "\n"
    try:
        read_back = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        read_back = None
    if read_back != target:
        tables = " and ".join(f"[{table}]" for table in values)
        raise PresetError(
            "its settings are written in a way that can't be changed",
            path=path,
            remedy=f"Write {tables} as tables of their own, a line a value.",
        )
    return text


def _set(lines: list[str], table: str, fields: Mapping[str, float]) -> list[str]:
    """Lines with the values in this table, which is made where there is none."""
    head = re.compile(rf"\s*\[\s*(?P<q>[\"']?){re.escape(table)}(?P=q)\s*\]\s*(#.*)?")
    first = next((k for k, line in enumerate(lines) if head.fullmatch(line)), None)
    new_lines = [f"{name} = {value:g}" for name, value in fields.items()]
    if first is None:
        return [*lines, "", f"[{table}]", *new_lines]
    last = next((k for k in range(first + 1, len(lines)) if lines[k].lstrip().startswith("[")), len(lines))
    old = re.compile(rf"\s*([\"']?)({'|'.join(map(re.escape, fields))})\1\s*=.*")
    other_lines = [line for line in lines[first + 1 : last] if not old.fullmatch(line)]
    return [*lines[: first + 1], *new_lines, *other_lines, *lines[last:]]
