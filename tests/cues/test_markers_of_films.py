"""Markers of films at broadcast rates, written by the command and read back by OpenTimelineIO: within one picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from conftest import run_command
from media import make_clip, run_ffmpeg

from videoscore.cues.file.sheet_file import load
from videoscore.cues.markers import markers

SECONDS = 132  # so that two minutes begin inside, at which numbers are dropped
MOODS = "0:00 Happy, 0:59.99 Angry, 1:00.6 Tired, 1:05.3 Dynamic, 2:00.1 Peaceful"
# rate, the film's own time code, the first picture's code in an EDL
FILMS = {
    "23.976": (Fraction(24000, 1001), None, "01:00:00:00"),
    "29.97 drop-frame": (Fraction(30000, 1001), "00:58:59;28", "00:58:59;28"),
    "25": (Fraction(25), "10:00:00:00", "10:00:00:00"),
}


@pytest.fixture(scope="module", params=FILMS)
def written(request, tmp_path_factory) -> tuple[Fraction, str, Path]:
    """Rate, first code, and the folder with film.cues.json, film.edl and film.otio."""
    rate, own, first = FILMS[request.param]
    folder = tmp_path_factory.mktemp("markers")
    make_clip(
        folder / "plain.mp4", seconds=SECONDS, fps=rate, cuts=[round(65 * rate)], size=(64, 36), gop=250
    )
    code = [] if own is None else ["-timecode", own]
    run_ffmpeg("-i", folder / "plain.mp4", "-c", "copy", *code, folder / "film.mov")
    told = run_command(
        "analyze",
        folder / "film.mov",
        "--cues",
        folder / "film.cues.json",
        "--mood",
        MOODS,
        "--sample-every",
        "2",
    )
    assert told.code == 0, told.err
    for suffix in (".edl", ".otio"):
        told = run_command("markers", folder / "film.cues.json", "-o", folder / f"film{suffix}")
        assert told.code == 0, told.err
    return rate, first, folder


def truth(folder: Path) -> list[Fraction]:
    """When the markers are, in exact seconds from the first picture."""
    times = [m.t for m in markers(load(folder / "film.cues.json"))]
    assert len(times) >= 5 and max(times) > 120
    return times


def test_otio(written):
    library = pytest.importorskip("opentimelineio")
    rate, _, folder = written
    timeline = library.adapters.read_from_file(str(folder / "film.otio"))
    (clip,) = timeline.find_clips()
    first = clip.source_range.start_time
    told = [(m.marked_range.start_time - first).to_seconds() for m in clip.markers]
    times = truth(folder)
    assert len(told) == len(times)
    assert max(abs(a - float(b)) for a, b in zip(told, times)) <= 0.5 / float(rate) + 1e-6
    assert clip.source_range.duration.to_seconds() == pytest.approx(SECONDS, abs=1 / float(rate))


def test_edl(written):
    library = pytest.importorskip("opentimelineio")
    if "cmx_3600" not in library.adapters.available_adapter_names():
        pytest.skip("the package otio-cmx3600-adapter isn't installed")
    rate, code, folder = written
    text = (folder / "film.edl").read_text(encoding="utf-8")
    assert ("FCM: DROP FRAME" in text) == (";" in code)
    timeline = library.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    first = library.opentime.from_timecode(code, float(rate))
    begins = [clip.source_range.start_time - first for clip in timeline.find_clips()]
    times = truth(folder)
    assert len(begins) == len(times)
    assert max(abs(a.to_seconds() - float(b)) for a, b in zip(begins, times)) <= 0.5 / float(rate) + 1e-6


def test_edl_by_the_codes_alone(written):
    """The same without an adapter: each event's code, read by OpenTimelineIO."""
    library = pytest.importorskip("opentimelineio")
    rate, code, folder = written
    lines = [line for line in (folder / "film.edl").read_text().splitlines() if line[:3].isdigit()]
    first = library.opentime.from_timecode(code, float(rate))
    begins = [library.opentime.from_timecode(line.split()[4], float(rate)) - first for line in lines]
    for begin, t in zip(begins, truth(folder), strict=True):
        assert abs(begin.to_seconds() - float(t)) <= 0.5 / float(rate) + 1e-6
