"""Imports run one way: from the command line down to the ground, and never in a circle.

Lazy imports inside functions and those for type checkers count like any other.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Rooms (packages, or modules at the top) from the ground up; a room may import what stands before it, and itself.
ORDER = (
    *(
        "file_names",
        "errors",
        "progress",
        "words",
        "resources",
        "files",
        "user_folders",
        "cache",
        "settings",
        "audio",
        "workers",
    ),
    *("video", "music", "mood", "cues", "compose", "perform", "library", "pipeline", "stages"),
    *("text", "preview", "slides", "batch", "studio", "service", "research", "system", "videoscore", "cli"),
    "__main__",
)


def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the package."""
    names = {}
    for path in sorted((ROOT / "videoscore").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports() -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports, by statement, by a table of names, or by `-m`."""
    there = modules()
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in there.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                graph[name] |= {a.name for a in node.names if a.name in there}
            elif (
                isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "videoscore"
            ):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    graph[name].add(inner if inner in there else node.module)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = re.fullmatch(r"(videoscore(?:\.\w+)+)(?::\w+)?", node.value)
                if match and match[1] in there:
                    graph[name].add(match[1])
        graph[name].discard(name)
    return graph


def room(module: str) -> str:
    """The room of a module; the package itself, which only hands on names, is a room near the top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def test_every_room_has_its_place():
    assert {room(name) for name in modules()} - {"weights"} == set(ORDER)


def test_imports_run_one_way():
    """`videoscore` itself is imported for its version, by whoever tells it: that is no arrow."""
    up = {
        f"{a} -> {b}"
        for a, targets in imports().items()
        for b in targets
        if b != "videoscore" and ORDER.index(room(a)) < ORDER.index(room(b))
    }
    assert up == set()


def test_no_module_imports_in_a_circle():
    graph = imports()
    done: set[str] = set()
    path: list[str] = []
    circles: list[str] = []

    def visit(name: str) -> None:
        if name in path:
            circles.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            path.append(name)
            for target in sorted(graph[name] - {"videoscore"}):
                visit(target)
            path.pop()
            done.add(name)

    for name in sorted(graph):
        visit(name)
    assert circles == []
