"""The cut detector on pictures made here: no files, no decoding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import pictures

from videoscore.video.cuts import HEIGHT, WIDTH, CutDetector, Look, ScoredCut, alike, structure


def looks(
    count: int, cuts: list[int], fps: int = 25, pan: float = 0.4, noise: float = 1.5, **more
) -> list[Look]:
    """A film of `count` tiny pictures in YCbCr, with sensor noise."""
    rng = np.random.default_rng(7)
    rgb = pictures(count, cuts, WIDTH, HEIGHT, pan, **more).astype(float)
    r, g, b = (rgb[..., n] for n in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    planes = np.stack([16 + y * 0.86, 128 + (b - y) * 0.5, 128 + (r - y) * 0.6], axis=1)
    planes += rng.normal(0, noise, planes.shape)
    planes = np.clip(planes, 0, 255).astype(np.uint8)
    return [Look(Fraction(n, fps), p) for n, p in enumerate(planes)]


def detect(film: list[Look]) -> list[ScoredCut]:
    """All cuts; checks on the way that none comes later than `open_from` promised."""
    detector = CutDetector()
    out: list[ScoredCut] = []
    promised = Fraction(-1)
    for look in film:
        detector.push(look)
        new = detector.take()
        assert all(f.cut.t >= promised for f in new)
        out += new
        limit = detector.open_from
        promised = max(promised, look.t if limit is None else limit)
    detector.finish()
    out += detector.take()
    assert detector.open_from is None
    return out


def frames(found: list[ScoredCut], fps: int = 25) -> list[Fraction]:
    return [f.cut.t * fps for f in found]


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(9, 40), min_size=1, max_size=6),
    pan=st.floats(0, 1),
    fps=st.sampled_from([4, 24, 60]),
)
def test_hard_cuts_are_found_to_the_picture(lengths: list[int], pan: float, fps: int) -> None:
    cuts = [int(n) for n in np.cumsum(lengths)]
    film = looks(cuts[-1] + 12, cuts, fps, pan)
    found = detect(film)
    assert frames(found, fps) == cuts
    for f in found:
        n = int(f.cut.t * fps)
        assert f.before.t == film[n - 1].t
        assert f.after is film[n]
        assert 0 < f.cut.strength <= 1


def test_no_cut_in_one_shot() -> None:
    for pan in (0.0, 0.4, 1.0, 3.0):
        assert detect(looks(100, [], pan=pan)) == []
    still = looks(1, [])[0]
    assert detect([Look(Fraction(n, 25), still.planes) for n in range(60)]) == []


@pytest.mark.parametrize("flashes", [[50], [50, 51], [30, 60, 61]])
def test_flashes_are_no_cuts(flashes: list[int]) -> None:
    assert detect(looks(100, [], flashes=flashes)) == []


def test_flash_does_not_hide_a_cut() -> None:
    assert frames(detect(looks(120, [80], flashes=[40]))) == [80]


def test_fade_through_black_counts_once_at_the_darkest() -> None:
    assert frames(detect(looks(120, [60], fades=[60], noise=0.3))) == [60]


def test_black_at_start_and_end_is_no_cut() -> None:
    film = looks(100, [], fades=[0, 99], noise=0.3)
    assert film[0].black
    assert film[99].black
    assert detect(film) == []


def test_cut_to_a_long_black_and_back_is_two_cuts() -> None:
    film = looks(150, [])
    black = np.zeros_like(film[0].planes) + np.array([16, 128, 128], np.uint8)[:, None, None]
    film = [Look(p.t, black) if 40 <= n < 100 else p for n, p in enumerate(film)]
    assert frames(detect(film)) == [40, 100]


def test_repeated_pictures_do_not_make_cuts() -> None:
    """A film of 8 pictures a second inside 24: two of three repeat the one before."""
    slow = looks(60, [30], fps=8, pan=1.5)
    film = [Look(Fraction(n, 24), slow[n // 3].planes) for n in range(180)]
    assert frames(detect(film), 24) == [90]


def test_slide_show() -> None:
    slides = looks(5, [1, 2, 3, 4], noise=0)
    film = [Look(Fraction(n, 25), slides[n // 30].planes) for n in range(150)]
    assert frames(detect(film)) == [30, 60, 90, 120]


def test_pictures_after_a_skip_are_not_compared() -> None:
    film = looks(60, [30])
    detector = CutDetector()
    for n, look in enumerate(film):
        detector.push(look, blind=n == 30)
    detector.finish()
    assert detector.take() == []


@settings(max_examples=30, deadline=None)
@given(gain=st.floats(0.5, 1.0), offset=st.integers(0, 40))
def test_structure_ignores_brightness(gain: float, offset: int) -> None:
    look = looks(1, [], noise=0)[0]
    planes = look.planes.copy()
    planes[0] = np.clip(planes[0] * gain + offset, 0, 255)
    assert structure(look, Look(look.t, planes)) < 0.35


def test_shots_are_not_alike_but_a_slow_pan_is() -> None:
    film = looks(40, [20], pan=0.1)
    assert alike(film[0], film[12])
    assert not alike(film[19], film[20])


def test_empty_and_single() -> None:
    assert detect([]) == []
    assert detect(looks(1, [])) == []
    assert len(detect(looks(2, [1]))) == 1
