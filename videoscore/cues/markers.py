"""Cues and hit points as markers for video editors: EDL, CSV, OpenTimelineIO, and chapters.

Pure but for OpenTimelineIO's own library, which is an extra; every function returns the text of a file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from videoscore.cues.sheet import CueSheet
from videoscore.errors import SetupError, UsageError
from videoscore.mood.circle import MOODS

# Colours of markers that both Resolve's EDL and OpenTimelineIO know, a mood each in the order of `MOODS`
EDL_COLOURS = dict(zip(MOODS, ("Yellow", "Sand", "Red", "Purple", "Blue", "Cyan", "Sky", "Green")))
OTIO_COLOURS = dict(zip(MOODS, ("YELLOW", "ORANGE", "RED", "PURPLE", "BLUE", "CYAN", "WHITE", "GREEN")))
HOUR = 3600  # an EDL's timeline begins at one hour by custom
FASTEST = 1000  # pictures a second that a timecode may count


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
    found = []
    for cue in sheet.cues:
        note = (
            f"{cue.mood}, {cue.key}, {float(cue.bpm):.2f} quarters a minute, {cue.meter.bars} bars of "
            f"{cue.meter.beats}"
        )
        found.append(Marker(cue.start, cue.end, cue.name, cue.mood, note))
        if hits:
            found += [
                Marker(h.t, h.t, f"hit: {h.kind}", cue.mood, f"strength {h.strength:.2f}") for h in cue.hits
            ]
    return sorted(found, key=lambda m: m.t)


def timecode(t: Fraction, rate: Fraction) -> str:
    """hh:mm:ss:ff of the picture shown at `t` or nearest to it, counted without dropping numbers.

    rate : pictures a second, exact (24000/1001, not 23.976); at a fractional rate the count runs at the next whole
    one, as SMPTE 12M's non-drop code does.
    """
    frame = round(t * rate)
    base = -(-rate.numerator // rate.denominator)
    seconds, frames = divmod(frame, base)
    width = len(str(base - 1))
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:0{max(2, width)}d}"


def check_rate(rate: Fraction) -> Fraction:
    """Raises UsageError unless `rate` can be counted."""
    if not 0 < rate <= FASTEST:
        raise UsageError(
            f"--rate: {rate} pictures a second can't be counted",
            remedy=f"Give more than 0 and at most {FASTEST}, such as 25 or 24000/1001.",
        )
    return rate


def edl(sheet: CueSheet, rate: Fraction, hits: bool = True) -> str:
    """CMX 3600, one event a marker, whose comment carries name and colour in the form that DaVinci Resolve reads."""
    lines = [f"TITLE: {_line(sheet.source) or 'videoscore'}", "FCM: NON-DROP FRAME", ""]
    for number, marker in enumerate(markers(sheet, hits), 1):
        first, last = (timecode(t + HOUR * _whole(rate), rate) for t in (marker.t, marker.t + 1 / rate))
        length = max(1, round((marker.end - marker.t) * rate))
        lines += [
            f"{number % 1000:03d}  001      V     C        {first} {last} {first} {last}",
            f" |C:ResolveColor{EDL_COLOURS[marker.mood]} |M:{_line(marker.name)} |D:{length}",
            "",
        ]
    return "\n".join(lines)


def _whole(rate: Fraction) -> Fraction:
    """Real seconds that a second of non-drop timecode lasts."""
    return Fraction(-(-rate.numerator // rate.denominator)) / rate


def table(sheet: CueSheet, rate: Fraction, hits: bool = True) -> str:
    """CSV: seconds, timecode, name, mood, note; a cue's end, too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "timecode", "name", "mood", "note"])
    for m in markers(sheet, hits):
        writer.writerow(
            [f"{float(m.t):.6f}", f"{float(m.end):.6f}", timecode(m.t, rate), m.name, m.mood, m.note]
        )
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
            f"title={_escaped(cue.name)}",
        ]
    return "\n".join(lines) + "\n"


def otio(sheet: CueSheet, rate: Fraction, hits: bool = True) -> str:
    """OpenTimelineIO (JSON): the film as one clip, and the markers on it.

    Times are whole pictures at `rate`, which the format keeps as a number of double precision. Raises SetupError
    without the package opentimelineio.
    """
    try:
        import opentimelineio as library
    except ImportError as error:
        raise SetupError(
            "the package opentimelineio isn't installed",
            remedy='Install it: pip install "videoscore[editors]".',
        ) from error

    def span(start: Fraction, end: Fraction) -> library.opentime.TimeRange:
        pace = float(rate)
        return library.opentime.TimeRange(
            library.opentime.RationalTime(round(start * rate), pace),
            library.opentime.RationalTime(round(end * rate) - round(start * rate), pace),
        )

    whole = span(Fraction(0), sheet.duration)
    clip = library.schema.Clip(
        name=_line(sheet.source),
        source_range=whole,
        media_reference=library.schema.ExternalReference(
            target_url=_line(sheet.source), available_range=whole
        ),
    )
    for m in markers(sheet, hits):
        clip.markers.append(
            library.schema.Marker(
                name=_line(m.name),
                marked_range=span(m.t, m.end),
                color=OTIO_COLOURS[m.mood],
                metadata={"videoscore": {"mood": m.mood, "note": m.note, "seconds": str(m.t)}},
            )
        )
    timeline = library.schema.Timeline(name=_line(sheet.source))
    track = library.schema.Track(name="picture", kind=library.schema.TrackKind.Video)
    track.append(clip)
    timeline.tracks.append(track)
    text: str = library.adapters.write_to_string(timeline, "otio_json")
    return text


# kind of file (as in `videoscore.pipeline.outputs.KINDS`) -> what writes it, for those whose times are pictures
FORMS: dict[str, Callable[[CueSheet, Fraction, bool], str]] = {
    "edl": edl,
    "csv": table,
    "otio": otio,
}


def _line(text: str) -> str:
    """Names may hold anything; a marker's is one line, and no bar, which parts its fields."""
    return " ".join(text.replace("|", "/").split())


def _escaped(text: str) -> str:
    """As ffmpeg's metadata wants values."""
    return "".join(f"\\{c}" if c in "=;#\\" else c for c in _line(text))
