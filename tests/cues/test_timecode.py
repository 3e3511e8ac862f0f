"""Time codes of every rate, and what another library reads in the files with markers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import make_clip, run_ffmpeg
from sheets import cue, two_cues

from videoscore.cues.file.sheet_file import load, save
from videoscore.cues.markers import edl, otio
from videoscore.cues.sheet import CueSheet, HitPoint
from videoscore.cues.timecode import Timecode, film_timecode, read_rate
from videoscore.errors import UsageError
from videoscore.video.frame_rate import PictureCount, nominal_rate, picture_count
from videoscore.video.probe import probe

N24, N30, N60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = [N24, Fraction(24), Fraction(25), N30, Fraction(30), Fraction(50), N60, Fraction(60)]
COUNTS = [*(Timecode(rate) for rate in RATES), Timecode(N30, drop=True), Timecode(N60, drop=True)]
IDS = [f"{float(c.rate):.5g}{'DF' if c.drop else ''}" for c in COUNTS]
MINUTES = 10


def ten_minutes() -> CueSheet:
    """Hit points all over ten minutes, some of them between two pictures."""
    film = two_cues()
    times = [Fraction(k * 7_321, 1000) for k in range(1, 81)]
    first = replace(film.cues[0], end=Fraction(600), hits=tuple(HitPoint(t, "cut", 1.0) for t in times))
    return replace(film, duration=Fraction(600), cues=(first,))


def library() -> object:
    return pytest.importorskip("opentimelineio")


@given(st.sampled_from(COUNTS), st.integers(0, 2_000_000))
def test_a_time_code_names_its_picture(count: Timecode, frame: int) -> None:
    assert count.number(count.text(frame)) == frame


@pytest.mark.parametrize("count", COUNTS, ids=IDS)
@given(st.integers(0, 24 * 3600 * 24))
def test_another_library_writes_the_same(count: Timecode, frame: int) -> None:
    time = library().opentime.RationalTime(frame, float(count.rate))
    assert count.text(frame) == library().opentime.to_timecode(time, float(count.rate), count.drop)


def test_with_dropped_numbers_an_hour_is_an_hour() -> None:
    for count in COUNTS[-2:]:
        frame = count.frame(Fraction(3600))
        assert count.text(frame) == "01:00:00;00"
    assert Timecode(N30).text(Timecode(N30).frame(Fraction(3600))) == "00:59:56:12"  # without: 3.6 s late
    assert [Timecode(N30, True).text(n) for n in (1799, 1800, 17981, 17982)] == [
        "00:00:59;29", "00:01:00;02", "00:09:59;29", "00:10:00;00"
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["01:00:00", "25:00:00:00", "00:01:00;00", "00:00:00:30", "hello", ""])
def test_no_time_code(text: str) -> None:
    with pytest.raises(UsageError, match="no time code"):
        Timecode(N30, drop=True).number(text)


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-25), Fraction(10**6)])
def test_rates_that_cannot_be_counted(rate: Fraction) -> None:
    with pytest.raises(UsageError, match="can't be counted"):
        Timecode(rate)
    with pytest.raises(UsageError, match="no numbers are dropped"):
        Timecode(Fraction(25), drop=True)


@pytest.mark.parametrize("count", COUNTS, ids=IDS)
def test_markers_of_ten_minutes_are_read_within_half_a_picture(count: Timecode) -> None:
    sheet, start = ten_minutes(), count.starting("01:00:00:00")
    text = edl(sheet, start)
    assert ("FCM: DROP FRAME" in text) == count.drop
    codes = re.findall(r"^\d{3}  001      V     C        (\S+)", text, re.M)
    times = [Fraction(0), *(h.t for h in sheet.cues[0].hits)]
    read = library().opentime.from_timecode
    zero = read(codes[0], float(count.rate)).value
    worst = max(
        abs(read(code, float(count.rate)).value - zero - float(t * count.rate))
        for code, t in zip(codes, times)
    )
    assert len(codes) == len(times) and worst <= 0.5

    timeline = library().adapters.read_from_string(otio(sheet, start), "otio_json")
    (clip,) = list(timeline.find_clips())
    begin = clip.source_range.start_time
    worst = max(
        abs((m.marked_range.start_time - begin).value - float(t * count.rate))
        for m, t in zip(clip.markers, times)
    )
    assert worst <= 0.5
    assert library().opentime.to_timecode(begin, float(count.rate), count.drop)[:8] == "01:00:00"


def stamps(film: str) -> list[int]:
    """PTS of a minute of pictures (time base 90 kHz), with the habits of a camera."""
    regular = [round(k * 90_000 / 30.02) for k in range(1800)]
    return {
        "a phone's clock": regular,
        "pictures left out": [t for k, t in enumerate(regular) if k % 16],
        "milliseconds": [90 * round(k * 1000 / 30) for k in range(1800)],
    }[film]


@pytest.mark.parametrize("film", ["a phone's clock", "pictures left out", "milliseconds"])
def test_a_phone_s_pictures_are_30_a_second(film: str) -> None:
    assert nominal_rate(stamps(film), Fraction(1, 90_000), Fraction(28)) == (30, True)


@pytest.mark.parametrize("rate", [*RATES, Fraction(10), Fraction(15), Fraction(4)])
def test_steady_rates_are_what_they_are(rate: Fraction) -> None:
    times = [round(k / rate * 90_000) for k in range(500)]
    assert nominal_rate(times, Fraction(1, 90_000), rate) == (rate, True)
    assert nominal_rate([], Fraction(1, 90_000), rate) == (rate, True)


def test_no_steady_rate_is_the_nearest_that_editors_know() -> None:
    times = [round(k * 90_000 / 28.5) for k in range(500)]
    rate, steady = nominal_rate(times, Fraction(1, 90_000), Fraction(57, 2))
    assert not steady and abs(rate - 30) < 0.1


@pytest.mark.data
@pytest.mark.parametrize("name", ["phone", "vfr30"])
def test_films_of_phones(data: Path, videoscore, tmp_path: Path, name: str) -> None:
    assert picture_count(probe(data / "faults" / f"{name}.mp4")) == PictureCount(Fraction(30), True, None)
    for suffix in (".mp4", ".cues.json"):
        (tmp_path / f"{name}{suffix}").write_bytes((data / "faults" / f"{name}{suffix}").read_bytes())
    assert videoscore("markers", tmp_path / f"{name}.cues.json", "-o", tmp_path / "m.edl").code == 0
    sheet = load(tmp_path / f"{name}.cues.json")
    times = sorted([c.start for c in sheet.cues] + [h.t for c in sheet.cues for h in c.hits])
    codes = re.findall(r"V     C        01:(\d\d):(\d\d):(\d\d)", (tmp_path / "m.edl").read_text())
    for (minutes, seconds, frames), t in zip(codes, times, strict=True):
        assert abs(60 * int(minutes) + int(seconds) + int(frames) / 30 - t) <= 1 / 60


def test_a_film_s_own_time_code(videoscore, tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", seconds=4, fps=N30).path
    run_ffmpeg("-i", plain, "-c", "copy", "-timecode", "10:23:11;04", tmp_path / "film.mov")
    assert picture_count(probe(tmp_path / "film.mov")) == PictureCount(N30, True, "10:23:11;04", N30)
    cues = tmp_path / "film.cues.json"
    save(CueSheet("film.mov", Fraction(4), (cue("1M1", 0, 4, "Happy", 2),)), cues)
    assert videoscore("markers", cues, "-o", tmp_path / "f.edl").code == 0
    text = (tmp_path / "f.edl").read_text()
    assert "FCM: DROP FRAME" in text and "10:23:11;04 10:23:11;05" in text
    asked = ("--start", "01:00:00:00", "--no-drop-frame")
    assert videoscore("markers", cues, "-o", tmp_path / "g.edl", *asked).code == 0
    assert "01:00:00:00 01:00:00:01" in (tmp_path / "g.edl").read_text()


def test_a_time_code_of_another_rate_is_not_taken() -> None:
    film = PictureCount(Fraction(25), True, "10:00:00:29")
    assert film_timecode(film).start == 0
    film = PictureCount(Fraction(25), True, "10:00:00:10")
    assert film_timecode(film).start == 900_010
    assert film_timecode(film, rate=Fraction(30)).start == 0


def test_names_and_links_of_otio(tmp_path: Path) -> None:
    name = "my  film #1 50% | é.mp4"
    first = replace(two_cues().cues[0], name="a  | b\n")
    sheet = replace(two_cues(), source=name, cues=(first, two_cues().cues[1]))
    (clip,) = json.loads(otio(sheet, Timecode(Fraction(25))))["tracks"]["children"][0]["children"]
    assert clip["name"] == name and clip["markers"][0]["name"] == "a  | b\n"
    link = next(iter(clip["media_references"].values()))["target_url"]
    assert unquote(link) == name and not set(link) & set(" #|é")
    text = otio(sheet, Timecode(Fraction(25)), media=tmp_path / name)
    assert (tmp_path / name).as_uri() in text
    line = edl(sheet, Timecode(Fraction(25))).splitlines()
    assert line[0] == f"TITLE: {name}" and "|M:a  / b |D:" in line[4]


@pytest.mark.parametrize("typed", ["23.98", "23.976", "29.97", "59.94", "47.95", "119.88"])
def test_rates_as_broadcasters_write_them(typed: str) -> None:
    """PySceneDetect #502: 23.98 taken at its word drifts by twenty pictures in ninety minutes."""
    rate = read_rate(typed)
    assert rate.denominator == 1001 and abs(rate - Fraction(typed)) < Fraction(1, 190)
    assert read_rate("24000/1001") == N24 and read_rate("25") == 25 and read_rate("12.5") == Fraction(25, 2)
    for wrong in ("", "x", "1/0"):
        with pytest.raises(UsageError, match="no number"):
            read_rate(wrong)


