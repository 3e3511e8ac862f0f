"""Scores every file of a folder of odd ones: exit code, message or output, time, stray files.

    python scripts/check_odd.py ../shared/data/video/odd [--out FOLDER]

Each is copied to a folder of its own first. Exits with 1 when one gives a traceback, more than one line of
error, an undocumented code, a changed picture, a stray file, or takes longer than --limit seconds.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

from videoscore.errors import VideoscoreError
from videoscore.stages import probe

DOCUMENTED = {0, 2, 3, 4, 5}
MUSIC_RATE = 48000
FLAGLESS = {".avi", ".flv", ".ts", ".mpg"}  # these know no default track: players take the first


def check(path: Path, folder: Path, limit: float) -> tuple[list[str], str]:
    """(row of the table, what is wrong or "")."""
    copy = folder / path.name
    shutil.copy(path, copy)
    before = copy.read_bytes()
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "videoscore", str(copy), "--quiet"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=limit,
        )
        code, stderr_text = done.returncode, done.stderr.strip()
    except subprocess.TimeoutExpired:
        code, stderr_text = -1, f"still running after {limit:.0f} s"
    took = time.monotonic() - begin
    files = sorted(p.name for p in folder.iterdir() if p != copy)
    wrong = []
    if code not in DOCUMENTED:
        wrong.append(f"code {code}")
    if "Traceback" in stderr_text or len(stderr_text.splitlines()) > 1:
        wrong.append("more than a line of error")
    if copy.read_bytes() != before:
        wrong.append("the input was changed")
    message = stderr_text.replace(str(folder) + "/", "").replace("|", "\\|")
    if code == 0:
        message, more = _written(copy, folder, files)
        wrong += more
    elif files:
        wrong.append(f"left {files}")
    return [path.name, str(code), f"{took:.1f}", message], "; ".join(wrong)


def _written(copy: Path, folder: Path, made: list[str]) -> tuple[str, list[str]]:
    """What came out, and what is wrong with it."""
    outputs = [name for name in made if not name.endswith(".cues.json")]
    if len(made) != 2 or len(outputs) != 1:
        return str(made), ["not one film and one cue sheet"]
    try:
        original, scored = probe(copy), probe(folder / outputs[0])
    except VideoscoreError as error:
        return str(error), ["the result can't be probed"]
    wrong = []
    index = f"0:{original.video.index}"
    if measure.packet_hash(copy, index) != measure.packet_hash(
        folder / outputs[0], f"0:{scored.video.index}"
    ):
        wrong.append("the picture was changed")
    if abs(original.duration - scored.duration) > original.video.frame_duration:
        wrong.append("another length")
    if scored.video.rotation != original.video.rotation:
        wrong.append("another rotation")
    first = next(iter(scored.audio), None)
    if first is None or first.sample_rate != MUSIC_RATE or len(scored.audio) != len(original.audio) + 1:
        wrong.append("the music isn't the first sound track")
    elif not first.default and (folder / outputs[0]).suffix.lower() not in FLAGLESS:
        wrong.append("the music isn't the default sound")
    turned = f", rotated {original.video.rotation}" if original.video.rotation else ""
    return f"{outputs[0]}: {float(scored.duration):.2f} s{turned}, {len(scored.audio)} sound tracks", wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="keep the results there")
    parser.add_argument("--limit", type=float, default=300.0)
    options = parser.parse_args()
    rows, misses = [], []
    with tempfile.TemporaryDirectory(prefix="videoscore-odd-") as temporary:
        for k, path in enumerate(sorted(p for p in options.folder.iterdir() if p.suffix != ".csv")):
            print(path.name, file=sys.stderr, flush=True)
            place = (options.out or Path(temporary)) / f"{k:02d}"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            row, wrong = check(path, place, options.limit)
            rows.append([*row, wrong])
            misses += [f"{path.name}: {wrong}"] if wrong else []
    print(measure.table(["file", "exit", "s", "message or output", "wrong"], rows))
    print(f"\n{len(rows)} files, {len(misses)} misses" + "".join(f"\n  {m}" for m in misses))
    return 1 if misses or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
