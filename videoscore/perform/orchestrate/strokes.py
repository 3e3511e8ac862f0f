"""What marks hit points and boundaries beside the composer's own notes: impacts on them, swells and risers into them.

Each is a gesture of an instrument of its own, a preset's `[accents]`. A section's gestures hang on the section alone,
its hit points, and the arousal with which the next one begins (which a locked cue remembers), so that what is locked
is played as it was. Nothing begins before its section, and no note passes its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from videoscore.compose.form import UNITS
from videoscore.compose.marks import marks_of
from videoscore.cues.sheet import Cue
from videoscore.music.score import PPQ, Section
from videoscore.perform.orchestrate.palettes import Accent
from videoscore.perform.parts import Played

LIVELY = 0.3  # arousal with which a cue begins on an impact
STRUCK = 0.15  # arousal from which a hit point gets swell and impact; below, the composer's mark is all
LEVEL, SLOPE = 0.65, 0.7  # share of a hit point's strength at an arousal of 0, and what 1 adds to it
RISES = 0.25  # rise of arousal over a boundary from which there is a swell into it
LIFTS = 0.5  # and from which there is a riser
SHORTEST = 0.5  # seconds of a swell: a shorter one is none
LONGEST = 0.1  # share of a section that leads into the next one, so that a calm cue stays calm up to it
GROWTH = 2.5  # power of a roll's course by which its velocity grows: nearly all of it comes late
SOFTEST, LOUDEST = 30.0, 122.0  # velocities of an impact of strength 0 and 1
BEGINS = 0.25  # share of its last velocity with which a roll begins
UNEVEN = 3.0  # standard deviation of a roll's velocities
STEPS = 16  # of the expression of a held riser
RINGS = 2.0  # seconds that an impact is held where nothing ends it


@dataclass(frozen=True)
class Target:
    """A moment to mark: tick, strength 0..1, whether it is struck, and whether a riser leads to it."""

    tick: int
    strength: float
    struck: bool
    lifted: bool = False


@dataclass(frozen=True)
class Strokes:
    """notes : of one instrument in one section. expression : (tick, 0..127) that goes with them."""

    notes: list[Played]
    expression: list[tuple[int, int]]


def targets(section: Section, following: float | None, cue: Cue | None, first: bool) -> list[Target]:
    """What is to be marked in a section, in order of time.

    following : arousal with which the next begins; None at the end. cue : the one that the section was written for;
    None: its hit points aren't known. first : the music begins with it, and nothing leads to that.
    """
    bar, out = section.beats * PPQ, []
    if not first and section.bars > 1 and section.arousal_in(0) >= LIVELY:
        out.append(Target(section.start, 0.4 + 0.5 * section.arousal_in(0), True))
    for number, marks in marks_of(cue).items() if cue else ():
        arousal = section.arousal_in(number)
        for mark in marks:
            tick = section.start + number * bar + mark.position * PPQ // UNITS
            if section.start < tick < section.end and arousal >= STRUCK:
                strength = mark.strength * max(0.0, min(1.0, LEVEL + SLOPE * arousal))
                out.append(Target(tick, strength, True))
    if following is not None and section.bars > 1:
        rise = following - section.arousal_in(section.bars - 1)
        if rise >= RISES:
            out.append(Target(section.end, min(0.7, 0.3 + 0.4 * rise), False, rise >= LIFTS))
    return sorted(out, key=lambda target: target.tick)


def strokes(
    kind: str,
    accent: Accent,
    section: Section,
    marked: Sequence[Target],
    ticks: Callable[[float], int],
    rng: Random,
) -> Strokes:
    """The gestures of one kind in one section.

    kind : "impact", "swell" or "riser". marked : as `targets` gives them. ticks : of seconds, in this section.
    """
    out, before = Strokes([], []), section.start
    for target in marked:
        velocity = SOFTEST + (LOUDEST - SOFTEST) * max(0.0, min(1.0, target.strength))
        velocity = max(1.0, min(127.0, velocity * 10 ** (accent.level / 40)))
        if kind == "impact":
            if target.struck:
                stop = min(section.end, target.tick + ticks(RINGS))
                out.notes.extend(
                    Played(target.tick, stop - target.tick, k, round(velocity)) for k in accent.keys
                )
        elif kind == "swell" or target.lifted:
            lead = ticks(accent.seconds)
            if target.tick == section.end:
                lead = min(lead, round(LONGEST * (section.end - section.start)))
            start = max(before, target.tick - lead)
            if target.tick - start >= ticks(SHORTEST):
                _lead(out, accent, start, target.tick, velocity, ticks, rng)
        before = target.tick
    return out


def _lead(
    out: Strokes,
    accent: Accent,
    start: int,
    stop: int,
    velocity: float,
    ticks: Callable[[float], int],
    rng: Random,
) -> None:
    """From little to `velocity` between two ticks: a roll, or notes held while their expression grows."""
    if not accent.rate:
        out.notes.extend(Played(start, stop - start, key, round(velocity)) for key in accent.keys)
        length = stop - start
        out.expression.extend(
            (start + length * k // STEPS, round(127 * (0.08 + 0.92 * (k / STEPS) ** 1.5)))
            for k in range(STEPS)
        )
        return
    step = max(1, ticks(1 / accent.rate))
    count = max(1, (stop - start) // step)
    for k in range(count):
        # counted from the end, so that the last stroke is one step before what it leads to
        tick, share = stop - (count - k) * step, (k + 1) / count
        loud = velocity * (BEGINS + (1 - BEGINS) * share**GROWTH) + rng.gauss(0.0, UNEVEN)
        key = accent.keys[k % len(accent.keys)]
        out.notes.append(Played(tick, min(step, stop - tick), key, max(1, min(127, round(loud)))))
