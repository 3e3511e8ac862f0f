"""Measurements of scored films by other means than the product's own, for the checkers and the tests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import mido
import numpy as np
import soundfile

WINDOW = 0.05  # seconds over which sound or silence is judged
SILENT = -50.0  # dB under the loudest window


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def packet_hash(path: Path, stream: str) -> str:
    """Hash of a stream's packets as they are stored."""
    return ffmpeg(
        "-v", "error", "-i", f"file:{path}", "-map", stream, "-c", "copy", "-f", "hash", "-"
    ).stdout.strip()


def loudness(path: Path) -> tuple[float, float]:
    """(integrated loudness in LUFS, true peak in dBTP) of the default sound track, by ffmpeg's ebur128."""
    log = ffmpeg(
        "-v",
        "info",
        "-nostats",
        "-i",
        f"file:{path}",
        "-map",
        "0:a:0",
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ).stderr
    summary = log[log.rfind("Summary:") :]

    def number(name: str, unit: str) -> float:
        match = re.search(rf"{name}:\s+(-?[\d.]+|-?inf|nan) {unit}", summary)
        return float(match[1]) if match else float("nan")

    return number("I", "LUFS"), number("Peak", "dBFS")


def scene_cuts(path: Path, stream: int) -> list[float]:
    """Times at which ffmpeg's own scene score passes 0.3, seconds on the container's clock."""
    log = ffmpeg(
        "-v",
        "error",
        "-i",
        f"file:{path}",
        "-map",
        f"0:{stream}",
        "-vf",
        "select='gt(scene,0.3)',metadata=print:file=-",
        "-f",
        "null",
        "-",
    ).stdout
    return [float(t) for t in re.findall(r"pts_time:(-?[\d.]+)", log)]


def downbeats(path: Path) -> list[float]:
    """Times of all bar lines of a MIDI file, the last one's end included, in seconds."""
    times = [0.0]
    now, tempo, bar, left = 0.0, 500_000, 4.0, 4.0
    file = mido.MidiFile(path)
    for message in mido.merge_tracks(file.tracks):
        quarters = message.time / file.ticks_per_beat
        while quarters > 1e-9:
            step = min(quarters, left)
            now += step * tempo / 1e6
            quarters -= step
            left -= step
            if left < 1e-9:
                times.append(now)
                left = bar
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "time_signature":
            bar = left = message.numerator * 4 / message.denominator
            times.append(now)
    return times


def summed(stems: Path) -> tuple[np.ndarray, int]:
    """(mono sum of all stems, sample rate)."""
    total, rate = np.zeros(1), 48_000
    for path in sorted(stems.glob("*.wav")):
        sound, rate = soundfile.read(path, dtype="float32")
        mono = sound.mean(axis=1)
        total = mono if len(total) != len(mono) else total + mono
    return total, rate


def levels(music: np.ndarray, rate: int) -> np.ndarray:
    """RMS of every window of `WINDOW` seconds in dB under the loudest."""
    size = round(WINDOW * rate)
    if len(music) < size:
        music = np.pad(music, (0, size - len(music)))
    windows = music[: len(music) // size * size].reshape(-1, size).astype(np.float64)
    rms = np.sqrt((windows**2).mean(axis=1))
    return 20 * np.log10(np.maximum(rms, 1e-9) / max(rms.max(), 1e-9))


def longest_silence(music: np.ndarray, rate: int) -> float:
    """Seconds of the longest stretch under `SILENT` between the first and the last sound."""
    sounding = np.flatnonzero(levels(music, rate) > SILENT)
    return float(np.diff(sounding).max(initial=1) - 1) * WINDOW


def end_level(music: np.ndarray, rate: int) -> float:
    """Peak of the last 10 ms in dB under the music's peak: how far the last note has died."""
    last = np.abs(music[-rate // 100 :]).max(initial=0.0)
    return float(20 * np.log10(max(last, 1e-9) / max(np.abs(music).max(initial=0.0), 1e-9)))


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in [heads, *rows]
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])
