"""Remakes all that lies in `examples/` and can be heard or seen, and docs/pictures/day.png, from seeds.

    python scripts/examples.py        # or: make examples

Needs espeak-ng beside what videoscore needs (two lines of the film are said by it).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import imageio_ffmpeg

sys.path.insert(0, str(Path(__file__).resolve().parent))
import own_film

from videoscore.mood.circle import MOODS

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SECONDS, SEED = 12, 3
# What is drawn is read as Tired from end to end, so its moods are said.
WORDS = "0:00 Peaceful, 0:11 Happy, 0:22 Angry, 0:31 Tired"
FILM_SEED = 5
SCENE = 11  # seconds of the first scene, in which somebody speaks
MOST = 3_000_000  # bytes of all


def videoscore(*words: str | Path) -> None:
    print("examples: videoscore", *words, flush=True)
    command = [sys.executable, "-m", "videoscore", *map(str, words), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def ffmpeg(*words: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, words)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def ogg(source: Path, target: Path, *more: str) -> None:
    """Vorbis of about 70 kbit/s; the same bytes each time."""
    ffmpeg(
        "-i",
        source,
        *more,
        "-vn",
        "-map_metadata",
        "-1",
        "-c:a",
        "libvorbis",
        "-q:a",
        "0.5",
        "-bitexact",
        target,
    )


def moods(work: Path) -> None:
    (EXAMPLES / "moods").mkdir(exist_ok=True)
    for mood in MOODS:
        wav = work / f"{mood}.wav"
        videoscore("bed", "-o", wav, "--mood", mood, "--seconds", str(SECONDS), "--seed", str(SEED))
        ogg(wav, EXAMPLES / "moods" / f"{mood.lower()}.ogg")


def film(work: Path) -> None:
    """The film, scored; its first scene before and after; the picture of its timeline."""
    day, scored = EXAMPLES / "day.mp4", work / "day.scored.mp4"
    own_film.write(day, imageio_ffmpeg.get_ffmpeg_exe())
    videoscore(day, "-o", scored, "--mood", WORDS, "--seed", str(FILM_SEED))
    small = ["-map", "0", "-c", "copy", "-c:a:0", "aac", "-b:a:0", "80k", "-movflags", "+faststart"]
    ffmpeg("-i", scored, *small, EXAMPLES / "day.scored.mp4")  # the picture's packets stay what they are
    (EXAMPLES / "day.scored.cues.json").write_bytes(scored.with_suffix(".cues.json").read_bytes())
    ogg(day, EXAMPLES / "scene.before.ogg", "-t", str(SCENE))
    ogg(scored, EXAMPLES / "scene.after.ogg", "-t", str(SCENE))
    videoscore("preview", day, "-o", ROOT / "docs" / "pictures" / "day.png", "--mood", WORDS, "--overwrite")


def photos() -> None:
    (EXAMPLES / "photos").mkdir(exist_ok=True)
    for number, (shot, seconds) in enumerate(own_film.SHOTS, 1):
        image = own_film.SCENES[shot](0.4 * seconds)
        image.save(EXAMPLES / "photos" / f"{number}-{shot}.jpg", quality=70)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        photos()
        film(Path(folder))
        moods(Path(folder))
    files = [f for f in EXAMPLES.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    size = sum(f.stat().st_size for f in files)
    print(f"examples: {len(files)} files, {size / 1e6:.2f} MB")
    return size > MOST


if __name__ == "__main__":
    raise SystemExit(main())
