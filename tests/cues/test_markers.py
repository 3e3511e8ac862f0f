"""Markers for editing programs say where the cues are, to the picture."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Said
from media import Clip, ffmpeg, run_ffmpeg
from sheets import two_cues

from videoscore.cues.file.sheet_file import save
from videoscore.cues.markers import chapters, edl, markers, otio, table
from videoscore.cues.sheet import CueSheet, HitPoint
from videoscore.cues.timecode import Timecode

NTSC = Fraction(24000, 1001)


def sheet() -> CueSheet:
    film = two_cues()
    first = replace(film.cues[0], hits=(HitPoint(Fraction(61, 10), "cut", 0.8),), name="1m1 |a\nb; [x]=1")
    return replace(film, cues=(first, film.cues[1]), source="my film.mp4")


def test_markers_are_the_cues_and_hits_in_order() -> None:
    found = markers(sheet())
    assert [m.t for m in found] == [0, Fraction(61, 10), 20]
    assert [m.end for m in found] == [20, Fraction(61, 10), 40]
    assert len(markers(sheet(), hits=False)) == 2


def test_edl_has_an_event_a_marker_from_one_hour_on() -> None:
    text = edl(sheet(), Timecode(NTSC).starting("01:00:00:00"))
    starts = re.findall(r"^\d{3}  001      V     C        (\S+)", text, re.M)
    assert starts == ["01:00:00:00", "01:00:06:02", "01:00:20:00"]  # 6.1 s: picture 146; 20 s: 480 (479.52)
    names = re.findall(r"\|M:(.*?) \|D:(\d+)", text)
    assert names[0] == ("1m1 /a b; [x]=1", "480") and names[2] == ("1M2", "479")


def test_csv_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(table(sheet(), Timecode(Fraction(25))))))
    assert [r["timecode"] for r in rows] == ["00:00:00:00", "00:00:06:02", "00:00:20:00"]
    assert rows[0]["name"] == "1m1 |a\nb; [x]=1" and rows[2]["mood"] == "Depressed"


def test_otio_is_read_back_by_its_library() -> None:
    library = pytest.importorskip("opentimelineio")
    timeline = library.adapters.read_from_string(otio(sheet(), Timecode(NTSC)), "otio_json")
    (clip,) = list(timeline.find_clips())
    assert clip.source_range.duration.value == round(40 * NTSC)
    starts = [m.marked_range.start_time for m in clip.markers]
    assert [round(t.value) for t in starts] == [0, 146, 480]
    for time, marker in zip(starts, markers(sheet())):
        assert abs(time.to_seconds() - float(marker.t)) <= 0.5 / float(NTSC) + 1e-9
    assert clip.markers[0].metadata["videoscore"]["mood"] == "Happy"


def test_chapters_are_read_by_ffmpeg(film: Clip, tmp_path: Path) -> None:
    short = replace(
        sheet(),
        duration=Fraction(4),
        cues=tuple(
            replace(c, start=Fraction(a), end=Fraction(b)) for c, a, b in zip(sheet().cues, (0, 2), (2, 4))
        ),
    )
    (tmp_path / "c.ffmeta").write_text(chapters(short), encoding="utf-8")
    run_ffmpeg(
        "-i",
        film.path,
        "-f",
        "ffmetadata",
        "-i",
        tmp_path / "c.ffmeta",
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
        tmp_path / "out.mkv",
    )
    import subprocess

    told = subprocess.run(
        [ffmpeg(), "-hide_banner", "-i", tmp_path / "out.mkv"], capture_output=True, text=True, check=False
    ).stderr
    assert re.findall(r"Chapter #0:\d: start ([\d.]+), end ([\d.]+)", told) == [
        ("0.000000", "2.000000"),
        ("2.000000", "4.000000"),
    ]
    assert "1m1 |a b; [x]=1" in told


def test_the_command(videoscore: Callable[..., Said], film: Clip, tmp_path: Path) -> None:
    cues = tmp_path / "film.cues.json"
    save(sheet(), cues)
    done = videoscore("markers", cues, "-o", tmp_path / "film.edl", "--rate", "24000/1001")
    assert done.code == 0 and "3 markers" in done.out + done.err
    unknown = videoscore("markers", cues, "-o", tmp_path / "film.csv")
    assert unknown.code == 2 and "--rate" in unknown.err
    wrong = videoscore("markers", cues, "-o", tmp_path / "film.xml", "--rate", "25")
    assert wrong.code == 2 and ".otio" in wrong.err
    bad = videoscore("markers", cues, "-o", tmp_path / "film.csv", "--rate", "1/0")
    assert bad.code == 2 and "Traceback" not in bad.err
    assert not (tmp_path / "film.csv").exists()
