"""The pages tell the truth about the tree: the paths, modules, commands, options and links that they name exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from test_imports import ORDER, modules

from videoscore.cli.main import COMMANDS, commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "soundfonts").glob("*.md"),
    ]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
ENDINGS = "py|toml|json|md|safetensors|js|css"
# files that a page tells its reader to make, or that users have
USERS = re.compile(
    r"\b(mine|my-preset|own|film|scored|holiday|report|cues|manifest|videoscore-batch|NAME|a|b|music21)\b"
)
every_page = pytest.mark.parametrize("name", NAMES)


def code(page: str) -> Iterator[str]:
    """The lines of a page's code blocks, and what stands between backticks."""
    fence = False
    for line in page.splitlines():
        if line.lstrip().startswith("```"):
            fence = not fence
        elif fence or line.startswith("    "):
            yield line
        else:
            yield from re.findall(r"`([^`]+)`", line)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def made_by(page: str) -> set[str]:
    """Files that the page's examples make: `<!-- file: PATH -->` before a block."""
    return set(re.findall(r"<!-- file: (\S+) -->", page))


@every_page
def test_files_that_are_named_exist(name):
    page = read(name)
    paths = {
        path
        for line in code(page)
        for path in re.findall(rf"(?<![\w/.~*<-])((?:[\w-]+/)*[\w-]+\.(?:{ENDINGS}))\b(?![\w/.])", line)
        if "/" in path or path.endswith(".py")
    }
    missing = sorted(
        path
        for path in paths - made_by(page)
        if not (ROOT / path).exists() and not (ROOT / "videoscore" / path).exists() and not USERS.search(path)
    )
    assert missing == []


@every_page
def test_modules_and_names_that_are_named_exist(name):
    there = {path.removesuffix(".py").replace("/", ".") for path in made_by(read(name))}
    missing = []
    for line in code(read(name)):
        dotted = [(m, None) for m in re.findall(r"(?<![\w./])(videoscore(?:\.[A-Za-z_]\w*)+)", line)]
        if match := re.match(r"\s*from (videoscore[\w.]*) import ([\w, ]+)", line):
            dotted += [(match[1], word.split(" as ")[0].strip()) for word in match[2].split(",")]
        missing += [
            f"{module}:{word}"
            for module, word in dotted
            if module not in there and not resolves(module, word)
        ]
    assert missing == []


def resolves(dotted: str, attribute: str | None = None) -> bool:
    """Whether `dotted` is a module, or a name in one; with `attribute`, whether it has that."""
    parts = [*dotted.split("."), *([attribute] if attribute else [])]
    here, found = import_module(parts[0]), parts[:1]
    for part in parts[1:]:
        found.append(part)
        if ".".join(found) in modules():
            here = import_module(".".join(found))
        elif hasattr(here, part):
            here = getattr(here, part)
        else:
            return False
    return True


@every_page
def test_commands_and_options_that_are_named_exist(name):
    wrong = []
    for line in code(read(name)):
        for words in spoken(line):
            told = " ".join(words)
            command, rest = command_of(words)
            if command is None:
                wrong.append(told)
                continue
            options = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)} | {"--help"}
            wrong += [
                f"{told}: {word}"
                for word in rest
                if re.match(r"--[a-z]", word) and word.split("=")[0] not in options
            ]
    assert wrong == []


def spoken(line: str) -> Iterator[list[str]]:
    """The words of each `videoscore ...` at the beginning of a line of code, without comments."""
    match = re.match(r"\s*(?:\$ |then: )?videoscore +(\S.*)", line)
    if match:
        try:
            yield shlex.split(match[1].replace("|", " ").rstrip("\\"), comments=True)
        except ValueError:
            yield match[1].split()


def command_of(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """The command of these words, and what is left of them; None where a group has no such command."""
    context = click.Context(commands)
    if words and words[0] not in COMMANDS:
        # an INPUT of the default command, or a placeholder; a plain lower-case word is a command that isn't there
        known = not re.fullmatch(r"[a-z]+", words[0])
        return (commands.get_command(context, "score") if known else None), words
    command, rest = commands.get_command(context, words[0]), words[1:]
    if isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z-]+", rest[0]):
        return command.commands.get(rest[0]), rest[1:]
    return command, rest


@every_page
def test_make_targets_that_are_named_exist(name):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    spelled = {target for line in code(read(name)) for target in re.findall(r"\bmake ([a-z-]+)", line)}
    assert spelled <= targets


def slugs(page: str) -> set[str]:
    """The anchors that forges make of headings."""
    heads = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@every_page
def test_links_lead_somewhere(name):
    page, here = read(name), (ROOT / name).parent
    broken = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page):
        if "://" in target:
            continue
        path = here / target if target else ROOT / name
        if not path.exists() or (anchor and anchor not in slugs(path.read_text(encoding="utf-8"))):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def packages() -> dict[str, str]:
    """Dotted name -> docstring of every package but the top one.

    The packages inside `compose` and `research` are told by the one around them."""
    return {
        name: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for name, path in modules().items()
        if path.name == "__init__.py"
        and name != "videoscore"
        and not name.startswith(("videoscore.compose.", "videoscore.research."))
    }


def test_architecture_maps_every_room():
    table = read("docs/architecture.md").split("## The rooms")[1].split("##")[0]
    rows = re.findall(r"^\| `([\w./]+)` \|", table, flags=re.MULTILINE)
    rooms = [room for room in ORDER if room not in ("videoscore", "__main__")]
    top = [row.removesuffix(".py").rstrip("/") for row in rows if row.count("/") <= row.endswith("/")]
    assert top == [*rooms, "weights"]  # in the order of imports
    folders = {name.removeprefix("videoscore.").replace(".", "/") + "/" for name in packages()}
    assert {row for row in rows if row.endswith("/")} == folders


@pytest.mark.parametrize("name", sorted(set(packages()) - {"videoscore.weights"}))
def test_a_package_says_what_it_may_import_and_where_to_begin(name):
    text = " ".join(packages()[name].split())
    below, first = re.fullmatch(r".+ May import: (.+)\. Begin with: `(.+)`\.", text).groups()  # type: ignore[union-attr]
    _, room, *inner = name.split(".")
    if inner:
        assert below == f"what `{room}` may"
    else:
        assert below == f"`{ORDER[ORDER.index(room) - 1]}` and what stands below it"
    assert first.startswith(f"videoscore.{room}.") and resolves(first)


def test_a_package_costs_nothing_to_import():
    """`import videoscore.x` runs no module beside it, but for the tables of names."""
    heavy = {}
    for name, path in modules().items():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            imported = {
                node.module
                for node in body
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("videoscore")
            }
            light = {"videoscore.errors", "videoscore.words", "videoscore.workers.executor"}
            if imported - light:
                heavy[name] = imported - light
    assert heavy == {}
