"""Make the pictures of docs/sound.md: spectrogram and loudness over time of the music of some cue sheets, alone.

    python scripts/sound_docs.py SHEET.json [SHEET.json ...] [--out docs/pictures] [--preset cinematic]

One picture a sheet, `sound_NAME.png`. Cue sheets are those of `videoscore analyze FILM --cues SHEET.json`; of the film
itself nothing is shown.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.signal import stft

from videoscore.audio.loudness import Meter
from videoscore.cues.file.sheet_file import load
from videoscore.cues.sheet import CueSheet
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.soundtrack import master_stems, render_stems
from videoscore.pipeline.write import write
from videoscore.settings.build import build

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
BANDS, LOWEST, HIGHEST = 160, 30.0, 16000.0  # of the spectrogram, Hz
FLOOR = -70.0  # dB under the loudest that is still drawn
WINDOWS = {"short-term (3 s)": 30, "momentary (0.4 s)": 4}  # in tenths of a second (EBU Tech 3341)


def sounded(sheet: CueSheet, preset: str) -> tuple[np.ndarray, int]:
    """(samples, 2) of the music of a cue sheet, mastered, and its rate."""
    options, clock = build(preset=preset), Clock()
    music = write(replace(sheet, preset=preset), options, clock).arrangement
    with tempfile.TemporaryDirectory() as folder:
        stems = render_stems(music, Path(folder) / "stems", options.render, clock)
        (whole,) = master_stems(stems, music, Path(folder) / "music.wav", options, clock)
        return soundfile.read(whole.path, dtype="float32")


def spectrogram(sound: np.ndarray, rate: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the bands in Hz, and (BANDS, about `columns`) dB under the loudest."""
    step = max(256, len(sound) // columns)
    hertz, _, frames = stft(sound.mean(axis=1), rate, nperseg=8192, noverlap=max(0, 8192 - step))
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    power = np.cumsum(np.abs(frames) ** 2, axis=0)
    # between the bins of the transform, since the lowest bands are narrower than these
    upto = np.stack([np.interp(edges, hertz, column) for column in power.T], axis=1)
    levels = 10 * np.log10(np.maximum(np.diff(upto, axis=0), 1e-14))
    return edges, levels - levels.max()


def levels(sound: np.ndarray, rate: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of the middle of each window of `size` tenths of a second, and its LUFS."""
    meter = Meter(rate)
    meter.add(sound)
    hops = np.array(meter.energies)
    size = min(size, len(hops))
    means = np.convolve(hops, np.full(size, 1 / size), "valid")
    return (np.arange(len(means)) + size / 2) / 10, -0.691 + 10 * np.log10(np.maximum(means, 1e-7))


def picture(sheet: CueSheet, sound: np.ndarray, rate: int, path: Path) -> None:
    figure = Figure(figsize=(7.2, 3.9), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    end = len(sound) / rate
    edges, drawn = spectrogram(sound, rate, 700)
    above.pcolormesh(
        np.linspace(0, end, drawn.shape[1] + 1),
        edges,
        drawn,
        vmin=FLOOR,
        vmax=0,
        cmap="magma",
        rasterized=True,
    )
    above.set_yscale("log")
    above.set_yticks([63, 250, 1000, 4000, 16000], ["63", "250", "1k", "4k", "16k"])
    above.set_ylabel("Hz")
    for name, size in reversed(WINDOWS.items()):
        t, loud = levels(sound, rate, size)
        below.plot(
            t, loud, lw=1.6 if size > 10 else 0.6, label=name, color="tab:blue" if size > 10 else "0.6"
        )
    below.set_ylim(-45, -5)
    below.set_ylabel("LUFS")
    below.set_xlabel("seconds")
    below.legend(loc="lower right", fontsize=7)
    for cue in sheet.cues:
        for axes in (above, below):
            axes.axvline(float(cue.start), color="c", lw=0.7)
        for hit in cue.hits:
            below.axvline(float(hit.t), color="tab:red", lw=0.6, ls=":")
        if cue.duration > end / 14:
            above.text(float(cue.start), HIGHEST * 1.1, f" {cue.mood}", fontsize=7, va="bottom")
    above.set_xlim(0, end)
    figure.draw_without_rendering()
    canvas.print_png(path)
    _smaller(path)


def _smaller(path: Path) -> None:
    """The same picture with a palette of 128 colours: a third of the bytes."""
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sheets", type=Path, nargs="+", metavar="SHEET.json")
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--preset", default="cinematic")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in arguments.sheets:
        sheet = load(path)
        sound, rate = sounded(sheet, arguments.preset)
        target = arguments.out / f"sound_{path.name.partition('.')[0]}.png"
        picture(sheet, sound, rate, target)
        print(f"{target}: {target.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
