"""Reads the instruments and palettes of a preset's file, and checks every key of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videoscore.mood.circle import MOODS
from videoscore.music.score import Role
from videoscore.perform.orchestrate.palettes import (
    ACCENTS,
    Accent,
    Instrument,
    Palette,
    Preset,
    Voice,
    seat_depth,
)
from videoscore.settings.preset_file import OPTION_GROUPS, PresetFile, parse, preset_path

ROLES = tuple(role.name.lower() for role in Role)
DEFAULT = "default"
INSTRUMENT_KEYS = (
    "program",
    "bank",
    "drums",
    "range",
    "volume",
    "pan",
    "depth",
    "velocity",
    "swell",
    "held",
    "keys",
)
OTHERS = "others"  # the drum keys that `keys` doesn't name


def load_preset(name_or_path: str | Path) -> Preset:
    """Read and check a preset.

    Parameters
    ----------
    name_or_path : the name of a packaged preset, or the path of a TOML file (anything that ends
        in ``.toml`` or holds a folder separator).

    Raises
    ------
    PresetError : there is none of that name, or the file breaks a rule; the message names the
        file, the key and the remedy.
    """
    path = preset_path(name_or_path)
    return _PaletteFile(path).preset(parse(path))


class _PaletteFile(PresetFile):
    """The instruments and palettes of one file."""

    def preset(self, data: dict[str, Any]) -> Preset:
        self.known("", data, ("title", "description", "instruments", "moods", "accents", *OPTION_GROUPS))
        instruments = {
            name: self.instrument(name, body) for name, body in self.table(data, "instruments").items()
        }
        if not instruments:
            self.fail("instruments", "there is none", "Add a table [instruments.NAME] with a program.")
        palettes = self.palettes(self.table(data, "moods"), instruments)
        return Preset(
            name=self.path.stem,
            title=self.text(data, "title") or self.path.stem,
            description=self.text(data, "description"),
            path=self.path,
            instruments=instruments,
            palettes=palettes,
            options={
                group: self.options(group, self.table(data, group))
                for group in OPTION_GROUPS
                if group in data
            },
            accents=self.accents(self.table(data, "accents"), instruments, palettes),
        )

    def accents(
        self, body: Mapping[str, Any], instruments: Mapping[str, Instrument], palettes: Mapping[str, Palette]
    ) -> dict[str, Accent]:
        self.known("accents.", body, ACCENTS)
        accents = {kind: self.accent(kind, one, instruments) for kind, one in body.items()}
        playing = {
            v.instrument for palette in palettes.values() for vs in palette.voices.values() for v in vs
        }
        for kind, accent in accents.items():
            alone = sum(accent.instrument == other.instrument for other in accents.values()) == 1
            if not accent.rate and kind != "impact" and (accent.instrument in playing or not alone):
                self.fail(
                    f"accents.{kind}.instrument",
                    f"{accent.instrument} plays other things, too",
                    "What is held grows by expression: give it an instrument of its own, or a rate.",
                )
        return accents

    def accent(self, kind: str, body: Any, instruments: Mapping[str, Instrument]) -> Accent:
        key = f"accents.{kind}"
        if not isinstance(body, dict) or not isinstance(body.get("instrument"), str):
            self.fail(key, "needs an instrument", f'Write [{key}] with instrument = "NAME" and keys = [60].')
        self.known(f"{key}.", body, ("instrument", "keys", "seconds", "rate", "level"))
        self.known(f"{key}: ", [body["instrument"]], instruments)
        keys = body.get("keys")
        if not isinstance(keys, list) or not keys:
            self.fail(f"{key}.keys", "must be a list of MIDI keys", "Write keys = [60].")
        return Accent(
            body["instrument"],
            tuple(self.whole(f"{key}.keys", one, 0, 127) for one in keys),
            self.number(f"{key}.seconds", body.get("seconds", 2.0), 0.5, 8.0),
            self.number(f"{key}.rate", body.get("rate", 14.0), 0.0, 30.0),
            self.number(f"{key}.level", body.get("level", 0.0), -30.0, 12.0),
        )

    def instrument(self, name: str, body: Any) -> Instrument:
        key = f"instruments.{name}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
            self.fail(key, "not a usable name", "Use up to 32 of a-z, 0-9, - and _: stems are named so.")
        if not isinstance(body, dict):
            self.fail(key, "must be a table", f"Write [{key}].")
        self.known(f"{key}.", body, INSTRUMENT_KEYS)
        if "program" not in body:
            self.fail(f"{key}.program", "missing", "Give a General MIDI program, 0 to 127.")
        drums = body.get("drums", False)
        if not isinstance(drums, bool):
            self.fail(f"{key}.drums", "must be true or false", "Change the value.")
        if "keys" in body and not drums:
            self.fail(f"{key}.keys", "only drums have keys", "Leave it out, or set drums = true.")
        low, high = self.pair(f"{key}.range", body.get("range", [21, 108]), 0, 127, 12)
        quietest, loudest = self.pair(f"{key}.velocity", body.get("velocity", [25, 120]), 1, 127, 1)
        program = self.whole(f"{key}.program", body["program"], 0, 127)
        return Instrument(
            name,
            program,
            drums,
            low,
            high,
            self.whole(f"{key}.volume", body.get("volume", 100), 0, 127),
            self.whole(f"{key}.pan", body.get("pan", 64), 0, 127),
            quietest,
            loudest,
            self.keys(key, body.get("keys", {})),
            self.number(f"{key}.depth", body.get("depth", seat_depth(program, drums)), 0.0, 1.0),
            self.whole(f"{key}.bank", body.get("bank", 0), 0, 127),
            self.number(f"{key}.swell", body.get("swell", 0.0), 0.0, 12.0),
            self.held(f"{key}.held", body["held"], drums) if "held" in body else None,
        )

    def held(self, key: str, body: Any, drums: bool) -> tuple[int, int]:
        if drums:
            self.fail(key, "drums hold no notes", "Leave it out.")
        if not isinstance(body, dict) or "program" not in body:
            self.fail(key, "needs a program", "Write held = { program = 49 }.")
        self.known(f"{key}.", body, ("program", "bank"))
        return (
            self.whole(f"{key}.bank", body.get("bank", 0), 0, 127),
            self.whole(f"{key}.program", body["program"], 0, 127),
        )

    def keys(self, key: str, body: Any) -> dict[int, int | None]:
        if not isinstance(body, dict):
            self.fail(f"{key}.keys", "must be a table", 'Write keys = { "42" = 54, "46" = false }.')
        mapped: dict[int, int | None] = {}
        for source, target in body.items():
            if source == OTHERS:
                continue
            if not (source.isascii() and source.isdigit() and int(source) <= 127):
                self.fail(f"{key}.keys.{source}", "not a MIDI key", "Use 0 to 127, in quotes.")
            where = f"{key}.keys.{source}"
            mapped[int(source)] = None if target is False else self.whole(where, target, 0, 127)
        if OTHERS in body:
            if body[OTHERS] is not False:
                self.fail(f"{key}.keys.{OTHERS}", "must be false", "Leave it out to play them as they are.")
            mapped = {pitch: mapped.get(pitch) for pitch in range(128)}
        return mapped

    def palettes(self, moods: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> dict[str, Palette]:
        self.known("moods.", moods, (*MOODS, DEFAULT))
        missing = [mood for mood in MOODS if mood not in moods]
        if missing and DEFAULT not in moods:
            self.fail(f"moods.{missing[0]}", "missing", "Add it, or add [moods.default] for all the others.")
        return {
            mood: self.palette(mood if mood in moods else DEFAULT, mood, moods, instruments) for mood in MOODS
        }

    def palette(
        self, name: str, mood: str, moods: Mapping[str, Any], instruments: Mapping[str, Instrument]
    ) -> Palette:
        body, key = moods[name], f"moods.{name}"
        if not isinstance(body, dict):
            self.fail(key, "must be a table", f"Write [{key}].")
        self.known(f"{key}.", body, (*ROLES, "roles"))
        voices = {
            Role[role.upper()]: self.voices(f"{key}.{role}", body[role], instruments)
            for role in ROLES
            if role in body
        }
        if not any(role is not Role.DRUMS for role in voices):
            self.fail(key, "nobody plays", 'Give at least melody = ["INSTRUMENT"].')
        for role, players in voices.items():
            for voice in players:
                if instruments[voice.instrument].drums is not (role is Role.DRUMS):
                    self.fail(
                        f"{key}.{role.name.lower()}",
                        f"{voice.instrument} doesn't fit",
                        "Drums play the role drums, and nothing else does.",
                    )
        return Palette(mood, voices, self.roles(key, body.get("roles"), voices))

    def roles(self, key: str, names: Any, voices: Mapping[Role, Any]) -> tuple[Role, ...]:
        if names is None:
            return tuple(sorted(voices))
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            self.fail(f"{key}.roles", "must be a list of roles", f"Choose from {', '.join(ROLES)}.")
        self.known(f"{key}.roles: ", names, ROLES)
        roles = tuple(sorted({Role[name.upper()] for name in names}))
        if Role.DRUMS in roles and Role.DRUMS not in voices:
            self.fail(f"{key}.roles", "drums are to be written and nobody plays them", "Add drums = [...].")
        return roles

    def voices(self, key: str, body: Any, instruments: Mapping[str, Instrument]) -> tuple[Voice, ...]:
        if not isinstance(body, list) or not body:
            self.fail(key, "must be a list of instruments", 'Write ["NAME"] or [{ instrument = "NAME" }].')
        return tuple(self.voice(key, one, instruments) for one in body)

    def voice(self, key: str, body: Any, instruments: Mapping[str, Instrument]) -> Voice:
        if isinstance(body, str):
            body = {"instrument": body}
        if not isinstance(body, dict) or not isinstance(body.get("instrument"), str):
            self.fail(key, "a voice needs an instrument", 'Write "NAME" or { instrument = "NAME" }.')
        self.known(f"{key}.", body, ("instrument", "octave", "level"))
        self.known(f"{key}: ", [body["instrument"]], instruments)
        level = self.number(f"{key}.level", body.get("level", 0.0), -30.0, 12.0)
        octave = self.whole(f"{key}.octave", body.get("octave", 0), -4, 4)
        return Voice(body["instrument"], octave, level)
