"""Builds the wheel and proves that it works alone: installed in a fresh environment outside the
repository, it scores a made clip, and the picture's packets stay what they were.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).parent))

from setup import CPU_BUILDS, reachable  # noqa: E402

# what a wheel that lacks it could not work without
CARRIES = (
    "videoscore/compose/figures.json",
    "videoscore/compose/passages.npz",
    "videoscore/weights/SHA256SUMS",
    "videoscore/presets/cinematic.toml",
    "videoscore/soundfonts/registry.toml",
    "videoscore/py.typed",
)
MOST_MB = 60


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise SystemExit(
            f"wheel: {' '.join(map(str, command))} ended with {done.returncode}\n"
            f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel, its contents checked."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    wheel = next(folder.glob("*.whl"))
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in CARRIES if name not in names]
    if missing:
        raise SystemExit(f"wheel: {', '.join(missing)} not in {wheel.name}")
    strange = [name for name in names if not name.startswith(("videoscore/", "videoscore-"))]
    if strange:
        raise SystemExit(f"wheel: {', '.join(strange[:5])} has no business in {wheel.name}")
    size = wheel.stat().st_size / 1e6
    if size > MOST_MB:
        raise SystemExit(f"wheel: {size:.0f} MB is more than {MOST_MB} MB")
    print(f"wheel: {wheel.name}, {len(names)} files, {size:.1f} MB", flush=True)
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """The interpreter of a fresh environment that holds the wheel and its dependencies, nothing else."""
    begin = time.monotonic()
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    extra = (
        ["--extra-index-url", CPU_BUILDS] if platform.system() == "Linux" and reachable(CPU_BUILDS) else []
    )
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        ROOT / "constraints.txt",
        *extra,
        wheel,
        cwd=folder,
    )
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    print(f"wheel: installed alone in {time.monotonic() - begin:.0f} s, {size / 1e9:.2f} GB", flush=True)
    nvidia = [p.name for p in folder.glob("lib/python*/site-packages/nvidia*")]
    if extra and nvidia:
        raise SystemExit(f"wheel: {', '.join(nvidia)} came along although CPU builds can be reached")
    return python


def prove(python: Path, folder: Path) -> None:
    """Score a clip of two shots with the installed command and look at what comes out."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ffmpeg = run(
        python, "-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())", cwd=folder
    ).strip()
    clip, scored = folder / "clip.mp4", folder / "scored.mp4"
    run(
        ffmpeg,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=25:d=3",
        "-f",
        "lavfi",
        "-i",
        "color=c=navy:s=320x180:r=25:d=3",
        "-f",
        "lavfi",
        "-i",
        "sine=f=300:d=6",
        "-filter_complex",
        "[0:v][1:v]concat=n=2:v=1[v]",
        "-map",
        "[v]",
        "-map",
        "2:a",
        "-pix_fmt",
        "yuv420p",
        clip,
        cwd=folder,
    )
    place = run(python, "-c", "import videoscore; print(videoscore.__file__)", cwd=folder, env=env).strip()
    if not Path(place).is_relative_to(python.parents[1]):
        raise SystemExit(f"wheel: {place} is imported, not the installed package")
    command = python.parent / "videoscore"
    run(command, "doctor", cwd=folder, env=env)
    answer = run(command, clip, "-o", scored, "--json", cwd=folder, env=env)
    result = json.loads(answer.splitlines()[-1])

    def packets(path: Path) -> str:
        return run(
            ffmpeg, "-v", "error", "-i", path, "-map", "0:v:0", "-c", "copy", "-f", "hash", "-", cwd=folder
        )

    if packets(clip) != packets(scored):
        raise SystemExit("wheel: the picture was changed")
    if not (result["notes"] > 0 and scored.with_suffix(".cues.json").is_file()):
        raise SystemExit(f"wheel: no music or no cue sheet: {result}")
    print(
        f"wheel: works alone; {result['notes']} notes for {result['duration']:.0f} s in "
        f"{sum(result['seconds'].values()):.0f} s",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="videoscore-wheel-") as name:
        folder = Path(name)
        prove(install(build(folder), folder / "venv"), folder)


if __name__ == "__main__":
    main()
