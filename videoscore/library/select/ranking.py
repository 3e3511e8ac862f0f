"""Pieces of the library for a clip's dominant emotion, best first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoscore.library.store.builtin import Builtin
from videoscore.library.store.database import StoredPiece
from videoscore.mood.circle import MOODS, mood_of
from videoscore.mood.curve import Array, MoodCurve

LEAST = 1e-3  # mean confidence under which nothing was read


@dataclass(frozen=True)
class Dominant:
    """The emotion that a clip shows most. share : of the clip's evidence that speaks for it, 0..1. seen : share of the
    clip in which a mood was read rather than held. faces : share of the reading that came from faces, 0 for none."""

    mood: str
    valence: float
    arousal: float
    share: float
    seen: float
    faces: float


@dataclass(frozen=True)
class PlaylistEntry:
    """An entry of a playlist. distance : on the plane, of the piece from the clip's emotion."""

    title: str
    path: Path
    seconds: float
    mood: str
    valence: float
    arousal: float
    distance: float
    builtin: bool


def dominant(curve: MoodCurve, shares: Mapping[str, Array]) -> Dominant | None:
    """The mood with most evidence, and where it lies; None when the clip shows none at all.

    Each sample counts by its time, its confidence, and how far it was read rather than held over (`shares`, as of
    `videoscore.mood.perceive.Perception`). Valence and arousal are means weighted by the mood's probability as well.
    """
    time = np.gradient(curve.t) if len(curve) > 1 else np.ones(1)
    read = np.clip(1 - shares.get("held", np.zeros(len(curve))), 0.0, 1.0)
    weight = time * read * curve.confidence
    if weight.sum() < LEAST * time.sum():
        return None
    evidence = weight @ curve.moods
    k = int(evidence.argmax())
    own = weight * curve.moods[:, k]
    face = float((time * shares["face"]).sum() / (time * read).sum()) if "face" in shares else 0.0
    return Dominant(
        MOODS[k],
        float(own @ curve.valence / own.sum()),
        float(own @ curve.arousal / own.sum()),
        float(evidence[k] / evidence.sum()),
        float((time * read).sum() / time.sum()),
        face,
    )


def rank(
    emotion: Dominant, pieces: Sequence[StoredPiece], builtin: Sequence[Builtin], count: int
) -> list[PlaylistEntry]:
    """The `count` nearest pieces on the plane, nearest first; those of the same mood come before all others."""
    tracks = [
        _track(emotion, p.entry.title, p.path, p.entry.seconds, p.valence, p.arousal, p.mood, False)
        for p in pieces
    ]
    own = {p.entry.content for p in pieces}
    tracks += [
        _track(
            emotion,
            b.entry.title,
            b.path,
            b.entry.seconds,
            b.entry.valence,
            b.entry.arousal,
            mood_of(b.entry.valence, b.entry.arousal),
            True,
        )
        for b in builtin
        if b.entry.content not in own
    ]
    tracks.sort(key=lambda t: (t.mood != emotion.mood, t.distance, str(t.path)))
    return tracks[:count]


def m3u(tracks: Sequence[PlaylistEntry]) -> str:
    """An extended M3U list (UTF-8): a line of length and title, then the file."""
    lines = ["#EXTM3U"]
    for track in tracks:
        lines += [f"#EXTINF:{round(track.seconds)},{' '.join(track.title.split())}", str(track.path)]
    return "\n".join(lines) + "\n"


def _track(
    emotion: Dominant,
    title: str,
    path: Path,
    seconds: float,
    valence: float,
    arousal: float,
    mood: str,
    builtin: bool,
) -> PlaylistEntry:
    distance = float(np.hypot(valence - emotion.valence, arousal - emotion.arousal))
    return PlaylistEntry(title, path, seconds, mood, valence, arousal, distance, builtin)
