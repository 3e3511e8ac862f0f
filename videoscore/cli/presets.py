"""``videoscore presets``: what there is to choose from."""

from __future__ import annotations

from typing import Any

import click

from videoscore.cli.common import print_result, with_voice
from videoscore.cli.teller import Teller
from videoscore.text.tables import table


@click.group()
def presets() -> None:
    """List the presets, or show one."""


@presets.command("list")
@with_voice
def list_(teller: Teller) -> None:
    """Names of the presets that videoscore brings."""
    from videoscore.perform.orchestrate.palette_file import load_preset
    from videoscore.settings.preset_file import list_presets

    presets_by_name = [load_preset(name) for name in list_presets()]
    rows = [[preset.name, preset.title, preset.description] for preset in presets_by_name]
    facts = {
        "presets": [
            {"name": p.name, "title": p.title, "description": p.description, "path": p.path}
            for p in presets_by_name
        ]
    }
    print_result(teller, facts, table(["preset", "title", "what it is"], rows))


@presets.command()
@click.argument("name")
@with_voice
def show(teller: Teller, name: str) -> None:
    """What the preset NAME (or the TOML file NAME) holds, and where it comes from."""
    from videoscore.perform.orchestrate.palette_file import load_preset

    preset = load_preset(name)
    moods = {
        mood: {role.name.lower(): [v.instrument for v in palette.players(role)] for role in palette.roles}
        for mood, palette in preset.palettes.items()
    }
    facts: dict[str, Any] = {
        "name": preset.name,
        "title": preset.title,
        "description": preset.description,
        "path": preset.path,
        "instruments": {
            i.name: {"program": i.program, "drums": i.drums} for i in preset.instruments.values()
        },
        "moods": moods,
        "options": preset.options,
    }
    lines = [f"{preset.name}: {preset.title}", preset.description, f"source: {preset.path}", ""]
    lines.append(
        table(
            ["mood", "role", "instruments"],
            [
                [mood, role, ", ".join(names)]
                for mood, roles in moods.items()
                for role, names in roles.items()
            ],
        )
    )
    lines += [
        f"{group}.{field} = {value}"
        for group, fields in preset.options.items()
        for field, value in fields.items()
    ]
    print_result(teller, facts, "\n".join(lines))
