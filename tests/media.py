"""Makes small test films with known times, cuts and sound.

Every film is drawn with numpy, piped into imageio-ffmpeg's binary and comes back as a
`Clip` that says what is in it, so that tests compare with the truth and not with a
second decoder.
"""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

RATE = 48000
_SUFFIX_CODECS = {
    ".webm": ("libvpx-vp9", "libopus"),
    ".ogv": ("libtheora", "libvorbis"),
    ".avi": ("mpeg4", "pcm_s16le"),
    ".gif": ("gif", ""),
    ".mpg": ("mpeg2video", "mp2"),
    ".flv": ("libx264", "aac"),
    ".ts": ("libx264", "aac"),
}
_CODEC_ARGS = {
    "libx264": ["-preset", "ultrafast", "-crf", "18"],
    "libx265": ["-preset", "ultrafast", "-x265-params", "log-level=error"],
    "libvpx-vp9": ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "500k"],
    "mpeg4": ["-q:v", "3"],
    "mpeg2video": ["-q:v", "3"],
    "mpeg1video": ["-q:v", "3"],
    "libtheora": ["-q:v", "7"],
}
_SRT = "1\n00:00:00,100 --> 00:00:00,900\nHello\n\n2\n00:00:01,000 --> 00:00:01,800\nGood bye\n"


@dataclass(frozen=True)
class Clip:
    """What was made. Times are seconds from the first picture.

    times : of every picture. cuts : first picture of every shot but the first.
    duration : end of the last picture.
    """

    path: Path
    times: tuple[Fraction, ...]
    cuts: tuple[Fraction, ...]
    duration: Fraction


