"""Draws the film of `examples/`: four scenes of a day, its sounds made of noise and sines, two lines said by espeak-ng.

Everything is made here from numbers, so that it may be given away. Used by scripts/examples.py.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, FPS, RATE = 480, 270, 25, 48000
SCALE = 2  # drawn larger, for smooth edges
W, H = WIDTH * SCALE, HEIGHT * SCALE
Colour = tuple[int, int, int]
# seconds of each shot, and what is in it; the sound changes with the scene
SHOTS = (
    ("dawn", 11.0),
    ("meadow", 4.0),
    ("balloons", 3.0),
    ("flowers", 4.0),
    ("storm", 9.0),
    ("night", 11.0),
)
LINES = (
    ("dawn", 1.5, "Every morning, the sea is the first to wake."),
    ("night", 1.5, "And at night, one lamp waits."),
)


def sky(top: Colour, bottom: Colour, power: float = 1.0) -> Image.Image:
    """A vertical gradient."""
    share = (np.linspace(0, 1, H) ** power)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (H, W, 3)).astype(np.uint8))


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, fill: Colour) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def hill(draw: ImageDraw.ImageDraw, base: float, height: float, phase: float, fill: Colour) -> None:
    ridge = [(x, base - height * math.sin(x / W * math.pi * 1.5 + phase)) for x in range(0, W + 20, 20)]
    draw.polygon([*ridge, (W, H), (0, H)], fill=fill)


def dawn(t: float) -> Image.Image:
    up = t / 11
    image = sky((40 + int(60 * up), 60 + int(70 * up), 120 + int(40 * up)), (255, 190, 130), 1.4)
    draw = ImageDraw.Draw(image)
    sun = H * (0.66 - 0.3 * up)
    for k in range(8, 0, -1):
        disc(draw, W * 0.62, sun, 40 + 9 * k, (255, 205 + 5 * (8 - k), 140 + 8 * (8 - k)))
    draw.rectangle((0, H * 0.62, W, H), fill=(70, 110, 150))
    for k in range(40):
        y = H * 0.62 + (k / 40) ** 1.6 * H * 0.38
        x = W * 0.62 + math.sin(k * 2.4 + t * 0.9) * (20 + 3 * k)
        draw.line((x - 20 - 3 * k, y, x + 20 + 3 * k, y), fill=(250, 200, 150), width=3)
    return image


def meadow(t: float) -> Image.Image:
    image = sky((70, 160, 250), (200, 235, 255))
    draw = ImageDraw.Draw(image)
    disc(draw, W * 0.85, H * 0.16, 50, (255, 240, 130))
    hill(draw, H * 0.72, 60, 0.4 + t * 0.05, (120, 200, 90))
    hill(draw, H * 0.85, 50, 2.0 + t * 0.08, (90, 180, 70))
    for k, colour in enumerate(((235, 60, 60), (250, 190, 40), (60, 110, 235), (235, 90, 190))):
        balloon(
            draw,
            W * (0.15 + 0.2 * k) + 30 * math.sin(1.7 * t + k),
            H * (0.75 - 0.12 * t - 0.05 * k),
            34,
            colour,
        )
    return image


def balloon(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.line((x, y + r, x + 6, y + 3.2 * r), fill=(90, 90, 90), width=2)
    draw.ellipse((x - r, y - 1.2 * r, x + r, y + 1.2 * r), fill=colour)
    disc(draw, x - r * 0.3, y - r * 0.4, r * 0.2, (255, 255, 255))


def balloons(t: float) -> Image.Image:
    image = sky((90, 180, 255), (180, 225, 255))
    draw = ImageDraw.Draw(image)
    colours = ((235, 60, 60), (250, 190, 40), (60, 110, 235), (235, 90, 190), (80, 200, 110))
    for k in range(9):
        x, y = (
            W * (0.06 + 0.11 * k) + 40 * math.sin(2 * t + 2 * k),
            H * (1.1 - 0.35 * t + 0.3 * math.sin(5 * k)),
        )
        balloon(draw, x, y, 60, colours[k % 5])
    return image


def flowers(t: float) -> Image.Image:
    image = sky((150, 215, 255), (120, 205, 90), 0.6)
    draw = ImageDraw.Draw(image)
    for k in range(14):
        x, y = W * ((k * 0.37) % 1.0) + 12 * math.sin(1.5 * t + k), H * (0.45 + 0.5 * ((k * 0.61) % 1.0))
        draw.line((x, y, x, H), fill=(60, 140, 50), width=5)
        colour = ((250, 80, 110), (255, 215, 60), (255, 255, 255), (200, 110, 240))[k % 4]
        for p in range(6):
            a = p * math.pi / 3 + 0.3 * t
            disc(draw, x + 22 * math.cos(a), y + 22 * math.sin(a), 16, colour)
        disc(draw, x, y, 14, (250, 170, 40))
    return image


FLASHES = (1.6, 3.4, 3.6, 6.2)  # of the storm, in its seconds


def storm(t: float) -> Image.Image:
    lit = any(0 <= t - f < 0.12 for f in FLASHES)
    image = sky((150, 150, 175), (90, 80, 95)) if lit else sky((18, 18, 26), (62, 40, 44))
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(5)
    for _ in range(26):
        x, y, r = rng.uniform(0, W), rng.uniform(-20, H * 0.4), rng.uniform(50, 110)
        grey = int(rng.uniform(22, 52)) + 60 * lit
        disc(draw, (x + 50 * t) % (W + 200) - 100, y, r, (grey, grey, grey + 6))
    if lit:
        x, y = W * 0.4, H * 0.2
        for _ in range(7):
            to = (x + rng.uniform(-50, 60), y + H * 0.09)
            draw.line((x, y, *to), fill=(255, 255, 230), width=6)
            x, y = to
    hill(draw, H * 0.9, 40, 1.0, (14, 16, 14))
    for x, y in rng.uniform((0, 0), (W, H), (60, 2)):  # rain, each drop falling on
        y = (y + 700 * t) % (H + 60) - 30
        draw.line((x, y, x - 14, y + 44), fill=(105, 110, 125), width=3)
    return image


def night(t: float) -> Image.Image:
    image = sky((8, 12, 38), (30, 42, 84))
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(9)
    for x, y, phase in rng.uniform((0, 0, 0), (W, H * 0.7, 6), (90, 3)):
        light = int(150 + 70 * math.sin(1.2 * t + phase))
        disc(draw, x, y, 2, (light, light, light))
    disc(draw, W * (0.2 + 0.01 * t), H * 0.22, 46, (240, 236, 210))
    hill(draw, H * 0.86, 34, 0.8, (10, 14, 24))
    x, y = W * 0.64, H * 0.62
    draw.rectangle((x, y, x + 150, y + 110), fill=(22, 20, 26))
    draw.polygon(((x - 16, y), (x + 75, y - 60), (x + 166, y)), fill=(16, 14, 20))
    warm = int(210 + 12 * math.sin(3 * t))
    draw.rectangle((x + 55, y + 32, x + 95, y + 72), fill=(255, warm, 120))
    glow = image.filter(ImageFilter.GaussianBlur(14))
    return Image.blend(image, glow, 0.35)


SCENES: dict[str, Callable[[float], Image.Image]] = {
    "dawn": dawn,
    "meadow": meadow,
    "balloons": balloons,
    "flowers": flowers,
    "storm": storm,
    "night": night,
}


def picture(shot: str, t: float) -> Image.Image:
    """One picture of a shot, `t` seconds into it, in the film's size."""
    return SCENES[shot](t).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def pictures() -> Iterator[Image.Image]:
    for shot, seconds in SHOTS:
        for number in range(round(seconds * FPS)):
            yield picture(shot, number / FPS)


