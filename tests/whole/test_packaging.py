"""What the package promises to installers: versions, dependencies, a public surface that costs nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from conftest import command_environment
from packaging.specifiers import SpecifierSet

import videoscore

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# distribution -> module, where they differ
MODULES = {
    "pillow": "PIL",
    "imageio-ffmpeg": "imageio_ffmpeg",
    "pyfluidsynth": "fluidsynth",
    "scikit-learn": "sklearn",
    "silero-vad": "silero_vad",
    "decord2": "decord",
    "pillow-heif": "pillow_heif",
}


def requirements(lines: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9_.-]+", line)[0].lower() for line in lines}  # type: ignore[index]


def imported() -> dict[str, set[str]]:
    """Third-party module -> files of the product that import it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "videoscore").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names and top != "videoscore":
                    found.setdefault(top, set()).add(str(path.relative_to(ROOT)))
    return found


def test_dependencies_are_those_that_are_imported():
    needed = requirements(PROJECT["dependencies"])
    training = requirements(PROJECT["optional-dependencies"]["train"])
    single = {
        "ray": "videoscore/workers/on_ray.py",
        "opentimelineio": "videoscore/cues/markers.py",
        "music21": "videoscore/music/leadsheet.py",
        "decord2": "videoscore/video/decord_walk.py",
    }
    assert set(single) == {
        name
        for extra in ("ray", "editors", "decord")
        for name in requirements(PROJECT["optional-dependencies"][extra])
    }
    studio = requirements(PROJECT["optional-dependencies"]["studio"])
    serving = requirements(PROJECT["optional-dependencies"]["serve"])
    slides = requirements(PROJECT["optional-dependencies"]["slideshow"])
    every = needed | training | studio | serving | slides | set(single)
    modules = {MODULES.get(name, name): name for name in every}
    undeclared = {m: files for m, files in imported().items() if m not in modules}
    assert undeclared == {}
    weights = {
        name for name in training if name.endswith("_pytorch_model")
    }  # files are read, nothing imported
    unused = set(modules) - set(imported()) - {"tomli"} - weights
    assert unused == set()
    for module, files in imported().items():
        if modules[module] in (training | slides) - needed:
            rooms = tuple(
                room
                for names, room in ((training, "videoscore/research/"), (slides, "videoscore/slides/"))
                if modules[module] in names
            )
            assert all(f.startswith(rooms) for f in files), (module, files)
        if module in single:
            assert files == {single[module]}
        if modules[module] in studio | serving:
            rooms = ("videoscore/studio/", "videoscore/service/")
            assert all(f.startswith(rooms) for f in files), (module, files)


def test_every_dependency_is_pinned_exactly():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if not line.startswith("#")}
    assert all(
        re.match(r"^[a-z0-9-]+==[^ ;]+(; python_version (<|>=) \"3\.\d+\")?$", line)
        for line in lines
        if not line.startswith("#")
    )
    wanted = requirements(PROJECT["dependencies"]) | {
        name for extra in PROJECT["optional-dependencies"].values() for name in requirements(extra)
    }
    assert {name.replace("_", "-").replace(".", "-") for name in wanted} <= pinned


def test_no_package_of_one_accelerator_is_installed():
    from importlib.metadata import distributions

    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "nvidia" not in constraints and "triton" not in constraints
    if sys.prefix == str(ROOT / ".venv") and sys.platform == "linux":
        torch = next(d for d in distributions() if d.metadata["Name"] == "torch")
        if torch.version.endswith("+cpu"):
            assert not [d for d in distributions() if (d.metadata["Name"] or "").startswith("nvidia")]


def test_the_version_is_said_once():
    assert PROJECT["dynamic"] == ["version"]
    said = subprocess.run(
        [sys.executable, "-m", "videoscore", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=command_environment(),
    ).stdout
    assert videoscore.__version__ in said
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {videoscore.__version__}" in changes


def test_importing_costs_nothing_and_every_public_name_is_there():
    code = (
        "import sys, videoscore\n"
        "assert not {'torch', 'numpy', 'av', 'click'} & set(sys.modules), sorted(sys.modules)\n"
        "for name in videoscore.__all__: getattr(videoscore, name)\n"
        "from videoscore import stages\n"
        "for name in stages.__all__: assert callable(getattr(stages, name)), name\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=command_environment())
    with pytest.raises(AttributeError):
        videoscore.nothing  # noqa: B018


def test_weights_are_listed_with_their_checksums():
    from videoscore.system import WEIGHTS, checksums

    listed = checksums()
    assert set(listed) == {p.name for p in WEIGHTS.glob("*.safetensors")}, "run: make checksums"


def test_no_module_or_function_of_the_product_outgrows_a_reading():
    """400 lines a file, 60 a function, its docstring included."""
    long = {}
    for path in (ROOT / "videoscore").rglob("*.py"):
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
        if (lines := len(text.splitlines())) > 400:
            long[name] = lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long[f"{name}: {node.name}"] = lines
    assert long == {}


def test_readme_names_the_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in readme and "make test" in ci and "make demo" in readme


def test_ci_forge_and_pre_commit_run_the_same_commands():
    def read(name: str) -> str:
        return (ROOT / name).read_text(encoding="utf-8")

    forge, ours = read(".github/workflows/ci.yml"), read(".ci/run")
    assert set(re.findall(r"\bmake (\w+)", forge)) == set(re.findall(r"^make (\w+)", ours, re.MULTILINE))
    matrix = re.search(r"python: \[(.+)\]", forge)[1]  # type: ignore[index]
    named = [c.split(" :: ")[-1] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert re.findall(r"3\.\d+", matrix) == named
    lint = re.search(r"^lint:.*\n((?:\t.+\n)+)", read("Makefile"), re.MULTILINE)[1]  # type: ignore[index]
    tools = [line.removeprefix("-m ").removesuffix(" .") for line in re.findall(r"-m .+", lint)]
    hooks = [
        hook.replace(" --force-exclude", "")
        for hook in re.findall(r"-m (.+)", read(".pre-commit-config.yaml"))
    ]
    assert hooks == tools


def test_the_set_up_script_can_ask_for_system_parts():
    import json

    import setup  # scripts/setup.py

    said = subprocess.run(
        [sys.executable, "-c", setup.LACKS],
        capture_output=True,
        text=True,
        check=True,
        env=command_environment(),
    )
    assert json.loads(said.stdout)["library"] is True


def test_pinned_versions_take_every_release_of_this_python():
    """Debian 12 has 3.11.2: a version that begins at 3.11.5 would keep `make test` from setting up there."""
    first = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    pins = set(re.findall(r"^([a-z0-9-]+)==([^;\s]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    checked = 0
    for package in distributions():
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        needs = package.metadata["Requires-Python"]
        if needs and (name, package.version.partition("+")[0]) in pins:
            assert first in SpecifierSet(needs), f"{name} {package.version} needs Python {needs}"
            checked += 1
    assert checked > 50
