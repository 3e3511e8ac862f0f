"""What is read in clips whose mood a viewer has named: a table, and a picture of each."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, NotFound
from videoscore.mood.circle import MOODS, mood_index, mood_of
from videoscore.mood.perceivers.head import RIM
from videoscore.pipeline.watch import Analysis, analyze
from videoscore.research.agreement import concordance
from videoscore.research.scene.rated import MOMENTS, moments

COLUMNS = ("file", "mood1", "mood2")
LISTS = ("clips.csv", "manifest.csv")  # rated moments, or words alone
NEAR = 2.0  # seconds before and after a rated moment that are read for it


@dataclass(frozen=True, eq=False)
class ClipReport:
    """A clip, the viewer's words for it, and what was read. y : (4, 2) rated valence and arousal on the plane, if
    rated."""

    file: str
    words: tuple[str, ...]
    analysis: Analysis
    y: NDArray[np.float64] | None = None

    @property
    def moments(self) -> NDArray[np.float64]:
        """(4, 2) valence and arousal as perceived at `MOMENTS`, the curve not smoothed."""
        raw, duration = self.analysis.raw, float(self.analysis.media.duration)
        return near_moments(raw.t, duration, np.column_stack([raw.valence, raw.arousal]))

    @property
    def point(self) -> tuple[float, float]:
        """Mean valence and arousal of the smoothed curve, every sample weighing its confidence."""
        curve = self.analysis.curve
        weight = curve.confidence + 1e-3
        return (
            float(np.average(curve.valence, weights=weight)),
            float(np.average(curve.arousal, weights=weight)),
        )

    @property
    def apart(self) -> int:
        """Octants between the mean point's and the nearest of the words', 0..4."""
        return int(words_apart(np.array([self.point]), [self.words])[0])

    def facts(self) -> dict[str, Any]:
        valence, arousal = self.point
        moods = self.analysis.curve.moods.mean(0)
        best = np.argsort(-moods)[:2]
        return {
            "file": self.file,
            "words": self.words,
            "valence": valence,
            "arousal": arousal,
            "mood": mood_of(valence, arousal),
            "apart": self.apart,
            "likeliest": {MOODS[k]: float(moods[k]) for k in best},
            "shares": {name: float(share.mean()) for name, share in self.analysis.shares.items()},
            "cues": [c.mood for c in self.analysis.sheet.cues],
            "perception_seconds": self.analysis.seconds["perceive"],
            "duration": float(self.analysis.media.duration),
        }


def evaluate(
    folder: Path,
    pictures: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> dict[str, Any]:
    """Analyse every clip of `folder`/clips.csv, or manifest.csv (columns `COLUMNS`: two mood words a clip; clips.csv
    also has
    ratings, see `videoscore.research.scene.rated`) with the given settings of `videoscore.pipeline.score.analyze`;
    write NAME.png for each into `pictures`.

    Returns "clips" (facts of each), "octant" and "within one": shares of the clips whose mean point lies in the
    octant of one of its words, or no further than one octant off. Raises NotFound, InputError.
    """
    path = next((folder / name for name in LISTS if (folder / name).is_file()), folder / LISTS[1])
    needs = f"It must have the columns {', '.join(COLUMNS)}."
    if not path.is_file():
        raise NotFound("there is no list of clips", path=path, remedy=needs)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or any(name not in rows[0] for name in COLUMNS):
        raise InputError("this is no list of clips", path=path, remedy=needs)
    reports = []
    for row in rows:
        say(row["file"])
        words = tuple(w for w in (row["mood1"], row["mood2"]) if w)
        y = moments(row) / RIM if "v1" in row else None
        reports.append(ClipReport(row["file"], words, analyze(folder / row["file"], **settings), y))
        if pictures is not None:
            from videoscore.preview.picture import draw
            from videoscore.preview.timeline import Timeline

            pictures.mkdir(parents=True, exist_ok=True)
            draw(
                Timeline(reports[-1].analysis),
                f"{row['file']}: {', '.join(words)}",
                pictures / f"{Path(row['file']).stem}.png",
            )
    facts = [r.facts() for r in reports]
    apart = np.array([r.apart for r in reports])
    rated = [r for r in reports if r.y is not None]
    return {
        "clips": facts,
        **(agreement([r.moments for r in rated], [r.y for r in rated if r.y is not None]) if rated else {}),
        "octant": float((apart == 0).mean()),
        "within one": float((apart <= 1).mean()),
        "chance": chance([r.words for r in reports]),
    }


def near_moments(
    t: NDArray[np.float64], duration: float, columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, k) at times `t` -> (4, k), means over `NEAR` seconds about the rated moments."""
    out = []
    for moment in MOMENTS:
        apart = np.abs(t - moment * duration)
        out.append(columns[apart <= max(NEAR, apart.min())].mean(0))
    return np.array(out)


def agreement(read: Sequence[NDArray[np.float64]], rated: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    """(4, 2) of every clip, read and rated -> r and CCC of the moments, and r within clips (each less its own mean)."""
    x, y = np.array(read), np.array(rated)
    out = {}
    for k, name in enumerate(("valence", "arousal")):
        a, b = x[..., k], y[..., k]
        out[f"r {name}"] = float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
        out[f"CCC {name}"] = concordance(b.ravel(), a.ravel())
        inside = [(v - v.mean(1, keepdims=True)).ravel() for v in (a, b)]
        out[f"r {name} within a clip"] = float(np.corrcoef(*inside)[0, 1])
    return out


def words_apart(points: NDArray[np.float64], words: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """(n, 2) mean points and the words for each -> (n,) octants to the nearest of the words."""
    out = []
    for point, own in zip(points, words):
        k = mood_index(mood_of(*point))
        out.append(min(min((k - mood_index(w)) % 8, (mood_index(w) - k) % 8) for w in own))
    return np.array(out)


def chance(words: list[tuple[str, ...]]) -> dict[str, float]:
    """The same shares for a blind guess, all octants being equally likely."""
    octant, near = [], []
    for own in words:
        right = {mood_index(w) for w in own}
        octant.append(len(right) / 8)
        near.append(len({(k + d) % 8 for k in right for d in (-1, 0, 1)}) / 8)
    return {"octant": float(np.mean(octant)), "within one": float(np.mean(near))}


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    from videoscore.text.tables import table as columns

    rows = [
        [
            f["file"],
            ", ".join(f["words"]),
            f"{f['valence']:+.2f}",
            f"{f['arousal']:+.2f}",
            f["mood"],
            str(f["apart"]),
            ", ".join(f"{m} {p:.2f}" for m, p in f["likeliest"].items()),
            " ".join(f"{n} {s:.2f}" for n, s in f["shares"].items()),
            ", ".join(f["cues"][:5]) + (" ..." if len(f["cues"]) > 5 else ""),
        ]
        for f in report["clips"]
    ]
    head = ["clip", "viewer's words", "valence", "arousal", "read", "apart", "likeliest", "shares", "cues"]
    tail = "\n".join(
        f"{name}: {report[name]:.2f} (a blind guess {report['chance'][name]:.2f})"
        for name in ("octant", "within one")
    )
    figures = "".join(f"\n{n}: {v:.3f} (chance 0)" for n, v in report.items() if n.startswith(("r ", "CCC ")))
    return f"{columns(head, rows)}\n{tail}{figures}"
