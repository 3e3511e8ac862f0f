"""The nine feelings of the latent composer: their names, their places on the plane, and what a tune in them is like."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from videoscore.errors import UsageError
from videoscore.words import did_you_mean


@dataclass(frozen=True)
class Feeling:
    """name, korean : its names. valence, arousal : its place, our reading of the word. pitch : MIDI, mean of the notes
    of tunes that are labelled near its place. density : notes a quarter of these, geometric mean
    (`videoscore.research.latent.targets` measures both; docs/models/latent.md)."""

    name: str
    korean: str
    valence: float
    arousal: float
    pitch: float
    density: float


FEELINGS = (
    Feeling("fierce", "격렬함", -0.50, 0.75, 72.8, 1.25),
    Feeling("bright", "밝음", 0.65, 0.35, 73.5, 1.31),
    Feeling("lively", "발랄함", 0.45, 0.75, 75.4, 1.27),
    Feeling("peaceful", "평화로움", 0.55, -0.50, 71.2, 1.02),
    Feeling("refreshing", "청량함", 0.70, -0.05, 72.0, 1.16),
    Feeling("mysterious", "신비로움", -0.20, -0.15, 71.4, 0.88),
    Feeling("gloomy", "우울함", -0.50, -0.50, 70.4, 0.80),
    Feeling("clear", "맑음", 0.30, -0.30, 71.2, 1.01),
    Feeling("dismal", "암울함", -0.65, 0.00, 69.2, 0.92),
)
# Of all tunes that the network learns from: the scale in which pitch and density are compared.
PITCH_MEAN, PITCH_SPREAD = 72.8, 4.9  # MIDI
DENSITY_MEAN, DENSITY_SPREAD = 0.126, 0.447  # natural logarithm of notes a quarter


def feeling_index(word: str) -> int:
    """Number of a feeling by its English or Korean name, in any case. Raises UsageError."""
    plain = unicodedata.normalize("NFC", word).strip().lower()  # macOS takes Korean syllables apart
    for k, feeling in enumerate(FEELINGS):
        if plain in (feeling.name, feeling.korean):
            return k
    raise UsageError(
        f"--feeling: there is no feeling {word.strip()[:40]!r}",
        remedy=f"{did_you_mean(word.strip(), [f.name for f in FEELINGS], 0.5)}The feelings are "
        + ", ".join(f"{f.name} ({f.korean})" for f in FEELINGS)
        + ".",
    )


def read_feelings(text: str) -> tuple[int, ...]:
    """One feeling, or two with a comma between them, as numbers. Raises UsageError."""
    words = [word for word in text.replace("，", ",").split(",") if word.strip()]
    if not 1 <= len(words) <= 2:
        raise UsageError(
            f"--feeling: {len(words) or 'no'} feelings in {text[:40]!r}",
            remedy='Give one, or two between which the mood moves, as "gloomy, bright".',
        )
    return tuple(feeling_index(word) for word in words)


def nearest(valence: float, arousal: float) -> int:
    """Number of the feeling whose place lies nearest."""
    return min(
        range(len(FEELINGS)),
        key=lambda k: math.hypot(FEELINGS[k].valence - valence, FEELINGS[k].arousal - arousal),
    )


def way_between(one: int, other: int, moods: Sequence[tuple[float, float]]) -> list[float]:
    """How far each of some (valence, arousal) lies on the way from one feeling's place to another's, 0 to 1."""
    a, b = FEELINGS[one], FEELINGS[other]
    dv, da = b.valence - a.valence, b.arousal - a.arousal
    length = dv * dv + da * da
    if length == 0:
        return [0.0] * len(moods)
    shares = (((v - a.valence) * dv + (m - a.arousal) * da) / length for v, m in moods)
    return [min(1.0, max(0.0, share)) for share in shares]
