"""Bars for a cue: a whole number of them fills it exactly, at a tempo that suits its mood.

Tempo is the strongest single carrier of musical emotion: fast goes with high arousal, slow with
low, and among equally lively moods the angry ones are fastest (Gabrielsson & Lindstroem 2010, "The
role of structure in the musical expression of emotions", in Juslin & Sloboda, Handbook of Music and
Emotion; Gomez & Danuser 2007, "Relationships between musical structure and psychophysiological
measures of emotion", Emotion 7(2)). These give the order; the numbers of `TEMPO` are our choice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from videoscore.cues.sheet import HitPoint, Meter
from videoscore.mood.circle import centre, mood_of

# Quarter notes a minute, slowest and fastest, for each mood.
TEMPO: dict[str, tuple[float, float]] = {
    "Happy": (96.0, 126.0),
    "Dynamic": (120.0, 152.0),
    "Angry": (126.0, 160.0),
    "Anxiety": (96.0, 132.0),
    "Depressed": (56.0, 76.0),
    "Withered": (56.0, 76.0),
    "Tired": (56.0, 76.0),
    "Peaceful": (70.0, 96.0),
}
# Quarter notes a minute that may be asked for.
BPM = (20.0, 300.0)
# Share of seeds that give a mood three beats a bar instead of four. Hit-driven and tense music stays in four.
THREE_FOUR = {"Happy": 0.2, "Depressed": 0.15, "Withered": 0.25, "Tired": 0.3, "Peaceful": 0.35}
# A cue shorter than this is one bar, of whatever length suits its tempo.
ONE_BAR = Fraction(4)
# A hit this far from every beat (seconds) is missed altogether; within 40 ms sound and picture fuse.
MISSED = 0.15
# Costs, in units where a tempo 10 % off the wanted one costs 1.
ODD_PHRASE = {0: 0.0, 2: 3.0, 1: 5.0, 3: 5.0}  # by bars modulo 4
OTHER_BEATS = 4.0
OUT_OF_RANGE = 12.0
HIT = 2.5
MOST_BARS = 100_000
VARIETY = 0.3  # natural logarithm of the span over which seeds vary a mood's tempo


def tempo_wanted(mood: str, valence: float, arousal: float) -> float:
    """Quarter notes a minute that suit a mood at a point of the V/A plane.

    Inside the mood's range, the further from neutral the faster when it is an aroused mood and the
    slower when it isn't.
    """
    low, high = TEMPO[mood]
    strength = min(1.0, math.hypot(valence, arousal))
    return low + (high - low) * (strength if centre(mood)[1] > 0 else 1 - strength)


def choose_meter(
    duration: Fraction,
    valence: float,
    arousal: float,
    seed: int = 0,
    hits: Sequence[HitPoint] = (),
    *,
    start: Fraction = Fraction(0),
    near: Fraction | None = None,
    mood: str | None = None,
) -> Meter:
    """Bars and beats that fill `duration` seconds exactly.

    Parameters
    ----------
    duration : length of the cue in seconds, over 0.
    valence, arousal : mean of the cue, in [-1, 1].
    seed : decides between three and four beats a bar, the same way for all cues of a mood.
    hits, start : hit points on the film's clock and the cue's start on it; beats near hits are preferred.
    near : tempo in quarter notes a minute to stay close to, that of a neighbouring cue of like mood.
    mood : whose tempo range counts; by default that of (valence, arousal).

    Returns
    -------
    The cheapest of all whole numbers of bars. The tempo stays in the mood's range (or a few percent
    beside it, where that saves an odd bar or a change of beats) wherever some whole number of bars
    allows it; in the range multiples of four bars are preferred. Below `ONE_BAR` seconds it is
    one bar of one to four beats, whose tempo for a clip of a few frames may be far outside (0.03 s:
    one beat at 2000 quarter notes a minute).
    """
    if duration <= 0:
        raise ValueError("a cue has to last longer than 0 s")
    mood = mood_of(valence, arousal) if mood is None else mood
    beats = 3 if _chance(seed, "meter", mood) < THREE_FOUR.get(mood, 0.0) else 4
    tempo = _vary(tempo_wanted(mood, valence, arousal), TEMPO[mood], _chance(seed, "tempo", mood))
    if near is not None:
        tempo = math.sqrt(tempo * min(max(float(near), 0.8 * tempo), 1.25 * tempo))
    options = _options(duration, beats, TEMPO[mood])
    bars, per_bar = options[:, 0], options[:, 1]
    bpm = 60.0 * bars * per_bar / float(duration)
    low, high = TEMPO[mood]
    outside = np.maximum(0.0, np.maximum(np.log(low / bpm), np.log(bpm / high))) / math.log(1.1)
    cost = np.abs(np.log(bpm / tempo)) / math.log(1.1) + OUT_OF_RANGE * outside
    cost += np.where(per_bar == beats, 0.0, OTHER_BEATS)
    if duration >= ONE_BAR:
        cost += np.array([ODD_PHRASE[k] for k in range(4)])[bars % 4]
    cost += _hit_cost(bpm, hits, start)
    best = int(cost.argmin())
    return Meter(int(bars[best]), int(per_bar[best]))


def meter_for(duration: Fraction, bpm: Fraction, beats: int, *, keep_beats: bool = False) -> Meter:
    """The whole number of bars whose tempo comes nearest to `bpm` (quarter notes a minute).

    `beats` a bar are kept, unless the cue is so short that this misses the tempo by over 10 % and
    another bar of one to four beats comes nearer (never with `keep_beats`). Any tempo can be asked
    for; at least one bar results.
    """

    def off(meter: Meter) -> float:
        # 60 * bars * beats / (duration * bpm); the ratio first, so that extremes don't overflow
        return abs(math.log(float(Fraction(60 * meter.bars * meter.beats) / (duration * bpm))))

    nearest = _nearest_bars(duration, bpm, beats)
    if keep_beats or off(nearest) <= math.log(1.1):
        return nearest
    return min([nearest, *(_nearest_bars(duration, bpm, b) for b in (4, 3, 2, 1))], key=off)


def _nearest_bars(duration: Fraction, bpm: Fraction, beats: int) -> Meter:
    exact = bpm * duration / (60 * beats)
    lower = max(1, math.floor(exact))
    # nearest as a ratio of tempi, not as a difference
    nearest = lower + 1 if exact * exact > lower * (lower + 1) else lower
    return Meter(min(nearest, MOST_BARS), beats)


def _options(duration: Fraction, beats: int, tempo: tuple[float, float]) -> np.ndarray:
    """(n, 2) candidate bars and beats: all that come within a third of the tempo range, or failing
    that the nearest on either side of it."""
    if duration < ONE_BAR:
        return np.array([(1, b) for b in (1, 2, 3, 4)])
    out: list[tuple[int, int]] = []
    for per_bar in sorted({beats, 4, 3, 2}):
        bars_at = float(duration) / (60 * per_bar)
        first = max(1, math.floor(0.75 * tempo[0] * bars_at))
        last = min(max(first, math.ceil(1.33 * tempo[1] * bars_at)), MOST_BARS)
        step = max(1, (last - first) // 500)  # beyond a thousand bars every few will do
        out += [(b, per_bar) for b in range(min(first, last), last + 1, step)]
    return np.array(out)


def _hit_cost(bpm: np.ndarray, hits: Sequence[HitPoint], start: Fraction) -> np.ndarray:
    """(n,) mean over the hits of how far each lies from the nearest beat, by strength."""
    if not hits:
        return np.zeros(len(bpm))
    times = np.array([float(h.t - start) for h in hits])
    strength = np.array([h.strength for h in hits])
    beat = 60.0 / bpm[:, None]
    off = np.abs(times / beat - np.round(times / beat)) * beat
    costs = np.minimum(1.0, off / MISSED) ** 2
    return HIT * (costs * strength).sum(axis=1) / max(1.0, float(strength.sum()))


def _vary(bpm: float, tempo: tuple[float, float], chance: float) -> float:
    """A tempo moved by up to half of `VARIETY` as chance has it, inside the mood's range."""
    return min(max(bpm * math.exp(VARIETY * (chance - 0.5)), tempo[0]), tempo[1])


def _chance(seed: int, what: str, mood: str) -> float:
    digest = hashlib.blake2b(f"{what} {seed} {mood}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