@cache
def ffmpeg() -> str:
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def run_ffmpeg(*args: str | Path, stdin: bytes | None = None) -> str:
    """Run the binary; return stdout. Raises AssertionError with ffmpeg's words when it fails."""
    command = [ffmpeg(), "-hide_banner", "-loglevel", "error", "-nostdin" if stdin is None else "-y", "-y"]
    done = subprocess.run(
        [*command, *map(str, args)],
        check=False,
        input=stdin,
        capture_output=True,
        timeout=120,
        stdin=subprocess.DEVNULL if stdin is None else None,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


def packet_hash(path: Path, stream: str = "0:v:0") -> str:
    """Hash of a stream's packets as they are stored."""
    return run_ffmpeg("-i", f"file:{path}", "-map", stream, "-c", "copy", "-f", "hash", "-").strip()


def shot_picture(shot: int, width: int, height: int) -> NDArray[np.uint8]:
    """A random smooth picture (height, 2 * width, 3), another one for every `shot`."""
    rng = np.random.default_rng(1000 + shot)
    coarse = rng.uniform(0.0, 1.0, (5, 9, 3)) * 110 + rng.uniform(10, 130, 3)
    y = np.linspace(0, 3.999, height)
    x = np.linspace(0, 7.999, 2 * width)
    yi, xi = y.astype(int), x.astype(int)
    wy, wx = (y - yi)[:, None, None], (x - xi)[None, :, None]
    top = coarse[yi][:, xi] * (1 - wx) + coarse[yi][:, xi + 1] * wx
    low = coarse[yi + 1][:, xi] * (1 - wx) + coarse[yi + 1][:, xi + 1] * wx
    return np.clip(top * (1 - wy) + low * wy, 0, 255).astype(np.uint8)


def pictures(
    count: int,
    cuts: Sequence[int],
    width: int,
    height: int,
    pan: float,
    fades: Sequence[int] = (),
    flashes: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """(count, height, width, 3): a slow pan over a new picture after every frame number in `cuts`.

    pan : pixels a frame. fades : frames at the middle of a fade to black and back (10 frames each
    side). flashes : frames that are white, one frame long.
    """
    out = np.empty((count, height, width, 3), np.uint8)
    starts = [0, *cuts]
    for n in range(count):
        shot = sum(1 for s in starts if s <= n) - 1
        x = width - abs(int((n - starts[shot]) * pan) % (2 * width) - width)  # there and back
        out[n] = shot_picture_cached(shot, width, height)[:, x : x + width]
        for f in fades:
            out[n] = (out[n] * min(1.0, abs(n - f) / 10)).astype(np.uint8)
        if n in flashes:
            out[n] = 250
    return out


@cache
def shot_picture_cached(shot: int, width: int, height: int) -> NDArray[np.uint8]:
    return shot_picture(shot, width, height)


def write_wav(path: Path, samples: NDArray[np.floating], rate: int = RATE) -> Path:
    """Write float samples (n, channels) in [-1, 1] as 16-bit PCM."""
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as w:
        w.setnchannels(pcm.shape[1])
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(pcm.tobytes())
    return path


def sound(kind: str, seconds: float, channels: int = 2, rate: int = RATE) -> NDArray[np.float64]:
    """(n, channels): "tone" (440 Hz), "clicks" (1 ms burst on every second) or "silence"."""
    n = round(seconds * rate)
    t = np.arange(n) / rate
    if kind == "tone":
        mono = 0.3 * np.sin(2 * np.pi * 440 * t)
    elif kind == "clicks":
        mono = np.where(np.arange(n) % rate < rate // 1000, 0.8, 0.0)
    elif kind == "silence":
        mono = np.zeros(n)
    else:
        raise ValueError(kind)
    return np.repeat(mono[:, None], channels, axis=1)


def make_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: Fraction | int = 25,
    cuts: Sequence[int] = (),
    size: tuple[int, int] = (160, 96),
    audio: str | None = None,
    channels: int = 2,
    audio_offset: float = 0.0,
    rotate: int = 0,
    vfr: bool = False,
    codec: str | None = None,
    pixel: str | None = None,
    gop: int = 50,
    start: float = 0.0,
    pan: float = 0.5,
    fades: Sequence[int] = (),
    flashes: Sequence[int] = (),
    subtitles: bool = False,
    chapters: bool = False,
    extra: Sequence[str] = (),
) -> Clip:
    """Make a film and say what is in it.

    cuts, fades, flashes : frame numbers (see `pictures`). audio : a kind of `sound`, starting
    `audio_offset` seconds after the picture. rotate : degrees counter-clockwise in the display
    matrix (mp4/mov). vfr : the second half runs at half the rate. start : seconds of the first
    picture on the container's clock. gop : most frames between key frames; encoders may put
    more. chapters also sets a title. extra : further output arguments of ffmpeg.
    """
    fps = Fraction(fps)
    count = max(1, round(seconds * fps))
    half = count // 2 if vfr else count
    times = [Fraction(min(n, half) + 2 * max(0, n - half)) / fps for n in range(count)]
    last = 1 / fps
    codec = codec or _SUFFIX_CODECS.get(path.suffix.lower(), ("libx264",))[0]
    plain = path.with_name(f"plain_{path.name}") if rotate else path

    raw = pictures(count, cuts, *size, pan, fades, flashes).tobytes()
    args: list[str | Path] = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{size[0]}x{size[1]}",
        "-r",
        str(fps),
        "-i",
        "pipe:0",
    ]
    maps = ["-map", "0:v"]
    beside: list[Path] = []
    if audio:
        wav = write_wav(path.with_name(path.name + ".wav"), sound(audio, float(times[-1] + last), channels))
        args += ["-itsoffset", str(audio_offset), "-i", f"file:{wav}"]
        maps += ["-map", f"{len(beside) + 1}:a"]
        beside.append(wav)
    if subtitles:
        srt = path.with_name(path.name + ".srt")
        srt.write_text(_SRT)
        args += ["-i", f"file:{srt}"]
        maps += ["-map", f"{len(beside) + 1}:s"]
        beside.append(srt)
    if chapters:
        meta = path.with_name(path.name + ".meta")
        meta.write_text(
            ";FFMETADATA1\ntitle=A test film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\n"
            "title=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
        )
        args += ["-f", "ffmetadata", "-i", f"file:{meta}"]
        maps += ["-map_metadata", str(len(beside) + 1)]
        beside.append(meta)
    speed = f"setpts='if(lt(N,{half}),N,2*N-{half})/({fps}*TB)'"
    args += [*maps, "-c:v", codec, *_CODEC_ARGS.get(codec, []), "-g", str(gop), "-threads", "1"]
    if vfr:
        args += [
            "-vf",
            speed,
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "1:1000" if path.suffix in (".mkv", ".webm") else "1:90000",
        ]
    pixel = pixel or ("yuv420p" if codec != "gif" else None)
    args += ["-pix_fmt", pixel] if pixel else []
    args += ["-c:a", _SUFFIX_CODECS.get(path.suffix.lower(), ("", "aac"))[1]] if audio else []
    args += (
        ["-c:s", {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt"}.get(path.suffix, "srt")]
        if subtitles
        else []
    )
    args += ["-output_ts_offset", str(start)] if start else []
    run_ffmpeg(*args, *extra, f"file:{plain}", stdin=raw)
    if rotate:
        run_ffmpeg(
            "-display_rotation", str(rotate), "-i", f"file:{plain}", "-map", "0", "-c", "copy", f"file:{path}"
        )
        plain.unlink()
    for b in beside:
        b.unlink()
    return Clip(path, tuple(times), tuple(times[c] for c in cuts), times[-1] + last)


def picture(kind: str, h: int = 146, w: int = 260) -> np.ndarray:
    """Fixed synthetic pictures: a warm sky over a field, a dark noisy alley."""
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    if kind == "field":
        sky = np.stack([255 - 60 * y, 200 - 40 * y + 20 * x, 120 + 100 * y], -1)
        grass = np.stack([60 + 20 * np.sin(40 * x), 140 + 40 * np.sin(25 * x + 9 * y), 40 + 0 * x], -1)
        return np.where((y < 0.55)[..., None], sky, grass).clip(0, 255).astype(np.uint8)
    rng = np.random.default_rng(5)
    alley = 25 + 50 * np.abs(x - 0.5)[..., None] + rng.normal(0, 8, (h, w, 1)) * np.ones(3)
    return alley.clip(0, 255).astype(np.uint8)
