"""Mood curves as text."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from videoscore.mood.circle import MOODS

if TYPE_CHECKING:
    from videoscore.mood.curve import MoodCurve
    from videoscore.pipeline.watch import Analysis


def curve_csv(analysis: Analysis) -> str:
    """One line a sample of the smoothed curve: seconds, valence, arousal, confidence, eight moods, and the
    share of each source in it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["t", "valence", "arousal", "confidence", *MOODS, *analysis.shares])
    curve = analysis.curve
    for k in range(len(curve)):
        writer.writerow(
            [
                f"{x:.4f}"
                for x in (
                    curve.t[k],
                    curve.valence[k],
                    curve.arousal[k],
                    curve.confidence[k],
                    *curve.moods[k],
                    *(share[k] for share in analysis.shares.values()),
                )
            ]
        )
    return text.getvalue()


def curve_json(analysis: Analysis) -> str:
    """The smoothed and the raw curve, the cuts (seconds) and the cue sheet in its own form."""
    from videoscore.cues.file.sheet_file import dumps

    return (
        json.dumps(
            {
                "source": analysis.sheet.source,
                "duration": float(analysis.media.duration),
                "moods": list(MOODS),
                "curve": _columns(analysis.curve),
                "raw": _columns(analysis.raw),
                "shares": {name: share.round(4).tolist() for name, share in analysis.shares.items()},
                "remarks": analysis.remarks,
                "cuts": [
                    {"t": float(cut.t), "strength": round(float(cut.strength), 4)} for cut in analysis.cuts
                ],
                "cues": json.loads(dumps(analysis.sheet)),
            },
            indent=1,
        )
        + "\n"
    )


def _columns(curve: MoodCurve) -> dict[str, list]:
    return {
        name: getattr(curve, name).round(4).tolist()
        for name in ("t", "valence", "arousal", "confidence", "moods")
    }
