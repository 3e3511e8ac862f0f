"""Writes constraints.txt: every dependency, direct or not, at the version that pip resolves today.

    python scripts/lock.py python3.11 python3.10

The first interpreter's versions hold from its Python on, the second's below it (NumPy and SciPy drop old
Pythons sooner than we do). Builds for one accelerator (+cpu, nvidia-*, triton) are left out: which build
of torch is taken is scripts/setup.py's business.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ".[train,decord,docs,editors,ray,slideshow,studio,dev]"
BUILDS = re.compile(r"^(nvidia-|cuda-|triton$)")
OURS = "videoscore"
# not the newest: the newest of which there are CPU builds wherever this project is tested; and 13 refuses Python
# 3.11.0 to 3.11.4, Debian 12's among them
PINS = ("torch==2.13.0", "pymdown-extensions<13")


def resolve(interpreter: str) -> tuple[str, dict[str, str]]:
    """(version of the interpreter as "3.11", package -> version) for the project with all its extras."""
    release = subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        report, pins = Path(folder) / "report.json", Path(folder) / "pins.txt"
        pins.write_text("\n".join(PINS))
        subprocess.run(
            [
                interpreter,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--dry-run",
                "--ignore-installed",
                "--report",
                str(report),
                "--constraint",
                str(pins),
                EXTRAS,
            ],
            check=True,
            cwd=ROOT,
        )
        packages = json.loads(report.read_text())["install"]
    versions = {}
    for item in packages:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        if name != OURS and not BUILDS.match(name):
            versions[name] = item["metadata"]["version"].partition("+")[0]
    return release, versions


def main(interpreters: list[str]) -> None:
    resolved = [resolve(interpreter) for interpreter in interpreters]
    newest, versions = resolved[0]
    lines = [f"# Made by scripts/lock.py with Python {' and '.join(release for release, _ in resolved)}."]
    below = resolved[1][1] if len(resolved) > 1 else versions
    for name in sorted(versions.keys() | below.keys()):
        here, there = versions.get(name), below.get(name)
        if here == there:
            lines.append(f"{name}=={here}")
            continue
        if here:
            lines.append(f'{name}=={here}; python_version >= "{newest}"')
        if there:
            lines.append(f'{name}=={there}; python_version < "{newest}"')
    (ROOT / "constraints.txt").write_text("\n".join(lines) + "\n")
    print(f"constraints.txt: {len(lines) - 1} lines")


if __name__ == "__main__":
    main(sys.argv[1:] or [sys.executable])
