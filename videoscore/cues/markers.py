"""Cues and hit points as markers for video editors: EDL, CSV, OpenTimelineIO, and chapters.

Pure but for OpenTimelineIO's own library, which is an extra; every function returns the text of a file.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from videoscore.cues.sheet import CueSheet
from videoscore.cues.timecode import Timecode
from videoscore.errors import SetupError
from videoscore.mood.circle import MOODS

# Colours of markers that both Resolve's EDL and OpenTimelineIO know, a mood each in the order of `MOODS`
EDL_COLOURS = dict(zip(MOODS, ("Yellow", "Sand", "Red", "Purple", "Blue", "Cyan", "Sky", "Green")))
OTIO_COLOURS = dict(zip(MOODS, ("YELLOW", "ORANGE", "RED", "PURPLE", "BLUE", "CYAN", "WHITE", "GREEN")))
EDL_START = "01:00:00:00"  # an EDL's timeline begins at one hour by custom


FORMS = (".edl", ".csv", ".otio", ".ffmeta")


def usual_start(suffix: str) -> str:
    """Time code of the first picture in such a file, where nothing says another."""
    return EDL_START if suffix == ".edl" else "00:00:00:00"


def marker_file(
    suffix: str, sheet: CueSheet, count: Timecode, hits: bool = True, media: Path | None = None
) -> str:
    """The text of a file of markers that is named so, one of `FORMS`; see the functions below."""
    if suffix == ".ffmeta":
        return chapters(sheet)
    if suffix == ".otio":
        return otio(sheet, count, hits, media)
    return {".edl": edl, ".csv": table}[suffix](sheet, count, hits)


@dataclass(frozen=True)
class Marker:
    """t : exact seconds from the first picture. end : of the cue, or `t` at a hit point. note : in words."""

    t: Fraction
    end: Fraction
    name: str
    mood: str
    note: str


def markers(sheet: CueSheet, hits: bool = True) -> list[Marker]:
    """One marker a cue and, with `hits`, one a hit point; in order of time."""
    rows = []
    for cue in sheet.cues:
        note = (
            f"{cue.mood}, {cue.key}, {float(cue.bpm):.2f} quarters a minute, {cue.meter.bars} bars of "
            f"{cue.meter.beats}"
        )
        rows.append(Marker(cue.start, cue.end, cue.name, cue.mood, note))
        if hits:
            rows += [
                Marker(h.t, h.t, f"hit: {h.kind}", cue.mood, f"strength {h.strength:.2f}") for h in cue.hits
            ]
    return sorted(rows, key=lambda m: m.t)


def edl(sheet: CueSheet, count: Timecode, hits: bool = True) -> str:
    """CMX 3600, one event a marker, whose comment carries name and colour in the form that DaVinci Resolve reads."""
    mode = "DROP FRAME" if count.drop else "NON-DROP FRAME"
    lines = [f"TITLE: {_line(sheet.source) or 'videoscore'}", f"FCM: {mode}", ""]
    for number, marker in enumerate(markers(sheet, hits), 1):
        frame = count.frame(marker.t)
        first, last = count.text(frame), count.text(frame + 1)
        name = _line(marker.name).replace("|", "/")  # a bar parts the fields
        lines += [
            f"{number:03d}  001      V     C        {first} {last} {first} {last}",
            f" |C:ResolveColor{EDL_COLOURS[marker.mood]} |M:{name} |D:{count.frames(marker.t, marker.end)}",
            "",
        ]
    return "\n".join(lines)


def table(sheet: CueSheet, count: Timecode, hits: bool = True) -> str:
    """CSV: seconds, timecode, name, mood, note; a cue's end, too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "timecode", "name", "mood", "note"])
    for m in markers(sheet, hits):
        code = count.text(count.frame(m.t))
        writer.writerow([f"{float(m.t):.6f}", f"{float(m.end):.6f}", code, m.name, m.mood, m.note])
    return text.getvalue()


def chapters(sheet: CueSheet) -> str:
    """ffmpeg's metadata form, one chapter a cue, times in milliseconds."""
    lines = [";FFMETADATA1"]
    for cue in sheet.cues:
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(cue.start * 1000)}",
            f"END={round(cue.end * 1000)}",
            f"title={_escape(cue.name)}",
        ]
    return "\n".join(lines) + "\n"


def otio(sheet: CueSheet, count: Timecode, hits: bool = True, media: Path | None = None) -> str:
    """OpenTimelineIO (JSON): the film as one clip, and the markers on it.

    Times are whole pictures at the rate of `count`, which the format keeps as a number of double precision; the clip's
    own begin at the film's time code. media : where the film lies; else its link is its name, beside the file.
    Raises SetupError without the package opentimelineio.
    """
    try:
        import opentimelineio as library
    except ImportError as error:
        raise SetupError(
            "the package opentimelineio isn't installed",
            remedy='Install it: pip install "videoscore[editors]".',
        ) from error

    def moment(frame: int) -> library.opentime.RationalTime:
        return library.opentime.RationalTime(frame, float(count.rate))

    def span(start: Fraction, end: Fraction) -> library.opentime.TimeRange:
        first = count.frame(start)
        return library.opentime.TimeRange(moment(first), moment(count.frame(end) - first))

    whole = span(Fraction(0), sheet.duration)
    link = quote(sheet.source) if media is None else media.resolve().as_uri()
    clip = library.schema.Clip(
        name=sheet.source,
        source_range=whole,
        media_reference=library.schema.ExternalReference(target_url=link, available_range=whole),
    )
    for m in markers(sheet, hits):
        clip.markers.append(
            library.schema.Marker(
                name=m.name,
                marked_range=span(m.t, m.end),
                color=OTIO_COLOURS[m.mood],
                metadata={"videoscore": {"mood": m.mood, "note": m.note, "seconds": str(m.t)}},
            )
        )
    timeline = library.schema.Timeline(name=sheet.source, global_start_time=moment(count.start))
    track = library.schema.Track(name="picture", kind=library.schema.TrackKind.Video)
    track.append(clip)
    timeline.tracks.append(track)
    text: str = library.adapters.write_to_string(timeline, "otio_json")
    return text


def _line(text: str) -> str:
    """Names may hold anything; what stands in a line of text is one line. Single spaces stay as they are."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _escape(text: str) -> str:
    """As ffmpeg's metadata wants values."""
    return "".join(f"\\{c}" if c in "=;#\\" else c for c in _line(text))
