"""What a small crafted file claims is not believed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from media import make_clip, run_ffmpeg

from videoscore.errors import TooLarge
from videoscore.video import bounds
from videoscore.video.probe import probe
from videoscore.video.sample import sample


@pytest.mark.parametrize("tracks, said", [(33, "33 sound tracks"), (100, "101 streams")])
def test_more_tracks_than_a_film_has_are_refused(tmp_path, tracks, said):
    film = make_clip(tmp_path / "film.mkv", seconds=1, audio="tone").path
    many = tmp_path / "many.mkv"
    run_ffmpeg("-i", film, "-map", "0:v", *["-map", "0:a"] * tracks, "-c", "copy", many)
    with pytest.raises(TooLarge, match=said):
        probe(many)


def stretched(path, factor):
    """One second of film whose times are `factor` as far apart."""
    film = make_clip(path.with_name("film.mkv"), seconds=1).path
    run_ffmpeg("-i", film, "-c", "copy", "-bsf:v", f"setts=ts=TS*{factor}:duration=1", path)
    return path


def test_times_beyond_a_day_are_refused_and_those_within_it_are_not(tmp_path):
    with pytest.raises(TooLarge, match=r"lasts 2[0-9]\.[0-9] hours|lasts [0-9,]+\.[0-9] hours"):
        probe(stretched(tmp_path / "days.mkv", 100_000))
    assert 22 * 3600 < probe(stretched(tmp_path / "day.mkv", 86_000)).duration < 24 * 3600


def test_a_picture_beyond_the_bound_is_refused_before_it_is_decoded(tmp_path):
    film = tmp_path / "huge.mkv"
    run_ffmpeg(
        "-f", "lavfi", "-i", "color=s=8200x8200:r=10:d=0.2", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", film
    )
    with pytest.raises(TooLarge, match="8200 x 8200"):
        probe(film)


def test_pictures_that_grow_in_the_middle_of_a_film_count_as_damaged(tmp_path, monkeypatch):
    small = make_clip(tmp_path / "small.ts", seconds=2, size=(64, 48)).path
    large = make_clip(tmp_path / "large.ts", seconds=2, size=(320, 240), start=2.0).path
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    every = Fraction(1, 2)
    shapes = {frame.rgb.shape[:2] for frame in sample(probe(both), every, 384)}
    assert (240, 320) in shapes
    monkeypatch.setattr(bounds, "MOST_PIXELS", 100 * 100)
    shapes = {frame.rgb.shape[:2] for frame in sample(probe(both), every, 384)}
    assert shapes == {(48, 64)}
