"""What the documentation's site has beside docs/: pages made from code, pages and files that lie elsewhere.

A hook of MkDocs (mkdocs.yml names it). Links keep working in both places: in the tree, and in the site.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
ELSEWHERE = "project"  # the site's folder for what lies outside of docs/
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]+)?\))")


def on_files(files: Files, config: Any) -> Files:
    """Add what is linked from outside of docs/, and the pages made from code."""
    made = {
        "reference/commands.md": commands(),
        "reference/cue-sheet-schema.md": schema(),
        "reference/python.md": python_names(),
        "reference/models.md": models(),
    }
    for place, text in made.items():
        files.append(File.generated(config, place, content=text))
    for path in sorted(outside()):
        place = posixpath.join(ELSEWHERE, path.relative_to(ROOT).as_posix())
        if path.suffix == ".md":
            files.append(File.generated(config, place, content=path.read_text(encoding="utf-8")))
        else:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as they have to be in the site."""
    here = posixpath.dirname(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        place = site_place(source_of(page.file.src_uri), match[2])
        return match[0] if place is None else f"{match[1]}{posixpath.relpath(place, here or '.')}{match[3]}"

    return "".join(part if fenced else LINK.sub(moved, part) for part, fenced in parts(markdown))


def parts(markdown: str) -> list[tuple[str, bool]]:
    """The text between fences, and within (True)."""
    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return [(piece, k % 2 == 1) for k, piece in enumerate(pieces)]


def source_of(place: str) -> Path:
    """Where a page of the site lies in the tree."""
    return ROOT / posixpath.relpath(place, ELSEWHERE) if place.startswith(f"{ELSEWHERE}/") else DOCS / place


def site_place(source: Path, target: str) -> str | None:
    """Where in the site the target of a link in the file `source` is; None where the link stays as it is."""
    if "://" in target or target.startswith("mailto:"):
        return None
    path = (source.parent / target).resolve()
    if path == DOCS / "models":
        return "reference/models.md"
    if path.is_dir():
        path = path / "README.md"
    if not path.is_file() or not path.is_relative_to(ROOT):
        return None
    inner = path.is_relative_to(DOCS)
    return path.relative_to(DOCS).as_posix() if inner else f"{ELSEWHERE}/{path.relative_to(ROOT).as_posix()}"


def outside() -> set[Path]:
    """Files outside of docs/ to which pages lead, from page to page."""
    found: set[Path] = set()
    pages = [*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]
    seen: set[Path] = set()
    while pages:
        page = pages.pop()
        if page in seen:
            continue
        seen.add(page)
        if not page.is_relative_to(DOCS):
            found.add(page)
        for text, fenced in parts(page.read_text(encoding="utf-8")):
            for match in LINK.finditer("" if fenced else text):
                place = site_place(page, match[2])
                if place and place.startswith(f"{ELSEWHERE}/"):
                    path = source_of(place)
                    found.add(path)
                    pages += [path] if path.suffix == ".md" else []
    return found


# ---------------------------------------------------------------- pages made from code


def commands() -> str:
    """Every command with its help, as it prints it."""
    from videoscore.cli.main import COMMANDS, commands

    top = click.Context(commands, info_name="videoscore")
    lines = [
        "# Every command's options",
        "",
        "Made from the commands themselves; `videoscore COMMAND --help` says the same.",
        "",
    ]
    for name in COMMANDS:
        command = commands.get_command(top, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=top)
        lines += helped(f"videoscore {name}", context, 2)
        if isinstance(command, click.Group):
            for sub, one in command.commands.items():
                lines += helped(
                    f"videoscore {name} {sub}", click.Context(one, info_name=sub, parent=context), 3
                )
    return "\n".join(lines)


def helped(name: str, context: click.Context, level: int) -> list[str]:
    context.max_content_width = context.terminal_width = 78
    return [f"{'#' * level} {name}", "", "```text", context.get_help().replace("\b\n", ""), "```", ""]


def schema() -> str:
    """The schema's objects as tables, and the whole of it."""
    document = json.loads((DOCS / "cue-sheet.schema.json").read_text(encoding="utf-8"))
    lines = ["# Schema of the cue sheet", "", document["description"], ""]
    lines += [
        "[cue-sheet.md](../cue-sheet.md) tells it for people; the file is ",
        "[here](../cue-sheet.schema.json).",
        "",
    ]
    for name, part in {"the sheet": document, **document["$defs"]}.items():
        if "properties" in part:
            lines += [f"## {name}", "", "| field | type | what it is |", "|---|---|---|"]
            required = part.get("required", ())
            for field, what in part["properties"].items():
                told = what.get("description", "") + (" Required." if field in required else "")
                lines.append(f"| `{field}` | {kind(what)} | {told.strip()} |")
            lines.append("")
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return "\n".join([*lines, "## The whole", "", "```json", text, "```", ""])


def kind(what: dict[str, Any]) -> str:
    if "$ref" in what:
        return what["$ref"].rpartition("/")[2]
    if "const" in what:
        return f"`{json.dumps(what['const'])}`"
    if "enum" in what:
        return ", ".join(f"`{json.dumps(one)}`" for one in what["enum"])
    told = what.get("type", "")
    told = " or ".join(told) if isinstance(told, list) else told
    return f"{told} of {kind(what['items'])}" if "items" in what else told


def python_names() -> str:
    """The public names, by mkdocstrings from their docstrings."""
    import videoscore
    from videoscore import stages

    lines = [
        "# Python names",
        "",
        "Examples that run: [From Python](../python-api.md).",
        "",
        "## videoscore",
        "",
    ]
    for name in videoscore.__all__:
        if not name.startswith("__"):
            place = videoscore._PUBLIC[name]
            dotted = place.replace(":", ".") if ":" in place else f"{place}.{name}"
            lines += [
                f"::: {dotted}",
                "    options:",
                f"      heading: {name}",
                f"      toc_label: {name}",
                "",
            ]
    lines += ["## videoscore.stages", ""]
    for name in stages.__all__:
        stage = getattr(stages, name)
        lines += [f"::: {stage.__module__}.{stage.__qualname__}", ""]
    return "\n".join(lines)


def models() -> str:
    """The cards of all models."""
    lines = ["# What is measured, and how", ""]
    lines += [
        "Each model has a card: what it learnt from, its licence, its figures beside chance, its limits.",
        "",
    ]
    for path in sorted((DOCS / "models").glob("*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        lines.append(f"- [{title}](../models/{path.name})")
    lines += [
        "",
        "[How figures are remade](../../CONTRIBUTING.md#how-figures-are-remade) has the command for each; speed and "
        "memory are in [benchmarks](../../benchmarks/README.md).",
        "",
    ]
    return "\n".join(lines)
