"""Does the music follow a mood that moves inside a piece?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, on_line
from videoscore.mood.circle import mood_of
from videoscore.music.score import Score

WINDOW, HOP = 10.0, 5.0  # seconds that the judge hears at once, and between two hearings
REACH = 0.6
MOVED = 0.2  # an axis whose asked curve stays within this range isn't followed
SHUFFLES = 200

# Ways of moving over a piece: (valence, arousal) at its corners in -1..1, to be multiplied by REACH.
RAMPS = (((0, -1), (0, 1)), ((-1, 0), (1, 0)), ((-1, -1), (1, 1)), ((1, -1), (-1, 1)))


@dataclass(frozen=True)
class Moving:
    """A piece whose mood moves. kind : "ramp" or "step", in one cue or in three."""

    kind: str
    sheet: CueSheet

    def asked(self, start: float, end: float) -> tuple[float, float]:
        """Mean (valence, arousal) asked for between two times in seconds."""
        points = []
        for t in np.linspace(start, end, 21):
            when = Fraction(float(t))
            cue = next((c for c in self.sheet.cues if when < c.end), self.sheet.cues[-1])
            points.append(on_line(cue.curve, when))
        valence, arousal = np.mean(points, 0)
        return float(valence), float(arousal)


def pieces(count: int, seed: int) -> list[Moving]:
    """`count` pieces of 60 to 90 s: ramps and steps of arousal, of valence, of both, in one cue and in three."""
    kinds = [(kind, ramp, cues) for cues in (1, 3) for kind in ("ramp", "step") for ramp in RAMPS]
    out = []
    for n in range(count):
        kind, (begin, end), cues = kinds[n % len(kinds)]
        if n // len(kinds) % 2:
            begin, end = end, begin
        length = Fraction(60 + 15 * (n % 3))
        name = f"{kind}, {'one cue' if cues == 1 else f'{cues} cues'}"
        out.append(
            Moving(name, _sheet(kind, np.array(begin) * REACH, np.array(end) * REACH, length, cues, seed + n))
        )
    return out


def _sheet(kind: str, begin: NDArray, end: NDArray, length: Fraction, cues: int, seed: int) -> CueSheet:
    from videoscore.cues.meter import choose_meter
    from videoscore.cues.spot.spot import plan_keys

    whole = _curve(kind, begin, end, length, cues)
    curve_points = []
    for k in range(cues):
        start, stop = length * k / cues, length * (k + 1) / cues
        if kind == "step" and cues > 1:
            points: tuple[CurvePoint, ...] = (whole[k],)
        else:
            inner = [p for p in whole if start < p.t < stop]
            points = (
                CurvePoint(start, *on_line(whole, start)),
                *inner,
                CurvePoint(stop, *on_line(whole, stop)),
            )
        v, a = (
            float(np.mean([on_line(points, start + (stop - start) * i / 8)[axis] for i in range(9)]))
            for axis in (0, 1)
        )
        curve_points.append(
            Cue(
                f"1M{k + 1}",
                start,
                stop,
                "start" if k == 0 else "mood",
                mood_of(v, a),
                points,
                "C major",
                choose_meter(stop - start, v, a),
            )
        )
    return CueSheet("moving", length, tuple(plan_keys(curve_points, seed)), seed=seed)


def _curve(kind: str, begin: NDArray, end: NDArray, length: Fraction, cues: int) -> list[CurvePoint]:
    """The curve of a piece; of a step in several cues, one point a cue: there and back."""

    def at(t: Fraction, point: NDArray) -> CurvePoint:
        return CurvePoint(t, float(point[0]), float(point[1]))

    if kind == "ramp":
        return [at(Fraction(0), begin), at(length, end)]
    if cues == 1:
        middle, edge = length / 2, Fraction(1, 2)
        return [at(Fraction(0), begin), at(middle - edge, begin), at(middle + edge, end), at(length, end)]
    return [at(length * (2 * k + 1) / (2 * cues), (begin, end)[k % 2]) for k in range(cues)]


def hearings(moving: Moving, score: Score, judge: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(windows, 2) judged and asked valence and arousal over a piece."""
    from videoscore.music.tagger import Tagger, note_arrays

    model, notes = Tagger.load(judge), note_arrays(score)
    heard, asked = [], []
    for start in np.arange(0.0, float(moving.sheet.duration) - WINDOW + 1e-6, HOP):
        inside = notes.window(start, start + WINDOW)
        if len(inside):
            heard.append(model.predict(inside, WINDOW))
            asked.append(moving.asked(start, start + WINDOW))
    return np.array(heard), np.array(asked)


def following(moved: Sequence[Moving], scores: Sequence[Score], judge: str) -> dict:
    """Mean correlation within a piece of the judged curve with the asked one, for each axis that moves, its
    standard error, and by kind of piece; `chance` is the same with another piece's asked curve."""
    pairs = [hearings(m, s, judge) for m, s in zip(moved, scores)]
    out: dict = {}
    for axis, name in enumerate(("valence", "arousal")):
        cue_pairs = [
            (m.kind, h[:, axis], a[:, axis]) for m, (h, a) in zip(moved, pairs) if np.ptp(a[:, axis]) > MOVED
        ]
        if not cue_pairs:
            continue
        r = np.array([_correlation(h, a) for _, h, a in cue_pairs])
        kinds = sorted({k for k, _, _ in cue_pairs})
        out[name] = {
            "pieces": len(cue_pairs),
            "correlation": float(r.mean()),
            "error": float(r.std() / np.sqrt(len(r))),
            "chance": _chance([h for _, h, _ in cue_pairs], [a for _, _, a in cue_pairs]),
            "kinds": {
                k: float(np.mean([x for x, (kind, _, _) in zip(r, cue_pairs) if kind == k])) for k in kinds
            },
        }
    return out


def _correlation(a: NDArray, b: NDArray) -> float:
    """Pearson's r; 0 where either doesn't move."""
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _chance(heard: Sequence[NDArray], asked: Sequence[NDArray]) -> float:
    """Mean correlation with the asked curve of a piece drawn by lot, stretched to the same length."""
    rng, rs = np.random.default_rng(0), []
    for _ in range(SHUFFLES):
        i, j = int(rng.integers(len(heard))), int(rng.integers(len(asked)))
        curve = np.interp(np.linspace(0, 1, len(heard[i])), np.linspace(0, 1, len(asked[j])), asked[j])
        rs.append(_correlation(heard[i], curve))
    return float(np.mean(rs))
