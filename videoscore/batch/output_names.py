"""Names of outputs: the template, and what a file system can hold."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping

from videoscore.errors import UsageError
from videoscore.file_names import LONGEST, shortened, size
from videoscore.pipeline.outputs import KEEP
from videoscore.words import did_you_mean

TEMPLATE = "{stem}.scored{ext}"
FIELDS = ("stem", "ext", "parent", "preset", "seed")
SPARE = len(".webm") + max(map(len, KEEP.values()))  # what is kept beside the film has a longer name


def check_template(template: str) -> str:
    """The template as it is. Raises UsageError for one that can't name a file."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(
            f"--name: {template!r} can't be read ({error})", remedy=f"Write it like {TEMPLATE}."
        ) from None
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in FIELDS:
            raise UsageError(
                f"--name: there is no field {{{name}}}",
                remedy=f"{did_you_mean(name, FIELDS)}Choose from {', '.join(FIELDS)}.",
            )
        if spec or conversion:
            raise UsageError(f"--name: the field {{{name}}} takes no format", remedy=f"Write it {{{name}}}.")
    plain = "".join(text for text, *_ in parts)
    if not template.strip() or any(c in plain for c in "/\0") or os.sep in plain:
        raise UsageError(
            f"--name: {template!r} is no file name",
            remedy="Leave out slashes; the folders of the input are kept.",
        )
    return template


def output_name(template: str, values: Mapping[str, str]) -> str:
    """The file name for one input, at most `LONGEST` bytes with room for what is kept beside it.

    A name that would be too long loses the end of its stem for a mark made of the whole stem, so that
    two long names stay two. Raises UsageError when nothing is left to shorten.
    """
    name = fill(template, values)
    over = size(name) - (LONGEST - SPARE)
    if over > 0:
        stem = values["stem"]
        name = fill(template, {**values, "stem": shortened(stem, size(stem) - over)})
    if size(name) > LONGEST - SPARE or name in ("", ".", ".."):
        raise UsageError(
            f"--name: it makes {name[:60]!r}, which is no possible file name",
            remedy="Give a shorter template with {stem} in it.",
        )
    return name


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields replaced. No other syntax of str.format is obeyed."""
    return "".join(
        text + ("" if name is None else values[name])
        for text, name, _, _ in string.Formatter().parse(template)
    )
