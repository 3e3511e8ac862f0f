"""One suite over both decoders: the same film gives the same samples and cuts, or decord says that it won't."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from conftest import run_command
from media import DATA, make_clip

from videoscore.errors import InputError
from videoscore.video.frames import Frame
from videoscore.video.probe import probe
from videoscore.video.sample import sample

HALF = Fraction(1, 2)
FIXED = ["-sc_threshold", "0"]
CUTS = [40, 63, 100]


@pytest.fixture(params=["pyav", "decord", "auto"])
def decoder(request) -> str:
    if request.param == "decord":
        pytest.importorskip("decord", reason='needs the extra: pip install "videoscore[decord]"')
    return str(request.param)


def cuts(frames: list[Frame]) -> list[Fraction]:
    return [c.t for f in frames for c in f.cuts]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("long.mp4", {"gop": 250}),
        ("short.mkv", {"gop": 5}),
        ("b_frames.mp4", {"gop": 60, "extra": [*FIXED, "-preset", "medium", "-bf", "3"]}),
        ("vfr.mkv", {"gop": 60, "vfr": True}),
    ],
)
def test_times_and_cuts_are_exact(tmp_path, decoder, name, options):
    clip = make_clip(tmp_path / name, seconds=5, cuts=CUTS, **{"extra": FIXED, **options})
    frames = list(sample(probe(clip.path), HALF, decoder=decoder))
    assert frames[0].t == 0 and abs(frames[-1].t - clip.times[-1]) <= Fraction(1, 500)
    assert all(any(abs(f.t - t) <= Fraction(1, 500) for t in clip.times) for f in frames)
    assert len(cuts(frames)) == len(clip.cuts)
    assert all(abs(a - b) <= Fraction(1, 500) for a, b in zip(cuts(frames), clip.cuts))


def test_pictures_are_the_same(tmp_path, decoder):
    clip = make_clip(tmp_path / "film.mp4", seconds=3, cuts=[40], gop=250, extra=FIXED)
    media = probe(clip.path)
    here = {f.t: f for f in sample(media, HALF, decoder=decoder)}
    there = {f.t: f for f in sample(media, HALF, decoder="pyav")}
    assert here.keys() == there.keys()
    for t, frame in here.items():
        assert frame.rgb.shape == there[t].rgb.shape
        assert np.abs(frame.rgb.astype(int) - there[t].rgb).mean() < 3
        assert frame.motion == pytest.approx(there[t].motion, abs=0.02)


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("film.ts", {}, "without an index"),
        ("film.mp4", {"pixel": "yuv444p"}, "4:4:4"),
        ("turned.mp4", {"rotate": 90}, "turned"),
    ],
)
def test_what_decord_gets_wrong_it_refuses_and_auto_reads(tmp_path, decoder, name, options, why):
    clip = make_clip(tmp_path / name, seconds=2, cuts=[25], **options)
    media = probe(clip.path)
    if decoder == "decord":
        with pytest.raises(InputError, match=why):
            list(sample(media, HALF, decoder=decoder))
    else:
        assert len(cuts(list(sample(media, HALF, decoder=decoder)))) == 1


def test_the_command_takes_it(film, tmp_path, decoder):
    said = run_command("analyze", film.path, "--decoder", decoder, "--json", "-o", tmp_path / "a.json")
    assert said.code == 0, said.err
    assert run_command("analyze", film.path, "--decoder", "vlc").code == 2


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("folder", ["clips", "odd"])
def test_real_and_odd_films_are_read_alike_or_refused(folder):
    pytest.importorskip("decord", reason='needs the extra: pip install "videoscore[decord]"')
    if not DATA.is_dir():
        pytest.skip("needs the real material in ../shared/data")
    for path in sorted((DATA / "video" / folder).iterdir()):
        try:
            media = probe(path)
            frames = list(sample(media, HALF, decoder="decord"))
        except InputError:
            continue
        by_time = {f.t: f for f in sample(media, HALF, decoder="pyav")}
        common = [(f, by_time[f.t]) for f in frames if f.t in by_time]
        assert len(common) >= 1
        apart = [float(np.abs(a.rgb.mean((0, 1)) - b.rgb.mean((0, 1))).max()) for a, b in common]
        assert max(apart) < 12, (path.name, max(apart))
