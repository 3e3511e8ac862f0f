"""Sampling: real films made here, compared with what was drawn into them."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media import DATA, Clip, make_clip, run_ffmpeg

from videoscore.errors import BrokenVideo, Cancelled, NotFound
from videoscore.video.frames import Frame
from videoscore.video.probe import probe
from videoscore.video.sample import sample
from videoscore.video.walk import walk

HALF = Fraction(1, 2)
MS = Fraction(1, 500)
CUTS = (40, 63, 100, 150, 177)  # frame numbers, most of them off the key frames
FIXED = ["-sc_threshold", "0"]  # x264 puts no key frame on the cuts


def run(clip: Clip, every: Fraction = HALF, **options) -> list[Frame]:
    """All frames, after the checks that every film has to pass."""
    media = probe(clip.path)
    out = list(sample(media, every, **options))
    times = [f.t for f in out]
    assert times[0] == 0
    assert all(a < b for a, b in zip(times, times[1:]))
    assert abs(times[-1] - clip.times[-1]) <= MS  # the last picture
    assert all(any(abs(t - p) <= MS for p in clip.times) for t in times)
    step = max((b - a for a, b in zip(clip.times, clip.times[1:])), default=Fraction(0))
    assert all(b - a <= every + step for a, b in zip(times, times[1:]))
    last = Fraction(-1)
    for f in out:
        assert f.rgb.dtype == np.uint8
        assert f.rgb.ndim == 3
        assert 0 <= f.motion <= 1
        assert all(last < c.t <= f.t for c in f.cuts)
        last = f.t
    return out


def cut_times(frames: list[Frame]) -> list[Fraction]:
    return [c.t for f in frames for c in f.cuts]


def assert_cuts(frames: list[Frame], clip: Clip) -> None:
    found = cut_times(frames)
    assert len(found) == len(clip.cuts), [float(t) for t in found]
    assert all(abs(a - b) <= MS for a, b in zip(found, clip.cuts))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("intra.mp4", {"gop": 1}),
        ("short.mp4", {"gop": 5, "extra": FIXED}),
        ("half.mp4", {"gop": 12, "extra": FIXED}),
        ("long.mp4", {"gop": 250, "extra": FIXED}),
        (
            "open.ts",
            {"gop": 10, "extra": [*FIXED, "-preset", "medium", "-bf", "3", "-x264-params", "open-gop=1"]},
        ),
        (
            "open.mkv",
            {
                "codec": "libx265",
                "extra": [
                    "-preset",
                    "fast",
                    "-x265-params",
                    "open-gop=1:keyint=10:min-keyint=10:scenecut=0:log-level=error",
                ],
            },
        ),
        ("vfr.mkv", {"gop": 10, "vfr": True, "extra": FIXED}),
        ("program.mpg", {"gop": 12}),
        ("old.avi", {"gop": 12}),
        ("web.webm", {"gop": 12}),
        ("free.ogv", {"gop": 12}),
        ("late.flv", {"start": 3.2}),
        ("full.mp4", {"gop": 5, "pixel": "yuv444p", "extra": FIXED}),
        ("deep.mp4", {"gop": 10, "codec": "libx265", "pixel": "yuv420p10le"}),
        ("anim.gif", {}),
        ("fast.mp4", {"fps": 60}),
        ("ntsc.mp4", {"fps": Fraction(30000, 1001), "pan": 2.0}),
        ("slow.mp4", {"fps": 4, "pan": 3.0}),
    ],
)
def test_cuts_are_exact(tmp_path: Path, name: str, options: dict) -> None:
    fps = options.get("fps", 25)
    clip = make_clip(tmp_path / name, **{"seconds": 200 / fps, "cuts": CUTS, **options})
    assert_cuts(run(clip), clip)


def test_short_gops_are_not_decoded_whole(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "intra.mp4", seconds=8, cuts=[100], gop=5, extra=FIXED, pan=0.2)
    looked = sum(1 for _ in walk(probe(clip.path), HALF))
    assert looked < 50 < len(clip.times)
    whole = make_clip(tmp_path / "long.mp4", seconds=8, cuts=[100], gop=250, extra=FIXED)
    assert sum(1 for _ in walk(probe(whole.path), HALF)) == len(whole.times)


@pytest.mark.parametrize("every", [Fraction(1, 10), Fraction(1, 3), Fraction(2), Fraction(30)])
def test_interval(tmp_path: Path, every: Fraction) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=7, cuts=[80], gop=40)
    frames = run(clip, every)
    assert len(frames) >= 7 / (every + Fraction(1, 25))
    assert len(frames) <= 7 / (every * Fraction(4, 5)) + 3
    assert_cuts(frames, clip)


def test_one_picture(tmp_path: Path) -> None:
    frames = run(make_clip(tmp_path / "one.mp4", seconds=0.04))
    assert len(frames) == 1
    assert frames[0].motion == 0
    assert frames[0].cuts == ()


def test_late_start_is_time_zero(tmp_path: Path) -> None:
    for name in ("late.mp4", "late.ts"):
        clip = make_clip(tmp_path / name, start=1.5, cuts=[20])
        assert_cuts(run(clip), clip)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_upright(tmp_path: Path, turn: int) -> None:
    """A film and the same film turned by its display matrix."""
    straight = run(make_clip(tmp_path / "a.mp4", seconds=0.2))[0].rgb
    turned = run(make_clip(tmp_path / "b.mp4", seconds=0.2, rotate=turn))[0].rgb
    expected = np.rot90(straight, k=turn // 90)  # the display matrix counts counter-clockwise
    assert turned.shape == expected.shape
    assert np.abs(turned.astype(int) - expected).mean() < 2


def test_size_and_pixel_aspect(tmp_path: Path) -> None:
    wide = make_clip(tmp_path / "wide.mp4", seconds=0.2, size=(160, 120), extra=["-aspect", "16:9"])
    assert run(wide, size=64)[0].rgb.shape == (36, 64, 3)
    small = make_clip(tmp_path / "small.mp4", seconds=0.2, size=(64, 48))
    assert run(small, size=260)[0].rgb.shape == (48, 64, 3)  # not enlarged


def test_motion_grows_with_motion_and_leaves_cuts_out(tmp_path: Path) -> None:
    def mean_motion(pan: float, cuts: tuple[int, ...] = ()) -> float:
        clip = make_clip(tmp_path / "m.mp4", seconds=4, pan=pan, cuts=cuts)
        return float(np.mean([f.motion for f in run(clip)[1:]]))

    still, slow, fast = mean_motion(0), mean_motion(0.5), mean_motion(2.5)
    assert still < 0.01 < slow < fast
    assert mean_motion(0, (20, 41, 62, 80)) < 0.01


def test_flashes_and_fades(tmp_path: Path) -> None:
    flashes = make_clip(tmp_path / "f.mp4", seconds=6, cuts=[100], flashes=[40, 41, 70])
    assert_cuts(run(flashes), flashes)
    fade = make_clip(tmp_path / "g.mp4", seconds=6, cuts=[75], fades=[75])
    assert_cuts(run(fade), fade)


def _damage(path: Path, start: float, length: int) -> None:
    data = bytearray(path.read_bytes())
    at = int(len(data) * start)
    data[at : at + length] = np.random.default_rng(3).integers(0, 256, length, np.uint8).tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize("gop", [5, 25, 250])
@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi"])
def test_damage_in_the_middle(tmp_path: Path, name: str, gop: int) -> None:
    clip = make_clip(tmp_path / name, seconds=8, gop=gop, size=(320, 192), pan=2, extra=["-crf", "10"])
    _damage(clip.path, 0.4, 3000)
    frames = list(sample(probe(clip.path), HALF))
    assert frames[0].t == 0
    assert frames[-1].t > 7
    assert len(cut_times(frames)) <= 2


def test_truncated(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", seconds=6, gop=20, cuts=[30])
    clip.path.write_bytes(clip.path.read_bytes()[: clip.path.stat().st_size // 2])
    media = probe(clip.path)
    frames = list(sample(media, HALF))
    assert abs(frames[-1].t - media.duration) < Fraction(1, 5)


def test_file_gone_after_probe(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=0.2)
    media = probe(clip.path)
    clip.path.unlink()
    with pytest.raises(NotFound):
        list(sample(media))


def test_file_broken_after_probe(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2)
    media = probe(clip.path)
    clip.path.write_bytes(clip.path.read_bytes()[:500])
    with pytest.raises(BrokenVideo):
        list(sample(media))


def test_progress_and_cancelling(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2)
    told: list[tuple[str, float, float]] = []
    list(sample(probe(clip.path), HALF, progress=lambda *a: told.append(a)))
    assert {stage for stage, _, _ in told} == {"sample"}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == told[-1][2] == 2

    def stop(stage: str, done: float, total: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        list(sample(probe(clip.path), HALF, progress=stop))


def test_files_are_closed(tmp_path: Path) -> None:
    """Also when the reader stops half-way."""
    fds = Path("/proc/self/fd")
    if not fds.exists():
        pytest.skip("needs /proc")
    clip = make_clip(tmp_path / "a.mp4", seconds=2)
    before = len(list(fds.iterdir()))
    for _ in range(5):
        frames = sample(probe(clip.path), HALF)
        next(frames)
        frames.close()  # type: ignore[attr-defined]
    assert len(list(fds.iterdir())) <= before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("gop", [5, 100])
def test_memory_does_not_grow_with_length(tmp_path: Path, gop: int) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from videoscore.video.probe import probe\nfrom videoscore.video.sample import sample\n"
        "n = sum(1 for _ in sample(probe(Path(sys.argv[1]))))\n"
        "print(n, next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1])\n"
    )
    short = make_clip(tmp_path / "short.mp4", seconds=8, size=(320, 192), gop=gop, cuts=[90]).path
    long = tmp_path / "long.mp4"
    run_ffmpeg("-stream_loop", "19", "-i", short, "-c", "copy", long)
    peaks = []
    for path, seconds in ((short, 8), (long, 160)):
        out = subprocess.run(
            [sys.executable, "-c", code, path],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout.split()
        assert int(out[0]) >= 2 * seconds
        peaks.append(int(out[1]))
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clips/city_bikes_cuts.mp4", [30, 76, 137, 187, 242]),
        ("clips/bbb_first30s_480p.mp4", [285, 378, 553]),
        ("odd/fades.mp4", [84, 167]),
        ("clips/friday_speech_bw.mp4", []),
        ("clips/basketball_kids.mp4", []),
        ("clips/face_woman_emotions_pexels.mp4", []),
    ],
)
def test_real_cuts(name: str, expected: list[int]) -> None:
    media = probe(DATA / "video" / name)
    found = cut_times(list(sample(media, HALF)))
    assert [t / media.video.frame_duration for t in found] == expected


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_real_portrait_is_upright() -> None:
    frame = next(sample(probe(DATA / "video" / "odd" / "portrait.MOV")))
    assert frame.rgb.shape == (384, 216, 3)