# ---------------------------------------------------------------- its sound


def noise(n: int, low: float, high: float, seed: int) -> np.ndarray:
    """(n,) noise between two frequencies in Hz, of RMS 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / RATE)
    sound = np.fft.irfft(spectrum * ((f > low) & (f < high)) / np.maximum(f, 30) ** 0.5, n)
    return sound / np.sqrt((sound**2).mean())


def surroundings(shot: str, seconds: float) -> np.ndarray:
    """(n,) what is heard of a shot."""
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    if shot == "dawn":
        return 0.018 * noise(n, 100, 2500, 1) * (1.2 + np.sin(2 * np.pi * t / 4.5))
    if shot == "storm":
        sound = 0.03 * noise(n, 800, 9000, 2)
        for k, flash in enumerate(FLASHES):
            after = t - flash - 0.25
            sound += (after > 0) * 0.16 * noise(n, 30, 160, 3 + k) * np.exp(-1.6 * np.maximum(after, 0))
        return sound
    if shot == "night":
        pulses = (np.sin(2 * np.pi * 18 * t) > 0.3) * (np.sin(2 * np.pi * 0.8 * t) > 0)
        return 0.006 * np.sin(2 * np.pi * 4200 * t) * pulses + 0.004 * noise(n, 60, 500, 4)
    sound = 0.006 * noise(n, 200, 3000, 5)
    for k in range(int(seconds * 2)):  # birds
        after = t - 0.5 * k - 0.1
        inside = (after > 0) & (after < 0.12)
        sound += inside * 0.04 * np.sin(2 * np.pi * (2600 + 400 * (k % 3) + 6000 * after) * after)
    return sound


def said(text: str, folder: Path) -> np.ndarray:
    """(n,) a line of speech by espeak-ng, at `RATE`."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("examples: espeak-ng isn't installed: sudo apt-get install espeak-ng")
    path = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "135", "-w", path, text], check=True)
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    at = np.arange(0, len(samples) - 1, rate / RATE)
    return 0.7 * np.interp(at, np.arange(len(samples)), samples)


def sound() -> np.ndarray:
    """(n,) the whole film's own sound, between -1 and 1."""
    begins = dict(zip((s for s, _ in SHOTS), np.cumsum([0.0, *(d for _, d in SHOTS)])))
    whole = np.concatenate([surroundings(shot, seconds) for shot, seconds in SHOTS])
    with tempfile.TemporaryDirectory() as folder:
        for shot, after, text in LINES:
            words, at = said(text, Path(folder)), round((begins[shot] + after) * RATE)
            whole[at : at + len(words)] += words
    return np.clip(whole, -1, 1)


def write(film: Path, ffmpeg: str) -> None:
    """The film, H.264 and AAC."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "sound.wav"
        with wave.open(str(own), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((sound() * 32767).astype("<i2").tobytes())
        command = [
            ffmpeg,
            "-v",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{WIDTH}x{HEIGHT}",
        ]
        command += [
            "-r",
            str(FPS),
            "-i",
            "pipe:0",
            "-i",
            str(own),
            "-c:v",
            "libx264",
            "-crf",
            "33",
            "-preset",
            "slow",
        ]
        command += ["-tune", "animation"]
        command += ["-pix_fmt", "yuv420p", "-threads", "1", "-c:a", "aac", "-b:a", "48k", "-ac", "1"]
        command += ["-movflags", "+faststart", "-bitexact", str(film)]
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert encoder.stdin is not None
        for image in pictures():
            encoder.stdin.write(image.tobytes())
        encoder.stdin.close()
        if encoder.wait():
            raise SystemExit(f"examples: ffmpeg ended with {encoder.returncode}")
