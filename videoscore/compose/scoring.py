"""Which parts play in each phrase: few, and each with something to say."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from videoscore.compose.form import Phrase
from videoscore.music.score import Role

DRUMS_FROM = 0.2  # arousal of a phrase from which drums play
STYLES = ("song", "strings", "airy", "band")


def choose_style(roles: frozenset[Role], arousal: float, rng: Random) -> str:
    """How a mood is scored: a tune over a figure ("song"), with a second voice ("strings"), over held chords ("airy"),
    or with drums ("band"). Only what the roles allow."""
    weights = {
        "song": 1.0 if Role.ACCOMPANIMENT in roles else 0.0,
        "strings": (0.9 if arousal > -0.5 else 0.4) if {Role.COUNTER, Role.ACCOMPANIMENT} <= roles else 0.0,
        "airy": (0.9 if arousal < -0.2 else 0.25 if arousal < 0.2 else 0.0) if Role.PAD in roles else 0.0,
        "band": (3.0 if arousal > 0.35 else 0.4 if arousal > 0 else 0.0) if Role.DRUMS in roles else 0.0,
    }
    total = sum(weights.values())
    if total == 0:
        return "song"
    at = rng.random() * total
    for style in STYLES:
        at -= weights[style]
        if at <= 0 and weights[style]:
            return style
    return "song"


def parts_of(
    phrases: Sequence[Phrase],
    style: str,
    roles: frozenset[Role],
    arousals: Sequence[float],
    required: frozenset[Role] = frozenset(),
) -> list[frozenset[Role]]:
    """The roles that play in each phrase. required : those that play throughout; lines only where there is a tune."""
    out: list[frozenset[Role]] = []
    tuneful = [p for p in phrases if p.tuneful]
    for k, (phrase, arousal) in enumerate(zip(phrases, arousals)):
        last = bool(tuneful) and phrase is tuneful[-1] and len(tuneful) > 1
        again = phrase.variant > 0 or last or phrase.letter == "b"
        parts = {Role.BASS, Role.ACCOMPANIMENT}
        if phrase.tuneful:
            parts.add(Role.MELODY)
        if style == "airy":
            parts = (parts - {Role.ACCOMPANIMENT}) | {Role.PAD}
            if last and arousal > -0.4:
                parts.add(Role.ACCOMPANIMENT)
        if style == "strings" and phrase.tuneful and (again or k > 0):
            parts.add(Role.COUNTER)
        if style == "band":
            if arousal >= DRUMS_FROM:
                parts.add(Role.DRUMS)
            if last or phrase.letter == "b":
                parts.add(Role.PAD)
            if phrase.tuneful and phrase.letter == "a" and phrase.variant % 2:
                parts.add(Role.COUNTER)
        if phrase.letter == "i":
            parts -= {Role.COUNTER}
        lines = frozenset() if phrase.tuneful else frozenset({Role.MELODY, Role.COUNTER})
        chosen = (frozenset(parts) | (required - lines)) & roles
        if not chosen & {Role.ACCOMPANIMENT, Role.PAD}:
            chosen |= roles & {Role.PAD}
        if not chosen:
            chosen = roles
        out.append(chosen)
    return out
