"""Cue sheets for tests, made by hand or drawn by hypothesis."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, Meter
from videoscore.mood.circle import MOODS, centre

KEYS = [
    f"{tonic} {mode}"
    for tonic in ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    for mode in ("major", "minor")
]


def cue(name: str, start, end, mood: str, bars: int, beats: int = 4, key: str = "C major", **more) -> Cue:
    start, end = Fraction(start), Fraction(end)
    valence, arousal = centre(mood)
    return Cue(
        name,
        start,
        end,
        "cut" if start else "start",
        mood,
        (CurvePoint((start + end) / 2, valence, arousal),),
        key,
        Meter(bars, beats),
        **more,
    )


def two_cues(seed: int = 0) -> CueSheet:
    """20 s of Happy in G major, then 20 s of Depressed in E minor."""
    return CueSheet(
        "film.mp4",
        Fraction(40),
        (
            cue("1M1", 0, 20, "Happy", 10, key="G major"),
            cue("1M2", 20, 40, "Depressed", 6, key="E minor"),
        ),
        cuts=(Fraction(20),),
        seed=seed,
    )


@st.composite
def sheets(draw, most_cues: int = 3, longest: int = 12) -> CueSheet:
    """Contiguous cues of 0.1 s to `longest` s with odd lengths, meters, keys and moods."""
    cues, now = [], Fraction(0)
    for n in range(draw(st.integers(1, most_cues))):
        ticks = draw(st.integers(90, longest * 900))
        end = now + Fraction(ticks, draw(st.sampled_from([900, 1001, 997])))
        seconds = float(end - now)
        beats = draw(st.sampled_from([2, 3, 4]))
        bars = max(1, round(seconds * draw(st.integers(50, 160)) / 60 / beats))
        cues.append(
            cue(
                f"1M{n + 1}", now, end, draw(st.sampled_from(MOODS)), bars, beats, draw(st.sampled_from(KEYS))
            )
        )
        now = end
    return CueSheet("film.mp4", now, tuple(cues), seed=draw(st.integers(0, 5)))
