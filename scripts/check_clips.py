"""Scores every clip of a folder and measures what came out, by other means than the product's own.

    python scripts/check_clips.py ../shared/data/video/clips [--out FOLDER] [--only NAME] [-- OPTIONS]

OPTIONS go to `videoscore`. Prints a Markdown table; exits with 1 when a figure misses its target.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import measure

from videoscore.cues.file.sheet_file import load
from videoscore.errors import VideoscoreError
from videoscore.stages import probe

VIDEO = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".flv"}


@dataclass(frozen=True)
class Figure:
    """One measured figure: as text, and whether it holds."""

    text: str
    holds: bool = True


def score(clip: Path, output: Path, options: list[str]) -> tuple[int, dict, str]:
    """(exit code, result, stderr) of the command."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "videoscore",
            str(clip),
            "-o",
            str(output),
            "--json",
            "--overwrite",
            "--keep",
            "midi,wav,stems",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    last = json.loads(lines[-1]) if lines else {}
    return done.returncode, last, done.stderr.strip()


def check(clip: Path, folder: Path, options: list[str], target: float) -> dict[str, Figure]:
    """All figures of one clip."""
    output = folder / f"{clip.stem}.mp4"
    begin = time.monotonic()
    code, result, said = score(clip, output, options)
    took = time.monotonic() - begin
    figures = {"exit": Figure(str(code), code == 0)}
    if code:
        return figures | {"message": Figure(said, False)}
    original, written, sheet = probe(clip), probe(output), load(output.with_suffix(".cues.json"))
    video = original.video
    figures["s"] = Figure(f"{float(original.duration):.2f}")
    figures["time"] = Figure(f"{took:.1f}")
    figures["cues"] = Figure(str(len(sheet.cues)))
    figures["notes/s"] = _densest(output, sheet, result)
    same = measure.packet_hash(clip, f"0:{video.index}") == measure.packet_hash(output, "0:v:0")
    figures["hash"] = Figure("equal" if same else "DIFFERS", same)
    off = abs(written.duration - original.duration) / video.frame_duration
    figures["off, frames"] = Figure(f"{float(off):.2f}", off <= 1)

    music, rate = measure.summed(output.with_suffix("").with_name(output.stem + ".stems"))
    end, silence = measure.end_level(music, rate), measure.longest_silence(music, rate)
    figures["end, dB"] = Figure(f"{end:.0f}", end < -40)
    figures["silence, s"] = Figure(f"{silence:.2f}", silence <= 1.5)
    integrated, peak = measure.loudness(output)
    long = original.duration > 3
    figures["LUFS"] = Figure(f"{integrated:.1f}", not long or abs(integrated - target) <= 1)
    figures["dBTP"] = Figure(f"{peak:.1f}", peak <= -1)

    frame = float(video.frame_duration)
    on_cuts = [float(cue.start) for cue in sheet.cues if cue.start_on == "cut"]
    seen = [float(c) for c in sheet.cuts]
    other = [t - float(video.start) for t in measure.scene_cuts(clip, video.index)]
    figures["on cuts"] = Figure(f"{len(on_cuts)}/{len(sheet.cues) - 1}")
    figures["to cut, frames"] = _deviation(on_cuts, seen, frame)
    figures["to ffmpeg's cut"] = Figure(_deviation(on_cuts, other, frame).text)
    bars = measure.downbeats(output.with_suffix(".mid"))
    worst = max(min(abs(float(t) - b) for b in bars) for cue in sheet.cues for t in (cue.start, cue.end))
    figures["downbeat, ms"] = Figure(f"{1000 * worst:.3f}", worst < 0.001)
    return figures


def _densest(output: Path, sheet, result: dict) -> Figure:
    """Notes a second of the densest cue, in the MIDI as played."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(str(output.with_suffix(".mid")))
    starts = [n.start for instrument in midi.instruments for n in instrument.notes]
    most = max(sum(cue.start <= t < cue.end for t in starts) / float(cue.duration) for cue in sheet.cues)
    return Figure(f"{most:.1f}")


def _deviation(times: list[float], cuts: list[float], frame: float) -> Figure:
    if not times:
        return Figure("-")
    if not cuts:
        return Figure("none", False)
    worst = max(min(abs(t - c) for c in cuts) for t in times) / frame
    return Figure(f"{worst:.2f}", worst <= 1)


def main() -> int:
    arguments = sys.argv[1:]
    options = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="keep the results there")
    parser.add_argument("--only", default="", help="clips whose names hold this")
    parser.add_argument("--target", type=float, default=-14.0, help="loudness that is asked for")
    arguments_read = parser.parse_args(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    clips = sorted(
        p
        for p in arguments_read.folder.iterdir()
        if p.suffix.lower() in VIDEO and arguments_read.only in p.name
    )
    with tempfile.TemporaryDirectory(prefix="videoscore-clips-") as temporary:
        out = arguments_read.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        results: dict[str, dict[str, Figure]] = {}
        for clip in clips:
            print(clip.name, file=sys.stderr, flush=True)
            try:
                results[clip.name] = check(clip, out, options, arguments_read.target)
            except (VideoscoreError, OSError, ValueError) as error:
                results[clip.name] = {
                    "exit": Figure("?", False),
                    "message": Figure(f"check failed: {error}", False),
                }
    heads = list(dict.fromkeys(name for figures in results.values() for name in figures))
    rows = [
        [
            clip,
            *((f"{f.text}{'' if f.holds else ' !'}" if (f := figures.get(name)) else "") for name in heads),
        ]
        for clip, figures in results.items()
    ]
    print(measure.table(["clip", *heads], rows))
    misses = [
        f"{clip}: {name} {f.text}"
        for clip, figures in results.items()
        for name, f in figures.items()
        if not f.holds
    ]
    print(f"\n{len(clips)} clips, {len(misses)} misses" + "".join(f"\n  {m}" for m in misses))
    return 1 if misses or not clips else 0


if __name__ == "__main__":
    sys.exit(main())
