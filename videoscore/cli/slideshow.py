"""``videoscore slideshow``: a film of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from videoscore.cli.common import with_settings, with_voice
from videoscore.cli.teller import Teller


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO|FOLDER...")
@click.option("-o", "--output", required=True, metavar="FILE", help="the film: .mp4, .m4v, .mov or .mkv")
@with_settings("slides", "spot", "compose", "render", "master", "loudness", "true_peak")
@click.option(
    "--keep",
    metavar="KIND,...",
    default="",
    help="keep midi, musicxml, stems, wav beside the output (the cue sheet is always kept)",
)
@click.option("--overwrite", is_flag=True, help="replace files that are already there")
@with_voice
def slideshow(
    teller: Teller, photos: Sequence[str], output: str, keep: str, overwrite: bool, **settings: Any
) -> None:
    """Make a film of photographs with music of their moods; each PHOTO changes on a beat.

    JPEG, PNG, WebP, HEIC and others, turned as their EXIF says. Those that can't be read are left out, and
    named. Needs the extra: pip install "videoscore[slideshow]".
    """
    from videoscore.slides.slideshow import slideshow as stage
    from videoscore.text.tables import clock

    kinds = [kind for kind in (k.strip() for k in keep.split(",")) if kind]
    result = stage(photos, output, keep=kinds, overwrite=overwrite, progress=teller.progress, **settings)
    facts = {
        "output": result.output,
        "kept": result.kept,
        "duration": result.sheet.duration,
        "photos": [
            {
                "file": photo.path,
                "start": photo.start,
                "mood": photo.mood,
                "valence": round(photo.valence, 3),
                "arousal": round(photo.arousal, 3),
            }
            for photo in result.photos
        ],
        "skipped": [str(error) for error in result.skipped],
        "off_beat": result.off_beat,
        "cues": [
            {"name": c.name, "start": c.start, "end": c.end, "mood": c.mood, "bpm": c.bpm}
            for c in result.sheet.cues
        ],
        "notes": result.notes,
        "loudness": result.loudness,
        "seconds": {k: round(v, 3) for k, v in result.seconds.items()},
        "peak_memory": result.peak_memory,
        "remarks": result.remarks,
    }
    teller.remarks(result.remarks)
    lines = [
        f"{result.output}: {len(result.photos)} photographs in {clock(result.sheet.duration)}, "
        f"{len(result.sheet.cues)} cue{'s' * (len(result.sheet.cues) != 1)}, {result.notes} notes, at most "
        f"{float(result.off_beat) * 1000:.0f} ms from a beat, in {sum(result.seconds.values()):.1f} s"
    ]
    lines += [f"  {kind}: {path}" for kind, path in result.kept.items()]
    teller.result(facts, "\n".join(lines))