def test_a_time_code_counted_at_half_the_rate(videoscore, tmp_path: Path) -> None:
    """palmier-pro #136: cameras count 30 in a second of 59.94 pictures, so picture 8 of the code is 16 of the film."""
    fast = make_clip(tmp_path / "fast.mov", seconds=4, fps=N60).path
    slow = make_clip(tmp_path / "slow.mp4", seconds=4, fps=N30).path
    run_ffmpeg("-i", slow, "-c", "copy", "-timecode", "10:22:34:08", tmp_path / "code.mov")
    run_ffmpeg(
        *("-i", fast, "-i", tmp_path / "code.mov", "-map", "0:v", "-map", "1:d", "-c", "copy"),
        tmp_path / "f.mov",
    )
    count = picture_count(probe(tmp_path / "f.mov"))
    assert count == PictureCount(N60, True, "10:22:34:08", N30)
    timecode = film_timecode(count)
    assert timecode.text(timecode.start) == "10:22:34:16"


def test_an_edl_of_more_than_999_events() -> None:
    """pycmx #11: numbers go on with four digits; begun anew, two events would have one number."""
    film = ten_minutes()
    times = tuple(HitPoint(Fraction(k, 4), "cut", 1.0) for k in range(1, 1500))
    text = edl(replace(film, cues=(replace(film.cues[0], hits=times),)), Timecode(Fraction(25)))
    numbers = [int(n) for n in re.findall(r"^(\d+)  001      V", text, re.M)]
    assert numbers == list(range(1, 1501))


def test_markers_stand_in_the_clip_s_own_time() -> None:
    """OpenTimelineIO #169 and #345: whatever code the film begins with, a marker is where its picture is."""
    sheet = ten_minutes()
    for code in ("00:00:00:00", "01:00:00:00", "10:23:11:05"):
        text = otio(sheet, Timecode(Fraction(25)).starting(code))
        timeline = library().adapters.read_from_string(text, "otio_json")
        (clip,) = list(timeline.find_clips())
        for marker, hit in zip(clip.markers[1:], sheet.cues[0].hits):
            shown = clip.transformed_time(marker.marked_range.start_time, timeline.tracks[0]).to_seconds()
            assert abs(shown - float(hit.t)) <= 0.5 / 25 + 1e-9
