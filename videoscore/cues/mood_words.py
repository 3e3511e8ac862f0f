"""Moods in words over time, as people type them: "Peaceful", or "0:00 Peaceful, 0:42 Dynamic, 1:10 read"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from videoscore.cues.check import show
from videoscore.cues.numbers import seconds
from videoscore.errors import CueSheetError, UsageError
from videoscore.mood.circle import MOODS
from videoscore.words import did_you_mean

READ = "read"  # the word for: from here on as the film reads
APART = Fraction(1, 2)  # seconds; the least time from one word to the next
MOST = 1000  # words
EXAMPLE = 'Write it as "Peaceful", or as "0:00 Peaceful, 0:42 Dynamic".'


@dataclass(frozen=True)
class TimedMood:
    """A mood that was asked for from `t` (seconds) on; None: what is read there. exact : the time was given with
    decimals, and isn't to move to a cut beside it."""

    t: Fraction
    mood: str | None
    exact: bool = False

    def __str__(self) -> str:
        return f"{clock_time(self.t)} {self.mood or READ}"


def clock_time(t: Fraction) -> str:
    """0:42, or with milliseconds 0:41.875."""
    thousandths = round(t * 1000)
    whole = f"{thousandths // 60000}:{thousandths // 1000 % 60:02d}"
    return whole if thousandths % 1000 == 0 else f"{whole}.{thousandths % 1000:03d}"


def mood_word(word: str, more: Sequence[str] = ()) -> str:
    """One of the eight moods, or one of the words in `more`, in any case. Raises UsageError."""
    words = (*MOODS, *more)
    for name in words:
        if word.strip().lower() == name.lower():
            return name
    hint = did_you_mean(word, words, 0.5)
    also = "".join(f"; {name!r} is what the film shows" for name in more)
    raise UsageError(
        f"--mood: there is no mood {word[:40]!r}", remedy=f"{hint}The moods are {', '.join(MOODS)}{also}."
    )


def read_moods(text: str) -> tuple[TimedMood, ...]:
    """What the words ask for, in order of time.

    text : words with commas between them, each after the time from which it holds ("42", "0:42", "1:02:03.5",
        "1001/24"); the first may stand without one, and holds from the start. Where nothing is asked for, before the
        first time and from the word "read" on, it stays as the film reads.

    Raises
    ------
    UsageError : an unknown word, no time, or times that don't increase by `APART` seconds or more.

    Examples
    --------
    >>> [str(m) for m in read_moods("peaceful, 0:42 Dynamic, 70.5 read")]
    ['0:00 Peaceful', '0:42 Dynamic', '1:10.500 read']
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    if not parts or len(parts) > MOST:
        what = "it says nothing" if not parts else f"it has over {MOST} words"
        raise UsageError(f"--mood: {what}", remedy=EXAMPLE)
    out: list[TimedMood] = []
    for part in parts:
        at, word = _parted(part, first=not out)
        t = _time(at) if at is not None else Fraction(0)
        if out and t < out[-1].t + APART:
            raise UsageError(
                f"--mood: {part[:40]!r} doesn't come after {str(out[-1])!r}",
                remedy="Write the times in order, half a second or more apart.",
            )
        mood = mood_word(word, (READ,))
        out.append(TimedMood(t, None if mood == READ else mood, at is not None and ("." in at or "/" in at)))
    return tuple(out)


def moods_between(text: str, start: Fraction, end: Fraction) -> str | None:
    """The words for the stretch of a film from `start` to `end` seconds, as for a film of its own; None where nothing
    is asked for in it."""
    moods = read_moods(text)
    before = [m for m in moods if m.t <= start]
    inside = [m for m in moods if start < m.t < end]
    parts = [f"0/1 {before[-1].mood or READ}"] if before else []
    parts += [f"{m.t - start if m.exact else clock_time(m.t - start)} {m.mood or READ}" for m in inside]
    return ", ".join(parts) or None


def check_within(moods: Sequence[TimedMood], duration: Fraction, source: str | None = None) -> None:
    """Raises UsageError, naming `source`, unless all times lie before `duration` seconds."""
    for mood in moods:
        if mood.t >= duration:
            raise UsageError(
                f"--mood: {str(mood)!r} lies past the end, at {show(duration)} s",
                path=source or None,
                remedy=f"Leave it out, or give a time before {clock_time(Fraction(int(duration)))}.",
            )


def _parted(part: str, first: bool) -> tuple[str | None, str]:
    """The time and the word of one part; None for the time where the first part has none."""
    words = part.split()
    if len(words) == 1 and first and not words[0][0].isdigit():
        return None, words[0]
    if len(words) != 2:
        what = "no time" if len(words) == 1 and not words[0][0].isdigit() else "not a time and a mood"
        raise UsageError(f"--mood: {what} in {part[:40]!r}", remedy=EXAMPLE)
    return words[0], words[1]


def _time(text: str) -> Fraction:
    try:
        return seconds(text, "--mood")
    except CueSheetError as error:
        raise UsageError(error.problem.replace("--mood", "--mood:", 1), remedy=error.remedy) from None
