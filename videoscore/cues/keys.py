"""Keys for the cues of a film: a mode that suits the mood, tonics that are closely related."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue
from videoscore.errors import CueSheetError
from videoscore.mood.circle import centre

# By signature: 0 is C major / A minor, each step one more sharp (negative: flats).
MAJOR = {
    -6: "Gb",
    -5: "Db",
    -4: "Ab",
    -3: "Eb",
    -2: "Bb",
    -1: "F",
    0: "C",
    1: "G",
    2: "D",
    3: "A",
    4: "E",
    5: "B",
}
MINOR = {
    -6: "Eb",
    -5: "Bb",
    -4: "F",
    -3: "C",
    -2: "G",
    -1: "D",
    0: "A",
    1: "E",
    2: "B",
    3: "F#",
    4: "C#",
    5: "G#",
}
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}

# Costs of a step on the circle of fifths between neighbouring cues. One step is the nearest change
# (keys with all but one tone in common); no step at all gives no sense of a new cue.
STEP = (0.35, 0.0, 0.9, 2.0, 3.2, 4.0, 4.4)
RETURN = 1.4  # what it is worth that a mood comes back in its own key
SHADE = 0.25  # a step away from the signature that suits the brightness
CHANCE, FIRST_CHANCE = 0.6, 1.8  # how much chance counts; the first cue, which has no neighbour yet, is freer


def key_of_signature(signature: int, minor: bool) -> str:
    """Name of the key with `signature` sharps (negative: flats), e.g. (-1, True) is "D minor"."""
    table = MINOR if minor else MAJOR
    return f"{table[(signature + 6) % 12 - 6]} {'minor' if minor else 'major'}"


def signature_and_mode(key: str) -> tuple[int, bool]:
    """(signature -6..5, minor) of a key such as "D minor" or "F# major".

    Raises CueSheetError when it isn't one.
    """
    words = key.split()
    tonic, mode = (words[0], words[1].lower()) if len(words) == 2 else ("", "")
    letter, accidental = tonic[:1].upper(), tonic[1:]
    if letter not in _FIFTHS or accidental not in ("", "#", "b") or mode not in ("major", "minor"):
        raise CueSheetError(f"{key!r} is not a key", remedy='Write it as "D minor" or "Bb major".')
    fifths = _FIFTHS[letter] + {"": 0, "#": 7, "b": -7}[accidental] - (3 if mode == "minor" else 0)
    return (fifths + 6) % 12 - 6, mode == "minor"


def is_minor(mood: str) -> bool:
    """Minor for the moods of negative valence (mode is valence's strongest cue in Western music:
    Gabrielsson & Lindstroem 2010; on EMOPIA mode alone tells valence in 71 % of clips)."""
    return centre(mood)[0] < 0


def with_mode_of(key: str, mood: str) -> str:
    """`key`, or its relative key when the mode doesn't suit the mood. The signature stays, so the key
    keeps its distance from the neighbours'."""
    signature, minor = signature_and_mode(key)
    return key if minor == is_minor(mood) else key_of_signature(signature, is_minor(mood))


def distance(one: int, other: int) -> int:
    """Steps between two signatures on the circle of fifths, 0..6."""
    return abs((one - other + 6) % 12 - 6)


def plan_keys(cues: Sequence[Cue], seed: int) -> list[Cue]:
    """The cues with keys: mode by mood, tonic by neighbours, memory and seed.

    Each cue in turn takes the signature that costs least: near the previous cue's on the circle of
    fifths, the one this mood had before if there was one, brighter (sharps) for moods high on the
    V/A plane and darker (flats) for low ones, and a small part of chance by the seed.
    """
    out: list[Cue] = []
    home: dict[str, int] = {}
    previous: int | None = None
    for cue in cues:
        suits = _brightness(cue)
        costs = {
            signature: SHADE * abs(signature - suits)
            + (FIRST_CHANCE if previous is None else CHANCE) * _chance(seed, cue.mood, signature)
            + (0.0 if previous is None else STEP[distance(signature, previous)])
            - (RETURN if home.get(cue.mood) == signature else 0.0)
            for signature in range(-6, 6)
        }
        previous = min(costs, key=costs.__getitem__)
        home.setdefault(cue.mood, previous)
        out.append(replace(cue, key=key_of_signature(previous, is_minor(cue.mood))))
    return out


def _brightness(cue: Cue) -> float:
    """Signature -3..3 that suits a cue: the projection on the axis from gloomy-calm to bright-lively."""
    valence, arousal = mean(cue.curve, cue.start, cue.end)
    return 3 * (valence + arousal) / math.sqrt(2)


def _chance(seed: int, mood: str, signature: int) -> float:
    digest = hashlib.blake2b(f"key {seed} {mood} {signature}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
