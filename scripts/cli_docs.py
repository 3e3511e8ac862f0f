"""Writes the tables of docs/cli.md from the settings and the commands; a test holds them equal.

python scripts/cli_docs.py
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from videoscore.cli.main import COMMANDS, commands
from videoscore.settings.build import Setting, settings, show

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
STAGES = {
    "sample": "Watching",
    "perceive": "Watching",
    "smooth": "Watching",
    "spot": "Cues",
    "compose": "Writing",
    "render": "Sound",
    "master": "Master",
    "mix": "Mix",
}


def limits(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(map(str, setting.choices))
    if setting.low is None and setting.high is None:
        return ""
    return f"{show(setting.low)} to {show(setting.high)}"


def settings_table() -> str:
    lines = ["| option | in presets | default | allowed | what it is |", "|---|---|---|---|---|"]
    for s in settings().values():
        default = "" if s.default is None else show(s.default)
        lines.append(f"| `{s.flag}` | `{s.group}.{s.field}` | {default} | {limits(s)} | {s.help} |")
    return "\n".join(lines)


def commands_table() -> str:
    lines = ["| command | what it does |", "|---|---|"]
    context = click.Context(commands)
    for name, (_, text) in COMMANDS.items():
        lines.append(f"| `videoscore {name}` | {text} |")
        command = commands.get_command(context, name)
        if isinstance(command, click.Group):
            lines += [
                f"| `videoscore {name} {sub}` | {one.get_short_help_str(200)} |"
                for sub, one in command.commands.items()
            ]
    return "\n".join(lines)


def filled(page: str) -> str:
    """The page with fresh tables between its marks."""
    for mark, table in (("commands", commands_table()), ("settings", settings_table())):
        page, count = re.subn(
            rf"(<!-- {mark} -->\n).*?(<!-- end -->)",
            lambda m, t=table: f"{m[1]}{t}\n{m[2]}",
            page,
            flags=re.DOTALL,
        )
        if count != 1:
            raise SystemExit(f"docs/cli.md has no place for the {mark}")
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
